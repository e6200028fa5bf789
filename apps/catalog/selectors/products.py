"""Reads of products: one statement each, whatever the number of rows."""

# ruff: noqa: S608, S611 - the SQL is put together from constants; values are parameters

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from apps.catalog.models import Product
from apps.catalog.selectors.stock import BANDS
from apps.catalog.states import AVAILABLE

Rows = QuerySet[Product, dict[str, Any]]

# A product is as available as the best of its variants.
BEST = f"""coalesce((
    SELECT max({AVAILABLE}) FROM catalog_variant v
    WHERE v.product_id = catalog_product.id AND v.is_active
), -1)"""

IMAGES = """coalesce((
    SELECT json_agg(json_build_object(
        'file', i.file, 'alt', i.alt, 'width', i.width, 'height', i.height,
        'has_renditions', i.has_renditions
    ) ORDER BY i.position, i.id)
    FROM catalog_image i WHERE i.product_id = catalog_product.id
), '[]')"""

VARIANTS = f"""coalesce((
    SELECT json_agg(json_build_object(
        'id', v.id, 'sku', v.sku, 'name', v.name, 'options', v.options,
        'price_minor', v.price_minor, 'currency', v.currency, 'available', {AVAILABLE}
    ) ORDER BY v.position, v.id)
    FROM catalog_variant v WHERE v.product_id = catalog_product.id AND v.is_active
), '[]')"""

# The range of paths below a category; "~" sorts after every character of a path. As an array it
# is a condition on the products themselves, cheap and so checked before the availability.
SUBTREE = """catalog_product.category_id = ANY(ARRAY(
    SELECT c.id FROM catalog_category root
    JOIN catalog_category c ON c.path >= root.path AND c.path < root.path || '~'
    WHERE root.{column} = %s
))"""

COLUMNS = (
    "id",
    "slug",
    "name",
    "status",
    "package_size",
    "version",
    "currency",
    "price_from_minor",
    "compare_at_minor",
    "rating_average",
    "rating_count",
    "rating_score",
    "created_at",
    "updated_at",
    "brand__name",
    "category__id",
    "category__slug",
    "category__name",
)


def product_rows(*, status: str | None = "published", extra: Collection[str] = ()) -> Rows:
    """Return the products of a status, or of any; `extra` may name description and variants."""
    return _product_rows(status, frozenset(extra)).all()


@cache
def _product_rows(status: str | None, extra: frozenset[str]) -> Rows:
    # Putting the query together takes longer than its statement, and it is always the same few.
    products = Product.objects.all() if status is None else Product.objects.filter(status=status)
    computed: dict[str, RawSQL] = {
        "best": RawSQL(BEST, [], BigIntegerField()),
        "pictures": RawSQL(IMAGES, []),
    }
    if "variants" in extra:
        computed["for_sale"] = RawSQL(VARIANTS, [])
    columns = (*COLUMNS, "description") if "description" in extra else COLUMNS
    return products.values(*columns, **computed)


def narrow(
    rows: Rows,
    *,
    category: str | UUID | None = None,
    brands: Sequence[str] = (),
    availability: Sequence[str] = (),
    price_from: int | None = None,
    price_to: int | None = None,
) -> Rows:
    """Return the rows that fit: within a filter any value counts, and all filters together."""
    if category is not None:
        subtree = SUBTREE.format(column="id" if isinstance(category, UUID) else "slug")
        rows = rows.filter(RawSQL(subtree, [category], BooleanField()))
    if brands:
        rows = rows.filter(brand__slug__in=brands)
    if price_from is not None:
        rows = rows.filter(price_from_minor__gte=price_from)
    if price_to is not None:
        rows = rows.filter(price_from_minor__lte=price_to)
    if availability:
        bands = Q()
        for band in availability:
            bands |= BANDS[band]()
        rows = rows.filter(bands)
    return rows


def product_row(
    *, reference: str | UUID, published_only: bool, extra: Collection[str] = ()
) -> dict[str, Any] | None:
    """Return one product by id or slug."""
    rows = product_rows(status="published" if published_only else None, extra=extra)
    by = "pk" if isinstance(reference, UUID) else "slug"
    return rows.filter(**{by: reference}).first()
