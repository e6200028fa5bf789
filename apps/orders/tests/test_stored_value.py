"""Gift cards and store credit in the shop: they pay, what ends unpaid gives them back, refunds."""

from datetime import timedelta

import pgtrigger
import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.db.utils import InternalError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.kernel.money import Money
from apps.orders.models import (
    LedgerPosting,
    Order,
    OrderTender,
    PaymentAttempt,
    Refund,
    StoredValue,
    ValueMovement,
)
from apps.orders.payments.gateway import PaymentState, PaymentStatus
from apps.orders.selectors.ledger import balances_of, refundable_minor, trial_balance
from apps.orders.selectors.orders import Holder
from apps.orders.services import (
    cart_merging,
    cart_prices,
    checkout,
    orders,
    payments,
    refunds,
    stored_value,
    tenders,
)
from apps.orders.services.invariants import violations
from apps.orders.tests.factories import (
    VISA,
    PromotionFactory,
    gift_card,
    ready_cart,
    store_credit,
)
from apps.orders.tests.test_api import check_out, statements
from apps.users.tests.factories import UserFactory

pytest_plugins = ["ecommerce.local.payment_sandbox.fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)

# A lamp of 10.00 and a parcel of 5.00.
TOTAL = 1500


@pytest.fixture(autouse=True)
def main_location():
    StockLocationFactory()


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def place(cart, holder, to_pay: int | None) -> Order:
    expected = None if to_pay is None else usd(to_pay)
    placed = checkout.place_order(
        holder=holder, cart_id=cart.pk, payment=VISA, expected_to_pay=expected
    )
    return Order.objects.get(pk=placed.whole.order.pk)


def bought(*cards: str, customer=None, credit: bool = False, to_pay: int, **options):
    """Return an order that gift cards and store credit pay in part, and who holds it."""
    cart, holder = ready_cart(
        customer_id=customer and customer.pk, gift_cards=cards, store_credit=credit, **options
    )
    placed = checkout.place_order(
        holder=holder, cart_id=cart.pk, payment=VISA, expected_to_pay=usd(to_pay)
    )
    order = Order.objects.get(pk=placed.whole.order.pk)
    return order, holder if customer else Holder(token=placed.token)


def charge(order: Order) -> None:
    payments.advance_payment()
    payments.advance_payment()
    order.refresh_from_db()
    assert order.status == "paid"


def balance(account: StoredValue) -> int:
    account.refresh_from_db()
    return account.balance_minor


def moved(account: StoredValue) -> list[tuple[str, int]]:
    return list(account.movements.order_by("id").values_list("kind", "amount_minor"))


def held(order: Order) -> dict[str, int]:
    return {account: minor for account, minor in balances_of(order.pk).items() if minor}


def nothing_is_wrong() -> bool:
    return list(violations(ask_providers=False, workers_run=False)) == []


def totals() -> dict[str, int]:
    return {row.account: row.balance_minor for row in trial_balance() if row.balance_minor}


# Paying


def test_a_gift_card_pays_a_part_and_the_payment_brings_the_rest(provider, ledger, work):
    card, code = gift_card(400)
    order, _ = bought(code, to_pay=1100)

    assert balance(card) == 0
    assert (order.tendered_minor, order.attempts.get().amount_minor) == (400, 1100)
    assert held(order) == {"gift_cards": 400, "tendered": -400}
    assert nothing_is_wrong()
    work()

    order.refresh_from_db()
    assert order.status in {"paid", "fulfilling", "completed"}
    assert [each["amount_captured"] for each in ledger()] == [1100]
    # Of the 11.00 the provider keeps 2.9 % and 0.30.
    kept = {"stripe": 1100 - 62, "fees": 62}
    assert held(order) == kept | {"gift_cards": 400, "sales": -1000, "shipping": -500}
    assert list(violations()) == []


def test_what_covers_all_of_it_needs_no_payment():
    card, code = gift_card(5000)
    order, _ = bought(code, to_pay=0)

    assert (order.status, order.attempts.count()) == ("paid", 0)
    assert balance(card) == 5000 - TOTAL
    assert held(order) == {"gift_cards": TOTAL, "sales": -1000, "shipping": -500}
    assert LedgerPosting.objects.filter(source_id=order.pk, kind="sale").count() == 1
    assert refundable_minor(order.pk) == TOTAL
    assert nothing_is_wrong()


def test_cards_pay_in_the_order_in_which_they_were_added_and_store_credit_last():
    customer = UserFactory()
    first, first_code = gift_card(100)
    second, second_code = gift_card(200)
    credit = store_credit(customer.pk, 700)

    order, _ = bought(first_code, second_code, customer=customer, credit=True, to_pay=500)

    assert list(order.tenders.order_by("position").values_list("account", "amount_minor")) == [
        (first.pk, 100),
        (second.pk, 200),
        (credit.pk, 700),
    ]
    assert [balance(each) for each in (first, second, credit)] == [0, 0, 0]
    assert totals() == {
        "cards_issued": 300,
        "goodwill": 700,
        "tendered": -1000,
    }


def test_what_is_not_needed_is_not_touched():
    customer = UserFactory()
    first, first_code = gift_card(TOTAL)
    second, second_code = gift_card(200)
    credit = store_credit(customer.pk, 700)

    order, _ = bought(first_code, second_code, customer=customer, credit=True, to_pay=0)

    assert order.tenders.get().account_id == first.pk
    assert (balance(second), balance(credit)) == (200, 700)


def test_somebody_elses_store_credit_does_not_pay():
    rich, poor = UserFactory(), UserFactory()
    credit = store_credit(rich.pk, 5000)

    order, _ = bought(customer=poor, credit=True, to_pay=TOTAL)

    assert (order.tendered_minor, balance(credit)) == (0, 5000)


def test_who_does_not_say_what_is_left_to_pay_orders_nothing():
    _, code = gift_card(400)
    cart, holder = ready_cart(gift_cards=(code,))

    with pytest.raises(tenders.ExpectedToPayMissing) as refusal:
        place(cart, holder, None)

    assert refusal.value.facts == {"to_pay": usd(1100)}
    assert not Order.objects.exists()
    assert StoredValue.objects.get().balance_minor == 400


def test_a_card_that_was_used_meanwhile_makes_nobody_pay_more_than_agreed():
    card, code = gift_card(400)
    cart, holder = ready_cart(gift_cards=(code,))
    other, others = ready_cart(gift_cards=(code,))
    place(other, others, 1100)

    with pytest.raises(tenders.ToPayChanged) as refusal:
        place(cart, holder, 1100)

    assert refusal.value.facts == {"to_pay": usd(TOTAL)}
    assert Order.objects.count() == PaymentAttempt.objects.count() == 1
    assert moved(card) == [("issue", 400), ("spend", -400)]
    assert place(cart, holder, TOTAL).tendered_minor == 0


@pytest.mark.parametrize("to_pay", [0, TOTAL - 1, TOTAL + 1])
def test_without_stored_value_what_is_expected_counts_too(to_pay):
    cart, holder = ready_cart()

    with pytest.raises(tenders.ToPayChanged):
        place(cart, holder, to_pay)

    assert not Order.objects.exists()


def test_a_card_that_was_disabled_or_has_expired_keeps_the_cart_from_being_ordered():
    disabled, first = gift_card(400)
    expired, second = gift_card(300)
    cart, holder = ready_cart(gift_cards=(first, second))
    stored_value.change_gift_card(gift_card_id=disabled.pk, fields={"disabled": True})
    StoredValue.objects.filter(pk=expired.pk).update(expires_at=Now() - timedelta(seconds=1))

    with pytest.raises(tenders.GiftCardsNotUsable) as refusal:
        place(cart, holder, TOTAL)

    assert refusal.value.facts == {"gift_card_ids": sorted([str(disabled.pk), str(expired.pk)])}
    shown = cart_prices.read_cart(holder=holder, cart_id=cart.pk)
    assert [card.problem for card in shown.tenders.gift_cards] == ["disabled", "expired"]
    assert [problem.code for problem in shown.problems] == ["gift_card_not_usable"] * 2
    assert shown.to_pay == usd(TOTAL)


def test_a_guests_cards_go_along_into_the_account():
    _, code = gift_card(400)
    cart, guest = ready_cart(gift_cards=(code,))
    customer = UserFactory()
    ready_cart(customer_id=customer.pk)
    holder = Holder(customer_id=customer.pk, token=guest.token)

    merged = cart_merging.merge_cart(holder=holder, cart_id=cart.pk, version=None)

    assert [card.account.last_four for card in merged.priced.tenders.gift_cards] == [code[-4:]]


@pytest.mark.parametrize(("lines", "promotions"), [(1, 0), (100, 0), (1, 10), (100, 10)])
def test_stored_value_costs_no_statement_at_reading_and_one_at_checkout(lines, promotions):
    for _ in range(promotions):
        PromotionFactory(uses_limit=10, benefit={"kind": "percentage", "basis_points": 100})
    cart, holder = ready_cart(
        {VariantFactory(stock=9).pk: 2 for _ in range(lines)},
        gift_cards=tuple(gift_card(100)[1] for _ in range(10)),
    )
    guest = APIClient(headers={"X-Cart-Token": holder.token})
    path = f"/api/v1/carts/{cart.pk}"

    with CaptureQueriesContext(connection) as reading:
        shown = guest.get(path).json()
    with CaptureQueriesContext(connection) as placing:
        answer = check_out(guest, path, expected_to_pay=shown["totals"]["to_pay"])

    assert answer.status_code == 201
    assert OrderTender.objects.count() == 10
    assert len(statements(reading)) == 4
    assert len(statements(placing)) == 13 + (1 if promotions else 0) + 1


# Ending unpaid


def test_a_cancelled_order_gives_everything_back_once():
    customer = UserFactory()
    card, code = gift_card(400)
    credit = store_credit(customer.pk, 300)
    order, holder = bought(code, customer=customer, credit=True, to_pay=800)

    orders.cancel_order(holder=holder, order_id=order.pk)

    assert (balance(card), balance(credit)) == (400, 300)
    assert moved(card) == [("issue", 400), ("spend", -400), ("give_back", 400)]
    assert held(order) == {}
    order.refresh_from_db()
    with transaction.atomic():
        tenders.give_all_back(order, source_id=order.pk)
    assert balance(card) == 400
    assert nothing_is_wrong()


def test_an_expired_order_gives_everything_back():
    card, code = gift_card(400)
    order, _ = bought(code, to_pay=1100)
    Order.objects.filter(pk=order.pk).update(expires_at=Now() - timedelta(seconds=1))

    orders.expire_orders()

    order.refresh_from_db()
    assert (order.status, balance(card)) == ("expired", 400)
    assert nothing_is_wrong()


def late_capture(order: Order) -> None:
    """Let the order expire, and its money come after that."""
    attempt = order.attempts.get()
    Order.objects.filter(pk=order.pk).update(expires_at=Now() - timedelta(seconds=1))
    orders.expire_orders()
    PaymentAttempt.objects.filter(pk=attempt.pk).update(status="in_flight")
    state = PaymentState(
        status=PaymentStatus.CAPTURED,
        reference="pi_late",
        attempt_id=str(attempt.pk),
        amount_minor=attempt.amount_minor,
        currency=attempt.currency,
        captured_minor=attempt.amount_minor,
        refunded_minor=0,
        next_action=None,
        failure_code="",
        failure_detail="",
    )
    payments.settle(attempt.pk, state)
    order.refresh_from_db()


def test_money_that_comes_late_takes_the_value_again():
    card, code = gift_card(400)
    order, _ = bought(code, to_pay=1100)

    late_capture(order)

    assert (order.status, balance(card)) == ("paid", 0)
    assert moved(card)[-2:] == [("give_back", 400), ("spend", -400)]
    assert held(order) == {"gift_cards": 400, "stripe": 1100, "sales": -1000, "shipping": -500}
    assert nothing_is_wrong()


def test_money_that_comes_late_goes_back_when_the_value_is_gone():
    card, code = gift_card(400)
    order, _ = bought(code, to_pay=1100)
    Order.objects.filter(pk=order.pk).update(expires_at=Now() - timedelta(seconds=1))
    orders.expire_orders()
    bought(code, to_pay=1100)

    late_capture(order)

    assert (order.status, balance(card)) == ("expired", 0)
    assert Refund.objects.get().amount_minor == 1100
    assert nothing_is_wrong()


def test_value_that_was_taken_again_in_vain_is_given_back_again():
    card, code = gift_card(400)
    variant = VariantFactory(stock=1)
    order, _ = bought(code, to_pay=1100, quantities={variant.pk: 1})
    Order.objects.filter(pk=order.pk).update(expires_at=Now() - timedelta(seconds=1))
    orders.expire_orders()
    ready, holder = ready_cart({variant.pk: 1})
    place(ready, holder, None)

    late_capture(order)

    assert (order.status, balance(card)) == ("expired", 400)
    assert [kind for kind, _ in moved(card)] == [
        *("issue", "spend", "give_back"),
        *("spend", "give_back"),
    ]
    assert nothing_is_wrong()


# Giving back what was paid


def test_the_payment_gets_its_money_back_first_and_balances_the_rest(provider, ledger, work):
    customer = UserFactory()
    card, code = gift_card(400)
    credit = store_credit(customer.pk, 300)
    order, _ = bought(code, customer=customer, credit=True, to_pay=800)
    charge(order)

    def give(minor: int):
        return refunds.refund_order(order_id=order.pk, amount=usd(minor), reason="A scratch.")

    first, second, third = give(500), give(500), give(500)

    assert first.payment
    assert first.payment.amount_minor == 500
    assert first.movements == []
    assert second.payment
    assert second.payment.amount_minor == 300
    assert [each.amount_minor for each in second.movements] == [200]
    assert third.payment is None
    assert [(each.account_id, each.amount_minor) for each in third.movements] == [
        (card.pk, 200),
        (credit.pk, 300),
    ]
    assert {each.source_id for each in third.movements} == {third.id}
    with pytest.raises(refunds.RefundExceedsCaptured) as refusal:
        give(1)
    assert refusal.value.facts == {"refundable": usd(0)}
    assert (balance(card), balance(credit)) == (400, 300)
    while refunds.advance_refund():
        pass
    assert [each["amount_refunded"] for each in ledger()] == [800]
    assert list(violations(workers_run=False)) == []
    assert totals() == {
        "cards_issued": 400,
        "goodwill": 300,
        "gift_cards": -400,
        "store_credit": -300,
        "sales": -1000,
        "shipping": -500,
        "refunds": 1500,
        # The provider keeps 2.9 % of 8.00, and 0.30, also of what went back.
        "stripe": -53,
        "fees": 53,
    }


def test_cancelling_a_paid_order_gives_back_what_each_has_paid(provider, ledger, work):
    card, code = gift_card(400)
    order, holder = bought(code, to_pay=1100)
    charge(order)

    orders.cancel_order(holder=holder, order_id=order.pk)
    work()

    assert balance(card) == 400
    [charged] = ledger()
    assert charged["amount_refunded"] == 1100
    assert refundable_minor(order.pk) == 0
    assert list(violations()) == []


def test_cancelling_an_order_that_only_value_has_paid_gives_it_back():
    card, code = gift_card(5000)
    order, holder = bought(code, to_pay=0)

    orders.cancel_order(holder=holder, order_id=order.pk)

    assert balance(card) == 5000
    assert moved(card)[-1] == ("give_back", TOTAL)
    assert nothing_is_wrong()


def test_staff_without_the_right_do_not_cancel_what_value_has_paid():
    card, code = gift_card(5000)
    order, _ = bought(code, to_pay=0)
    staff = Holder(sees_all=True, cancels_all=True)

    with pytest.raises(orders.RefundNotAllowed):
        orders.cancel_order(holder=staff, order_id=order.pk)

    assert balance(card) == 5000 - TOTAL


def test_a_refund_that_fails_can_be_given_back_in_another_way(provider, work):
    card, code = gift_card(400)
    order, _ = bought(code, to_pay=1100)
    charge(order)
    given = refunds.refund_order(order_id=order.pk, amount=usd(TOTAL), reason="All of it.")
    assert given.payment
    Refund.objects.filter(pk=given.payment.pk).update(status="in_flight")
    refunds._settle(given.payment, refunds.RefundStatus.FAILED)

    assert (refundable_minor(order.pk), balance(card)) == (1100, 400)
    assert nothing_is_wrong()


def test_money_becomes_store_credit_instead_of_going_back(provider, ledger, work):
    customer = UserFactory()
    _, code = gift_card(400)
    order, _ = bought(code, customer=customer, to_pay=1100)
    charge(order)

    given = refunds.refund_order(
        order_id=order.pk, amount=usd(1300), reason="As agreed.", to_store_credit=True
    )

    credit = StoredValue.objects.get(customer_id=customer.pk)
    assert given.payment is None
    assert moved(credit) == [("refund", 1300)]
    attempt = order.attempts.get()
    assert (attempt.credited_minor, attempt.left_minor) == (1100, 0)
    assert OrderTender.objects.get().returned_minor == 200
    assert refundable_minor(order.pk) == 200
    with pytest.raises(refunds.RefundExceedsCaptured):
        refunds.refund_order(order_id=order.pk, amount=usd(201), reason="More.")
    refunds.refund_order(order_id=order.pk, amount=usd(200), reason="The rest.")
    work()
    assert [each["amount_refunded"] for each in ledger()] == [0]
    assert StoredValue.objects.get(kind="gift_card").balance_minor == 200
    assert list(violations()) == []


def test_a_guest_has_no_store_credit_to_refund_to(provider):
    order, _ = bought(to_pay=TOTAL)
    charge(order)

    with pytest.raises(refunds.StoreCreditNeedsACustomer):
        refunds.refund_order(order_id=order.pk, amount=usd(1), reason="No.", to_store_credit=True)

    assert not StoredValue.objects.exists()


# What staff do


def test_what_staff_grant_and_take_is_moved_and_posted():
    customer = UserFactory()
    credit = store_credit(customer.pk, 500)

    stored_value.take_store_credit(customer_id=customer.pk, amount=usd(200), reason="A mistake.")
    with pytest.raises(stored_value.BalanceTooLow) as refusal:
        stored_value.take_store_credit(customer_id=customer.pk, amount=usd(301), reason="Too much.")

    assert refusal.value.facts == {"balance": usd(300)}
    assert moved(credit) == [("issue", 500), ("adjust", -200)]
    assert totals() == {"goodwill": 300, "store_credit": -300}
    assert nothing_is_wrong()


def test_what_is_left_on_a_card_when_its_time_is_over_is_taken_off_once():
    card, _ = gift_card(400, expires_at=timezone.now() - timedelta(seconds=1))
    other, _ = gift_card(300)

    assert stored_value.expire_gift_cards() is False
    stored_value.expire_gift_cards()

    assert moved(card) == [("issue", 400), ("expire", -400)]
    assert (balance(card), balance(other)) == (0, 300)
    assert totals() == {"cards_issued": 700, "breakage": -400, "gift_cards": -300}
    assert nothing_is_wrong()


def test_what_goes_back_to_a_card_that_has_expired_can_be_used_for_a_while():
    card, code = gift_card(400)
    order, holder = bought(code, to_pay=1100)
    StoredValue.objects.filter(pk=card.pk).update(expires_at=Now() - timedelta(days=1))

    orders.cancel_order(holder=holder, order_id=order.pk)
    stored_value.expire_gift_cards()

    assert balance(card) == 400
    assert card.expires_at
    assert timedelta(days=29) < card.expires_at - timezone.now() <= timedelta(days=30)


# What the database keeps


def refused(change) -> str:
    with pytest.raises((IntegrityError, InternalError, Exception)) as refusal, transaction.atomic():
        change()
    return str(refusal.value)


def test_the_database_refuses_what_would_break_a_balance():
    card, _ = gift_card(400)
    cards = StoredValue.objects.filter(pk=card.pk)
    movement = card.movements.get()

    def move(minor: int, kind: str):
        return lambda: ValueMovement.objects.create(
            account=card, kind=kind, amount_minor=minor, source_id=card.pk
        )

    assert "stored_value_is_not_overdrawn" in refused(move(-401, "spend"))
    assert "value_movement_goes_its_way" in refused(move(1, "spend"))
    assert "value_movement_goes_its_way" in refused(move(-1, "give_back"))
    assert "value_movement_happens_once" in refused(move(1, "issue"))
    assert "Cannot update" in refused(lambda: cards.update(balance_minor=9))
    assert "keeps_what_it_is" in refused(lambda: cards.update(code_hash="x"))
    assert "Cannot delete" in refused(cards.delete)
    assert "Cannot update or delete" in refused(
        lambda: ValueMovement.objects.filter(pk=movement.pk).update(amount_minor=1)
    )
    assert "Cannot insert" in refused(
        lambda: StoredValue.objects.create(
            kind="gift_card", currency="USD", code_hash="y", last_four="YYYY", balance_minor=5
        )
    )
    assert balance(card) == 400


def test_of_a_code_only_what_cannot_be_turned_back_is_kept():
    card, code = gift_card(400)

    row = StoredValue.objects.filter(pk=card.pk).values().get()

    plain = code.replace("-", "")
    assert len(plain) == 16
    assert not any(plain in str(value) or code in str(value) for value in row.values())
    assert card.last_four == code[-4:]
    spelled = f" {code.lower().replace('-', ' ')} "
    assert stored_value.gift_card_by_code(code=spelled).pk == card.pk


def test_invariants_tell_of_a_balance_that_nothing_explains():
    card, code = gift_card(400)
    order, _ = bought(code, to_pay=1100)
    with pgtrigger.ignore():
        StoredValue.objects.filter(pk=card.pk).update(balance_minor=7)
        Order.objects.filter(pk=order.pk).update(tendered_minor=399)

    found = {violation.rule for violation in violations(ask_providers=False, workers_run=False)}

    assert found == {
        "a balance = its movements, each of them posted",
        "the ledger owes what is on gift cards and store credit",
        "stored value pays for paid orders and for no other",
    }
