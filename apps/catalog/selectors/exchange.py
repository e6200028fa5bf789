"""Reads of imports and exports."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.catalog.models import Export, Import, ImportRow

IMPORT = (
    *("id", "file_name", "format", "dry_run", "on_error", "retry_of_id", "state", "phase"),
    *("total", "read", "created", "changed", "unchanged", "failed"),
    *("fault_code", "fault_detail", "fault_line", "created_at", "finished_at"),
)
ROW = ("id", "line", "outcome", "product_id", "faults", "changes")
EXPORT = ("id", "format", "without", "state", "products", "created_at", "finished_at")


def import_rows() -> QuerySet[Import, dict[str, Any]]:
    """Return the imports."""
    return Import.objects.values(*IMPORT)


def rows_of_import(*, import_id: UUID, outcome: str | None) -> QuerySet[ImportRow, dict[str, Any]]:
    """Return what became of the products of a file."""
    rows = ImportRow.objects.filter(of_import=import_id)
    return (rows.filter(outcome=outcome) if outcome else rows).values(*ROW)


def export_rows() -> QuerySet[Export, dict[str, Any]]:
    """Return the exports."""
    return Export.objects.values(*EXPORT)
