"""Writing many products in one request, each row for itself or all of them together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.catalog.models import Product, Variant
from apps.catalog.services.imports.plans import OnError
from apps.catalog.services.products import (
    ProductFields,
    archive_product,
    change_product,
    create_product,
)
from apps.catalog.services.stock import pools
from apps.kernel.errors import DomainError


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRow:
    """What one row wants: to create, update or archive a product.

    `faults` are what is wrong with it already; `fields` is then what could be read, if anything.
    """

    action: str
    product_id: UUID | None = None
    version: int | None = None
    fields: ProductFields = field(default_factory=ProductFields)
    faults: Sequence[dict[str, str]] = ()
    is_readable: bool = True


@dataclass(slots=True)
class BulkResult:
    """What became of a row."""

    status: str
    product_id: UUID | None = None
    version: int | None = None
    faults: list[dict[str, str]] = field(default_factory=list)


class _Rejected(Exception):
    """A row failed, so none is written."""


def write_products(
    *, rows: Sequence[BulkRow], on_error: OnError, actor_id: UUID
) -> list[BulkResult]:
    """Write the rows in their order; return what became of each.

    Whatever is refused is undone alone; where one error rejects everything, so is all the rest.
    """
    results: list[BulkResult] = []
    try:
        with transaction.atomic():
            _lock(rows)
            results.extend(_write(row, on_error, actor_id) for row in rows)
            failed = any(result.status == "failed" for result in results)
            if failed and on_error == OnError.REJECT_EVERYTHING:
                raise _Rejected
    except _Rejected:
        return [
            result if result.status == "failed" else BulkResult("rejected") for result in results
        ]
    return results


def _lock(rows: Sequence[BulkRow]) -> None:
    """Lock what several rows change in the order of everybody else: products, then their stock."""
    changed = Product.objects.filter(pk__in=[row.product_id for row in rows if row.product_id])
    list(changed.select_for_update().order_by("pk").values_list("pk"))
    counting = [row.product_id for row in rows if _counts(row)]
    pools.lock(Variant.objects.filter(product__in=counting).values_list("pk", flat=True))


def _counts(row: BulkRow) -> bool:
    drafts = row.fields.get("variants", ())
    return row.product_id is not None and any(draft.on_hand is not None for draft in drafts)


def _write(row: BulkRow, on_error: OnError, actor_id: UUID) -> BulkResult:
    faults = list(row.faults)
    if faults and (on_error != OnError.IGNORE_FAILED or not row.is_readable):
        return BulkResult("failed", row.product_id, faults=faults)
    try:
        with transaction.atomic():
            return _written(row, actor_id, faults)
    except DomainError as refusal:
        faults.append({"pointer": "", "code": refusal.code, "detail": refusal.detail})
        return BulkResult("failed", row.product_id, faults=faults)


def _written(row: BulkRow, actor_id: UUID, faults: list[dict[str, str]]) -> BulkResult:
    known: dict[str, Any] = {"product_id": row.product_id, "expected_version": row.version}
    match row.action:
        case "create":
            product = create_product(fields=row.fields, actor_id=actor_id)
            return BulkResult("created", product.pk, product.version, faults)
        case "update":
            product = change_product(**known, fields=row.fields, actor_id=actor_id)
            return BulkResult("updated", product.pk, product.version, faults)
        case _:
            archive_product(**known)
            return BulkResult("archived", row.product_id, faults=faults)
