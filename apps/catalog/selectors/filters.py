"""Conditions on products, for lists and for collections by rule."""

# ruff: noqa: S611 - the SQL is constant; values are parameters

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from uuid import UUID

from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from apps.catalog.models import Attribute
from apps.catalog.selectors.categories import BELOW
from apps.kernel.json import dumps

# As an array it is a condition on the products themselves, cheap and so checked before the
# availability.
SUBTREE = f"catalog_product.category_id = ANY(ARRAY({BELOW.format(column='id')}))"

TAGGED = """catalog_product.id = ANY(ARRAY(
    SELECT pt.product_id FROM catalog_product_tags pt JOIN catalog_tag t ON t.id = pt.tag_id
    WHERE t.slug = ANY(%s)
))"""

BETWEEN = """jsonb_path_exists(
    catalog_product.attributes, %s::jsonpath, jsonb_build_object('bound', %s::jsonb)
)"""

SECONDS_KNOWN = 30


@dataclass(frozen=True, slots=True)
class AttributeFilter:
    """An attribute with any of the values, or with one between the bounds."""

    code: str
    kind: str
    values: Sequence[str | float | bool] = ()
    at_least: str | float | None = None
    at_most: str | float | None = None


def in_category(category_id: UUID) -> Q:
    """In the category, or below it."""
    return Q(RawSQL(SUBTREE, [category_id], BooleanField()))


def tagged(slugs: Sequence[str]) -> Q:
    """With any of the tags."""
    return Q(RawSQL(TAGGED, [list(slugs)], BooleanField()))


def having(wanted: AttributeFilter) -> Q:
    """With such a value of an attribute."""
    found = Q()
    for value in wanted.values:
        # Only "contains" uses the index; a list contains what is in it as a list of one.
        listed = wanted.kind == Attribute.Kind.MULTI_CHOICE
        found |= Q(attributes__contains={wanted.code: [value] if listed else value})
    for sign, bound in ((">=", wanted.at_least), ("<=", wanted.at_most)):
        if bound is not None:
            path = f'$."{wanted.code}" ? (@ {sign} $bound)'
            found &= Q(RawSQL(BETWEEN, [path, dumps(bound).decode()], BooleanField()))
    return found


def kind_of_filter(code: str) -> str | None:
    """Return the kind of an attribute that lists are filtered by, or None.

    What has changed about it meanwhile is seen within half a minute.
    """
    known = _filterable(int(monotonic() / SECONDS_KNOWN))
    if code not in known:
        _filterable.cache_clear()
        known = _filterable(int(monotonic() / SECONDS_KNOWN))
    return known.get(code)


@lru_cache(maxsize=1)
def _filterable(_: int) -> Mapping[str, str]:
    return dict(Attribute.objects.filter(is_filterable=True).values_list("code", "kind"))
