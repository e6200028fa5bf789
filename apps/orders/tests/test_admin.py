"""The back office of orders."""

import pytest
from django.contrib import admin
from django.urls import reverse

from apps.kernel.backoffice import ReadOnly
from apps.orders.models import Order, Refund, Shipment, StoredValue
from apps.orders.services import shipments
from apps.orders.tests.factories import (
    PromotionFactory,
    delivered_order,
    placed_order,
    requested_return,
)
from apps.users.tests.factories import StaffFactory, UserFactory, enter

pytestmark = pytest.mark.django_db

PAGES = [model for model in admin.site._registry if model._meta.app_label == "orders"]
DOCUMENTS = [model for model in PAGES if isinstance(admin.site._registry[model], ReadOnly)]


@pytest.fixture
def manager(client):
    staff = StaffFactory(is_superuser=True)
    enter(client, staff)
    return staff


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model.__name__)
def test_every_list_opens_and_can_be_searched(model, manager, client):
    placed_order()

    answer = client.get(reverse(f"admin:orders_{model._meta.model_name}_changelist"), {"q": "1"})

    assert answer.status_code == 200


@pytest.mark.parametrize("model", DOCUMENTS, ids=lambda model: model.__name__)
def test_nobody_adds_changes_or_deletes_a_document(model, manager, client):
    name = f"admin:orders_{model._meta.model_name}"

    # A refund, and a gift card, is asked of the service.
    asked = model in {Refund, StoredValue}
    assert client.get(reverse(f"{name}_add")).status_code == (200 if asked else 403)


def test_an_order_shows_its_lines_payments_and_history(manager, client):
    order, _ = placed_order()

    page = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()

    assert order.lines.get().sku in page
    assert "pending_payment" in page
    assert "token_hash" not in page


def test_staff_cancel_an_order_through_the_service(manager, client):
    order, _ = placed_order()

    client.post(
        reverse("admin:orders_order_changelist"),
        {"action": "cancel", "_selected_action": [order.pk]},
    )

    order.refresh_from_db()
    assert order.status == "cancelled"
    assert order.history.get(to_status="cancelled").actor_id == manager.pk


def test_a_refused_action_is_told_and_changes_nothing(manager, client):
    order, _ = placed_order()
    client.post(
        reverse("admin:orders_order_changelist"),
        {"action": "cancel", "_selected_action": [order.pk]},
    )

    answer = client.post(
        reverse("admin:orders_order_changelist"),
        {"action": "cancel", "_selected_action": [order.pk]},
        follow=True,
    )

    assert "The order is cancelled." in answer.content.decode()
    assert order.history.filter(to_status="cancelled").count() == 1


def test_staff_report_what_the_carrier_did(manager, client):
    order, _ = placed_order()
    Order.objects.filter(pk=order.pk).update(status="paid")
    shipments.plan_shipment(order_id=order.pk)
    shipments.advance_shipment()
    shipment = Shipment.objects.get()
    assert shipment.status == "labelled"

    for action in ("hand_over", "deliver"):
        client.post(
            reverse("admin:orders_shipment_changelist"),
            {"action": action, "_selected_action": [shipment.pk]},
        )

    order.refresh_from_db()
    shipment.refresh_from_db()
    assert (shipment.status, order.status) == ("delivered", "completed")


def test_staff_without_the_permission_see_no_orders_and_no_action(client):
    order, _ = placed_order()
    enter(client, StaffFactory())

    assert client.get(reverse("admin:orders_order_changelist")).status_code == 403
    enter(client, StaffFactory(permissions=["orders.view_order"]))
    client.post(
        reverse("admin:orders_order_changelist"),
        {"action": "cancel", "_selected_action": [order.pk]},
    )

    order.refresh_from_db()
    assert order.status == "pending_payment"


def test_customers_do_not_enter(client):
    enter(client, UserFactory())

    answer = client.get(reverse("admin:orders_order_changelist"))

    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")


def test_staff_let_promotions_count_and_archive_them(manager, client):
    draft = PromotionFactory(status="draft")
    active = PromotionFactory()
    path = reverse("admin:orders_promotion_changelist")

    for row, action in ((draft, "activate"), (active, "archive"), (active, "archive")):
        client.post(path, {"action": action, "_selected_action": [str(row.pk)]})

    draft.refresh_from_db()
    active.refresh_from_db()
    assert (draft.status, active.status) == ("active", "archived")
    assert (draft.version, active.version) == (2, 2)


def test_staff_decide_on_returns_and_say_what_came_back(manager, client):
    order, _ = delivered_order()
    [kept, written_off, rejected] = [requested_return(order) for order in (order, *more(2))]
    path = reverse("admin:orders_return_changelist")

    def act(action, *rows):
        ids = [str(row.pk) for row in rows]
        client.post(path, {"action": action, "_selected_action": ids})

    act("approve", kept, written_off)
    act("reject", rejected)
    act("receive", kept, written_off, rejected)
    act("restock", kept)
    act("write_off", written_off)

    for row, status in ((kept, "inspected"), (written_off, "inspected"), (rejected, "rejected")):
        row.refresh_from_db()
        assert row.status == status
    assert kept.lines.get().resolution == "restock"
    assert written_off.lines.get().resolution == "write_off"
    assert kept.refund.amount_minor == kept.amount_minor > 0
    page = client.get(reverse("admin:orders_return_change", args=[kept.pk])).content.decode()
    assert "changed mind" in page


def more(count):
    return [delivered_order()[0] for _ in range(count)]
