"""Files of products in the back office: sent, watched and fetched; nothing is edited."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import path, reverse
from django.utils.html import format_html

from apps.catalog import files
from apps.catalog.models import Export, Import
from apps.catalog.models.exchange import Format
from apps.catalog.services.exports import download, start_export
from apps.catalog.services.imports.jobs import new_name, start_import
from apps.catalog.services.imports.plans import OnError
from apps.kernel.backoffice import ReadOnly, Told

LARGEST_BYTES = 10 * 1024 * 1024
MOST_TOLD = 100


class ImportForm(forms.ModelForm):
    """A file, and how it is taken in."""

    file = forms.FileField(help_text="CSV or JSON Lines, up to 10 MiB; larger ones by the API.")

    class Meta:
        model = Import
        fields = ("format", "on_error", "dry_run")

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        if upload.size > LARGEST_BYTES:
            raise forms.ValidationError("The file is larger than 10 MiB.")
        return upload


@admin.register(Import)
class ImportAdmin(ReadOnly, admin.ModelAdmin):
    """Imports, newest first, with what is wrong in them."""

    list_display = (
        "created_at",
        "file_name",
        "state",
        "phase",
        "dry_run",
        "total",
        "read",
        "created",
        "changed",
        "unchanged",
        "failed",
    )
    list_filter = ("state", "dry_run")
    search_fields = ("file_name",)
    readonly_fields = ("errors",)
    ordering = ("-created_at", "-id")

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001, FBT002 - Django's signature
        **options: Any,
    ) -> Any:
        return super().get_form(request, obj, change, **options) if obj else ImportForm

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        hidden = {"id", "file", "offset", "next_action_at", "lease_until", "tries"}
        if obj is None:
            return ("file", *ImportForm.Meta.fields)
        names = [field.name for field in Import._meta.concrete_fields]
        return (*(name for name in names if name not in hidden), "errors")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if obj else ()

    def has_add_permission(self, request: HttpRequest, *_: object) -> bool:
        return bool(request.user.has_perm("catalog.add_import"))

    def save_model(self, request: HttpRequest, obj: Import, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        upload, name = form.cleaned_data["file"], new_name()
        actor_id: Any = request.user.pk
        files.keep(name, upload.chunks())
        started = start_import(
            file=name,
            file_name=upload.name,
            file_format=Format(obj.format),
            on_error=OnError(obj.on_error),
            dry_run=obj.dry_run,
            actor_id=actor_id,
        )
        obj.pk = started.pk

    @admin.display(description="errors")
    def errors(self, job: Import) -> str:
        """The first errors, each with its line."""
        rows = job.rows.filter(outcome="failed").order_by("line")[:MOST_TOLD]
        told = (
            f"line {fault['line']} {fault['column']}: {fault['detail']} ({fault['code']})"
            for row in rows
            for fault in row.faults
        )
        return "\n".join(told) or "none"


class ExportForm(forms.ModelForm):
    """What is to be in the file."""

    with_stock = forms.BooleanField(
        required=False, help_text="Importing it again sets the stock back to what it was."
    )

    class Meta:
        model = Export
        fields = ("format",)


@admin.register(Export)
class ExportAdmin(Told, ReadOnly, admin.ModelAdmin):
    """Exports, newest first, with their files."""

    list_display = ("created_at", "format", "state", "products", "file")
    list_filter = ("state",)
    ordering = ("-created_at", "-id")

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001, FBT002 - Django's signature
        **options: Any,
    ) -> Any:
        return super().get_form(request, obj, change, **options) if obj else ExportForm

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("format", "with_stock")
        return ("format", "without", "state", "products", "actor_id", "created_at", "finished_at")

    def has_add_permission(self, request: HttpRequest, *_: object) -> bool:
        return bool(request.user.has_perm("catalog.add_export"))

    def save_model(self, request: HttpRequest, obj: Export, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        actor_id: Any = request.user.pk
        obj.pk = start_export(
            file_format=Format(obj.format),
            with_stock=form.cleaned_data["with_stock"],
            actor_id=actor_id,
        ).pk

    def get_urls(self) -> Any:
        fetch = self.admin_site.admin_view(self.fetch)
        return [
            path("<uuid:export_id>/file/", fetch, name="catalog_export_file"),
            *super().get_urls(),
        ]

    def fetch(self, request: HttpRequest, export_id: Any) -> HttpResponseBase:
        """Give the file to whoever may see exports."""
        if not request.user.has_perm("catalog.view_export"):
            raise PermissionDenied
        export, pieces = download(export_id=export_id)
        response = StreamingHttpResponse(pieces, content_type="application/octet-stream")
        response["Content-Disposition"] = f'attachment; filename="products.{export.format}"'
        return response

    @admin.display
    def file(self, export: Export) -> str:
        """Where the file is, once it is written."""
        if export.state != Export.State.COMPLETED:
            return ""
        address = reverse("admin:catalog_export_file", args=[export.pk])
        return format_html('<a href="{}">download</a>', address)
