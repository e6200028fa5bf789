"""Reads of exchanges: whose money pays for a replacement, and how much of it is spoken for."""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum

from apps.orders.models import Order, Replacement
from apps.orders.states import OrderStatus


def payer_of(order_id: UUID) -> UUID:
    """Return the order whose goods came back and pay for this replacement."""
    replaced = Replacement.objects.filter(order=order_id)
    return replaced.values_list("parent__order", flat=True).get()


def lent_minor(order_id: UUID) -> int:
    """Return how much of an order's money its replacements still hold, less what it has so."""
    left = F("paid_minor") - F("returned_minor")
    sums = Replacement.objects.filter(Q(order=order_id) | Q(parent__order=order_id)).aggregate(
        lent=Sum(left, filter=Q(parent__order=order_id), default=0),
        borrowed=Sum(left, filter=Q(order=order_id), default=0),
    )
    return int(sums["lent"]) - int(sums["borrowed"])


def wrong_replacements(orders: QuerySet[Order]) -> Iterator[Order]:
    """Yield the orders that goods do not pay for as is said, and cancelled ones that keep money."""
    unlike = ~Q(exchanged_minor=F("replaces__paid_minor")) | Q(exchanged_minor__gt=0, replaces=None)
    kept = Q(status=OrderStatus.CANCELLED) & ~Q(replaces__returned_minor=F("replaces__paid_minor"))
    replacing = orders.exclude(exchanged_minor=0, replaces=None)
    yield from replacing.filter(unlike | kept)
