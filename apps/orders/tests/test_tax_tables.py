"""Staff write tax classes, zones and rates."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from apps.catalog.tests.factories import ProductFactory
from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry
from apps.orders.models import TaxArea, TaxClass, TaxRate, TaxZone
from apps.orders.services.taxes import applicable
from apps.orders.tests.factories import tax_class, tax_rate, tax_zone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standard_class")]
CLASSES, ZONES, RATES = "/api/v1/tax-classes", "/api/v1/tax-zones", "/api/v1/tax-rates"
NOW = timezone.now().replace(microsecond=0)
DAY = timedelta(days=1)


def code(answer):
    return answer.status_code, answer.json()["code"]


def faults(answer):
    assert answer.status_code == 400, answer.content
    return [(entry["pointer"], entry["code"]) for entry in answer.json()["errors"]]


def acts():
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def until_the_end(write):
    """Write, and let be checked what is checked when a transaction ends."""
    write()
    connection.check_constraints()


def rate_body(zone, **fields):
    body = {"zone_id": str(zone.pk), "tax_class": "standard", "code": "vat", "name": "VAT"}
    return {**body, "percentage": "19", **fields}


def test_a_class_is_made_shown_renamed_and_removed(staff):
    made = staff.post(CLASSES, {"code": "reduced", "name": "Reduced"})

    assert made.status_code == 201, made.content
    document = made.json()
    assert document == {
        "id": document["id"],
        "code": "reduced",
        "name": "Reduced",
        "is_default": False,
        "version": 1,
    }
    path = f"{CLASSES}/{document['id']}"
    assert made["Location"].endswith(path)
    shown = staff.get(path)
    assert shown.json() == document == staff.get(CLASSES).json()["results"][0]
    renamed = staff.patch(path, {"name": "Food"}, headers={"If-Match": shown["ETag"]})
    assert renamed.json() == document | {"name": "Food", "version": 2}
    stale = staff.patch(path, {"name": "x"}, headers={"If-Match": shown["ETag"]})
    assert code(stale) == (412, "version_mismatch")
    assert code(staff.delete(path, headers={"If-Match": shown["ETag"]})) == (
        412,
        "version_mismatch",
    )
    assert staff.delete(path).status_code == 204
    assert code(staff.get(path)) == (404, "unknown_tax_class")
    assert acts() == [f"orders.tax_class_{verb}" for verb in ("added", "changed", "deleted")]


def test_the_code_of_a_class_is_given_once_and_never_changes(staff):
    standard = TaxClass.objects.get()

    assert code(staff.post(CLASSES, {"code": "standard", "name": "x"})) == (
        409,
        "tax_class_code_taken",
    )
    assert faults(staff.patch(f"{CLASSES}/{standard.pk}", {"code": "other"})) == [
        ("/code", "unknown_field")
    ]
    with pytest.raises(ProgrammingError, match="pgtrigger"), transaction.atomic():
        TaxClass.objects.update(code="other")
    assert TaxClass.objects.get().code == "standard"


def test_one_class_is_the_default_one(staff):
    standard = TaxClass.objects.get()
    reduced = tax_class("reduced")

    assert code(staff.patch(f"{CLASSES}/{standard.pk}", {"is_default": False})) == (
        409,
        "tax_class_is_default",
    )
    assert code(staff.delete(f"{CLASSES}/{standard.pk}")) == (409, "tax_class_is_default")
    assert staff.patch(f"{CLASSES}/{reduced.pk}", {"is_default": True}).json()["is_default"]
    third = staff.post(CLASSES, {"code": "third", "name": "Third", "is_default": True})
    assert third.json()["is_default"]
    assert list(TaxClass.objects.filter(is_default=True).values_list("code", flat=True)) == [
        "third"
    ]
    standard.refresh_from_db()
    assert standard.version == 2


def test_the_database_keeps_exactly_one_default_class():
    tax_class("reduced")

    with pytest.raises(IntegrityError, match="tax_class_default_is_one"), transaction.atomic():
        TaxClass.objects.update(is_default=True)
    default = TaxClass.objects.filter(is_default=True)
    for write in (lambda: default.update(is_default=False), default.delete):
        with pytest.raises(IntegrityError, match="has to be the default"), transaction.atomic():
            until_the_end(write)
    assert TaxClass.objects.filter(is_default=True).count() == 1


def test_a_class_that_is_named_is_not_removed(staff):
    zone = tax_zone("DE")
    of_rate = tax_rate(zone, "7", of="reduced").tax_class
    of_parcels, of_products = tax_class("parcels"), tax_class("food")
    staff.patch(f"{ZONES}/{zone.pk}", {"shipping_tax_class": "parcels"})
    ProductFactory(tax_class="food", status="archived")

    for used in (of_rate, of_parcels, of_products):
        assert code(staff.delete(f"{CLASSES}/{used.pk}")) == (409, "tax_class_in_use")
    assert TaxClass.objects.count() == 4


def test_a_zone_is_made_shown_changed_and_removed(staff):
    body = {
        "name": "Southern California",
        "prices_include_tax": False,
        "shipping_taxed": False,
        "shipping_tax_class": None,
        "areas": [
            {"country": "US", "region": "ca", "postal_prefix": "9-0"},
            {"country": "US", "region": " US-CA", "postal_prefix": "91"},
            {"country": "MX", "region": "Baja  California"},
        ],
    }
    made = staff.post(ZONES, body)

    assert made.status_code == 201, made.content
    document = made.json()
    assert document == body | {
        "id": document["id"],
        "version": 1,
        "areas": [
            {"country": "MX", "region": "BAJA CALIFORNIA", "postal_prefix": ""},
            {"country": "US", "region": "CA", "postal_prefix": "90"},
            {"country": "US", "region": "CA", "postal_prefix": "91"},
        ],
    }
    path = f"{ZONES}/{document['id']}"
    shown = staff.get(path)
    assert shown.json() == document == staff.get(ZONES).json()["results"][0]
    areas = [{"country": "US", "region": "CA", "postal_prefix": "91"}]
    changed = staff.patch(
        path, {"areas": areas, "shipping_tax_class": "standard"}, headers={"If-Match": "*"}
    )
    assert changed.json() == document | {
        "areas": areas,
        "shipping_tax_class": "standard",
        "version": 2,
    }
    stale = staff.patch(path, {"name": "x"}, headers={"If-Match": shown["ETag"]})
    assert code(stale) == (412, "version_mismatch")
    assert staff.patch(path, {"areas": []}).json()["areas"] == []
    assert staff.delete(path).status_code == 204
    assert code(staff.get(path)) == (404, "unknown_tax_zone")
    entry = AuditEntry.objects.filter(action="orders.tax_zone_changed").earliest("id")
    assert entry.before["areas"] == ["MX/BAJA CALIFORNIA", "US/CA/90", "US/CA/91"]
    assert entry.after["areas"] == ["US/CA/91"]


def test_an_area_is_in_one_zone_and_a_name_is_given_once(staff):
    tax_zone("US/CA", "US//90", name="California")
    mine = tax_zone("US", name="United States")
    wanted = {"areas": [{"country": "US"}, {"country": "US", "region": "CA"}]}

    refused = staff.patch(f"{ZONES}/{mine.pk}", wanted)
    assert code(refused) == (409, "tax_area_taken")
    assert refused.json()["facts"] == {"areas": ["US/CA"]}
    taken = staff.post(ZONES, {"name": "Other", "areas": [{"country": "US"}]})
    assert code(taken) == (409, "tax_area_taken")
    for answer in (
        staff.post(ZONES, {"name": "California"}),
        staff.patch(f"{ZONES}/{mine.pk}", {"name": "California"}),
    ):
        assert code(answer) == (409, "tax_zone_name_taken")
    assert [str(area) for area in mine.areas.all()] == ["US"]
    mine.refresh_from_db()
    assert (TaxZone.objects.count(), mine.version) == (2, 1)


def test_an_area_that_is_named_twice_is_one(staff):
    twice = [{"country": "US", "region": "ca"}, {"country": "US", "region": "CA "}]

    made = staff.post(ZONES, {"name": "California", "areas": twice})

    assert [area["region"] for area in made.json()["areas"]] == ["CA"]


@pytest.mark.parametrize(
    ("region", "kept"),
    [("Île-de-France", "ÎLE-DE-FRANCE"), ("straße", "STRASSE"), ("\u01c5", "\u01c4"), ("ŉ", "ʼN")],
)
def test_regions_are_compared_in_capitals_of_every_script(staff, region, kept):
    made = staff.post(ZONES, {"name": "x", "areas": [{"country": "FR", "region": region}]})

    assert [area["region"] for area in made.json()["areas"]] == [kept]
    assert applicable({"country": "FR", "region": f" {region} "}, NOW).taxes.zone == "x"


def test_a_zone_with_rates_is_not_removed(staff):
    rate = tax_rate(tax_zone("DE"), "19")

    assert code(staff.delete(f"{ZONES}/{rate.zone_id}")) == (409, "tax_zone_in_use")
    assert staff.delete(f"{RATES}/{rate.pk}").status_code == 204
    assert staff.delete(f"{ZONES}/{rate.zone_id}").status_code == 204
    assert not TaxArea.objects.exists()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"name": ""}, ("/name", "blank")),
        ({"name": "x" * 121}, ("/name", "max_length")),
        ({"prices_include_tax": "yes"}, ("/prices_include_tax", "invalid")),
        ({"areas": {}}, ("/areas", "not_a_list")),
        ({"areas": [{"country": "DE"}] * 1001}, ("/areas", "max_length")),
        ({"areas": ["DE"]}, ("/areas/0", "invalid")),
        ({"areas": [{}]}, ("/areas/0/country", "required")),
        ({"areas": [{"country": "XX"}]}, ("/areas/0/country", "unknown_country")),
        ({"areas": [{"country": "de"}]}, ("/areas/0/country", "unknown_country")),
        ({"areas": [{"country": "DEU"}]}, ("/areas/0/country", "max_length")),
        ({"areas": [{"country": None}]}, ("/areas/0/country", "null")),
        (
            {"areas": [{"country": "", "region": "CA"}]},
            ("/areas/0/country", "country_missing"),
        ),
        (
            {"areas": [{"country": "", "postal_prefix": "9"}]},
            ("/areas/0/country", "country_missing"),
        ),
        (
            {"areas": [{"country": "US", "postal_prefix": "-"}]},
            ("/areas/0/postal_prefix", "prefix_empty"),
        ),
        (
            {"areas": [{"country": "US", "postal_prefix": "1" * 11}]},
            ("/areas/0/postal_prefix", "prefix_too_long"),
        ),
        ({"areas": [{"country": "US", "city": "x"}]}, ("/areas/0/city", "unknown_field")),
        ({"priority": 1}, ("/priority", "unknown_field")),
    ],
)
def test_a_zone_that_makes_no_sense_is_refused_where_it_is_wrong(staff, change, fault):
    assert faults(staff.post(ZONES, {"name": "Zone", **change})) == [fault]
    assert not TaxZone.objects.exists()


def test_a_rate_is_made_shown_changed_and_removed(staff):
    zone = tax_zone("US/NY/100", name="New York City")
    made = staff.post(
        RATES,
        rate_body(zone, percentage="8.8750", valid_from=NOW.isoformat(), valid_until=None),
    )

    assert made.status_code == 201, made.content
    document = made.json()
    assert document == {
        "id": document["id"],
        "zone_id": str(zone.pk),
        "tax_class": "standard",
        "code": "vat",
        "name": "VAT",
        "percentage": "8.875",
        "valid_from": NOW.isoformat(),
        "valid_until": None,
        "version": 1,
    }
    assert TaxRate.objects.get().ppm == 88_750
    path = f"{RATES}/{document['id']}"
    shown = staff.get(path)
    assert shown.json() == document
    for query, found in (
        (f"filter[zone_id]={zone.pk}&filter[tax_class]=standard", [document]),
        (f"filter[zone_id]={new_id()}", []),
        ("filter[tax_class]=reduced", []),
    ):
        assert staff.get(f"{RATES}?{query}").json()["results"] == found
    changed = staff.patch(path, {"percentage": "0"}, headers={"If-Match": shown["ETag"]})
    assert changed.json() == document | {"percentage": "0", "version": 2}
    stale = staff.patch(path, {"percentage": "1"}, headers={"If-Match": shown["ETag"]})
    assert code(stale) == (412, "version_mismatch")
    assert faults(staff.patch(path, {"tax_class": "reduced"})) == [("/tax_class", "unknown_field")]
    assert staff.delete(path).status_code == 204
    assert code(staff.delete(path)) == (404, "unknown_tax_rate")
    assert acts()[-3:] == [f"orders.tax_rate_{verb}" for verb in ("added", "changed", "deleted")]


@pytest.mark.parametrize(
    "percentage",
    [
        *("-1", "100.0001", "101", "1000", "9" * 20, "NaN", "inf", "1e2", "", " ", "8.87501"),
        *(".5", "5.", "+5", "5 %", "5,5", "٥", 19, 8.875, True, None, {}),
    ],
)
def test_what_is_no_percentage_is_refused(staff, percentage):
    zone = tax_zone("DE")

    answer = staff.post(RATES, rate_body(zone, percentage=percentage))

    assert [pointer for pointer, _ in faults(answer)] == ["/percentage"]
    assert not TaxRate.objects.exists()


@pytest.mark.parametrize(
    ("percentage", "kept"), [("0", 0), ("100", 10**6), ("0.0001", 1), ("099.9", 999_000)]
)
def test_percentages_are_exact(staff, percentage, kept):
    answer = staff.post(RATES, rate_body(tax_zone("DE"), percentage=percentage))

    assert answer.status_code == 201
    assert TaxRate.objects.get().ppm == kept


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"zone_id": "0190a5b0-0000-7000-8000-000000000000"}, (404, "unknown_tax_zone")),
        ({"tax_class": "reduced"}, (404, "unknown_tax_class")),
        ({"code": "VAT"}, (400, "validation_failed")),
        ({"name": ""}, (400, "validation_failed")),
        ({"valid_from": "soon"}, (400, "validation_failed")),
        ({"valid_from": "0001-01-01T00:00:00+14:00"}, (400, "validation_failed")),
        (
            {"valid_from": "2027-01-01T00:00:00Z", "valid_until": "2027-01-01T00:00:00Z"},
            (422, "tax_rate_ends_before_it_begins"),
        ),
        (
            {"valid_from": "2027-01-02T00:00:00Z", "valid_until": "2027-01-01T00:00:00Z"},
            (422, "tax_rate_ends_before_it_begins"),
        ),
    ],
)
def test_a_rate_that_makes_no_sense_is_refused(staff, change, refusal):
    zone = tax_zone("DE")

    assert code(staff.post(RATES, rate_body(zone, **change))) == refusal
    assert not TaxRate.objects.exists()


def test_of_one_tax_only_one_rate_is_valid_at_a_time(staff):
    zone = tax_zone("DE")
    ended = tax_rate(zone, "16", valid_until=NOW)
    tax_rate(zone, "19", valid_from=NOW, valid_until=NOW + DAY)

    for begins, ends in ((None, None), (NOW - DAY, None), (NOW, NOW + DAY), (None, NOW + DAY)):
        body = rate_body(
            zone, valid_from=begins and begins.isoformat(), valid_until=ends and ends.isoformat()
        )
        assert code(staff.post(RATES, body)) == (409, "tax_rates_overlap")
    longer = staff.patch(f"{RATES}/{ended.pk}", {"valid_until": None})
    assert code(longer) == (409, "tax_rates_overlap")
    tax_class("reduced")
    for free in (
        rate_body(zone, valid_from=(NOW + DAY).isoformat()),
        rate_body(zone, tax_class="reduced"),
        rate_body(zone, code="city"),
        rate_body(tax_zone("AT")),
    ):
        assert staff.post(RATES, free).status_code == 201
    assert TaxRate.objects.count() == 6


@pytest.mark.parametrize(
    ("write", "constraint"),
    [
        (lambda rate: {"ppm": 1_000_001}, "tax_rate_is_0_to_100_percent"),
        (lambda rate: {"code": "V A T"}, "tax_rate_code_is_a_code"),
        (
            lambda rate: {"valid_from": NOW, "valid_until": NOW - DAY},
            "tax_rate_begins_before_it_ends",
        ),
    ],
)
def test_the_database_has_the_last_word_on_rates(write, constraint):
    rate = tax_rate(tax_zone("DE"), "19")

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        TaxRate.objects.filter(pk=rate.pk).update(**write(rate))


@pytest.mark.parametrize(
    ("area", "constraint"),
    [
        ({"country": "XX"}, "tax_area_country_is_a_code"),
        ({"country": "", "region": "CA"}, "tax_area_everywhere_is_not_narrowed"),
        ({"country": "US", "region": "ca"}, "tax_area_region_is_a_key"),
        ({"country": "US", "region": " CA"}, "tax_area_region_is_a_key"),
        ({"country": "US", "region": "CA "}, "tax_area_region_is_a_key"),
        ({"country": "US", "postal_prefix": "9-0"}, "tax_area_postal_prefix_is_a_key"),
        ({"country": "US", "region": "NY"}, "tax_area_is_in_one_zone"),
    ],
)
def test_the_database_has_the_last_word_on_areas(area, constraint):
    tax_zone("US/NY")
    zone = tax_zone("US/CA")

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        TaxArea.objects.create(zone=zone, **area)
