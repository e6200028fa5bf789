"""Files of products over HTTP: sent and taken in, written and fetched."""

from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import IO, Any, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from apps.catalog import files
from apps.catalog.formats import csv_header
from apps.catalog.models import Import, ImportRow
from apps.catalog.models.exchange import Format
from apps.catalog.selectors.exchange import export_rows, import_rows, rows_of_import
from apps.catalog.serializers.exchange import (
    ExportDocument,
    ExportPage,
    ImportDocument,
    ImportPage,
    ImportRowPage,
    export_document,
    import_document,
    import_row_document,
)
from apps.catalog.services.exports import UnknownExport, download, start_export
from apps.catalog.services.imports.jobs import (
    UnknownImport,
    import_of,
    new_name,
    resume_import,
    retry_failed,
    start_import,
)
from apps.catalog.services.imports.plans import OnError
from apps.kernel.openapi import problems
from apps.kernel.pagination import Ordering, PageQuery, page_of, read_query
from apps.kernel.permissions import staff_with
from apps.kernel.rest import BodyTooLarge
from apps.kernel.serializers import StrictBooleanField, StrictSerializer

Answer = TypeVar("Answer", HttpResponse, StreamingHttpResponse)

NEWEST = Ordering("created_at", True, datetime.fromisoformat)  # noqa: FBT003 - descending
MIME = {Format.CSV: "text/csv", Format.JSON_LINES: "application/x-ndjson"}


def _line(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError("no line")
    return value


BY_LINE = Ordering("line", False, _line)  # noqa: FBT003 - ascending


class CSVBody(BaseParser):
    """Hands the body over as the stream it is."""

    media_type = MIME[Format.CSV]

    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Any = None) -> Any:
        return stream


class JSONLinesBody(CSVBody):
    """The same for JSON Lines."""

    media_type = MIME[Format.JSON_LINES]


class _Staff(APIView):
    """A view that reading needs another permission of than starting."""

    noun = ""

    def get_permissions(self) -> list[BasePermission]:
        verb = "add" if self.request is not None and self.request.method == "POST" else "view"
        return [staff_with(f"catalog.{verb}_{self.noun}")()]


class Imports(_Staff):
    """Files of products that are taken in."""

    noun = "import"

    class Upload(StrictSerializer):
        """How the file is taken in."""

        file_name = serializers.CharField(max_length=200, default="products")
        dry_run = serializers.BooleanField(default=False, help_text="Compare, write nothing.")
        on_error = serializers.ChoiceField(
            choices=OnError.values, default=OnError.REJECT_FAILED_ROWS.value
        )

    def get_parsers(self) -> list[BaseParser]:
        return [CSVBody(), JSONLinesBody()]

    @extend_schema(
        operation_id="imports_list",
        parameters=[PageQuery],
        responses={200: ImportPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List imports, newest first."""
        query = read_query(request, PageQuery)
        page = page_of(import_rows(), ordering=NEWEST, query=query, request=request)
        page["results"] = [import_document(row) for row in page["results"]]
        return Response(page)

    @extend_schema(
        operation_id="imports_create",
        parameters=[Upload],
        request=dict.fromkeys(MIME.values(), OpenApiTypes.BINARY),
        responses={202: ImportDocument, **problems(400, 401, 403, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """Send a file: the body is the file itself, its type says the format.

        It is stored as it comes and taken in by a worker. The same file again changes nothing.
        """
        query = read_query(request, self.Upload)
        name = new_name()
        files.keep(name, _pieces(_body(request)))
        started = start_import(
            file=name,
            file_name=query["file_name"],
            file_format=_format_of(request),
            on_error=OnError(query["on_error"]),
            dry_run=query["dry_run"],
            actor_id=cast("UUID", request.user.pk),
        )
        return _accepted(request, started)


class OneImport(_Staff):
    """One import."""

    noun = "import"

    @extend_schema(
        operation_id="imports_read",
        responses={200: ImportDocument, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, import_id: UUID) -> Response:
        """Show how far an import has come."""
        read_query(request, StrictSerializer)
        row = import_rows().filter(pk=import_id).first()
        if row is None:
            raise UnknownImport("There is no such import.")
        return Response(import_document(row))


class ImportRows(_Staff):
    """What became of the products of a file."""

    noun = "import"

    class RowQuery(PageQuery):
        """Which rows."""

        def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
            outcome = serializers.ChoiceField(choices=ImportRow.Outcome.values, required=False)
            return {**super().get_fields(), "filter[outcome]": outcome}

    @extend_schema(
        operation_id="imports_rows",
        parameters=[RowQuery],
        responses={200: ImportRowPage, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, import_id: UUID) -> Response:
        """List products of the file by line: errors and, for a dry run, what would change."""
        query = read_query(request, self.RowQuery)
        import_of(import_id=import_id)
        rows = rows_of_import(import_id=import_id, outcome=query.get("filter[outcome]"))
        page = page_of(rows, ordering=BY_LINE, query=query, request=request)
        page["results"] = [import_row_document(row) for row in page["results"]]
        return Response(page)


class ImportRetries(_Staff):
    """Trying again."""

    noun = "import"

    class Retry(StrictSerializer):
        """What is tried again."""

        rows = serializers.ChoiceField(
            choices=["failed", "remaining"],
            help_text="What failed in a completed import, as a new one; or the rest of one that "
            "stopped on the way.",
        )

    @extend_schema(
        operation_id="imports_retry",
        request=Retry,
        responses={202: ImportDocument, **problems(400, 401, 403, 404, 409, 413, 415)},
    )
    def post(self, request: Request, import_id: UUID) -> Response:
        """Try what failed once more, or go on. 409 `nothing_to_retry`."""
        retry = self.Retry(data=request.data)
        retry.is_valid(raise_exception=True)
        if retry.validated_data["rows"] == "failed":
            actor_id = cast("UUID", request.user.pk)
            return _accepted(request, retry_failed(import_id=import_id, actor_id=actor_id))
        return _accepted(request, resume_import(import_id=import_id))


class ImportTemplate(APIView):
    """A file to begin with."""

    permission_classes = (staff_with("catalog.view_import"),)

    @extend_schema(
        operation_id="imports_template",
        parameters=[OpenApiParameter("of", str, OpenApiParameter.PATH, enum=["products"])],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            **problems(400, 401, 403, 404),
        },
    )
    def get(self, request: Request, of: str) -> HttpResponse:
        """Fetch an empty file with all columns."""
        read_query(request, StrictSerializer)
        if of != "products":
            raise UnknownImport("There are templates of products only.")
        return _attached(HttpResponse(csv_header(), content_type="text/csv"), "products.csv")


class Exports(_Staff):
    """Files of all products."""

    noun = "export"

    class Wish(StrictSerializer):
        """What is wanted."""

        format = serializers.ChoiceField(choices=Format.values, default=Format.CSV.value)
        with_stock = StrictBooleanField(
            default=False,
            help_text="With `on_hand`: importing it again sets the stock back to what it was.",
        )

    @extend_schema(
        operation_id="exports_list",
        parameters=[PageQuery],
        responses={200: ExportPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List exports, newest first. They are kept for a week."""
        query = read_query(request, PageQuery)
        page = page_of(export_rows(), ordering=NEWEST, query=query, request=request)
        page["results"] = [_export(request, row) for row in page["results"]]
        return Response(page)

    @extend_schema(
        operation_id="exports_create",
        request=Wish,
        responses={202: ExportDocument, **problems(400, 401, 403, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """Ask for a file of all products, in the form that imports take."""
        wish = self.Wish(data=request.data)
        wish.is_valid(raise_exception=True)
        export = start_export(
            file_format=Format(wish.validated_data["format"]),
            with_stock=wish.validated_data["with_stock"],
            actor_id=cast("UUID", request.user.pk),
        )
        document = _export(request, export_rows().get(pk=export.pk))
        location = reverse("export", kwargs={"product_export_id": export.pk}, request=request)
        return Response(document, status=202, headers={"Location": location})


class OneExport(_Staff):
    """One export."""

    noun = "export"

    @extend_schema(
        operation_id="exports_read",
        responses={200: ExportDocument, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, product_export_id: UUID) -> Response:
        """Show how far an export has come, and where its file is."""
        read_query(request, StrictSerializer)
        row = export_rows().filter(pk=product_export_id).first()
        if row is None:
            raise UnknownExport("There is no such export.")
        return Response(_export(request, row))


class ExportFile(_Staff):
    """The file of an export."""

    noun = "export"

    @extend_schema(
        operation_id="exports_download",
        responses={
            **{(200, mime): OpenApiTypes.BINARY for mime in MIME.values()},
            **problems(400, 401, 403, 404, 409),
        },
    )
    def get(self, request: Request, product_export_id: UUID) -> StreamingHttpResponse:
        """Fetch the file. 409 `export_not_ready`."""
        read_query(request, StrictSerializer)
        export, pieces = download(export_id=product_export_id)
        file_format = Format(export.format)
        response = StreamingHttpResponse(pieces, content_type=MIME[file_format])
        return _attached(response, f"products.{file_format}")


def _body(request: Request) -> IO[Any]:
    """Return the body; the REST framework asks no parser for one that is empty."""
    return cast("IO[Any]", request.data) if hasattr(request.data, "read") else BytesIO()


def _pieces(stream: IO[Any]) -> Iterator[bytes]:
    """Yield the body as it comes. Raises BodyTooLarge."""
    size = 0
    while piece := stream.read(files.PIECE):
        size += len(piece)
        if size > settings.IMPORT_LIMIT_BYTES:
            raise BodyTooLarge(f"A file has at most {settings.IMPORT_LIMIT_BYTES >> 20} MiB.")
        yield piece


def _format_of(request: Request) -> Format:
    is_csv = str(request.content_type).startswith(MIME[Format.CSV])
    return Format.CSV if is_csv else Format.JSON_LINES


def _accepted(request: Request, job: Import) -> Response:
    document = import_document(import_rows().get(pk=job.pk))
    location = reverse("import", kwargs={"import_id": job.pk}, request=request)
    return Response(document, status=202, headers={"Location": location})


def _export(request: Request, row: dict[str, Any]) -> dict[str, Any]:
    file = reverse("export-file", kwargs={"product_export_id": row["id"]}, request=request)
    return export_document(row, file=file)


def _attached(response: Answer, name: str) -> Answer:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
