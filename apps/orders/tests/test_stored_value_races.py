"""Gift cards and store credit when many use them at once: real threads on real PostgreSQL."""

from collections import Counter
from uuid import uuid4

import pytest
from django.db import transaction
from django.db.models import Sum
from rest_framework.test import APIClient

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.kernel.money import Money
from apps.orders.models import (
    Order,
    OrderTender,
    PaymentAttempt,
    Return,
    Shipment,
    StoredValue,
    ValueMovement,
)
from apps.orders.selectors.ledger import refundable_minor, trial_balance
from apps.orders.selectors.orders import STORE, Holder
from apps.orders.selectors.refunds import GivenBack
from apps.orders.services import (
    checkout,
    edits,
    inspections,
    orders,
    payments,
    refunds,
    shipments,
    stored_value,
    transitions,
)
from apps.orders.services.invariants import violations
from apps.orders.services.tenders import ToPayChanged
from apps.orders.states import AttemptStatus, Resolution
from apps.orders.tests.factories import (
    VISA,
    PromotionFactory,
    gift_card,
    placed_order,
    ready_cart,
    received_return,
    store_credit,
)
from apps.orders.tests.test_races import at_once
from apps.users.tests.factories import StaffFactory, UserFactory, access_token_for

pytest_plugins = ["ecommerce.local.payment_sandbox.fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)

TOTAL = 1500


@pytest.fixture(autouse=True)
def main_location():
    StockLocationFactory()


def placing(carts, to_pay):
    return [
        lambda cart=cart, holder=holder: checkout.place_order(
            holder=holder,
            cart_id=cart.pk,
            payment=VISA,
            expected_to_pay=Money(to_pay, "USD"),
        )
        for cart, holder in carts
    ]


def kinds(results):
    return Counter(type(result) for result in results)


def came_back(order_id):
    """Return a return of all of a paid order, whose parcel has come in."""
    shipments.plan_shipment(order_id=order_id)
    while shipments.advance_shipment():
        pass
    shipments.hand_over(shipment_id=Shipment.objects.get(order=order_id).pk)
    return received_return(Order.objects.get(pk=order_id))


def inspected(found):
    finding = inspections.Finding(1, Resolution.RESTOCK)
    return inspections.inspect_return(return_id=found.pk, findings={found.lines.get().pk: finding})


def owed(account: str) -> int:
    return -sum(row.balance_minor for row in trial_balance() if row.account == account)


def nothing_is_wrong() -> bool:
    return list(violations(ask_providers=False, workers_run=False)) == []


def test_30_orders_with_one_gift_card_for_10_of_them_are_exactly_10():
    card, code = gift_card(10 * TOTAL + 1)
    variant = VariantFactory(stock=100)
    carts = [ready_cart({variant.pk: 1}, gift_cards=(code,)) for _ in range(30)]

    results = at_once(placing(carts, 0))

    assert kinds(results) == {checkout.Placed: 10, ToPayChanged: 20}
    card.refresh_from_db()
    assert card.balance_minor == 1 == owed("gift_cards")
    assert Order.objects.filter(status="paid").count() == OrderTender.objects.count() == 10
    assert not PaymentAttempt.objects.exists()
    assert nothing_is_wrong()


def test_30_orders_with_one_store_credit_for_10_of_them_are_exactly_10():
    customer = UserFactory()
    credit = store_credit(customer.pk, 10 * 1000)
    variant = VariantFactory(price_minor=500, stock=100)
    carts = [
        ready_cart({variant.pk: 1}, customer_id=customer.pk, store_credit=True) for _ in range(30)
    ]

    results = at_once(placing(carts, 0))

    assert kinds(results) == {checkout.Placed: 10, ToPayChanged: 20}
    credit.refresh_from_db()
    assert credit.balance_minor == 0 == owed("store_credit")
    assert OrderTender.objects.aggregate(minor=Sum("amount_minor"))["minor"] == 10_000
    assert nothing_is_wrong()


def test_cards_in_any_order_never_deadlock():
    made = [gift_card(100_000) for _ in range(4)]
    codes = tuple(code for _, code in made)
    variant = VariantFactory(price_minor=200_000, stock=100)
    carts = [
        ready_cart({variant.pk: 1}, gift_cards=codes[:3] if n % 2 else codes[2::-1])
        for n in range(12)
    ]
    results = at_once(
        [
            lambda cart=cart, holder=holder: checkout.place_order(
                holder=holder,
                cart_id=cart.pk,
                payment=VISA,
                expected_to_pay=Money(0, "USD"),
            )
            for cart, holder in carts
        ]
    )

    # One order needs more than two cards, and the second one finds less than it has agreed to.
    assert kinds(results) == {checkout.Placed: 1, ToPayChanged: 11}
    assert nothing_is_wrong()


def test_orders_cancelled_at_once_give_back_once_whatever_the_order_of_their_cards():
    made = [gift_card(10_000) for _ in range(3)]
    codes = [code for _, code in made]
    variant = VariantFactory(price_minor=1000, stock=100)
    placed = []
    for n in range(8):
        cart, holder = ready_cart(
            {variant.pk: 1}, gift_cards=tuple(codes if n % 2 else codes[::-1])
        )
        StoredValue.objects.update(version=1)
        placed.append(
            checkout.place_order(
                holder=holder,
                cart_id=cart.pk,
                payment=VISA,
                expected_to_pay=Money(0, "USD"),
            )
        )

    at_once(
        [
            lambda each=each: orders.cancel_order(
                holder=Holder(token=each.token), order_id=each.whole.order.pk
            )
            for each in placed * 2
        ]
    )

    assert list(StoredValue.objects.values_list("balance_minor", flat=True)) == [10_000] * 3
    assert nothing_is_wrong()


def test_what_a_card_has_paid_is_cancelled_and_comes_back_while_it_pays_for_the_same_goods():
    _, code = gift_card(100_000)
    variant = VariantFactory(price_minor=1000, stock=100)
    made = [ready_cart({variant.pk: 1}, gift_cards=(code,)) for _ in range(20)]
    bought = [placing([each], 0)[0]() for each in made[:12]]
    ids = [each.whole.order.pk for each in bought]
    sent = [came_back(order_id) for order_id in ids[6:]]

    results = at_once(
        [
            *placing(made[12:], 0),
            *(lambda pk=pk: orders.cancel_order(holder=STORE, order_id=pk) for pk in ids[:6]),
            *(lambda found=found: inspected(found) for found in sent),
        ]
    )

    assert kinds(results) == {checkout.Placed: 8, Order: 6, Return: 6}
    assert nothing_is_wrong()


def test_what_was_sold_out_before_it_was_paid_goes_back_to_cards_that_ask_for_the_same_goods():
    variant = VariantFactory(price_minor=1000, stock=8)
    codes = [gift_card(100)[1] for _ in range(8)]
    first, second = (
        [ready_cart({variant.pk: 1}, gift_cards=(code,)) for code in codes] for _ in range(2)
    )
    for place in placing(first, TOTAL - 100):
        catalog.release(order_id=place().whole.order.pk)
    PaymentAttempt.objects.update(status="in_flight")
    PaymentAttempt.objects.update(status="authorised")
    due = list(PaymentAttempt.objects.values_list("pk", flat=True))
    placed_order({variant.pk: 8})

    results = at_once(
        [*placing(second, TOTAL), *(lambda pk=pk: payments._decide(pk) for pk in due)]
    )

    assert kinds(results)[AttemptStatus] == 8
    assert Order.objects.filter(status="expired").count() == 8
    assert nothing_is_wrong()


def test_pieces_are_taken_out_of_orders_while_their_card_and_promotion_are_used_again():
    _, code = gift_card(100_000)
    PromotionFactory(uses_limit=100)
    variant = VariantFactory(price_minor=1000, stock=100)
    made = [ready_cart({variant.pk: 2}, gift_cards=(code,)) for _ in range(20)]
    bought = [place().whole.order for place in placing(made[:10], 0)]

    def edited(order):
        asked = edits.Edit({order.lines.get().pk: 1})
        with transaction.atomic():
            return edits.apply_edit(transitions.locked(order.pk), asked, reason="")

    results = at_once(
        [*placing(made[10:], 0), *(lambda order=order: edited(order) for order in bought)]
    )

    assert kinds(results) == {checkout.Placed: 10, GivenBack: 10}
    assert nothing_is_wrong()


def test_30_parallel_refunds_over_two_tenders_give_back_exactly_what_each_has_paid(
    provider, ledger
):
    card, code = gift_card(600)
    cart, holder = ready_cart(gift_cards=(code,))
    placed = checkout.place_order(
        holder=holder, cart_id=cart.pk, payment=VISA, expected_to_pay=Money(900, "USD")
    )
    payments.advance_payment()
    payments.advance_payment()
    order_id = placed.whole.order.pk
    token = access_token_for(StaffFactory(permissions=["orders.refund_order"]))

    def ask(key: str):
        return APIClient(headers={"Authorization": f"Bearer {token}"}).post(
            f"/api/v1/orders/{order_id}/refunds",
            {"amount": {"amount": "1.50", "currency": "USD"}, "reason": "A scratch."},
            headers={"Idempotency-Key": key},
        )

    answers = at_once([lambda n=n: ask(f"key-{n}") for n in range(30)])

    assert Counter(answer.status_code for answer in answers) == {201: 10, 409: 20}
    assert refundable_minor(order_id) == 0
    card.refresh_from_db()
    assert card.balance_minor == 600
    while refunds.advance_refund():
        pass
    [charge] = ledger()
    assert charge["amount_refunded"] == 900
    assert list(violations(workers_run=False)) == []


def test_refunds_to_card_and_to_store_credit_at_once_are_together_what_was_paid(provider, ledger):
    customer = UserFactory()
    cart, holder = ready_cart(customer_id=customer.pk)
    placed = checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)
    payments.advance_payment()
    payments.advance_payment()

    def give(*, to_store_credit: bool):
        return lambda: refunds.refund_order(
            order_id=placed.whole.order.pk,
            amount=Money(150, "USD"),
            reason="A scratch.",
            to_store_credit=to_store_credit,
        )

    results = at_once([give(to_store_credit=n % 2 == 0) for n in range(30)])

    assert sum(isinstance(each, refunds.RefundExceedsCaptured) for each in results) == 20
    while refunds.advance_refund():
        pass
    credited = sum(StoredValue.objects.values_list("balance_minor", flat=True))
    [charge] = ledger()
    assert credited + charge["amount_refunded"] == TOTAL
    assert owed("store_credit") == credited
    assert list(violations(workers_run=False)) == []


def test_30_parallel_takings_never_overdraw():
    customer = UserFactory()
    credit = store_credit(customer.pk, 1000)

    results = at_once(
        [
            lambda: stored_value.take_store_credit(
                customer_id=customer.pk, amount=Money(99, "USD"), reason="A mistake."
            )
        ]
        * 30
    )

    assert kinds(results) == {StoredValue: 10, stored_value.BalanceTooLow: 20}
    credit.refresh_from_db()
    assert credit.balance_minor == 10
    assert nothing_is_wrong()


def test_the_first_grants_at_once_open_one_store_credit():
    customer = UserFactory()

    at_once([lambda: store_credit(customer.pk, 10)] * 8)

    assert StoredValue.objects.get().balance_minor == 80
    assert nothing_is_wrong()


def test_a_card_that_expires_while_it_pays_is_used_or_expired_and_never_both():
    card, code = gift_card(5 * TOTAL)
    variant = VariantFactory(stock=100)
    carts = [ready_cart({variant.pk: 1}, gift_cards=(code,)) for _ in range(8)]
    StoredValue.objects.filter(pk=card.pk).update(expires_at="2020-01-01T00:00:00Z")

    at_once([*placing(carts, 0), stored_value.expire_gift_cards, stored_value.expire_gift_cards])

    card.refresh_from_db()
    assert card.balance_minor == 0
    assert not Order.objects.exists()
    assert ValueMovement.objects.filter(kind="expire").count() == 1
    assert nothing_is_wrong()


def test_a_request_that_is_sent_30_times_grants_once():
    customer = UserFactory()
    staff = StaffFactory(permissions=["orders.grant_storecredit"])
    token = access_token_for(staff)
    key = uuid4().hex

    def ask():
        return APIClient(headers={"Authorization": f"Bearer {token}"}).post(
            f"/api/v1/users/{customer.pk}/store-credit",
            {
                "change": "grant",
                "amount": {"amount": "5.00", "currency": "USD"},
                "reason": "A late parcel.",
            },
            headers={"Idempotency-Key": key},
        )

    answers = at_once([ask] * 30)

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert StoredValue.objects.get().balance_minor == 500
