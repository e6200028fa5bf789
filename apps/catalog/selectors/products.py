"""Reads of products: one statement each, whatever the number of rows."""

# ruff: noqa: S608, S611 - the SQL is put together from constants; values are parameters

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import BigIntegerField, BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from apps.catalog.models import Product
from apps.catalog.pricing import LOWEST, applicable
from apps.catalog.selectors.filters import AttributeFilter, having, tagged
from apps.catalog.selectors.stock import BANDS
from apps.catalog.states import AVAILABLE
from apps.kernel.prepared import prepared

Rows = QuerySet[Product, dict[str, Any]]

# Not a parameter: a plan that is kept can use the indexes of what is published only so.
IS_PUBLISHED = Q(RawSQL("catalog_product.status = 'published'", [], BooleanField()))

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
        'price_minor', r.amount_minor, 'compare_at_minor', r.compare_at_minor,
        'lowest_minor', {LOWEST}, 'currency', {{currency}}, 'available', {AVAILABLE}
    ) ORDER BY v.position, v.id)
    FROM catalog_variant v {{asked}} LEFT JOIN LATERAL ({{applicable}}) r ON true
    WHERE v.product_id = catalog_product.id AND v.is_active
), '[]')"""

VARIANTS_FOR_EVERYBODY = VARIANTS.format(
    currency="v.currency", asked="", applicable=applicable(at="statement_timestamp()")
)
VARIANTS_FOR_SOMEBODY = VARIANTS.format(
    currency="asked.currency",
    asked="CROSS JOIN (SELECT %s::text AS currency, %s::uuid AS customer_group_id) asked",
    applicable=applicable(
        at="statement_timestamp()", currency="asked.currency", group="asked.customer_group_id"
    ),
)

TAGS = """coalesce((
    SELECT json_agg(json_build_object('slug', t.slug, 'name', t.name) ORDER BY t.name)
    FROM catalog_product_tags pt JOIN catalog_tag t ON t.id = pt.tag_id
    WHERE pt.product_id = catalog_product.id
), '[]')"""

ATTRIBUTES = """coalesce((
    SELECT json_agg(json_build_object(
        'code', a.code, 'name', a.name, 'kind', a.kind, 'unit', a.unit,
        'value', catalog_product.attributes -> a.code,
        'label', (
            SELECT string_agg(c.name, ', ' ORDER BY c.position, c.code)
            FROM catalog_attributechoice c
            WHERE c.attribute_id = a.id AND catalog_product.attributes -> a.code ? c.code
        )
    ) ORDER BY ta.position, a.code)
    FROM catalog_producttypeattribute ta JOIN catalog_attribute a ON a.id = ta.attribute_id
    WHERE ta.product_type_id = catalog_product.type_id AND catalog_product.attributes ? a.code
), '[]')"""

BREADCRUMBS = """coalesce((
    SELECT json_agg(json_build_object(
        'id', above.id, 'slug', above.slug, 'name', above.name
    ) ORDER BY length(above.path))
    FROM catalog_category own JOIN catalog_category above
        ON above.id = ANY(string_to_array(trim('/' from own.path), '/')::uuid[])
    WHERE own.id = catalog_product.category_id
), '[]')"""

COLUMNS = (
    "id",
    "slug",
    "name",
    "version",
    "currency",
    "price_from_minor",
    "compare_at_minor",
    "lowest_minor",
    "rating_average",
    "rating_count",
    "rating_score",
    "created_at",
    "brand__name",
    "category__id",
    "category__slug",
    "category__name",
)


# What documents show beyond that, and from where.
COLUMNS_OF = {
    "attributes": ("type__id", "type__slug", "type__name"),
    "description": ("description",),
    "page": ("seo_title", "seo_description", "publish_at", "unpublish_at"),
}
COLUMNS_FOR_STAFF = ("status", "package_size", "tax_class", "updated_at")
COMPUTED = {
    "attributes": ("facts", ATTRIBUTES),
    "breadcrumbs": ("breadcrumbs", BREADCRUMBS),
    "tags": ("labels", TAGS),
    "variants": ("for_sale", VARIANTS_FOR_EVERYBODY),
}


@dataclass(frozen=True, slots=True)
class Buyer:
    """Whose prices are wanted: in which currency, and for the customers of which group."""

    currency: str
    customer_group_id: UUID | None = None

    @property
    def is_anybody(self) -> bool:
        """Whether the prices that products carry along are the right ones."""
        return self.customer_group_id is None and self.currency == settings.STORE_CURRENCY


def product_rows(
    *,
    status: str | None = "published",
    extra: Collection[str] = (),
    buyer: Buyer | None = None,
    for_staff: bool = False,
) -> Rows:
    """Return the products of a status, or of any; `extra` names what documents show beyond that.

    It may be description, variants, attributes (with the type), tags, breadcrumbs and page.
    Rows for staff hold more columns, which their documents show.
    Prices that are not everybody's are those of the variants, which are then there in any case.
    """
    somebody = None if buyer is None or buyer.is_anybody else buyer
    return _product_rows(
        status=status, extra=frozenset(extra), somebody=somebody, for_staff=for_staff
    ).all()


@lru_cache(maxsize=256)
def _product_rows(
    *, status: str | None, extra: frozenset[str], somebody: Buyer | None, for_staff: bool
) -> Rows:
    # Putting the query together takes longer than its statement, and it is always the same few.
    products = Product.objects.all()
    if status == Product.Status.PUBLISHED:
        products = products.filter(IS_PUBLISHED)
    elif status is not None:
        products = products.filter(status=status)
    computed: dict[str, RawSQL] = {
        "best": RawSQL(BEST, [], BigIntegerField()),
        "pictures": RawSQL(IMAGES, []),
    }
    columns = [*COLUMNS, *(COLUMNS_FOR_STAFF if for_staff else ())]
    for name in sorted(extra):
        columns += COLUMNS_OF.get(name, ())
        if name in COMPUTED:
            column, sql = COMPUTED[name]
            computed[column] = RawSQL(sql, [])
    if somebody:
        asked = [somebody.currency, somebody.customer_group_id]
        computed["for_sale"] = RawSQL(VARIANTS_FOR_SOMEBODY, asked)
    return products.values(*columns, **computed)


def narrow(
    rows: Rows,
    *,
    categories: Collection[UUID] | None = None,
    brands: Sequence[str] = (),
    availability: Sequence[str] = (),
    price_from: int | None = None,
    price_to: int | None = None,
    tags: Sequence[str] = (),
    attributes: Sequence[AttributeFilter] = (),
) -> Rows:
    """Return the rows that fit: within a filter any value counts, and all filters together."""
    if categories is not None:
        rows = rows.filter(category__in=categories)
    if brands:
        rows = rows.filter(brand__slug__in=brands)
    if tags:
        rows = rows.filter(tagged(tags))
    for wanted in attributes:
        rows = rows.filter(having(wanted))
    if price_from is not None:
        rows = rows.filter(price_from_minor__gte=price_from)
    if price_to is not None:
        rows = rows.filter(price_from_minor__lte=price_to)
    if availability:
        rows = rows.filter(available(availability))
    return rows


def available(bands: Sequence[str]) -> Q:
    """As available as any of the bands says."""
    found = Q()
    for band in bands:
        found |= BANDS[band]()
    return found


def product_row(
    *,
    reference: str | UUID,
    for_staff: bool,
    extra: Collection[str] = (),
    buyer: Buyer | None = None,
) -> dict[str, Any] | None:
    """Return one product by id or slug; staff see one of any status."""
    status = None if for_staff else "published"
    rows = product_rows(status=status, extra=extra, buyer=buyer, for_staff=for_staff)
    by = "pk" if isinstance(reference, UUID) else "slug"
    with prepared():
        return rows.filter(**{by: reference}).first()


def product_id_of(*, reference: str | UUID, published_only: bool) -> UUID | None:
    """Return the id of the product with this id or slug."""
    by = "pk" if isinstance(reference, UUID) else "slug"
    products = Product.objects.filter(**{by: reference})
    if published_only:
        products = products.filter(status=Product.Status.PUBLISHED)
    return products.values_list("pk", flat=True).first()
