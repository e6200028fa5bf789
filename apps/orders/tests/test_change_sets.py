"""Changes of orders: what a preview tells, and that a confirmation makes exactly that."""

from datetime import timedelta
from uuid import uuid4

import pgtrigger
import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import VariantFactory
from apps.kernel.models import AuditEntry, OutboxEvent
from apps.kernel.money import Money
from apps.orders.models import (
    ChangeSet,
    CustomerUses,
    Order,
    OrderPromotion,
    PaymentAttempt,
    Promotion,
    Refund,
    Return,
    Shipment,
)
from apps.orders.selectors.ledger import refundable_minor
from apps.orders.selectors.orders import Holder
from apps.orders.services import checkout, inspections, promotions, refunds, returns, shipments
from apps.orders.services.invariants import violations
from apps.orders.states import RefundStatus, Resolution
from apps.orders.tests.factories import (
    VISA,
    CouponFactory,
    PromotionFactory,
    delivered_order,
    gift_card,
    paid_order,
    placed_order,
    ready_cart,
    tax_rate,
    tax_zone,
)
from apps.users.tests.factories import (
    StaffFactory,
    UserFactory,
    access_token_for,
    client_of,
    staff_client,
)

pytestmark = pytest.mark.django_db


def holder_client(holder):
    return APIClient(headers={"X-Order-Token": holder.token})


def propose(client, order, kind, **body):
    return client.post(f"/api/v1/orders/{order.pk}/changes", {"kind": kind, **body})


def confirm(client, proposed, key=None):
    path = f"{proposed['Location']}/confirmations"
    return client.post(path, {}, headers={"Idempotency-Key": key or uuid4().hex})


def kept(*lines):
    return [{"order_line_id": str(line.pk), "quantity": quantity} for line, quantity in lines]


def refusal(answer):
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def usd(amount):
    return {"amount": amount, "currency": "USD"}


def available(variant):
    return catalog.offers(variant_ids=[variant.pk])[variant.pk].available


def all_is_well():
    return list(violations(ask_providers=False, workers_run=False)) == []


@pytest.fixture
def lamp():
    return VariantFactory(price_minor=1000, stock=10)


@pytest.fixture
def shade():
    return VariantFactory(price_minor=333, stock=10)


@pytest.fixture
def boss():
    return staff_client(
        *("orders.view_order", "orders.cancel_order", "orders.refund_order"),
        "orders.decide_return",
    )


def test_a_preview_changes_nothing(lamp, boss):
    order, holder = paid_order({lamp.pk: 3})
    guest = holder_client(holder)
    before = Order.objects.values().get(pk=order.pk)

    for client, kind, body in (
        (guest, "cancel", {}),
        (guest, "edit", {"lines": kept((order.lines.get(), 1))}),
        (boss, "refund", {"amount": usd("1.00"), "reason": "Sorry."}),
    ):
        assert propose(client, order, kind, **body).status_code == 201

    assert Order.objects.values().get(pk=order.pk) == before
    assert order.lines.get().quantity == 3
    assert available(lamp) == 7
    assert not Refund.objects.exists()
    told = guest.get(f"/api/v1/orders/{order.pk}/changes").json()["results"]
    assert [(each["kind"], each["status"]) for each in told] == [
        ("refund", "proposed"),
        ("edit", "proposed"),
        ("cancel", "proposed"),
    ]


def test_a_cancellation_is_previewed_and_made(lamp):
    order, holder = paid_order({lamp.pk: 3})
    guest = holder_client(holder)

    proposed = propose(guest, order, "cancel", reason="Too late.")

    told = proposed.json()
    assert told["status"] == "proposed"
    preview = told["preview"]
    assert preview["before"] == {"status": "paid", "total": usd("36.00")}
    assert preview["after"] == {"status": "cancelled", "total": usd("0.00")}
    assert preview["difference"] == preview["refund"] == usd("36.00")
    assert preview["tax"] == usd("0.00")
    sku = order.lines.get().sku
    assert preview["stock"] == [{"sku": sku, "quantity": 3, "move": "release"}]
    confirmed = confirm(guest, proposed)
    assert confirmed.status_code == 201
    assert confirmed.json()["status"] == "confirmed"
    assert confirmed.json()["confirmed_at"]
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert order.history.get(to_status="cancelled").reason == "Too late."
    assert Refund.objects.get().amount_minor == 3600
    assert available(lamp) == 10
    assert all_is_well()
    entry = AuditEntry.objects.get(action="orders.change_confirmed")
    assert entry.after["kind"] == "cancel"


def test_a_refund_is_previewed_and_made_by_staff_alone(lamp, boss):
    tax_rate(tax_zone("US"), "10")
    order, holder = paid_order({lamp.pk: 1})
    body = {"amount": usd("5.50"), "reason": "A scratch."}

    refused = propose(holder_client(holder), order, "refund", **body)
    proposed = propose(boss, order, "refund", **body)
    confirmed = confirm(boss, proposed)

    assert refusal(refused) == (403, "refund_not_allowed")
    preview = proposed.json()["preview"]
    assert (preview["refund"], preview["tax"]) == (usd("5.50"), usd("0.50"))
    assert preview["before"] == preview["after"]
    refund = Refund.objects.get()
    assert confirmed.json()["refund_id"] == str(refund.pk)
    assert (refund.amount_minor, refund.reason) == (550, "A scratch.")
    more = propose(boss, order, "refund", amount=usd("99.00"), reason="x")
    assert refusal(more) == (409, "refund_exceeds_captured")
    other = propose(boss, order, "refund", amount={"amount": "1.00", "currency": "EUR"}, reason="x")
    assert refusal(other) == (422, "currency_mismatch")
    assert refusal(propose(boss, order, "refund", amount=usd("0.00"), reason="x"))[0] == 422


def test_a_return_by_staff_is_approved_at_once_and_a_shoppers_is_asked_for(lamp, boss):
    order, holder = delivered_order({lamp.pk: 3})
    line = order.lines.get()
    lines = [{"order_line_id": str(line.pk), "quantity": 1, "reason": "other"}]

    for client, status in ((boss, "approved"), (holder_client(holder), "requested")):
        proposed = propose(client, order, "return", lines=lines, comment="Too bright.")
        preview = proposed.json()["preview"]
        assert (preview["refund"], preview["difference"]) == (usd("10.00"), usd("0.00"))
        assert preview["stock"] == [{"sku": line.sku, "quantity": 1, "move": "return"}]
        confirmed = confirm(client, proposed)
        found = Return.objects.get(pk=confirmed.json()["return_id"])
        assert (found.status, found.comment) == (status, "Too bright.")

    assert not Refund.objects.exists()
    three = [{**lines[0], "quantity": 2}]
    assert refusal(propose(boss, order, "return", lines=three)) == (409, "more_than_bought")


def test_fewer_pieces_of_a_paid_order_cost_less_and_the_rest_goes_back(lamp, shade):
    tax_rate(tax_zone("US"), "8.875")
    order, holder = paid_order({lamp.pk: 3, shade.pk: 2})
    guest = holder_client(holder)
    lamps, shades = order.lines.order_by("position")
    total, tax = order.grand_total_minor, order.tax_minor

    proposed = propose(guest, order, "edit", lines=kept((lamps, 1), (shades, 0)))

    preview = proposed.json()["preview"]
    assert preview["stock"] == [
        {"sku": lamps.sku, "quantity": 2, "move": "release"},
        {"sku": shades.sku, "quantity": 2, "move": "release"},
    ]
    confirmed = confirm(guest, proposed)
    assert confirmed.status_code == 201, confirmed.content
    order.refresh_from_db()
    line = order.lines.get()
    assert (line.quantity, line.total_minor) == (1, 1000)
    assert order.items_minor == 1000
    expected = (1000 + order.shipping_minor) * 8875 / 100000
    assert abs(order.tax_minor - expected) < 1
    assert order.grand_total_minor == 1000 + order.shipping_minor + order.tax_minor
    saved = Money(total - order.grand_total_minor, "USD")
    assert preview["after"]["total"]["amount"] == Money(order.grand_total_minor, "USD").amount
    assert preview["refund"]["amount"] == preview["difference"]["amount"] == saved.amount
    assert preview["tax"]["amount"] == Money(tax - order.tax_minor, "USD").amount
    refund = Refund.objects.get(pk=confirmed.json()["refund_id"])
    assert refund.amount_minor == order.reduced_minor == saved.minor
    invoice = order.billing_documents.get(kind="invoice")
    assert (invoice.total_minor, len(invoice.content["lines"])) == (total, 2)
    assert (available(lamp), available(shade)) == (9, 10)
    assert refundable_minor(order.pk) == order.grand_total_minor
    assert all_is_well()
    event = OutboxEvent.objects.get(name="orders.order_edited")
    assert event.payload == {"order_id": str(order.pk)}
    entry = AuditEntry.objects.get(action="orders.order_edited")
    assert (entry.before["total"], entry.after["total"]) == (total, order.grand_total_minor)


@pytest.mark.parametrize("included", [False, True])
@pytest.mark.parametrize("price", [1, 6, 7, 333, 999])
def test_an_edited_order_adds_up_piece_by_piece(price, included):
    tax_rate(tax_zone("US", prices_include_tax=included), "8.875")
    PromotionFactory(benefit={"kind": "percentage", "basis_points": 333})
    some, other = (VariantFactory(price_minor=each, stock=9) for each in (price, 1001))
    order, holder = paid_order({some.pk: 5, other.pk: 2})
    guest = holder_client(holder)
    first, second = order.lines.order_by("position")
    was = order.grand_total_minor

    for lines in (kept((first, 4)), kept((first, 2), (second, 1)), kept((first, 0))):
        proposed = propose(guest, order, "edit", lines=lines)
        assert confirm(guest, proposed).status_code == 201, proposed.content
        assert all_is_well()

    order.refresh_from_db()
    assert order.lines.count() == 1
    back = sum(refund.amount_minor for refund in Refund.objects.all())
    assert back == was - order.grand_total_minor == order.reduced_minor
    document = guest.get(f"/api/v1/orders/{order.pk}").json()
    taxes = sum(int(each["amount"]["amount"].replace(".", "")) for each in document["taxes"])
    assert taxes == order.tax_minor + order.tax_included_minor
    off = sum(int(each["amount"]["amount"].replace(".", "")) for each in document["discounts"])
    assert off == order.discount_minor


def test_an_edited_order_is_sent_and_returned_as_it_is_now(lamp, boss):
    order, holder = paid_order({lamp.pk: 3})
    guest = holder_client(holder)
    confirm(guest, propose(guest, order, "edit", lines=kept((order.lines.get(), 2))))
    shipments.plan_shipment(order_id=order.pk)
    shipments.advance_shipment()
    shipment = Shipment.objects.get()
    shipments.hand_over(shipment_id=shipment.pk)
    shipments.deliver(shipment_id=shipment.pk)
    line = order.lines.get()
    found = returns.request_return(
        holder=holder, order_id=order.pk, wanted=[returns.Wanted(line.pk, 2, "other")]
    )
    returns.approve_return(return_id=found.pk)
    returns.receive_return(return_id=found.pk)

    inspections.inspect_return(
        return_id=found.pk,
        findings={found.lines.get().pk: inspections.Finding(2, Resolution.RESTOCK)},
        refund_shipping=True,
    )

    assert available(lamp) == 10
    assert sum(each.amount_minor for each in Refund.objects.all()) == 3600
    assert all_is_well()


def test_an_order_whose_payment_failed_is_edited_and_paid(lamp):
    order, holder = placed_order({lamp.pk: 3})
    guest = holder_client(holder)
    lines = kept((order.lines.get(), 1))
    alive = propose(guest, order, "edit", lines=lines)
    PaymentAttempt.objects.update(status="in_flight")
    PaymentAttempt.objects.update(status="failed", next_action_at=None)

    proposed = propose(guest, order, "edit", lines=lines)
    confirmed = confirm(guest, proposed)

    assert refusal(alive) == (409, "payment_under_way")
    assert proposed.json()["preview"]["refund"] == usd("0.00")
    assert confirmed.json()["refund_id"] is None
    order.refresh_from_db()
    assert (order.status, order.grand_total_minor, order.reduced_minor) == (
        "pending_payment",
        1000 + order.shipping_minor,
        0,
    )
    assert available(lamp) == 9
    again = guest.post(
        f"/api/v1/orders/{order.pk}/payments",
        {"payment": {"provider": "stripe", "method": "pm_card_visa"}},
        headers={"Idempotency-Key": "k"},
    )
    assert again.json()["payments"][-1]["amount"]["amount"] == f"{order.grand_total_minor / 100}0"
    assert all_is_well()


def test_a_promotion_gives_back_its_budget_and_at_last_its_use(lamp, shade):
    customer = UserFactory()
    promotion = PromotionFactory(
        benefit={"kind": "percentage", "basis_points": 1000},
        goods={"product_ids": [str(lamp.product_id)]},
        needs_code=True,
        budget_minor=10_000,
        uses_limit=9,
        uses_per_customer=1,
        currency="USD",
    )
    coupon = CouponFactory(promotion=promotion, uses_limit=5)
    order, _ = paid_order({lamp.pk: 3, shade.pk: 1}, customer_id=customer.pk, codes=(coupon.code,))
    me = APIClient(headers={"Authorization": f"Bearer {access_token_for(customer)}"})
    lamps = order.lines.get(variant_id=lamp.pk)
    assert OrderPromotion.objects.get().amount_minor == 300

    proposed = propose(me, order, "edit", lines=kept((lamps, 1)))
    [effect] = proposed.json()["preview"]["promotions"]
    confirm(me, proposed)

    assert effect == {
        "name": promotion.name,
        "code": coupon.code,
        "before": usd("3.00"),
        "after": usd("1.00"),
    }
    promotion.refresh_from_db()
    assert (promotion.uses, promotion.budget_used_minor) == (1, 100)
    assert OrderPromotion.objects.get().amount_minor == 100
    assert all_is_well()

    confirmed = confirm(me, propose(me, order, "edit", lines=kept((lamps, 0))))

    assert confirmed.status_code == 201, confirmed.content
    promotion.refresh_from_db()
    coupon.refresh_from_db()
    assert (promotion.uses, promotion.budget_used_minor, coupon.uses) == (0, 0, 0)
    assert not OrderPromotion.objects.exists()
    assert all(each.uses == 0 for each in CustomerUses.objects.all())
    assert Promotion.objects.count() == 1
    assert all_is_well()


def test_what_cannot_be_edited_is_refused_and_changes_nothing(lamp, shade):
    order, holder = paid_order({lamp.pk: 2, shade.pk: 1})
    guest = holder_client(holder)
    lamps, shades = order.lines.order_by("position")
    foreign = placed_order()[0].lines.get()

    def edit(*lines):
        return refusal(propose(guest, order, "edit", lines=kept(*lines)))

    assert edit((lamps, 3)) == (409, "payment_needed")
    assert edit((lamps, 2)) == (422, "nothing_edited")
    assert edit((lamps, 0), (shades, 0)) == (409, "nothing_left")
    assert edit((foreign, 0)) == (404, "unknown_order_line")
    assert edit((lamps, 1), (lamps, 1)) == (400, "validation_failed")
    for quantity in (-1, 10**12, 1.5, "1", "٢", True, None):
        assert edit((lamps, quantity)) == (400, "validation_failed")
    shipments.plan_shipment(order_id=order.pk)
    Shipment.objects.update(status="label_in_flight")
    assert edit((lamps, 1)) == (409, "order_status_conflict")
    done, done_holder = delivered_order({lamp.pk: 1})
    late = propose(holder_client(done_holder), done, "edit", lines=kept((done.lines.get(), 0)))
    assert refusal(late) == (409, "order_status_conflict")
    assert not ChangeSet.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "burn"},
        {"kind": "exchange"},
        {
            "kind": "exchange",
            "lines": [{"order_line_id": str(uuid4()), "quantity": 1, "reason": "other"}],
        },
        {"kind": "refund", "reason": "x"},
        {"kind": "refund", "amount": usd("1.00")},
        {"kind": "refund", "amount": usd("1.00"), "reason": ""},
        {"kind": "refund", "amount": usd("-1.00"), "reason": "x"},
        {"kind": "cancel", "amount": usd("1.00")},
        {"kind": "cancel", "lines": []},
        {"kind": "cancel", "reason": "x" * 201},
        {"kind": "cancel", "status": "paid"},
        {"kind": "edit"},
        {"kind": "edit", "lines": []},
        {"kind": "edit", "lines": [{"order_line_id": str(uuid4())}]},
        {"kind": "edit", "lines": [{"order_line_id": "x", "quantity": 1}]},
        {
            "kind": "edit",
            "lines": [{"order_line_id": str(uuid4()), "quantity": 1, "reason": "other"}],
        },
        {"kind": "return", "lines": [{"order_line_id": str(uuid4()), "quantity": 1}]},
        {
            "kind": "return",
            "lines": [{"order_line_id": str(uuid4()), "quantity": 0, "reason": "other"}],
        },
    ],
)
def test_a_bad_proposal_is_refused_and_changes_nothing(lamp, boss, body):
    order, _ = paid_order({lamp.pk: 1})

    answer = boss.post(f"/api/v1/orders/{order.pk}/changes", body)

    assert refusal(answer) == (400, "validation_failed")
    assert not ChangeSet.objects.exists()


def test_an_order_that_has_changed_is_left_alone(lamp, boss):
    order, holder = paid_order({lamp.pk: 2})
    guest = holder_client(holder)
    proposed = propose(guest, order, "cancel")
    refunds.refund_order(order_id=order.pk, amount=Money(100, "USD"), reason="Sorry.")

    answer = confirm(guest, proposed)

    assert refusal(answer) == (409, "order_changed")
    assert guest.get(proposed["Location"]).json()["status"] == "outdated"
    order.refresh_from_db()
    assert order.status == "paid"


def test_a_preview_lasts_for_a_quarter_of_an_hour(lamp):
    order, holder = paid_order({lamp.pk: 2})
    guest = holder_client(holder)
    fresh = timezone.now() + timedelta(minutes=15)
    change = ChangeSet.objects.get(pk=propose(guest, order, "cancel").json()["id"])
    assert abs(change.expires_at - fresh) < timedelta(minutes=1)
    old = ChangeSet.objects.create(
        order=order,
        kind="cancel",
        order_version=order.version,
        body={},
        preview=change.preview,
        expires_at=timezone.now() - timedelta(seconds=1),
    )

    answer = guest.post(
        f"/api/v1/orders/{order.pk}/changes/{old.pk}/confirmations",
        headers={"Idempotency-Key": "k"},
    )

    assert refusal(answer) == (409, "order_changed")


def test_a_preview_that_would_come_to_something_else_is_not_made(lamp, boss):
    order, holder = delivered_order({lamp.pk: 2})
    line = {"order_line_id": str(order.lines.get().pk), "quantity": 1, "reason": "other"}
    guest = holder_client(holder)
    proposed = propose(guest, order, "return", lines=[line])
    refunds.promise_refund(order.attempts.get(), amount_minor=2400, reason="Sorry.")

    assert refusal(confirm(guest, proposed)) == (409, "order_changed")
    assert not Return.objects.exists()


def test_one_change_is_made_once(lamp):
    order, holder = paid_order({lamp.pk: 2})
    guest = holder_client(holder)
    proposed = propose(guest, order, "edit", lines=kept((order.lines.get(), 1)))

    first = confirm(guest, proposed, key="k")
    again = confirm(guest, proposed, key="k")
    other = confirm(guest, proposed)

    assert again.content == first.content
    assert again["Idempotent-Replayed"] == "true"
    assert refusal(other) == (409, "change_status_conflict")
    assert Refund.objects.count() == 1


def test_what_a_change_says_stays_as_it_was(lamp):
    order, holder = paid_order({lamp.pk: 2})
    propose(holder_client(holder), order, "cancel")

    with pytest.raises(Exception, match="Cannot update rows"):
        ChangeSet.objects.update(preview={})


def test_others_see_and_make_no_changes(lamp):
    order, holder = paid_order({lamp.pk: 2})
    proposed = propose(holder_client(holder), order, "cancel")
    other_order, other_holder = paid_order({lamp.pk: 1})
    change = proposed.json()["id"]
    path = f"/api/v1/orders/{order.pk}/changes"

    for client in (APIClient(), holder_client(other_holder)):
        assert client.get(path).status_code == 404
        assert client.get(proposed["Location"]).status_code == 404
        assert propose(client, order, "cancel").status_code == 404
        assert confirm(client, proposed).status_code == 404
    elsewhere = f"/api/v1/orders/{other_order.pk}/changes/{change}"
    assert holder_client(other_holder).get(elsewhere).status_code == 404
    looker = staff_client("orders.view_order")
    assert looker.get(proposed["Location"]).status_code == 200
    assert refusal(confirm(looker, proposed)) == (403, "cancellation_not_allowed")
    support = staff_client("orders.view_order", "orders.cancel_order")
    assert refusal(confirm(support, proposed)) == (403, "refund_not_allowed")
    stale = staff_client(
        *("orders.view_order", "orders.cancel_order", "orders.refund_order"),
        proven_at=timezone.now() - timedelta(hours=1),
    )
    assert refusal(confirm(stale, proposed)) == (403, "step_up_required")
    order.refresh_from_db()
    assert order.status == "paid"


def test_who_proves_themself_repeats_the_confirmation_under_its_key(lamp):
    order, holder = paid_order({lamp.pk: 2})
    proposed = propose(holder_client(holder), order, "cancel")
    rights = ("orders.view_order", "orders.cancel_order", "orders.refund_order")
    somebody = StaffFactory(permissions=rights)
    stale = client_of(somebody, proven_at=timezone.now() - timedelta(hours=1))
    assert refusal(confirm(stale, proposed, key="k")) == (403, "step_up_required")

    answer = confirm(client_of(somebody), proposed, key="k")

    assert answer.status_code == 201, answer.content
    order.refresh_from_db()
    assert order.status == "cancelled"


def test_staff_who_send_no_money_back_edit_no_order_that_a_gift_card_has_paid(lamp):
    card, code = gift_card(10_000)
    cart, holder = ready_cart({lamp.pk: 2}, gift_cards=(code,))
    placed = checkout.place_order(
        holder=holder, cart_id=cart.pk, payment=VISA, expected_to_pay=Money(0, "USD")
    )
    order = Order.objects.get(pk=placed.whole.order.pk)
    support = staff_client("orders.view_order", "orders.cancel_order")

    lines = kept((order.lines.get(), 1))
    assert refusal(propose(support, order, "edit", lines=lines)) == (403, "refund_not_allowed")
    assert refusal(propose(support, order, "cancel")) == (403, "refund_not_allowed")
    mine = propose(holder_client(Holder(token=placed.token)), order, "edit", lines=lines)
    assert refusal(confirm(support, mine)) == (403, "refund_not_allowed")
    card.refresh_from_db()
    assert card.balance_minor == 10_000 - order.grand_total_minor


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ({"kind": "free_shipping"}, {"kind": "percentage", "basis_points": 1000}),
        ({"kind": "percentage", "basis_points": 1000}, {"kind": "free_shipping"}),
    ],
)
def test_a_promotion_that_is_of_another_kind_by_now_gives_back_what_it_was(lamp, was, becomes):
    promotion = PromotionFactory(benefit=was, uses_limit=9)
    order, holder = paid_order({lamp.pk: 3})
    promotions.change_promotion(promotion_id=promotion.pk, fields={"benefit": becomes})
    guest = holder_client(holder)

    confirmed = confirm(guest, propose(guest, order, "edit", lines=kept((order.lines.get(), 2))))

    assert confirmed.status_code == 201, confirmed.content
    order.refresh_from_db()
    assert order.discount_minor == (600 if was["kind"] == "free_shipping" else 200)
    assert OrderPromotion.objects.get().amount_minor == order.discount_minor
    promotion.refresh_from_db()
    assert (promotion.uses, promotion.budget_used_minor) == (1, order.discount_minor)
    assert all_is_well()


def test_money_that_could_not_go_back_of_an_order_that_costs_nothing_by_now_is_previewed(
    lamp, boss
):
    gift = VariantFactory(price_minor=500, stock=9)
    PromotionFactory(benefit={"kind": "free_shipping"})
    PromotionFactory(
        benefit={"kind": "percentage", "basis_points": 10_000},
        goods={"product_ids": [str(gift.product_id)]},
    )
    order, holder = paid_order({lamp.pk: 1, gift.pk: 1})
    guest = holder_client(holder)
    lines = kept((order.lines.get(variant_id=lamp.pk), 0))
    assert confirm(guest, propose(guest, order, "edit", lines=lines)).status_code == 201
    Refund.objects.update(status="in_flight")
    refunds._settle(Refund.objects.get(), RefundStatus.FAILED, failure_code="expired_card")

    for client, kind, body in (
        (guest, "cancel", {}),
        (boss, "refund", {"amount": usd("10.00"), "reason": "Once more."}),
    ):
        proposed = propose(client, order, kind, **body)
        assert proposed.status_code == 201, proposed.content
        preview = proposed.json()["preview"]
        assert (preview["refund"], preview["tax"]) == (usd("10.00"), usd("0.00"))


def test_what_was_written_before_the_column_has_done_what_its_promotion_does(lamp):
    PromotionFactory(benefit={"kind": "free_shipping"})
    PromotionFactory(benefit={"kind": "percentage", "basis_points": 1000})
    order, holder = paid_order({lamp.pk: 3})
    with pgtrigger.ignore("orders.OrderPromotion:order_promotion_is_a_document"):
        assert OrderPromotion.objects.update(off_parcel=None) == 2
    guest = holder_client(holder)

    confirmed = confirm(guest, propose(guest, order, "edit", lines=kept((order.lines.get(), 2))))

    assert confirmed.status_code == 201, confirmed.content
    order.refresh_from_db()
    taken_off = dict(OrderPromotion.objects.values_list("promotion__benefit__kind", "amount_minor"))
    assert taken_off == {"free_shipping": order.shipping_minor, "percentage": 200}
    assert all_is_well()


def test_an_order_too_cheap_for_tax_gets_no_dearer(lamp):
    tax_rate(tax_zone("US", prices_include_tax=True, shipping_taxed=False), "8.875")
    cheap = VariantFactory(price_minor=3, stock=9)
    order, holder = paid_order({cheap.pk: 2})
    assert order.tax_minor == order.tax_included_minor == 0
    guest = holder_client(holder)

    confirmed = confirm(guest, propose(guest, order, "edit", lines=kept((order.lines.get(), 1))))

    assert confirmed.status_code == 201, confirmed.content
    order.refresh_from_db()
    assert order.grand_total_minor == 3 + order.shipping_minor
    assert all_is_well()
