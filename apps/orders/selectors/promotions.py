"""Reads of promotions: what counts for a cart now, and what staff look at."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from apps.kernel.errors import NotFound
from apps.kernel.prepared import prepared, read, typed
from apps.orders import pricing
from apps.orders.models import Coupon, CouponBatch, Promotion
from apps.orders.states import PromotionStatus

# Shoppers are told of every rule that was tried: only of what runs, or what their codes are for.
COUNTS = f"""
SELECT {typed(Promotion, "p")}, (
    SELECT u.uses::int FROM orders_customeruses u
    WHERE u.promotion_id = p.id AND u.coupon_id IS NULL AND u.customer_id = %(customer)s
) AS used_by_customer, (
    SELECT json_agg(json_build_array(
        c.id, c.code, c.uses_limit - c.uses, c.uses_per_customer, u.uses
    ) ORDER BY c.code)
    FROM orders_coupon c LEFT JOIN orders_customeruses u
        ON u.promotion_id = p.id AND u.coupon_id = c.id AND u.customer_id = %(customer)s
    WHERE c.promotion_id = p.id AND c.code = ANY(%(codes)s::text[])
) AS given_codes, p.first_order_only AND NOT EXISTS (
    SELECT FROM orders_order o
    WHERE o.customer_id = %(customer)s AND o.status NOT IN ('cancelled', 'expired')
) AS would_be_first
FROM orders_promotion p
WHERE p.status = 'active' AND (
    NOT p.needs_code AND coalesce(p.starts_at <= %(at)s, true)
        AND coalesce(p.ends_at > %(at)s, true)
    OR p.id IN (SELECT promotion_id FROM orders_coupon WHERE code = ANY(%(codes)s::text[]))
)
ORDER BY p.id
"""  # noqa: S608 - the columns' names come from the model


class UnknownPromotion(NotFound):
    """There is no such promotion."""

    code = "unknown_promotion"


class UnknownCouponBatch(NotFound):
    """The promotion has no such batch of codes."""

    code = "unknown_coupon_batch"


@dataclass(frozen=True, slots=True)
class Rules:
    """What promotions and codes come to at one moment, and the rows behind them."""

    promotions: tuple[pricing.Promotion, ...] = ()
    coupons: tuple[pricing.Coupon, ...] = ()
    customer: pricing.Customer | None = None
    rows: dict[UUID, Promotion] = field(default_factory=dict)
    coupon_ids: dict[str, UUID] = field(default_factory=dict)


def rules_for(
    *, codes: Sequence[str], customer_id: UUID | None, group_id: UUID | None, at: datetime
) -> Rules:
    """Return what counts for a cart with these codes, as the database knows it. One statement."""
    asked = {"codes": list(codes), "customer": customer_id, "at": at}
    with prepared(in_transactions=True), connection.cursor() as cursor:
        cursor.execute(COUNTS, asked)
        found = [read(Promotion, row) for row in cursor.fetchall()]
    coupons, ids, code_uses = [], {}, {}
    for row, (_, given_codes, _) in found:
        for coupon_id, code, left, most, uses in given_codes or ():
            coupons.append(pricing.Coupon(code, row.pk, left, most))
            ids[code] = UUID(coupon_id)
            code_uses[code] = uses or 0
    coupons += [pricing.Coupon(code, None) for code in codes if code not in ids]
    customer = pricing.Customer(
        group_id=group_id,
        first_order=any(would_be_first for _, (_, _, would_be_first) in found),
        uses={row.pk: used_by_customer or 0 for row, (used_by_customer, _, _) in found},
        code_uses=code_uses,
    )
    return Rules(
        promotions=tuple(rule_of(row) for row, _ in found),
        coupons=tuple(coupons),
        customer=customer if customer_id else None,
        rows={row.pk: row for row, _ in found},
        coupon_ids=ids,
    )


def rule_of(row: Promotion) -> pricing.Promotion:
    """Return the promotion as the kernel knows it. Raises NotPriceable."""
    return pricing.Promotion(
        id=row.pk,
        benefit=pricing.benefit_of(row.benefit),
        needs_code=row.needs_code,
        priority=row.priority,
        exclusive=row.exclusive,
        stacking_group=row.stacking_group,
        goods=pricing.selection_of(row.goods),
        currency=row.currency or None,
        min_subtotal=row.min_subtotal_minor,
        min_quantity=row.min_quantity,
        customer_group_ids=frozenset(map(UUID, row.customer_group_ids)),
        first_order_only=row.first_order_only,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        max_discount=row.max_discount_minor,
        budget_left=_left(row.budget_minor, row.budget_used_minor),
        uses_left=_left(row.uses_limit, row.uses),
        uses_per_customer=most_per_customer(row),
    )


def most_per_customer(row: Promotion) -> int | None:
    """Return how often a customer may use it; what is for the first order, once."""
    return 1 if row.first_order_only else row.uses_per_customer


def promotion_of(*, promotion_id: UUID) -> Promotion:
    """Return a promotion. Raises UnknownPromotion."""
    row = Promotion.objects.filter(pk=promotion_id).first()
    if row is None:
        raise UnknownPromotion("There is no such promotion.")
    return row


def warnings_about(row: Promotion) -> list[pricing.Conflict]:
    """Return what the promotion meets among those that are active."""
    others = Promotion.objects.filter(status=PromotionStatus.ACTIVE).exclude(pk=row.pk)
    return pricing.conflicts(rule_of(row), map(rule_of, others.order_by("id")))


def batches_of(*, promotion_id: UUID) -> QuerySet[CouponBatch, dict[str, Any]]:
    """Return the batches of a promotion as dictionaries. Raises UnknownPromotion."""
    promotion_of(promotion_id=promotion_id)
    columns = ("id", "count", "uses_limit", "uses_per_customer", "created_at")
    return CouponBatch.objects.filter(promotion=promotion_id).values(*columns)


def coupons_of(*, promotion_id: UUID, batch_id: UUID) -> QuerySet[Coupon, dict[str, Any]]:
    """Return the codes of a batch as dictionaries. Raises UnknownCouponBatch."""
    if not CouponBatch.objects.filter(pk=batch_id, promotion=promotion_id).exists():
        raise UnknownCouponBatch("There is no such batch of codes.")
    columns = ("id", "code", "uses", "uses_limit", "uses_per_customer")
    return Coupon.objects.filter(batch=batch_id).values(*columns)


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else limit - used
