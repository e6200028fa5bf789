"""The back office of the warehouse: transfers, locations, what orders hold."""

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from apps.catalog import interface as catalog
from apps.catalog.admin import StockTransferAdmin
from apps.catalog.models import (
    Reservation,
    Stock,
    StockAlert,
    StockCount,
    StockLocation,
    StockTransfer,
)
from apps.catalog.services.alerts import set_alert
from apps.catalog.services.counts import count_stock
from apps.catalog.services.stock import receive
from apps.catalog.services.transfers import change_transfer
from apps.catalog.tests.factories import VariantFactory
from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry, OutboxEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(enter) -> Client:
    user = get_user_model().objects.create_superuser("boss@example.com", "long enough password")
    return enter(Client(), user)


@pytest.fixture
def shop() -> StockLocation:
    return StockLocation.objects.create(code="shop", name="Shop")


def address(model, page, *args):
    return reverse(f"admin:catalog_{model._meta.model_name}_{page}", args=args)


def do(office, model, action, *rows):
    """Choose rows of a list and do something with them; return what the page says then."""
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    page = office.post(address(model, "changelist"), chosen, follow=True)
    assert page.status_code == 200
    return page.content.decode()


def transfer_form(shop, *lines, **more):
    main = StockLocation.objects.get(code="main")
    form = {
        "from_location": main.pk,
        "to_location": shop.pk,
        "note": "by van",
        "lines-TOTAL_FORMS": len(lines),
        "lines-INITIAL_FORMS": 0,
        **more,
    }
    for number, (variant, quantity) in enumerate(lines):
        form[f"lines-{number}-variant"] = variant.sku
        form[f"lines-{number}-quantity"] = quantity
    return form


def on_hand(variant):
    return dict(Stock.objects.filter(variant=variant).values_list("location__code", "on_hand"))


def test_staff_write_a_transfer_send_it_and_receive_it(office, shop):
    lamp = VariantFactory(sku="LAMP", stock=5)

    page = office.post(address(StockTransfer, "add"), transfer_form(shop, (lamp, 2)))

    assert page.status_code == 302, page.context["errors"]
    transfer = StockTransfer.objects.get()
    assert (transfer.status, transfer.lines.get().quantity) == ("draft", 2)
    one = office.get(address(StockTransfer, "change", transfer.pk)).content.decode()
    assert 'name="lines-0-variant" value="LAMP"' in one
    do(office, StockTransfer, "send", transfer)
    assert on_hand(lamp) == {"main": 3}
    do(office, StockTransfer, "receive", transfer)
    assert on_hand(lamp) == {"main": 3, "shop": 2}
    transfer.refresh_from_db()
    assert (transfer.status, transfer.version) == ("received", 3)
    assert "is received" in do(office, StockTransfer, "give_up", transfer)
    one = office.get(address(StockTransfer, "change", transfer.pk)).content.decode()
    assert 'name="note"' not in one
    assert 'name="lines-0-quantity"' not in one
    actions = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert {"catalog.stocktransfer_added", "catalog.stock_transfer_sent"} <= set(actions)


def test_what_has_left_meanwhile_is_not_changed(office, shop, monkeypatch):
    lamp = VariantFactory(sku="LAMP", stock=5)
    office.post(address(StockTransfer, "add"), transfer_form(shop, (lamp, 2)))
    transfer = StockTransfer.objects.get()
    form = transfer_form(shop, (lamp, 5)) | {
        "lines-INITIAL_FORMS": 1,
        "lines-0-id": transfer.lines.get().pk,
        "lines-0-transfer": transfer.pk,
    }
    seen = StockTransferAdmin.save_model

    def too_late(page, request, obj, *rest):
        change_transfer(transfer_id=obj.pk, changes={"status": "in_transit"})
        seen(page, request, obj, *rest)

    monkeypatch.setattr(StockTransferAdmin, "save_model", too_late)

    page = office.post(address(StockTransfer, "change", transfer.pk), form, follow=True)

    assert "The transfer is in_transit." in page.content.decode()
    transfer.refresh_from_db()
    assert transfer.lines.get().quantity == 2


def test_what_cannot_be_sent_is_told_and_stays(office, shop):
    lamp = VariantFactory(sku="LAMP", stock=5)
    office.post(address(StockTransfer, "add"), transfer_form(shop, (lamp, 6)))
    transfer = StockTransfer.objects.get()

    assert "not so many free pieces" in do(office, StockTransfer, "send", transfer)

    assert on_hand(lamp) == {"main": 5}
    do(office, StockTransfer, "give_up", transfer)
    transfer.refresh_from_db()
    assert transfer.status == "cancelled"


def test_a_transfer_without_goods_or_to_the_same_place_is_refused(office, shop):
    lamp = VariantFactory(sku="LAMP", stock=5)
    main = StockLocation.objects.get(code="main")

    for form in (
        transfer_form(shop),
        transfer_form(shop, (lamp, 0)),
        transfer_form(shop, (lamp, 1), to_location=main.pk),
        transfer_form(shop, (lamp, 1), (lamp, 2)),
    ):
        assert office.post(address(StockTransfer, "add"), form).status_code == 200

    assert not StockTransfer.objects.exists()


def test_switching_a_location_off_is_told(office, shop):
    lamp = VariantFactory(sku="LAMP")
    receive(quantities={lamp.pk: 2}, reason="x", location_id=shop.pk)
    OutboxEvent.objects.all().delete()
    form = {"name": "Shop", "priority": 7}

    office.post(address(StockLocation, "change", shop.pk), form)

    shop.refresh_from_db()
    assert (shop.is_active, shop.priority, shop.code) == (False, 7, "shop")
    assert [event.payload["band"] for event in OutboxEvent.objects.all()] == ["out_of_stock"]
    main = StockLocation.objects.get(code="main")
    page = office.post(address(StockLocation, "change", main.pk), {**form, "name": "Main"})
    assert "The main location serves the orders." in page.content.decode()
    main.refresh_from_db()
    assert main.is_active


def test_what_unpaid_orders_hold_is_given_back(office):
    lamp, desk = VariantFactory(stock=5), VariantFactory(stock=5)
    unpaid, paid = new_id(), new_id()
    catalog.reserve(order_id=unpaid, quantities={lamp.pk: 1, desk.pk: 1})
    catalog.reserve(order_id=paid, quantities={lamp.pk: 1})
    catalog.allocate(order_id=paid)

    said = do(office, Reservation, "release", *Reservation.objects.all())

    assert f"{paid}: The order holds nothing" in said
    states = dict(Reservation.objects.values_list("order_id", "state"))
    assert states == {unpaid: "released", paid: "allocated"}


def test_counts_and_alerts_are_looked_at(office):
    lamp = VariantFactory(sku="LAMP")
    set_alert(customer_id=new_id(), variant_id=lamp.pk)
    counted = count_stock(location="main", lines=[("LAMP", 0)], reason="x", actor_id=None)

    assert b"LAMP" in office.get(address(StockAlert, "changelist")).content
    assert office.get(address(StockCount, "changelist")).status_code == 200
    assert office.get(address(StockCount, "change", counted.pk)).status_code == 200
    assert office.get(address(StockCount, "add")).status_code == 403


def test_a_location_gets_a_whole_address(office, shop):
    page = address(StockLocation, "change", shop.pk)
    form = {"name": "Shop", "is_active": "on", "priority": 5, "line1": "Am Speicher 1"}
    whole = {**form, "city": "Hamburg", "postal_code": "20457", "country": "DE"}

    half = office.post(page, form).content.decode()
    nowhere = office.post(page, {**whole, "country": "XX"}).content.decode()

    assert "An address needs line 1, city, postal code and country." in half
    assert "This is no country code." in nowhere
    short = office.post(page, {**whole, "postal_code": "2045"}).content.decode()
    assert "This is no postal code of the country" in short
    shop.refresh_from_db()
    assert shop.city == ""
    assert office.post(page, whole).status_code == 302
    shop.refresh_from_db()
    assert (shop.city, shop.country, shop.region) == ("Hamburg", "DE", "")
    assert AuditEntry.objects.filter(action="catalog.stocklocation_changed").count() == 1
