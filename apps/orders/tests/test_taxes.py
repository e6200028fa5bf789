"""Which taxes count for an address at a moment."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from apps.orders.models import TaxClass
from apps.orders.pricing import Rate, Taxes
from apps.orders.services import tax_tables
from apps.orders.services.taxes import NOWHERE, Area, applicable
from apps.orders.tests.factories import ADDRESS, tax_class, tax_rate, tax_zone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standard_class")]

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def address(country="US", region="", postal_code=""):
    return {**ADDRESS, "country": country, "region": region, "postal_code": postal_code}


def rates_at(where, at=NOW, of="standard"):
    return [(rate.code, rate.ppm) for rate in applicable(where, at).taxes.on(of)]


@pytest.fixture
def zones():
    """The United States with what is narrower, Germany, and the rest of the world."""
    areas = {
        "country": "US",
        "region": "US/CA",
        "postal": "US//90",
        "longer": "US//902",
        "both": "US/CA/902",
        "abroad": "DE",
        "rest": "*",
    }
    for percentage, (name, area) in enumerate(areas.items(), start=1):
        tax_rate(tax_zone(area, name=name), str(percentage))


@pytest.mark.parametrize(
    ("place", "zone", "area"),
    [
        (("US", "IL", "62701"), "country", ("US", "", "")),
        (("US", "", ""), "country", ("US", "", "")),
        (("US", "CA", "94016"), "region", ("US", "CA", "")),
        (("US", "ca ", ""), "region", ("US", "CA", "")),
        (("US", "US-CA", ""), "region", ("US", "CA", "")),
        (("US", "NV", "90001"), "postal", ("US", "", "90")),
        (("US", "CA", "90001"), "postal", ("US", "", "90")),
        (("US", "NV", "90210"), "longer", ("US", "", "902")),
        (("US", "", "9-02 10"), "longer", ("US", "", "902")),
        (("US", "CA", "90210-1234"), "both", ("US", "CA", "902")),
        (("DE", "CA", "90210"), "abroad", ("DE", "", "")),
        (("FR", "CA", "90210"), "rest", ("", "", "")),
    ],
)
def test_the_narrowest_area_decides(zones, place, zone, area):
    found = applicable(address(*place), NOW)

    assert (found.taxes.zone, found.area) == (zone, Area(*area))


def test_a_postal_code_is_compared_in_whatever_form(zones):
    tax_zone("GB//sw1a 1", name="Westminster")
    tax_zone("JP//100-0001", name="Chiyoda")

    assert applicable(address("GB", "", "SW1A1AA"), NOW).taxes.zone == "Westminster"
    assert applicable(address("GB", "", "sw1a 1aa"), NOW).taxes.zone == "Westminster"
    assert applicable(address("JP", "", "1000001"), NOW).taxes.zone == "Chiyoda"
    assert applicable(address("GB", "", "SW1A 2AA"), NOW).taxes.zone == "rest"


def test_an_address_that_says_only_its_country_is_in_the_country(zones):
    assert applicable({"country": "US"}, NOW).taxes.zone == "country"
    nothing = {"country": "US", "region": None, "postal_code": None}
    assert applicable(nothing, NOW).taxes.zone == "country"
    assert applicable(address("US", "\u0130\u00df'; --", "!" * 200), NOW).taxes.zone == "country"


def test_without_a_zone_nothing_is_taxed(django_assert_num_queries):
    tax_rate(tax_zone("DE"), "19")

    with django_assert_num_queries(1):
        assert applicable(ADDRESS, NOW).taxes == Taxes()


def test_without_an_address_nothing_is_taxed_and_nothing_asked(zones, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert applicable(None, NOW) == applicable({}, NOW) == NOWHERE


def test_all_classes_of_a_zone_come_in_one_statement(django_assert_num_queries):
    zone = tax_zone("US/CA/90", name="Los Angeles", shipping_taxed=False)
    tax_rate(zone, "7.25", code="state")
    tax_rate(zone, "2.25", code="county")
    tax_rate(zone, "0", of="zero")
    tax_class("food")

    with django_assert_num_queries(1):
        taxes = applicable(address("US", "CA", "90001"), NOW).taxes

    assert taxes == Taxes(
        zone="Los Angeles",
        rates={
            "food": (),
            "standard": (Rate("county", 22_500), Rate("state", 72_500)),
            "zero": (Rate("vat", 0),),
        },
        included=False,
        shipping_taxed=False,
        default_class="standard",
        shipping_class="standard",
    )
    assert taxes.on("food") == ()
    assert taxes.on("") == taxes.on("unheard-of") == taxes.on("standard")


def test_the_default_class_is_another_one_at_once():
    zone = tax_zone("DE", prices_include_tax=True)
    tax_rate(zone, "19")
    tax_rate(zone, "7", of="reduced")

    tax_tables.change_class(class_id=tax_class("reduced").pk, is_default=True)

    taxes = applicable(address("DE"), NOW).taxes
    assert taxes.included
    assert taxes.on("") == (Rate("vat", 70_000),)
    assert taxes.shipping_class == "reduced"
    assert TaxClass.objects.filter(is_default=True).count() == 1


def test_parcels_are_of_the_class_that_the_zone_says():
    zone = tax_zone("DE")
    tax_rate(zone, "7", of="reduced")
    tax_tables.change_zone(zone_id=zone.pk, fields={"shipping_tax_class": "reduced"})

    assert applicable(address("DE"), NOW).taxes.on_parcel("") == (Rate("vat", 70_000),)


def test_a_rate_counts_from_its_first_moment_until_before_its_last():
    zone, end = tax_zone("DE"), NOW + timedelta(days=1)
    tax_rate(zone, "16", valid_from=NOW, valid_until=end)
    tax_rate(zone, "19", valid_from=end)
    tax_rate(zone, "20", valid_until=NOW)

    moments = (NOW - MICROSECOND, NOW, end - MICROSECOND, end, end + timedelta(days=9999))
    assert [rates_at(address("DE"), at) for at in moments] == [
        [("vat", 200_000)],
        [("vat", 160_000)],
        [("vat", 160_000)],
        [("vat", 190_000)],
        [("vat", 190_000)],
    ]


def test_a_class_whose_rates_are_over_is_not_taxed():
    tax_rate(tax_zone("DE"), "19", valid_until=NOW)

    assert rates_at(address("DE")) == []
    assert applicable(address("DE"), NOW).taxes.zone == "DE"


def test_a_store_that_has_set_up_nothing_charges_no_tax():
    assert TaxClass.objects.get().is_default
    assert applicable(ADDRESS, timezone.now()).taxes == Taxes()
