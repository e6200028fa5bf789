"""Documents of imports and exports."""

from typing import Any

from rest_framework import serializers

from apps.catalog.models import Export, Import
from apps.catalog.models.exchange import Format
from apps.kernel.pagination import Page

COUNTS = ("total", "read", "created", "changed", "unchanged", "failed")


class ImportCounts(serializers.Serializer[Any]):
    """How many products: in the file, read so far, and what became of them."""

    total = serializers.IntegerField(help_text="0 until the file has been looked at.")
    read = serializers.IntegerField()
    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    failed = serializers.IntegerField()


class ImportFault(serializers.Serializer[Any]):
    """Why nothing was taken, or why it stopped."""

    code = serializers.CharField()
    detail = serializers.CharField()
    line = serializers.IntegerField(allow_null=True)


class ImportDocument(serializers.Serializer[Any]):
    """An import and how far it has come."""

    id = serializers.UUIDField()
    file_name = serializers.CharField()
    format = serializers.ChoiceField(choices=Format.values)
    dry_run = serializers.BooleanField()
    on_error = serializers.ChoiceField(choices=Import.OnError.values)
    retry_of = serializers.UUIDField(allow_null=True)
    state = serializers.ChoiceField(choices=Import.State.choices)
    phase = serializers.ChoiceField(choices=Import.Phase.values)
    products = ImportCounts()
    fault = ImportFault(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ImportPage(Page):
    """A page of imports."""

    results = ImportDocument(many=True)


class RowFault(serializers.Serializer[Any]):
    """What is wrong, where."""

    line = serializers.IntegerField()
    column = serializers.CharField(allow_blank=True, help_text="Empty: the row as a whole.")
    code = serializers.CharField()
    detail = serializers.CharField()


class ImportRowDocument(serializers.Serializer[Any]):
    """What became of a product of the file."""

    id = serializers.UUIDField()
    line = serializers.IntegerField(help_text="Of its first row.")
    outcome = serializers.ChoiceField(choices=["created", "changed", "unchanged", "failed"])
    product_id = serializers.UUIDField(allow_null=True)
    errors = RowFault(many=True)  # type: ignore[assignment]  # a document's field, not DRF's
    changes = serializers.DictField(
        child=serializers.ListField(child=serializers.JSONField(allow_null=True)),
        help_text="In a dry run: by column, before and after; a variant's by `SKU: column`.",
    )


class ImportRowPage(Page):
    """A page of rows."""

    results = ImportRowDocument(many=True)


class ExportDocument(serializers.Serializer[Any]):
    """An export; `file` is where it can be fetched when it is completed."""

    id = serializers.UUIDField()
    format = serializers.ChoiceField(choices=Format.values)
    with_stock = serializers.BooleanField()
    state = serializers.ChoiceField(choices=Export.State.choices)
    products = serializers.IntegerField(help_text="Written so far.")
    file = serializers.URLField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ExportPage(Page):
    """A page of exports."""

    results = ExportDocument(many=True)


def import_document(row: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a row of `selectors.exchange.import_rows`."""
    fault = {name: row[f"fault_{name}"] for name in ("code", "detail", "line")}
    return {
        **{name: row[name] for name in ("id", "file_name", "format", "dry_run", "on_error")},
        "retry_of": row["retry_of_id"],
        "state": row["state"],
        "phase": row["phase"],
        "products": {name: row[name] for name in COUNTS},
        "fault": fault if fault["code"] else None,
        "created_at": row["created_at"],
        "finished_at": row["finished_at"],
    }


def import_row_document(row: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a row of `selectors.exchange.rows_of_import`."""
    names = ("id", "line", "outcome", "product_id", "changes")
    return {**{name: row[name] for name in names}, "errors": row["faults"]}


def export_document(row: dict[str, Any], *, file: str) -> dict[str, Any]:
    """Return the document of a row of `selectors.exchange.export_rows`."""
    names = ("id", "format", "state", "products", "created_at", "finished_at")
    return {
        **{name: row[name] for name in names},
        "with_stock": not row["without"],
        "file": file if row["state"] == Export.State.COMPLETED else None,
    }
