"""Reads of collections, and what is in them."""

# ruff: noqa: S611 - the SQL is constant; values are parameters

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import BooleanField, IntegerField, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from apps.catalog.models import Collection
from apps.catalog.selectors.filters import AttributeFilter, having, in_category
from apps.catalog.selectors.products import Rows, available
from apps.kernel.money import Money

COLUMNS = (
    "id",
    "slug",
    "name",
    "description",
    "seo_title",
    "seo_description",
    "kind",
    "match",
    "rules",
    "version",
)

PLACE = """(
    SELECT cp.position FROM catalog_collectionproduct cp
    WHERE cp.product_id = catalog_product.id AND cp.collection_id = %s
)"""

CHOSEN = """catalog_product.id = ANY(ARRAY(
    SELECT cp.product_id FROM catalog_collectionproduct cp WHERE cp.collection_id = %s
))"""

TAGGED = """catalog_product.id = ANY(ARRAY(
    SELECT pt.product_id FROM catalog_product_tags pt WHERE pt.tag_id = ANY(%s::uuid[])
))"""


def collection_rows() -> QuerySet[Any, dict[str, Any]]:
    """Return the collections, as their documents have them."""
    rows: Any = Collection.objects.values(*COLUMNS)
    return rows


def collection_row(*, reference: UUID | str) -> dict[str, Any] | None:
    """Return one collection by id or slug."""
    by = "pk" if isinstance(reference, UUID) else "slug"
    return collection_rows().filter(**{by: reference}).first()


def in_collection(rows: Rows, collection: Mapping[str, Any]) -> Rows:
    """Return the product rows that are in the collection, with their `place` if it is by hand."""
    if collection["kind"] == Collection.Kind.MANUAL:
        chosen = rows.filter(Q(RawSQL(CHOSEN, [collection["id"]], BooleanField())))
        placed: Any = chosen.annotate(place=RawSQL(PLACE, [collection["id"]], IntegerField()))
        return placed
    found = Q()
    for rule in collection["rules"]:
        if collection["match"] == Collection.Match.ALL:
            found &= _condition(rule)
        else:
            found |= _condition(rule)
    return rows.filter(found)


def _condition(rule: Mapping[str, Any]) -> Q:
    ((name, value),) = rule.items()
    match name:
        case "category":
            return in_category(UUID(value))
        case "brands":
            return Q(brand__in=value)
        case "tags":
            return Q(RawSQL(TAGGED, [value], BooleanField()))
        case "price":
            return _bounded(value)
        case "availability":
            return available(value)
        case "new_since_days":
            return Q(published_at__gte=Now() - timedelta(days=value))
        case _:
            return _told(value)


def _bounded(price: Mapping[str, str]) -> Q:
    return Q(
        **{
            f"price_from_minor__{side}": Money.parse(amount, settings.STORE_CURRENCY).minor
            for side, amount in price.items()
        }
    )


def _told(attribute: Mapping[str, Any]) -> Q:
    code, values = attribute["code"], attribute.get("values", ())
    bounds = {"at_least": attribute.get("gte"), "at_most": attribute.get("lte")}
    one = having(AttributeFilter(code, "", values, **bounds))
    if not values:
        return one
    return one | having(AttributeFilter(code, "multi_choice", values, **bounds))
