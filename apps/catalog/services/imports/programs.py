"""Products that programs bring: sample data, real data sets, the benchmark's."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.catalog.formats import record_of
from apps.catalog.services.imports.batches import BATCH, take_in
from apps.catalog.services.imports.plans import How, Outcome
from apps.catalog.services.imports.references import CategoryPath
from apps.kernel.money import Money


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
    """
    found: dict[Outcome, list[str]] = {outcome: [] for outcome in Outcome}
    refused: list[RefusedRecord] = []
    iterator = iter(records)
    line = 0
    while batch := list(islice(iterator, BATCH)):
        numbered = dict(enumerate(batch, line + 1))
        line += len(batch)
        with transaction.atomic():
            plans = take_in(
                [record_of(_document(each), line=n) for n, each in numbered.items()],
                How(keeps_existing=True),
            )
        for plan in plans:
            reference = numbered[plan.record.line].external_ref
            found[plan.outcome].append(reference)
            if plan.outcome == Outcome.FAILED:
                refused.append(RefusedRecord(external_ref=reference, reason=plan.faults[0].code))
    return ImportReport(
        created=tuple(found[Outcome.CREATED]),
        kept=tuple(found[Outcome.UNCHANGED]),
        refused=tuple(refused),
    )


def _document(record: ProductRecord) -> dict[str, Any]:
    """Return the record as a line of JSON would have it."""
    prices = [v.price for v in record.variants if v.price]
    document = {
        "external_ref": record.external_ref,
        "name": record.name,
        "description": record.description,
        "brand": record.brand,
        "category": list(record.category_path),
        "status": "published" if record.category_path and prices else "draft",
        "package_size": record.package_size,
        "currency": next((p.currency for p in prices), settings.STORE_CURRENCY),
        "variants": [
            {
                "sku": variant.sku,
                "variant_name": variant.name,
                "options": variant.options,
                "price": variant.price.amount if variant.price else None,
                "compare_at_price": variant.compare_at.amount if variant.compare_at else None,
                "weight_grams": variant.weight_grams,
                "on_hand": variant.on_hand,
            }
            for variant in record.variants
        ],
    }
    return document | ({"slug": record.slug} if record.slug else {})
