"""Shoppers, staff, workers and the provider in any order: the shop agrees with a small model."""

import os
from contextlib import nullcontext
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from rest_framework.test import APIClient

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import VariantFactory
from apps.kernel.money import Money
from apps.orders.models import Coupon, Order, PaymentAttempt
from apps.orders.services import orders, payments, refunds, shipments
from apps.orders.states import Resolution
from apps.orders.tests.factories import ADDRESS, CouponFactory, PromotionFactory
from apps.orders.tests.provider_messages import signed
from apps.orders.tests.shop_client import API, PROVIDER
from apps.orders.tests.shop_edits import Edits
from apps.orders.tests.shop_model import Basket, Card, Code, Purchase, Ware
from apps.orders.tests.shop_proof import Proof
from apps.orders.tests.shop_returns import Returns

pytest_plugins = ["ecommerce.local.payment_sandbox.fixtures"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

STEPS = int(os.environ.get("SHOP_STEPS", "5000"))
STEPS_A_PART = 500
STEPS_A_SHOP = 50
HEARD = [[True], [False], [True, True], [False, True], [True, False]]  # which answers arrive
ENDED_UNPAID = {"failed", "voided"}
CODE = {
    "needs_code": True,
    "currency": "USD",
    "benefit": {"kind": "amount_off", "amount": 150},
}
WARES = [(1999, 300, 9), (5, 1200, 5), (129_900, 20, 2)]
quantities = st.integers(min_value=1, max_value=3)
cards = st.sampled_from([Card.GOOD, Card.GOOD, Card.DECLINED, Card.ASKS])
wares = st.integers(min_value=0, max_value=len(WARES) - 1)


class Shop(Edits, Returns, RuleBasedStateMachine):
    """Each rule does one thing to the shop and to the model, and compares the answers."""

    work: Any
    steps: int
    baskets = Bundle("baskets")
    purchases = Bundle("purchases")
    parcels = Bundle("parcels")

    def __init__(self) -> None:
        super().__init__()
        self.proof = Proof(since=timezone.now())
        self.known: list[Purchase] = []
        self.answers: dict[str, tuple[Basket, dict[str, Any], Any]] = {}
        coupon = CouponFactory.create(promotion=PromotionFactory.create(**CODE), uses_limit=3)
        self.code = Code(coupon.code, off=150, left=3)
        self.wares = []
        for price, grams, units in WARES:
            variant = VariantFactory.create(price_minor=price, weight_grams=grams, stock=units)
            self.wares.append(Ware(variant.pk, variant.product_id, price, grams, units))

    # Shoppers

    @initialize(target=baskets)
    def first_basket(self) -> Basket:
        basket = self.open_basket()
        self.put_in(basket, place=0, quantity=1)
        self.say_where_to(basket)
        return basket

    @rule(target=baskets)
    def another_basket(self) -> Basket:
        return self.open_basket()

    @rule(basket=baskets, place=wares, quantity=quantities)
    def put_in(self, basket: Basket, place: int, quantity: int) -> None:
        ware = self.wares[place]
        answer = self.ask(
            "post",
            f"carts/{basket.id}/items",
            {"variant_id": str(ware.id), "quantity": quantity},
            cart=basket.token,
        )
        if basket.purchase:
            self.refused(answer, 409, "cart_is_ordered")
            return
        basket.lines[ware] = basket.lines.get(ware, 0) + quantity
        self.same_basket(basket, answer)

    @rule(basket=baskets, place=wares, quantity=st.integers(min_value=0, max_value=4))
    def change(self, basket: Basket, place: int, quantity: int) -> None:
        ware = self.wares[place]
        shown = self.ask("get", f"carts/{basket.id}", cart=basket.token).json()
        item = next((i for i in shown["items"] if i["variant_id"] == str(ware.id)), None)
        answer = self.ask(
            "patch",
            f"carts/{basket.id}/items/{item['id'] if item else uuid4()}",
            {"quantity": quantity},
            cart=basket.token,
        )
        if basket.purchase:
            self.refused(answer, 409, "cart_is_ordered")
        elif ware not in basket.lines:
            self.refused(answer, 404, "unknown_item")
        else:
            basket.lines[ware] = quantity
            if not quantity:
                del basket.lines[ware]
            self.same_basket(basket, answer)

    @rule(basket=baskets)
    def say_where_to(self, basket: Basket) -> None:
        details = {
            "shipping-address": ADDRESS,
            "email": {"email": "robin@example.com"},
            "shipping-option": {"code": "standard"},
        }
        for name, body in details.items():
            answer = self.ask("put", f"carts/{basket.id}/{name}", body, cart=basket.token)
            if basket.purchase:
                self.refused(answer, 409, "cart_is_ordered")
            else:
                basket.addressed = True
        self.same_basket(basket, self.ask("get", f"carts/{basket.id}", cart=basket.token))

    @rule(basket=baskets)
    def give_the_code(self, basket: Basket) -> None:
        body = {"code": self.code.text.lower()}
        answer = self.ask("post", f"carts/{basket.id}/coupons", body, cart=basket.token)
        if basket.purchase:
            self.refused(answer, 409, "cart_is_ordered")
        elif not (basket.lines and self.code.left):
            self.refused(answer, 422, "coupon_not_applicable")
        else:
            basket.code = self.code
            self.same_basket(basket, answer)

    @rule(target=purchases, basket=baskets, card=cards)
    def buy(self, basket: Basket, card: Card) -> Any:
        body = {"payment": {"provider": "stripe", "method": card.value}}
        key = uuid4().hex
        answer = self.ask("post", f"carts/{basket.id}/checkout", body, cart=basket.token, key=key)
        if basket.purchase:
            assert (answer.status_code, answer.json()["id"]) == (200, str(basket.purchase.id))
        elif basket.lines and basket.code and not self.code.left:
            self.refused(answer, 409, "promotion_used_up")
        elif not (basket.lines and basket.addressed):
            self.refused(answer, 409, "cart_not_ready")
        elif not basket.fits:
            self.refused(answer, 409, "out_of_stock")
        else:
            assert answer.status_code == 201, answer.content
            placed = answer.json()
            basket.purchase = Purchase(
                *(UUID(placed["id"]), placed["token"], dict(basket.lines), basket.total),
                *(card, basket.code, basket.discount),
            )
            if basket.code:
                self.code.left -= 1
            for ware, quantity in basket.lines.items():
                ware.held += quantity
            self.known.append(basket.purchase)
            self.answers[key] = basket, body, answer
            return basket.purchase
        return multiple()

    @rule(target=purchases, place=wares, card=cards)
    def buy_at_once(self, place: int, card: Card) -> Any:
        basket = self.open_basket()
        self.put_in(basket, place=place, quantity=1)
        self.say_where_to(basket)
        return self.buy(basket, card=card)

    @rule(target=purchases, place=wares)
    def cancel_while_the_money_is_taken(self, place: int) -> Any:
        purchase = self.buy_at_once(place=place, card=Card.GOOD)
        if isinstance(purchase, Purchase):
            self.its_payment_goes_on_step_by_step(purchase, heard=[True, False])
            self.cancel(purchase)
        return purchase

    @rule(target=purchases, place=wares)
    def buy_and_get_it(self, place: int) -> Any:
        purchase = self.buy_at_once(place=place, card=Card.GOOD)
        if isinstance(purchase, Purchase):
            self.work_until_nothing_is_due()
            self.hand_over(purchase)
            self.hand_over(purchase)
        return purchase

    @precondition(lambda self: self.answers)
    @rule(data=st.data(), card=cards)
    def buy_once_more_with_the_same_key(self, data: Any, card: Card) -> None:
        key = data.draw(st.sampled_from(sorted(self.answers)))
        basket, body, before = self.answers[key]
        other = {"payment": {"provider": "stripe", "method": card.value}}
        answer = self.ask("post", f"carts/{basket.id}/checkout", other, cart=basket.token, key=key)
        if other == body:
            assert (answer.status_code, answer.content) == (201, before.content)
            assert answer["Idempotent-Replayed"] == "true"
        else:
            self.refused(answer, 422, "idempotency_key_reused")

    @rule(purchase=purchases, card=cards)
    def pay_again(self, purchase: Purchase, card: Card) -> None:
        answer = self.ask(
            "post",
            f"orders/{purchase.id}/payments",
            {"payment": {"provider": "stripe", "method": card.value}},
            order=purchase.token,
            key=uuid4().hex,
        )
        if purchase.status != "pending_payment":
            self.refused(answer, 409, "order_status_conflict")
        elif purchase.is_alive:
            self.refused(answer, 409, "payment_under_way")
        else:
            assert answer.status_code == 201, answer.content
            purchase.pay_again(card)

    @rule(purchase=purchases, agrees=st.booleans())
    def answer_the_bank(self, purchase: Purchase, *, agrees: bool) -> None:
        if purchase.payment != "requires_action" or purchase.answer is not None:
            return
        attempt = PaymentAttempt.objects.get(order=purchase.id, status="requires_action")
        outcome, asked = "authorise" if agrees else "refuse", attempt.next_action or {}
        PROVIDER.post(asked["redirect_url"], data={"outcome": outcome})
        purchase.answer = agrees

    @rule(purchase=purchases)
    def cancel(self, purchase: Purchase) -> None:
        key = uuid4().hex
        path = f"orders/{purchase.id}/cancellations"
        answer = self.ask("post", path, {}, order=purchase.token, key=key)
        if purchase.status in {"pending_payment", "paid"}:
            assert answer.status_code == 201, answer.content
            purchase.cancel()
            again = self.ask("post", path, {}, order=purchase.token, key=key)
            assert again.content == answer.content
        else:
            self.refused(answer, 409, "order_status_conflict")

    @rule(target=purchases, place=wares, data=st.data())
    def keep_one_of_two(self, place: int, data: Any) -> Any:
        basket = self.open_basket()
        self.put_in(basket, place=place, quantity=2)
        self.say_where_to(basket)
        purchase = self.buy(basket, card=Card.GOOD)
        if isinstance(purchase, Purchase):
            self.its_payment_goes_on_step_by_step(purchase, heard=[True, True])
            self.keep_fewer(purchase, data=data)
        return purchase

    @rule(target=purchases, place=wares, more=wares)
    def take_one_more_after_a_refused_card(self, place: int, more: int) -> Any:
        purchase = self.buy_at_once(place=place, card=Card.DECLINED)
        if isinstance(purchase, Purchase):
            self.its_payment_goes_on_step_by_step(purchase, heard=[True])
            self.take_one_more(purchase, place=more)
            self.pay_again(purchase, card=Card.GOOD)
        return purchase

    @rule(target=purchases, purchase=purchases, data=st.data())
    def get_it_and_bring_it_back(self, purchase: Purchase, data: Any) -> Any:
        self.work_until_nothing_is_due()
        for _ in range(2):
            self.hand_over(purchase)
        place = data.draw(st.sampled_from([self.wares.index(ware) for ware in purchase.lines]))
        parcel = self.ask_to_bring_back(purchase, place=place, quantity=data.draw(quantities))
        if data.draw(st.booleans()):
            self.ask_for_another(parcel, place=data.draw(wares))
        for _ in range(2):
            self.take_it_in(parcel)
        kept, resolution = data.draw(quantities), data.draw(st.sampled_from(Resolution))
        return self.look_at_it(parcel, kept=kept, resolution=resolution)

    @rule(target=purchases, place=wares, wanted=wares)
    def get_another_one_instead(self, place: int, wanted: int) -> Any:
        purchase = self.buy_and_get_it(place=place)
        if not isinstance(purchase, Purchase):
            return multiple()
        parcel = self.ask_to_bring_back(purchase, place=place, quantity=1)
        self.ask_for_another(parcel, place=wanted)
        for _ in range(2):
            self.take_it_in(parcel)
        return self.look_at_it(parcel, kept=1, resolution=Resolution.RESTOCK)

    @invariant()
    def the_code_is_used_as_often_as_in_the_model(self) -> None:
        assert Coupon.objects.get(code=self.code.text).uses == 3 - self.code.left

    @rule(place=wares)
    def browse(self, place: int) -> None:
        ware = self.wares[place]
        shown = APIClient().get(f"{API}/inventory/{ware.product_id}").json()
        [variant] = shown["variants"]
        assert (variant["availability"] == "out_of_stock") == (ware.available == 0)

    # Staff

    @rule(place=wares, units=quantities)
    def receive(self, place: int, units: int) -> None:
        ware = self.wares[place]
        catalog.receive(quantities={ware.id: units}, reason="delivery")
        ware.on_hand += units

    @rule(purchase=purchases, amount=st.sampled_from([1, 250, 10_000]))
    def give_back(self, purchase: Purchase, amount: int) -> None:
        back = Money(amount, "USD")
        if amount > purchase.left:
            with pytest.raises(refunds.RefundExceedsCaptured) as refusal:
                refunds.refund_order(order_id=purchase.id, amount=back, reason="a dent")
            assert refusal.value.facts["refundable"] == Money(purchase.left, "USD")
        else:
            refunds.refund_order(order_id=purchase.id, amount=back, reason="a dent")
            purchase.send_back(amount)

    @rule(purchase=purchases)
    def hand_over(self, purchase: Purchase) -> None:
        if purchase.status != "fulfilling":
            return
        shipment = Order.objects.get(pk=purchase.id).shipments.get()
        if shipment.status == "labelled":
            shipments.hand_over(shipment_id=shipment.pk)
            purchase.hand_over()
        elif shipment.status == "handed_over":
            shipments.deliver(shipment_id=shipment.pk)
            purchase.status = "completed"

    # Workers and the provider

    @rule()
    def work_until_nothing_is_due(self) -> None:
        self.work()
        for purchase in self.known:
            purchase.settle()

    @rule(purchase=purchases, heard=st.sampled_from(HEARD))
    def its_payment_goes_on_step_by_step(self, purchase: Purchase, heard: list[bool]) -> None:
        """Also when the provider does what was asked, and its answer is lost."""
        for is_heard in heard:
            voids = purchase.payment != "in_flight" and not purchase.wanted
            if not purchase.is_alive or (voids and not is_heard):
                return
            attempt = PaymentAttempt.objects.filter(order=purchase.id, next_action_at__isnull=False)
            attempt.update(next_action_at=Now() - timedelta(days=1))
            with nullcontext() if is_heard else self.answers_lost():
                assert payments.advance_payment()
            purchase.pay_one_step(heard=is_heard)

    @rule()
    def time_passes(self) -> None:
        PaymentAttempt.objects.filter(next_action_at__gt=Now()).update(next_action_at=Now())
        for purchase in self.known:
            purchase.due = purchase.is_alive
        self.work_until_nothing_is_due()

    @rule(times=st.integers(min_value=1, max_value=2))
    def messages_of_the_provider_arrive(self, times: int) -> None:
        for event in self.new_events():
            body, signature = signed(self.provider, event)
            for _ in range(times):
                answer = APIClient().post(
                    f"{API}/hooks/payments/stripe",
                    body,
                    content_type="application/json",
                    headers={"Stripe-Signature": signature},
                )
                assert answer.status_code == 200
        for purchase in self.known:
            purchase.hear()
        self.work_until_nothing_is_due()

    @rule(purchase=purchases)
    def time_to_pay_is_over(self, purchase: Purchase) -> None:
        if not purchase.wanted:
            return
        Order.objects.filter(pk=purchase.id).update(expires_at=Now() - timedelta(seconds=1))
        orders.expire_orders()
        Order.objects.filter(pk=purchase.id).update(expires_at=Now() + timedelta(hours=1))
        purchase.expire()

    # What has to be so after every step

    @invariant()
    def stock_is_as_in_the_model(self) -> None:
        offers = catalog.offers(variant_ids=[ware.id for ware in self.wares])
        assert [offers[ware.id].available for ware in self.wares] == [
            ware.available for ware in self.wares
        ]

    @invariant()
    def orders_are_as_in_the_model(self) -> None:
        found = Order.objects.prefetch_related("attempts__refunds").in_bulk(
            [purchase.id for purchase in self.known]
        )
        for purchase in self.known:
            order = found[purchase.id]
            assert (order.status, order.grand_total_minor) == (purchase.status, purchase.total)
            if purchase.paid_by:
                assert order.exchanged_minor == purchase.captured
                assert not order.attempts.all()
                continue
            attempts = sorted(order.attempts.all(), key=lambda attempt: attempt.created_at)
            newest = attempts[-1].status
            assert newest == purchase.payment or {newest, purchase.payment} <= ENDED_UNPAID
            assert purchase.captured == sum(
                attempt.amount_minor for attempt in attempts if attempt.status == "captured"
            )
            assert purchase.refunded == sum(
                refund.amount_minor
                for attempt in attempts
                for refund in attempt.refunds.all()
                if refund.status == "succeeded"
            )

    @invariant()
    def nothing_is_wrong(self) -> None:
        Shop.steps += 1
        assert self.proof.violations() == []

    def teardown(self) -> None:
        """Let everything come to its end: the provider has the money that the model says."""
        for purchase in self.known:
            if purchase.status in {"pending_payment", "paid"}:
                self.cancel(purchase)
        self.time_passes()
        self.time_passes()
        self.orders_are_as_in_the_model()
        assert not any(purchase.is_alive for purchase in self.known)
        charges = PROVIDER.get(f"{self.provider.url}/_sandbox/ledger").json()["charges"]
        for purchase in self.known:
            if purchase.paid_by:
                continue
            ours = [c for c in charges if c["metadata"]["order_id"] == str(purchase.id)]
            assert len(ours) <= PaymentAttempt.objects.filter(order=purchase.id).count()
            assert sum(c["amount_captured"] for c in ours) == purchase.captured
            assert sum(c["amount_refunded"] for c in ours) == purchase.refunded


@pytest.mark.parametrize("part", range(max(1, STEPS // STEPS_A_PART)), ids="part {}".format)
def test_the_shop_agrees_with_the_model_whatever_is_done_in_whatever_order(part, provider, work):
    Shop.provider, Shop.work, Shop.steps = provider, staticmethod(work), 0

    run_state_machine_as_test(
        Shop,
        settings=settings(
            max_examples=STEPS_A_PART // STEPS_A_SHOP + 1,  # the first one is the shortest there is
            stateful_step_count=STEPS_A_SHOP,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

    assert Shop.steps >= STEPS_A_PART
