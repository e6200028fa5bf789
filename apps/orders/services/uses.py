"""Taking uses and budgets for an order, and giving them back: exact however many order at once."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.kernel.errors import Conflict
from apps.kernel.ids import new_id
from apps.kernel.prepared import prepared
from apps.orders.models import Order, OrderPromotion
from apps.orders.pricing import Quote
from apps.orders.selectors.promotions import Rules, most_per_customer


class PromotionUsedUp(Conflict):
    """A promotion, or a code, has been used as often as it may, or its budget is spent."""

    code = "promotion_used_up"


class PromotionChanged(Conflict):
    """A promotion was changed or ended while the order was placed: look at the new total."""

    code = "promotion_changed"


# Rows are locked in one order: promotions, codes, customers; each by id. Uses of a promotion
# without limits are not counted, so its row is only shared; whoever changes a promotion locks it
# alone (FOR UPDATE), and its version tells who has read what was there before.
TAKE = """
WITH wanted AS (
    SELECT * FROM jsonb_to_recordset(%(wanted)s::jsonb) AS w(
        id uuid, position int, promotion_id uuid, version int, coupon_id uuid, code text, name text,
        amount bigint, off_parcel boolean, per_customer int, per_code int
    )
), shared AS MATERIALIZED (
    SELECT p.id FROM orders_promotion p JOIN wanted w ON w.promotion_id = p.id
    WHERE {still} AND p.uses_limit IS NULL AND p.budget_minor IS NULL
    ORDER BY p.id FOR KEY SHARE OF p
), counted AS MATERIALIZED (
    SELECT p.id FROM orders_promotion p JOIN wanted w ON w.promotion_id = p.id
    WHERE {still} AND (p.uses_limit IS NOT NULL OR p.budget_minor IS NOT NULL)
        AND (SELECT count(*) FROM shared) >= 0
    ORDER BY p.id FOR NO KEY UPDATE OF p
), taken AS (
    UPDATE orders_promotion p
    SET uses = p.uses + 1, budget_used_minor = p.budget_used_minor + w.amount
    FROM counted c JOIN wanted w ON w.promotion_id = c.id
    WHERE p.id = c.id AND coalesce(p.uses < p.uses_limit, true)
        AND coalesce(p.budget_used_minor + w.amount <= p.budget_minor, true)
    RETURNING p.id
), codes AS MATERIALIZED (
    SELECT c.id, c.promotion_id FROM orders_coupon c JOIN wanted w ON w.coupon_id = c.id
    WHERE c.uses_limit IS NOT NULL AND (SELECT count(*) FROM taken) >= 0
    ORDER BY c.id FOR NO KEY UPDATE OF c
), codes_taken AS (
    UPDATE orders_coupon c SET uses = c.uses + 1 FROM codes
    WHERE c.id = codes.id AND c.uses < c.uses_limit
    RETURNING c.promotion_id
), customers AS (
    SELECT promotion_id, NULL::uuid AS coupon_id, per_customer AS most FROM wanted
    WHERE %(customer)s::uuid IS NOT NULL
    UNION ALL
    SELECT promotion_id, coupon_id, per_code FROM wanted
    WHERE %(customer)s::uuid IS NOT NULL AND per_code IS NOT NULL
), customers_taken AS (
    INSERT INTO orders_customeruses AS u (promotion_id, coupon_id, customer_id, uses, most)
    SELECT promotion_id, coupon_id, %(customer)s::uuid, 1, most FROM customers
    WHERE (SELECT count(*) FROM codes_taken) >= 0
    ORDER BY promotion_id, coupon_id NULLS FIRST
    ON CONFLICT ON CONSTRAINT customer_uses_are_counted_once
    DO UPDATE SET uses = u.uses + 1, most = excluded.most
        WHERE coalesce(u.uses < excluded.most, true)
    RETURNING u.promotion_id, u.coupon_id
), written AS ({written})
SELECT
    ARRAY(SELECT promotion_id FROM wanted
        EXCEPT (SELECT id FROM shared UNION ALL SELECT id FROM counted)),
    ARRAY(SELECT id FROM counted EXCEPT SELECT id FROM taken)
    || ARRAY(SELECT promotion_id FROM codes EXCEPT SELECT promotion_id FROM codes_taken)
    || ARRAY(SELECT promotion_id FROM (
        SELECT promotion_id, coupon_id FROM customers
        EXCEPT SELECT promotion_id, coupon_id FROM customers_taken
    ) missed)
"""

PLACED = TAKE.format(
    still="p.version = w.version AND p.status = 'active'",
    written="""
    INSERT INTO orders_orderpromotion
        (id, order_id, position, promotion_id, coupon_id, code, name, amount_minor, off_parcel)
    SELECT id, %(order)s, position, promotion_id, coupon_id, code, name, amount, off_parcel
    FROM wanted
    """,
)
AGAIN = TAKE.format(
    still="true",
    written="UPDATE orders_orderpromotion SET given_back_at = NULL WHERE order_id = %(order)s",
)

RELEASE = """
WITH back AS (
    UPDATE orders_orderpromotion SET given_back_at = statement_timestamp()
    WHERE order_id = %(order)s AND given_back_at IS NULL
    RETURNING promotion_id, coupon_id, amount_minor
), locked AS MATERIALIZED (
    SELECT p.id FROM orders_promotion p JOIN back b ON b.promotion_id = p.id
    ORDER BY p.id FOR NO KEY UPDATE OF p
), promotions AS (
    UPDATE orders_promotion p SET
        uses = p.uses - CASE WHEN p.uses_limit IS NULL AND p.budget_minor IS NULL
            THEN 0 ELSE 1 END,
        budget_used_minor = p.budget_used_minor
            - CASE WHEN p.uses_limit IS NULL AND p.budget_minor IS NULL
                THEN 0 ELSE b.amount_minor END
    FROM locked l JOIN back b ON b.promotion_id = l.id WHERE p.id = l.id
    RETURNING p.id
), codes AS MATERIALIZED (
    SELECT c.id FROM orders_coupon c JOIN back b ON b.coupon_id = c.id
    WHERE c.uses_limit IS NOT NULL AND (SELECT count(*) FROM promotions) >= 0
    ORDER BY c.id FOR NO KEY UPDATE OF c
), given_codes AS (
    UPDATE orders_coupon c SET uses = c.uses - 1 FROM codes WHERE c.id = codes.id RETURNING c.id
)
UPDATE orders_customeruses u SET uses = u.uses - 1 FROM back b
WHERE u.promotion_id = b.promotion_id AND u.customer_id = %(customer)s
    AND (u.coupon_id IS NULL OR u.coupon_id = b.coupon_id)
    AND (SELECT count(*) FROM given_codes) >= 0
"""


def take(order: Order, quote: Quote, rules: Rules) -> list[OrderPromotion]:
    """Write down the promotions that apply to an order, and take their uses. One statement.

    Returns what is written down. Raises PromotionUsedUp when a limit or budget has been reached
    since the price was asked, and PromotionChanged; then the order must not be placed.
    """
    if not quote.promotions:
        return []
    coupons = {coupon.code: coupon for coupon in rules.coupons}
    wanted: list[dict[str, Any]] = []
    for position, applied in enumerate(quote.promotions, 1):
        row = rules.rows[applied.promotion_id]
        coupon = coupons.get(applied.code)
        wanted.append(
            {
                "id": new_id(),
                "position": position,
                "promotion_id": row.pk,
                "version": row.version,
                "coupon_id": rules.coupon_ids.get(applied.code),
                "code": applied.code,
                "name": row.name,
                "amount": applied.amount,
                "off_parcel": row.frees_the_parcel,
                "per_customer": most_per_customer(row),
                "per_code": coupon.uses_per_customer if coupon else None,
            }
        )
    _take(PLACED, order, wanted)
    return [
        OrderPromotion(
            order=order,
            promotion_id=each["promotion_id"],
            code=each["code"],
            name=each["name"],
            amount_minor=each["amount"],
        )
        for each in wanted
    ]


def take_again(order: Order) -> bool:
    """Take what an order that had ended unpaid has given back; False when that is gone by now."""
    if not order.discount_minor:
        return True
    rows = OrderPromotion.objects.filter(order=order).select_related("promotion", "coupon")
    wanted = [
        {
            "promotion_id": row.promotion_id,
            "coupon_id": row.coupon_id,
            "amount": row.amount_minor,
            "per_customer": most_per_customer(row.promotion),
            "per_code": row.coupon.uses_per_customer if row.coupon else None,
        }
        for row in rows.exclude(given_back_at=None)
    ]
    if not wanted:
        return True
    try:
        with transaction.atomic():
            _take(AGAIN, order, wanted)
    except PromotionUsedUp:
        return False
    return True


def release_uses(order: Order) -> None:
    """Give back the uses and budgets of an order that ends unpaid; once, however often called."""
    if not order.discount_minor:
        return
    with connection.cursor() as cursor:
        cursor.execute(RELEASE, {"order": order.pk, "customer": order.customer_id})


def _take(statement: str, order: Order, wanted: Iterable[dict[str, Any]]) -> None:
    with prepared(in_transactions=True), connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "wanted": json.dumps(list(wanted), default=str),
                "order": order.pk,
                "customer": order.customer_id,
            },
        )
        changed, used_up = cursor.fetchone()
    if used_up:
        raise PromotionUsedUp("A promotion is used up.", promotion_ids=_ids(used_up))
    if changed:
        raise PromotionChanged("A promotion has changed.", promotion_ids=_ids(changed))


def _ids(found: Iterable[UUID]) -> list[str]:
    return sorted({str(each) for each in found})
