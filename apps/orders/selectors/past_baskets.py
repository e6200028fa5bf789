"""Orders of the past as baskets: goods and prices as sold, with the promotions that they had."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeVar, cast
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from apps.catalog import interface as catalog
from apps.orders import pricing
from apps.orders.models import Order, OrderLine, OrderPromotion
from apps.orders.selectors.promotions import rule_of
from apps.orders.states import OrderStatus
from apps.users import interface as users

NOT_SOLD = (OrderStatus.PENDING_PAYMENT, OrderStatus.EXPIRED, OrderStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class PastBasket:
    """An order as a basket: what was off it, and whether all its goods are still known."""

    order_id: UUID
    placed_at: datetime
    basket: pricing.Basket
    discount: int
    complete: bool


def past_baskets(
    *,
    placed_from: datetime,
    placed_until: datetime,
    after: tuple[datetime, UUID] | None,
    currency: str,
    limit: int,
) -> list[PastBasket]:
    """Return the next sold orders of that time, oldest first. Five statements, however many.

    What replaces goods that came back was sold with the order that these were from.
    Of goods the catalog says now what they are; what is sold no more matches as a product alone.
    """
    found = Order.objects.filter(placed_at__gte=placed_from, placed_at__lt=placed_until)
    if after is not None:
        at, last = after
        found = found.filter(placed_at__gte=at).filter(Q(placed_at__gt=at) | Q(pk__gt=last))
    if currency:
        found = found.filter(currency=currency)
    sold = Order.objects.exclude(status__in=[OrderStatus.EXPIRED, OrderStatus.CANCELLED])
    earlier = sold.filter(customer_id=OuterRef("customer_id"), placed_at__lt=OuterRef("placed_at"))
    orders = list(
        found.exclude(status__in=NOT_SOLD)
        .filter(replaces=None)
        .annotate(had_earlier=Exists(earlier))
        .order_by("placed_at", "id")[:limit]
    )
    lines = _by_order(OrderLine.objects.filter(order__in=orders).order_by("order_id", "position"))
    given = _by_order(
        OrderPromotion.objects.filter(order__in=orders)
        .select_related("promotion")
        .order_by("order_id", "position")
    )
    variants = {line.variant_id for rows in lines.values() for line in rows}
    offers = catalog.offers(variant_ids=variants)
    groups = users.groups_of(user_ids={o.customer_id for o in orders if o.customer_id})
    return [
        PastBasket(
            order_id=order.pk,
            placed_at=order.placed_at,
            basket=_basket(
                order,
                lines.get(order.pk, []),
                given.get(order.pk, []),
                offers=offers,
                group_id=groups.get(order.customer_id) if order.customer_id else None,
            ),
            discount=order.discount_minor,
            complete=all(line.variant_id in offers for line in lines.get(order.pk, [])),
        )
        for order in orders
    ]


Row = TypeVar("Row", OrderLine, OrderPromotion)


def _by_order(rows: Iterable[Row]) -> dict[UUID, list[Row]]:
    return {key: list(each) for key, each in groupby(rows, key=attrgetter("order_id"))}


def _basket(
    order: Order,
    lines: Sequence[OrderLine],
    given: Sequence[OrderPromotion],
    *,
    offers: dict[UUID, catalog.Offer],
    group_id: UUID | None,
) -> pricing.Basket:
    first_order = not cast("Any", order).had_earlier
    customer = pricing.Customer(group_id=group_id, first_order=first_order)
    return pricing.Basket(
        currency=order.currency,
        at=order.placed_at,
        lines=tuple(_line(line, offers.get(line.variant_id)) for line in lines),
        promotions=tuple(_as_then(each) for each in given),
        coupons=tuple(pricing.Coupon(each.code, each.promotion_id) for each in given if each.code),
        customer=customer if order.customer_id else None,
        shipping=pricing.Shipping(order.shipping_minor),
    )


def _line(line: OrderLine, offer: catalog.Offer | None) -> pricing.Line:
    known = line.unit_price_minor if line.list_price_minor is None else line.list_price_minor
    differs = known != line.unit_price_minor
    return pricing.Line(
        variant_id=line.variant_id,
        sku=line.sku,
        product_id=line.product_id,
        quantity=line.quantity,
        list_price=known,
        price_list="as sold" if differs else "",
        price_list_price=line.unit_price_minor if differs else None,
        category_ids=offer.category_ids if offer else frozenset(),
        brand_id=offer.brand_id if offer else None,
        tags=offer.tags if offer else frozenset(),
    )


def _as_then(given: OrderPromotion) -> pricing.Promotion:
    """Return the rule of a promotion that counted: its limits were taken when it did."""
    return replace(
        rule_of(given.promotion),
        needs_code=bool(given.code),
        customer_group_ids=frozenset(),
        first_order_only=False,
        starts_at=None,
        ends_at=None,
        budget_left=None,
        uses_left=None,
        uses_per_customer=None,
    )
