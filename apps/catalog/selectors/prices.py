"""Reads of price lists, of prices by time and quantity, and of the price history."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, F, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from apps.catalog.models import Price, PriceChange, PriceList, Variant
from apps.kernel.errors import NotFound

# A reduction may last, and the 30 days before it count.
PUBLIC_HISTORY = timedelta(days=90)

UNTIL = """(
    SELECT min(n.at) FROM catalog_pricechange n
    WHERE n.variant_id = catalog_pricechange.variant_id
        AND n.currency = catalog_pricechange.currency
        AND n.min_quantity = catalog_pricechange.min_quantity
        AND n.price_list_id IS NOT DISTINCT FROM catalog_pricechange.price_list_id
        AND (n.at, n.id) > (catalog_pricechange.at, catalog_pricechange.id)
)"""


LIST_COLUMNS = (
    *("id", "code", "name", "currency", "customer_group_id", "priority", "valid_from"),
    *("valid_until", "is_active", "version"),
)


class UnknownPriceList(NotFound):
    """There is no such price list."""

    code = "unknown_price_list"


def price_history(*, product_id: UUID) -> QuerySet[PriceChange, dict[str, Any]]:
    """Return all that was noted of the prices of a product, each with when the next was."""
    changes = PriceChange.objects.filter(variant__product=product_id)
    return changes.values(
        *("id", "variant_id", "currency", "min_quantity", "amount_minor", "compare_at_minor"),
        *("lowest_minor", "at"),
        sku=F("variant__sku"),
        price_list_code=F("price_list__code"),
        until=RawSQL(UNTIL, [], DateTimeField()),  # noqa: S611 - a constant
    )


def shown_to_everybody(
    rows: QuerySet[PriceChange, dict[str, Any]], *, currency: str
) -> QuerySet[PriceChange, dict[str, Any]]:
    """Narrow a price history to what everybody was asked, in one currency, in the last months."""
    counted = Q(until=None) | Q(until__gt=F("at")) & Q(until__gt=Now() - PUBLIC_HISTORY)
    return rows.filter(counted, price_list=None, currency=currency)


def price_lists() -> QuerySet[PriceList, dict[str, Any]]:
    """Return all price lists as dictionaries."""
    return PriceList.objects.values(*LIST_COLUMNS)


def price_list_of(*, list_id: UUID) -> dict[str, Any]:
    """Return a price list as a dictionary. Raises UnknownPriceList."""
    row = price_lists().filter(pk=list_id).first()
    if row is None:
        raise UnknownPriceList("There is no such price list.")
    return row


def variant_with_prices(*, variant_id: UUID) -> dict[str, Any] | None:
    """Return a variant's own price, its product's version, and its `prices`, in two statements."""
    columns = ("id", "sku", "currency", "price_minor", "compare_at_minor")
    rows = Variant.objects.filter(pk=variant_id).values(*columns, version=F("product__version"))
    row = rows.first()
    if row is None:
        return None
    prices = Price.objects.filter(variant=variant_id).select_related("price_list")
    ordered = prices.order_by("price_list__code", "min_quantity", "valid_from", "id")
    return {**row, "prices": list(ordered)}
