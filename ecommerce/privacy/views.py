"""What people ask for over HTTP: their data, or to be forgotten."""

from typing import Any, cast
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.openapi import problems
from apps.kernel.permissions import RecentlyProven
from apps.kernel.rest import FastJSONRenderer
from apps.kernel.serializers import StrictSerializer
from ecommerce.privacy.models import DataExport, ErasureRequest
from ecommerce.privacy.services import erasures, exports

ZIP = "application/zip"


class Nothing(StrictSerializer):
    """A body without any field."""


class DataExportDocument(serializers.Serializer[Any]):
    """An archive of my data."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=DataExport.Status.choices)
    requested_at = serializers.DateTimeField()
    ready_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Then it is deleted.")


class DataExportList(serializers.Serializer[Any]):
    """My archives; there are few."""

    results = DataExportDocument(many=True)


class ErasureRequestDocument(serializers.Serializer[Any]):
    """My wish to be forgotten."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=ErasureRequest.Status.choices)
    requested_at = serializers.DateTimeField()
    erase_at = serializers.DateTimeField(help_text="Until then it can be taken back.")
    waits_for = serializers.ChoiceField(
        choices=ErasureRequest.Obstacle.choices,
        allow_blank=True,
        help_text="What has to end first; empty: nothing.",
    )


class ErasureRequestList(serializers.Serializer[Any]):
    """My wishes; there are few."""

    results = ErasureRequestDocument(many=True)


class ArchiveRenderer(FastJSONRenderer):
    """Lets clients ask for a zip; a refusal is JSON all the same."""

    media_type = ZIP
    format = "zip"


class MyDataExports(APIView):
    """The archives of my data."""

    permission_classes = (IsAuthenticated, RecentlyProven)

    @extend_schema(
        operation_id="users_me_data_exports_list",
        responses={200: DataExportList, **problems(401)},
    )
    def get(self, request: Request) -> Response:
        """List my archives, newest first."""
        mine = exports.exports_of(user_id=_me(request))
        return Response({"results": [_export(row) for row in mine]})

    @extend_schema(
        operation_id="users_me_data_exports_create",
        request=Nothing,
        responses={202: DataExportDocument, **problems(400, 401, 403, 409, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """Ask for an archive of all my data. It is made within minutes and kept for a week.

        403 `step_up_required`, 409 `data_export_under_way` while one is being made.
        """
        Nothing(data=request.data).is_valid(raise_exception=True)
        return Response(_export(exports.ask(user_id=_me(request))), status=202)


class MyDataExport(APIView):
    """One archive of my data."""

    @extend_schema(
        operation_id="users_me_data_exports_retrieve",
        responses={200: DataExportDocument, **problems(400, 401, 404)},
    )
    def get(self, request: Request, export_id: UUID) -> Response:
        """Show how far an archive is. 404 `unknown_data_export`, also once it has expired."""
        return Response(_export(exports.export_of(user_id=_me(request), export_id=export_id)))


class DataExportArchive(APIView):
    """The archive itself."""

    renderer_classes = (FastJSONRenderer, ArchiveRenderer)

    @extend_schema(
        operation_id="users_me_data_exports_archive",
        responses={(200, ZIP): OpenApiTypes.BINARY, **problems(400, 401, 404)},
    )
    def get(self, request: Request, export_id: UUID) -> Response:
        """Download an archive: a zip of JSON files, listed in its `manifest.json`.

        404 `unknown_data_export` until it is ready.
        """
        return Response(
            exports.download(user_id=_me(request), export_id=export_id),
            content_type=ZIP,
            headers={
                "Content-Disposition": f'attachment; filename="personal-data-{export_id}.zip"',
                "Cache-Control": "no-store",
            },
        )


class MyErasureRequests(APIView):
    """My wishes to be forgotten."""

    permission_classes = (IsAuthenticated, RecentlyProven)

    @extend_schema(
        operation_id="users_me_erasure_requests_list",
        responses={200: ErasureRequestList, **problems(401)},
    )
    def get(self, request: Request) -> Response:
        """List my wishes, newest first."""
        mine = erasures.requests_of(user_id=_me(request))
        return Response({"results": [_erasure(row) for row in mine]})

    @extend_schema(
        operation_id="users_me_erasure_requests_create",
        request=Nothing,
        responses={202: ErasureRequestDocument, **problems(400, 401, 403, 409, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """Have my account and all my data erased.

        It can be taken back until `erase_at`, and begins once no order is open any more. Invoices
        keep name and postal address as long as the law says. 403 `step_up_required`,
        409 `erasure_under_way`, 409 `staff_account`.
        """
        Nothing(data=request.data).is_valid(raise_exception=True)
        return Response(_erasure(erasures.ask(user_id=_me(request))), status=202)


class MyErasureRequest(APIView):
    """One wish to be forgotten."""

    @extend_schema(
        operation_id="users_me_erasure_requests_cancel",
        request=None,
        responses={204: None, **problems(400, 401, 404, 409)},
    )
    def delete(self, request: Request, request_id: UUID) -> Response:
        """Take it back. 409 `erasure_under_way` once it has begun."""
        erasures.take_back(user_id=_me(request), request_id=request_id)
        return Response(status=204)


def _me(request: Request) -> UUID:
    return cast("UUID", request.user.pk)


def _export(export: DataExport) -> dict[str, object]:
    return {
        "id": export.pk,
        "status": export.status,
        "requested_at": export.requested_at,
        "ready_at": export.ready_at,
        "expires_at": export.expires_at,
    }


def _erasure(erasure: ErasureRequest) -> dict[str, object]:
    return {
        "id": erasure.pk,
        "status": erasure.status,
        "requested_at": erasure.requested_at,
        "erase_at": erasure.erase_at,
        "waits_for": erasure.waits_for,
    }
