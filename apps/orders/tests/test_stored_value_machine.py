"""Balances and orders in any order: they agree with a small model, and every invariant holds."""

import os
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models.functions import Now
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from apps.catalog.tests.factories import VariantFactory
from apps.kernel.money import Money
from apps.orders.models import Order, StoredValue
from apps.orders.payments.gateway import PaymentState, PaymentStatus
from apps.orders.selectors.ledger import refundable_minor
from apps.orders.services import checkout, orders, payments, refunds, stored_value
from apps.orders.services.invariants import violations
from apps.orders.services.transitions import OrderStatusConflict
from apps.orders.tests.factories import VISA, gift_card, ready_cart, store_credit
from apps.users.tests.factories import UserFactory

pytestmark = pytest.mark.django_db

STEPS = int(os.environ.get("VALUE_STEPS", "150"))
STEPS_A_SHOP = 25
TOTAL = 1500  # a lamp of 10.00 and a parcel of 5.00
CREDIT = 2  # after two gift cards
amounts = st.sampled_from([1, 99, 400, 700, 1500, 4000])
which = st.lists(st.integers(0, 1), unique=True, max_size=2)


@dataclass
class Purchase:
    """What an order is to be: what each balance has paid of it, and what is left of that."""

    id: UUID
    parts: dict[int, int]
    to_pay: int
    status: str
    left: dict[int, int] = field(default_factory=dict)
    payment_left: int = 0
    captured: bool = False

    @property
    def refundable(self) -> int:
        return self.payment_left + sum(self.left.values()) if self.status == "paid" else 0


class Balances(RuleBasedStateMachine):
    """Each rule does one thing to the shop and to the model."""

    purchases = Bundle("purchases")

    def __init__(self) -> None:
        super().__init__()
        self.customer = UserFactory.create()
        self.variant = VariantFactory.create(stock=1_000)
        made = [gift_card(1000), gift_card(2500)]
        self.codes = [code for _, code in made]
        credit = store_credit(self.customer.pk, 800)
        self.accounts = [*(card for card, _ in made), credit]
        self.balances = [1000, 2500, 800]
        self.known: list[Purchase] = []

    @rule(target=purchases, cards=which, credit=st.booleans())
    def buy(self, cards: list[int], *, credit: bool) -> Purchase:
        parts, to_pay = {}, TOTAL
        for account in [*cards, *([CREDIT] if credit else [])]:
            if part := min(to_pay, self.balances[account]):
                parts[account], to_pay = part, to_pay - part
                self.balances[account] -= part
        cart, self.holder = ready_cart(
            {self.variant.pk: 1},
            customer_id=self.customer.pk,
            gift_cards=tuple(self.codes[card] for card in cards),
            store_credit=credit,
        )
        placed = checkout.place_order(
            holder=self.holder,
            cart_id=cart.pk,
            payment=VISA,
            expected_to_pay=Money(to_pay, "USD"),
        )
        purchase = Purchase(
            placed.whole.order.pk, parts, to_pay, "pending_payment" if to_pay else "paid"
        )
        purchase.left = dict(parts)
        self.known.append(purchase)
        return purchase

    @rule(purchase=purchases)
    def the_money_comes(self, purchase: Purchase) -> None:
        attempt = Order.objects.get(pk=purchase.id).attempts.first()
        if attempt is None or purchase.captured:
            return
        type(attempt).objects.filter(pk=attempt.pk, status="created").update(status="in_flight")
        payments.settle(attempt.pk, _captured(attempt))
        purchase.captured = True
        if purchase.status == "expired" and all(
            self.balances[account] >= part for account, part in purchase.parts.items()
        ):
            for account, part in purchase.parts.items():
                self.balances[account] -= part
            purchase.status, purchase.left = "pending_payment", dict(purchase.parts)
        if purchase.status == "pending_payment":
            purchase.status, purchase.payment_left = "paid", purchase.to_pay

    @rule(purchase=purchases)
    def cancel(self, purchase: Purchase) -> None:
        try:
            orders.cancel_order(holder=self.holder, order_id=purchase.id)
        except OrderStatusConflict:
            assert purchase.status in {"cancelled", "expired"}
            return
        assert purchase.status in {"pending_payment", "paid"}
        self._give_back(purchase)
        purchase.status, purchase.payment_left = "cancelled", 0

    @rule(purchase=purchases)
    def time_is_over(self, purchase: Purchase) -> None:
        waiting = Order.objects.filter(pk=purchase.id, status="pending_payment")
        waiting.update(expires_at=Now() - timedelta(seconds=1))
        orders.expire_orders()
        if purchase.status == "pending_payment":
            self._give_back(purchase)
            purchase.status = "expired"

    @rule(purchase=purchases, minor=amounts, to_store_credit=st.booleans())
    def refund(self, purchase: Purchase, minor: int, *, to_store_credit: bool) -> None:
        try:
            refunds.refund_order(
                order_id=purchase.id,
                amount=Money(minor, "USD"),
                reason="A scratch.",
                to_store_credit=to_store_credit,
            )
        except refunds.RefundExceedsCaptured:
            assert minor > purchase.refundable
            return
        assert minor <= purchase.refundable
        if to_store_credit:
            self.balances[CREDIT] += minor
        of_payment = min(minor, purchase.payment_left)
        purchase.payment_left -= of_payment
        minor -= of_payment
        for account, left in purchase.left.items():
            part = min(left, minor)
            purchase.left[account] -= part
            minor -= part
            if not to_store_credit:
                self.balances[account] += part

    @rule(minor=amounts)
    def grant(self, minor: int) -> None:
        store_credit(self.customer.pk, minor)
        self.balances[CREDIT] += minor

    @rule(minor=amounts)
    def take(self, minor: int) -> None:
        amount = Money(minor, "USD")
        try:
            stored_value.take_store_credit(
                customer_id=self.customer.pk, amount=amount, reason="A mistake."
            )
        except stored_value.BalanceTooLow:
            assert minor > self.balances[CREDIT]
        else:
            self.balances[CREDIT] -= minor

    @invariant()
    def balances_and_orders_are_as_in_the_model(self) -> None:
        there = {row.pk: row.balance_minor for row in StoredValue.objects.all()}
        assert [there[account.pk] for account in self.accounts] == self.balances
        for purchase in self.known:
            assert Order.objects.get(pk=purchase.id).status == purchase.status
            if purchase.status == "paid":
                assert refundable_minor(purchase.id) == purchase.refundable

    @invariant()
    def nothing_is_wrong(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        assert list(violations(ask_providers=False, workers_run=False)) == []

    def _give_back(self, purchase: Purchase) -> None:
        for account, left in purchase.left.items():
            self.balances[account] += left
        purchase.left = dict.fromkeys(purchase.left, 0)


def _captured(attempt: Any) -> PaymentState:
    return PaymentState(
        attempt_id=str(attempt.pk),
        reference=f"pi_{attempt.pk.hex}",
        status=PaymentStatus.CAPTURED,
        amount_minor=attempt.amount_minor,
        captured_minor=attempt.amount_minor,
        refunded_minor=0,
        currency=attempt.currency,
        next_action=None,
        failure_code="",
        failure_detail="",
    )


def test_balances_agree_with_the_model_whatever_is_done_in_whatever_order() -> None:
    run_state_machine_as_test(
        Balances,
        settings=settings(
            max_examples=max(STEPS // STEPS_A_SHOP, 1),
            stateful_step_count=STEPS_A_SHOP,
            deadline=None,
            phases=[Phase.generate],  # a failing step says enough, and shrinking takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
