"""Paying for an order with gift cards and store credit, and giving that back: exact, and once."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.utils import timezone

from apps.kernel.errors import Conflict, Invalid
from apps.kernel.ids import id_of
from apps.kernel.money import Money
from apps.kernel.prepared import prepared
from apps.orders.models import Cart, LedgerAccount, Order, OrderTender, StoredValue, ValueMovement
from apps.orders.selectors.stored_value import problem_of
from apps.orders.services.value_movements import keep_usable, move_value

# What each balance pays is decided once its row is locked: whoever came before has been counted.
# The balances themselves are changed by the movements.
TAKE = """
WITH wanted AS (
    SELECT * FROM jsonb_to_recordset(%(wanted)s::jsonb) AS w(
        position int, account_id uuid, tender_id uuid, movement_id uuid, posting_id uuid,
        owed_id uuid, tendered_id uuid
    )
), named AS MATERIALIZED (
    SELECT w.*, s.id FROM wanted w JOIN orders_storedvalue s ON s.id = w.account_id
    UNION ALL
    SELECT w.*, s.id FROM wanted w JOIN orders_storedvalue s
        ON s.customer_id = %(customer)s AND s.currency = %(currency)s
    WHERE w.account_id IS NULL
), locked AS MATERIALIZED (
    SELECT n.*, s.kind, s.last_four, s.balance_minor
    FROM orders_storedvalue s JOIN named n ON n.id = s.id
    WHERE s.currency = %(currency)s AND s.disabled_at IS NULL
        AND coalesce(s.expires_at > statement_timestamp(), true)
    ORDER BY s.id FOR NO KEY UPDATE OF s
), shares AS (
    SELECT *, greatest(0, least(balance_minor, %(total)s - coalesce(sum(balance_minor) OVER (
        ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), 0)))::bigint AS amount
    FROM locked
), taken AS (
    SELECT * FROM shares WHERE amount > 0
), tenders AS (
    INSERT INTO orders_ordertender (id, order_id, account_id, position, amount_minor)
    SELECT tender_id, %(order)s, id, position, amount FROM taken
), movements AS (
    INSERT INTO orders_valuemovement
        (id, account_id, kind, source_id, order_id, amount_minor, reason)
    SELECT movement_id, id, 'spend', %(order)s, %(order)s, -amount, '' FROM taken
), postings AS (
    INSERT INTO orders_ledgerposting (id, kind, source_id, at)
    SELECT posting_id, 'stored_value', movement_id, %(at)s FROM taken
), entries AS (
    INSERT INTO orders_ledgerentry (id, posting_id, account, order_id, amount_minor, currency)
    SELECT owed_id, posting_id, CASE kind WHEN 'gift_card' THEN 'gift_cards' ELSE kind END,
        %(order)s, amount, %(currency)s FROM taken
    UNION ALL
    SELECT tendered_id, posting_id, 'tendered', %(order)s, -amount, %(currency)s FROM taken
)
SELECT id::uuid, kind::text, last_four::text, tender_id, position, amount FROM shares
ORDER BY position
"""
IDS = ("tender_id", "movement_id", "posting_id", "owed_id", "tendered_id")


class ExpectedToPayMissing(Invalid):
    """Say what the payment has to bring: gift cards or store credit are to pay, too."""

    code = "expected_to_pay_missing"


class ToPayChanged(Conflict):
    """The payment would have to bring something else than the shopper agreed to."""

    code = "to_pay_changed"


class GiftCardsNotUsable(Conflict):
    """Gift cards of the cart cannot pay any more: take them out of it."""

    code = "gift_cards_not_usable"


def take(order: Order, cart: Cart, *, expected_to_pay: Money | None) -> list[OrderTender]:
    """Let the cart's gift cards and then its store credit pay for an order that is to be written.

    The shopper has agreed to what is left to pay, and it is that exactly, or nothing happens. One
    statement, or none. Returns what each has paid.
    Raises ExpectedToPayMissing, ToPayChanged, GiftCardsNotUsable.
    """
    named = bool(cart.gift_cards or cart.store_credit)
    tenders = _taken(order, cart) if named else []
    order.tendered_minor = sum(tender.amount_minor for tender in tenders)
    to_pay = Money(order.to_pay_minor, order.currency)
    if expected_to_pay is None:
        if named:
            raise ExpectedToPayMissing("Send expected_to_pay, as the cart says it.", to_pay=to_pay)
    elif expected_to_pay != to_pay:
        raise ToPayChanged("What is left to pay has changed.", to_pay=to_pay)
    return tenders


def take_again(order: Order, *, source_id: UUID) -> bool:
    """Take what a locked order that had ended unpaid has given back; False when that is gone."""
    if not order.tendered_minor:
        return True
    usable = {row.pk: row for row in lock_balances(order) if not problem_of(row)}
    tenders = list(order.tenders.select_related("account").exclude(returned_minor=0))
    for tender in tenders:
        account = usable.get(tender.account_id)
        if account is None or account.balance_minor < tender.returned_minor:
            return False
    for tender in tenders:
        move_value(
            tender.account,
            ValueMovement.Kind.SPEND,
            -tender.returned_minor,
            source_id=source_id,
            against={LedgerAccount.TENDERED: -tender.returned_minor},
            order_id=order.pk,
        )
    OrderTender.objects.filter(pk__in=[tender.pk for tender in tenders]).update(returned_minor=0)
    return True


def give_all_back(order: Order, *, source_id: UUID) -> None:
    """Give back what balances pay of a locked order that is not paid; once, however often called.

    `source_id` is what ends it: the order, or a payment that came too late.
    """
    if not order.tendered_minor:
        return
    lock_balances(order)
    for tender, minor in parts_of(order, order.tendered_minor):
        return_tender(
            tender, minor, source_id=source_id, against={LedgerAccount.TENDERED: minor}, reason=""
        )


def lock_balances(order: Order) -> list[StoredValue]:
    """Lock what pays for an order, in the order in which everybody does: by id."""
    accounts = StoredValue.objects.filter(pk__in=order.tenders.values("account"))
    return list(accounts.order_by("pk").select_for_update(no_key=True))


def parts_of(order: Order, minor: int) -> Iterator[tuple[OrderTender, int]]:
    """Yield what each balance gets back, of so much, in the order in which they have paid.

    None gets more than it has paid and has not got back.
    """
    for tender in order.tenders.select_related("account").order_by("position"):
        part = min(minor, tender.amount_minor - tender.returned_minor)
        if part:
            yield tender, part
        minor -= part


def mark_returned(tender: OrderTender, minor: int) -> None:
    """Count what goes back of a tender (order_tender_returns_at_most_what_it_paid)."""
    OrderTender.objects.filter(pk=tender.pk).update(returned_minor=F("returned_minor") + minor)


def return_tender(
    tender: OrderTender,
    minor: int,
    *,
    source_id: UUID,
    against: Mapping[LedgerAccount, int],
    reason: str,
) -> ValueMovement:
    """Give a part of a tender back to the balance that has paid it. The order is locked."""
    mark_returned(tender, minor)
    movement = move_value(
        tender.account,
        ValueMovement.Kind.GIVE_BACK,
        minor,
        source_id=source_id,
        against=against,
        order_id=tender.order_id,
        reason=reason,
    )
    keep_usable(tender.account)
    return movement


def _taken(order: Order, cart: Cart) -> list[OrderTender]:
    at = timezone.now()
    named: list[str | None] = [*cart.gift_cards, *([None] if cart.store_credit else [])]
    wanted: list[dict[str, Any]] = [
        {"position": position, "account_id": account_id, **{name: id_of(at) for name in IDS}}
        for position, account_id in enumerate(named, 1)
    ]
    with prepared(in_transactions=True), connection.cursor() as cursor:
        cursor.execute(
            TAKE,
            {
                "wanted": json.dumps(wanted, default=str),
                "order": order.pk,
                "customer": cart.customer_id,
                "currency": order.currency,
                "total": order.grand_total_minor,
                "at": at,
            },
        )
        rows = cursor.fetchall()
    if unusable := sorted(set(cart.gift_cards) - {str(row[0]) for row in rows}):
        raise GiftCardsNotUsable("Take the gift cards out of the cart.", gift_card_ids=unusable)
    return [
        OrderTender(
            id=tender_id,
            order=order,
            account=StoredValue(id=account_id, kind=kind, last_four=last_four),
            position=position,
            amount_minor=amount,
        )
        for account_id, kind, last_four, tender_id, position, amount in rows
        if amount
    ]
