"""Taxes in the back office."""

import pytest

from apps.kernel.models import AuditEntry
from apps.orders.models import TaxClass, TaxRate, TaxZone
from apps.orders.tests.factories import tax_class, tax_rate, tax_zone
from apps.users.tests.factories import StaffFactory, enter

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standard_class")]
OFFICE = "/admin/orders"
NO_DATES = {f"valid_{end}_{part}": "" for end in ("from", "until") for part in (0, 1)}
ZONE = {"name": "West", "shipping_taxed": "on", "shipping_tax_class": "", "areas": "US/CA\nUS//89"}


@pytest.fixture
def office(client):
    return enter(client, StaffFactory(is_superuser=True))


def saved(answer):
    assert answer.status_code == 302, answer.context["errors"]
    return answer


def errors(answer):
    assert answer.status_code == 200
    return str(answer.context["errors"])


def test_classes_are_added_made_the_default_one_and_deleted(office):
    add = f"{OFFICE}/taxclass/add/"
    assert "small letters" in errors(office.post(add, {"code": "No Code", "name": "x"}))
    assert "already exists" in errors(office.post(add, {"code": "standard", "name": "x"}))
    saved(office.post(add, {"code": "reduced", "name": "Reduced"}))

    reduced = TaxClass.objects.get(code="reduced")
    page = f"{OFFICE}/taxclass/{reduced.pk}/change/"
    saved(office.post(page, {"code": "other", "name": "Food", "is_default": "on"}))
    reduced.refresh_from_db()
    assert (reduced.code, reduced.name, reduced.is_default) == ("reduced", "Food", True)
    refused = office.post(page, {"name": "Food"}, follow=True)
    assert "Make another class the default one" in refused.content.decode()
    assert TaxClass.objects.get(is_default=True) == reduced
    standard = TaxClass.objects.get(code="standard")
    saved(office.post(f"{OFFICE}/taxclass/{standard.pk}/delete/", {"post": "yes"}))
    assert TaxClass.objects.get() == reduced
    actions = AuditEntry.objects.filter(action__startswith="orders.").order_by("id")
    assert list(actions.values_list("action", flat=True)) == [
        *("orders.tax_class_added", "orders.tax_class_changed", "orders.tax_class_deleted")
    ]


def test_zones_are_written_with_their_areas_as_lines(office):
    saved(office.post(f"{OFFICE}/taxzone/add/", {**ZONE, "areas": " US/ca \n\nUS//8-9\n*"}))

    zone = TaxZone.objects.get()
    page = f"{OFFICE}/taxzone/{zone.pk}/change/"
    assert sorted(map(str, zone.areas.all())) == ["*", "US//89", "US/CA"]
    assert "*\nUS//89\nUS/CA" in office.get(page).content.decode()
    parcels = tax_class("parcels")
    saved(office.post(page, {**ZONE, "areas": "US", "shipping_tax_class": str(parcels.pk)}))
    zone.refresh_from_db()
    assert [str(area) for area in zone.areas.all()] == ["US"]
    assert (zone.shipping_tax_class, zone.version) == (parcels, 2)
    tax_zone("DE")
    taken = office.post(page, {**ZONE, "areas": "DE"}, follow=True)
    assert "In another zone: DE." in taken.content.decode()
    saved(office.post(f"{OFFICE}/taxzone/{zone.pk}/delete/", {"post": "yes"}))
    assert TaxZone.objects.get().name == "DE"


@pytest.mark.parametrize(
    ("areas", "why"),
    [
        ("XX", "no country code"),
        ("us", "no country code"),
        ("*/CA", "not narrowed"),
        ("US/CA/90/1", "too many parts"),
        ("US//12345678901", "too long"),
        ("US/" + "x" * 101, "too long"),
        ("US\n" * 1001, "At most 1000"),
    ],
)
def test_areas_that_make_no_sense_are_told(office, areas, why):
    assert why in errors(office.post(f"{OFFICE}/taxzone/add/", {**ZONE, "areas": areas}))
    assert not TaxZone.objects.exists()


def test_rates_are_written_as_percentages(office):
    zone = tax_zone("DE")
    standard = TaxClass.objects.get()
    form = {"zone": str(zone.pk), "tax_class": str(standard.pk), "code": "vat", "name": "VAT"}
    add = f"{OFFICE}/taxrate/add/"

    for wrong in ("19,5", "101", "x"):
        assert "percentage" in errors(office.post(add, {**form, **NO_DATES, "percentage": wrong}))
    saved(office.post(add, {**form, **NO_DATES, "percentage": "8.875"}))
    rate = TaxRate.objects.get()
    page = f"{OFFICE}/taxrate/{rate.pk}/change/"
    assert 'value="8.875"' in office.get(page).content.decode()
    assert "8.875 %" in office.get(f"{OFFICE}/taxrate/").content.decode()
    assert "valid at that time" in errors(
        office.post(add, {**form, **NO_DATES, "percentage": "19"})
    )
    saved(office.post(page, {**form, **NO_DATES, "percentage": "19"}))
    rate.refresh_from_db()
    assert (rate.ppm, rate.version) == (190_000, 2)
    saved(office.post(f"{OFFICE}/taxrate/{rate.pk}/delete/", {"post": "yes"}))
    assert not TaxRate.objects.exists()


def test_a_zone_with_rates_stays(office):
    rate = tax_rate(tax_zone("DE"), "19")

    office.post(f"{OFFICE}/taxzone/{rate.zone_id}/delete/", {"post": "yes"})
    office.post(
        f"{OFFICE}/taxzone/",
        {"action": "delete_selected", "_selected_action": str(rate.zone_id), "post": "yes"},
    )

    assert TaxZone.objects.get() == rate.zone
