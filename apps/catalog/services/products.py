"""Everything that changes a product and its variants."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypedDict
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from apps.catalog.models import Product, Tag, Variant
from apps.catalog.services.categories import UnknownCategory, category_id_of
from apps.catalog.services.changes import ProductChanged
from apps.catalog.services.classification import UnfitOptions, check_fit, type_id_of
from apps.catalog.services.labels import brand_ids, tag_ids
from apps.catalog.services.prices.current import begin_and_end, settle_prices
from apps.catalog.services.search_index import refresh
from apps.catalog.services.slugs import SlugTaken, slug_for
from apps.catalog.services.stock import count
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, Invalid, NotFound, VersionMismatch
from apps.kernel.events import publish
from apps.kernel.money import Money

SLUG_LENGTH = 200


class UnknownProduct(NotFound):
    """There is no such product."""

    code = "unknown_product"


class NotPublishable(Invalid):
    """A published product needs a category and a variant for sale."""

    code = "not_publishable"


class CompareAtNotHigher(Invalid):
    """The price to compare with has to be higher than the price."""

    code = "compare_at_not_higher"


class SkuTaken(Conflict):
    """A variant has this SKU already."""

    code = "sku_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantDraft:
    """A variant as somebody wants it. `on_hand`, when given, is what was counted."""

    sku: str
    price: Money
    compare_at: Money | None = None
    name: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    weight_grams: int = 0
    on_hand: int | None = None


class ProductFields(TypedDict, total=False):
    """What may be said about a product; what is left out stays as it is."""

    name: str
    slug: str
    description: str
    brand: str | None
    category: str | UUID | None
    status: str
    package_size: str
    tax_class: str
    type: str | UUID | None
    attributes: Mapping[str, Any]
    tags: Sequence[str]
    seo_title: str
    seo_description: str
    variants: Sequence[VariantDraft]


@transaction.atomic
def create_product(*, fields: ProductFields, actor_id: UUID | None = None) -> Product:
    """Make a product with its variants and their first stock. Without a slug it gets one.

    Raises SlugTaken, SkuTaken, UnknownCategory, NotPublishable, CompareAtNotHigher, and what
    `check_fit` raises.
    """
    product = Product(currency=settings.STORE_CURRENCY, version=0)
    if not fields.get("slug"):
        fields = {**fields, "slug": slug_for(Product, fields["name"], longest=SLUG_LENGTH)}
    _write(product, fields, actor_id)
    return product


@transaction.atomic
def change_product(
    *,
    product_id: UUID,
    fields: ProductFields,
    expected_version: int | None = None,
    actor_id: UUID | None = None,
) -> Product:
    """Change what `fields` names. Variants are known by SKU; one that is not named is retired.

    Raises UnknownProduct, VersionMismatch, and what create_product raises.
    """
    product = Product.objects.select_for_update().filter(pk=product_id).first()
    if product is None:
        raise UnknownProduct("There is no such product.")
    if expected_version not in {None, product.version}:
        raise VersionMismatch("The product has changed.", version=product.version)
    begin_and_end(product_ids=[product.pk])
    _write(product, fields, actor_id)
    return product


def archive_product(*, product_id: UUID, expected_version: int | None = None) -> None:
    """Take a product out of the shop; orders that name it keep their meaning.

    Raises UnknownProduct, VersionMismatch.
    """
    change_product(
        product_id=product_id,
        fields={"status": Product.Status.ARCHIVED},
        expected_version=expected_version,
    )


def _write(product: Product, fields: ProductFields, actor_id: UUID | None) -> None:
    known = {variant.sku.upper(): variant for variant in product.variants.all()}
    before = _facts(product, known.values())
    product.name = fields.get("name", product.name)
    product.slug = fields.get("slug", product.slug) or product.slug
    product.description = fields.get("description", product.description)
    product.package_size = fields.get("package_size", product.package_size)
    product.tax_class = fields.get("tax_class", product.tax_class)
    product.status = fields.get("status", product.status)
    product.seo_title = fields.get("seo_title", product.seo_title)
    product.seo_description = fields.get("seo_description", product.seo_description)
    product.attributes = dict(fields.get("attributes", product.attributes))
    if "type" in fields:
        product.type_id = type_id_of(fields["type"]) if fields["type"] else None
    if "brand" in fields:
        brand = fields["brand"]
        product.brand_id = brand_ids(references=[brand])[brand] if brand else None
    if "category" in fields:
        category = fields["category"]
        product.category_id = category_id_of(category) if category else None
        if category and product.category_id is None:
            raise UnknownCategory("There is no such category.", category=str(category))
    drafts = fields.get("variants")
    if drafts is not None:
        _apply(product, known, drafts)
    check_fit(product, known.values())
    _settle(product, list(known.values()))
    with refusing_duplicates():
        # The price and the slug are decided; rows follow in the order of their references.
        product.save()
        if drafts is not None:
            # Two variants may swap their options, which none may share at any time.
            product.variants.exclude(options={}).update(options={})
            for variant in known.values():
                variant.save()
    if "tags" in fields:
        product.tags.set(Tag.objects.filter(pk__in=tag_ids(references=fields["tags"]).values()))
    if drafts is not None:
        counts = {known[d.sku.upper()].pk: d.on_hand for d in drafts if d.on_hand is not None}
        count(counts=counts, reason="set with the product", actor_id=actor_id)
    product.refresh_from_db(fields=["created_at", "updated_at", "published_at"])
    settle_prices(product_ids=[product.pk])
    refresh(product_ids=[product.pk])
    publish(ProductChanged(product_id=product.pk, version=product.version), aggregate_id=product.pk)
    after = _facts(product, known.values())
    changed = [name for name in after if after[name] != before.get(name)]
    record(
        "catalog.product_written",
        about=product.pk,
        before={name: before.get(name) for name in changed},
        after={name: after[name] for name in changed},
    )


def _facts(product: Product, variants: Iterable[Variant]) -> dict[str, object]:
    """Return what the audit log tells about a product."""
    return {
        **{
            name: getattr(product, name)
            for name in ("name", "slug", "status", "tax_class", "version")
        },
        "brand": product.brand_id,
        "category": product.category_id,
        **{
            f"price {variant.sku}": variant.price_minor if variant.is_active else None
            for variant in variants
        },
    }


def _apply(product: Product, known: dict[str, Variant], drafts: Sequence[VariantDraft]) -> None:
    for variant in known.values():
        variant.is_active = False
    named: set[str] = set()
    for position, draft in enumerate(drafts):
        key = draft.sku.upper()
        if key in named:
            raise SkuTaken("A SKU is named twice.", sku=draft.sku)
        named.add(key)
        if draft.compare_at and not draft.price < draft.compare_at:
            raise CompareAtNotHigher("The price to compare with has to be higher.", sku=draft.sku)
        variant = known.setdefault(key, Variant(product=product))
        variant.sku, variant.name, variant.options = draft.sku, draft.name, dict(draft.options)
        variant.price_minor, variant.currency = draft.price.minor, draft.price.currency
        variant.compare_at_minor = draft.compare_at.minor if draft.compare_at else None
        variant.weight_grams, variant.position = draft.weight_grams, position
        variant.is_active = True


def _settle(product: Product, variants: Sequence[Variant]) -> None:
    """Derive what follows from the variants and the status; count the version up."""
    on_sale = [v for v in variants if v.is_active and v.price_minor is not None]
    cheapest = min(on_sale, key=lambda v: (v.price_minor or 0, v.position), default=None)
    product.price_from_minor = cheapest.price_minor if cheapest else None
    product.compare_at_minor = cheapest.compare_at_minor if cheapest else None
    if product.status in {Product.Status.PUBLISHED, Product.Status.SCHEDULED}:
        if product.category_id is None or cheapest is None:
            raise NotPublishable("A published product needs a category and a variant for sale.")
    else:
        product.unpublish_at = None
    if product.status == Product.Status.PUBLISHED:
        product.published_at = product.published_at or Now()
    if product.status != Product.Status.SCHEDULED:
        product.publish_at = None
    elif product.publish_at is None:
        raise NotPublishable("A scheduled product needs a time: POST …/publications.")
    product.version += 1
    product.updated_at = Now()


@transaction.atomic
def settle_product(*, product_id: UUID, status: str) -> None:
    """Give the product the status, and derive the rest, after its rows were edited elsewhere.

    Raises NotPublishable, and what `check_fit` raises.
    """
    product = Product.objects.select_for_update().get(pk=product_id)
    begin_and_end(product_ids=[product.pk])
    product.status = status
    variants = list(product.variants.all())
    check_fit(product, variants)
    _settle(product, variants)
    product.save()
    settle_prices(product_ids=[product.pk])
    refresh(product_ids=[product.pk])
    publish(ProductChanged(product_id=product.pk, version=product.version), aggregate_id=product.pk)


@contextmanager
def refusing_duplicates() -> Iterator[None]:
    """Turn the violation of a unique constraint into the refusal that it means."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        match getattr(getattr(error.__cause__, "diag", None), "constraint_name", None):
            case "product_slug_is_unique":
                raise SlugTaken("Another product has this slug.") from error
            case "variant_sku_is_unique_in_any_case":
                raise SkuTaken("A variant has this SKU already.") from error
            case "variant_options_are_unique_in_a_product":
                raise UnfitOptions("Another variant has the same options.") from error
            case _:
                raise
