"""Bringing many products in from outside at once."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Upper
from django.utils import timezone

from apps.catalog.models import Category, Product, Variant
from apps.catalog.models.products import SKU
from apps.catalog.services.brands import brand_ids
from apps.catalog.services.search_index import refresh
from apps.catalog.services.slugs import free_slug, slug_of
from apps.catalog.services.stock import LARGEST_QUANTITY, receive
from apps.kernel.money import Money

BATCH = 2_000
# Two imports at a time would only fight over slugs and categories.
LOCK = 7_316_550_501

CategoryPath = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantRecord:
    """One SKU of a product to import. Without a price it is not for sale."""

    sku: str
    price: Money | None
    compare_at: Money | None = None
    on_hand: int = 0
    name: str = ""
    options: dict[str, str] = field(default_factory=dict)
    weight_grams: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRecord:
    """A product to import; `external_ref` is what it is called where it comes from.

    Without a category or a price it stays a draft.
    """

    external_ref: str
    name: str
    variants: Sequence[VariantRecord]
    slug: str | None = None
    description: str = ""
    brand: str = ""
    category_path: CategoryPath = ()
    package_size: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRecord:
    """A record that was left out, and the code of the reason."""

    external_ref: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did: each record is in exactly one of the three."""

    created: tuple[str, ...]
    kept: tuple[str, ...]
    refused: tuple[RefusedRecord, ...]


def import_products(*, records: Iterable[ProductRecord]) -> ImportReport:
    """Add the products that are not there yet, with their categories, brands and first stock.

    What has been imported before is kept as it is, so a second run changes nothing and what
    people edited stays. Each batch is a transaction: an interrupted import goes on where it was.
    No events are published; whoever keeps a copy of the catalog rebuilds it after an import.
    """
    created: list[str] = []
    kept: list[str] = []
    refused: list[RefusedRecord] = []
    tree = _Tree()
    iterator = iter(records)
    while batch := list(islice(iterator, BATCH)):
        with transaction.atomic():
            _import_batch(batch, tree, created, kept, refused)
    return ImportReport(created=tuple(created), kept=tuple(kept), refused=tuple(refused))


def _import_batch(
    batch: list[ProductRecord],
    tree: "_Tree",
    created: list[str],
    kept: list[str],
    refused: list[RefusedRecord],
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    refs = [record.external_ref for record in batch if "\0" not in record.external_ref]
    there = set(
        Product.objects.filter(external_ref__in=refs)
        .exclude(external_ref="")
        .values_list("external_ref", flat=True)
    )
    skus = _taken_skus(batch)
    fresh: list[ProductRecord] = []
    for record in batch:
        if record.external_ref in there:
            kept.append(record.external_ref)
        elif reason := _fault(record, skus):
            refused.append(RefusedRecord(external_ref=record.external_ref, reason=reason))
        else:
            there.add(record.external_ref)
            skus.update(variant.sku.upper() for variant in record.variants)
            fresh.append(record)
    if fresh:
        _create(fresh, tree)
        created.extend(record.external_ref for record in fresh)


def _create(records: list[ProductRecord], tree: "_Tree") -> None:
    categories = tree.categories(record.category_path for record in records)
    brands = brand_ids(references={record.brand for record in records if record.brand})
    slugs = _slugs(records)
    now = timezone.now()
    currency: str = settings.STORE_CURRENCY
    products: list[Product] = []
    variants: list[Variant] = []
    stock: dict[UUID, int] = {}
    for record, slug in zip(records, slugs, strict=True):
        cheapest = min(
            (v for v in record.variants if v.price),
            key=lambda v: _minor(v.price) or 0,
            default=None,
        )
        published = bool(record.category_path) and cheapest is not None
        product = Product(
            slug=slug,
            name=record.name,
            description=record.description,
            brand_id=brands[record.brand] if record.brand else None,
            category_id=categories[record.category_path] if record.category_path else None,
            status=Product.Status.PUBLISHED if published else Product.Status.DRAFT,
            published_at=now if published else None,
            package_size=record.package_size,
            external_ref=record.external_ref,
            currency=currency,
            price_from_minor=_minor(cheapest.price) if cheapest else None,
            compare_at_minor=_minor(cheapest.compare_at) if cheapest else None,
            created_at=now,
            updated_at=now,
        )
        products.append(product)
        for position, line in enumerate(record.variants):
            variant = Variant(
                product=product,
                sku=line.sku,
                name=line.name,
                options=line.options,
                price_minor=_minor(line.price),
                compare_at_minor=_minor(line.compare_at),
                currency=currency,
                position=position,
                weight_grams=line.weight_grams,
                is_active=line.price is not None,
            )
            variants.append(variant)
            if line.on_hand:
                stock[variant.pk] = line.on_hand
    Product.objects.bulk_create(products)
    Variant.objects.bulk_create(variants)
    receive(quantities=stock, reason="import", new=True)
    refresh(product_ids=[product.pk for product in products])


def _minor(money: Money | None) -> int | None:
    return money.minor if money else None


def _fault(record: ProductRecord, taken_skus: set[str]) -> str | None:
    """Return why a record cannot be imported, as a code."""
    texts = [record.external_ref, record.name, record.description, record.brand]
    texts += [record.package_size, *record.category_path]
    for variant in record.variants:
        texts += [variant.sku, variant.name, *variant.options, *variant.options.values()]
    if any("\0" in text for text in texts):
        return "nul_character"
    if not record.external_ref or not record.name.strip():
        return "reference_or_name_missing"
    if not all(part.strip() for part in record.category_path):
        return "category_without_name"
    if (
        len(record.name) > 200
        or len(record.external_ref) > 80
        or len(record.package_size) > 60
        or any(len(text) > 120 for text in (record.brand, *record.category_path))
    ):
        return "text_too_long"
    skus = [variant.sku.upper() for variant in record.variants]
    if not all(re.match(SKU, variant.sku) for variant in record.variants):
        return "sku_malformed"
    if len(set(skus)) != len(skus) or not taken_skus.isdisjoint(skus):
        return "sku_taken"
    for variant in record.variants:
        numbers_fit = (
            0 <= variant.on_hand <= LARGEST_QUANTITY
            and 0 <= variant.weight_grams <= LARGEST_QUANTITY
        )
        if not numbers_fit or len(variant.name) > 120:
            return "variant_out_of_bounds"
        price, compare_at = variant.price, variant.compare_at
        if any(
            m and (m.minor < 0 or m.currency != settings.STORE_CURRENCY)
            for m in (price, compare_at)
        ):
            return "price_not_in_store_currency"
        if compare_at and not (price and price < compare_at):
            return "compare_at_not_higher"
    return None


def _taken_skus(batch: list[ProductRecord]) -> set[str]:
    wanted = {v.sku.upper() for record in batch for v in record.variants if "\0" not in v.sku}
    found = Variant.objects.annotate(upper=Upper("sku")).filter(upper__in=wanted)
    return set(found.values_list("upper", flat=True))


def _slugs(records: list[ProductRecord]) -> Iterator[str]:
    candidates = [
        [record.slug, record.name, f"{record.name[:120]} {record.external_ref}"]
        if record.slug
        else [record.name, f"{record.name[:120]} {record.external_ref}"]
        for record in records
    ]
    tried = {slug_of(text, longest=200) for texts in candidates for text in texts}
    taken = set(Product.objects.filter(slug__in=tried).values_list("slug", flat=True))
    return (free_slug(texts, taken, longest=200) for texts in candidates)


class _Tree:
    """The categories by their names from the root down, read once and extended on the way."""

    def __init__(self) -> None:
        self._ids: dict[CategoryPath, UUID] = {}
        self._paths: dict[UUID, str] = {}
        self._slugs: set[str] = set()

    def categories(self, wanted: Iterable[CategoryPath]) -> dict[CategoryPath, UUID]:
        """Return the ids of the categories, after making those that are missing."""
        missing = {path for path in wanted if path and path not in self._ids}
        if missing:
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE catalog_category IN SHARE ROW EXCLUSIVE MODE")
            self._read()
            self._make(missing)
        return self._ids

    def _read(self) -> None:
        names: dict[UUID, CategoryPath] = {}
        # A parent's path is the beginning of its children's, so parents come first.
        for category in Category.objects.order_by("path"):
            above = names[category.parent_id] if category.parent_id else ()
            names[category.pk] = (*above, category.name)
            self._ids[names[category.pk]] = category.pk
            self._paths[category.pk] = category.path
            self._slugs.add(category.slug)

    def _make(self, missing: set[CategoryPath]) -> None:
        made: list[Category] = []
        steps = {path[:depth] for path in missing for depth in range(1, len(path) + 1)}
        for names in sorted(steps, key=lambda step: (len(step), step)):
            if names in self._ids:
                continue
            parent_id = self._ids.get(names[:-1])
            category = Category(
                name=names[-1],
                slug=free_slug([names[-1], " ".join(names)], self._slugs, longest=160),
                parent_id=parent_id,
                position=len(made),
            )
            category.path = f"{self._paths[parent_id] if parent_id else '/'}{category.pk}/"
            self._ids[names], self._paths[category.pk] = category.pk, category.path
            made.append(category)
        Category.objects.bulk_create(made)
