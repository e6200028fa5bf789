"""The audit log over HTTP."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.errors import NotFound
from apps.kernel.models import AuditEntry
from apps.kernel.openapi import problems
from apps.kernel.pagination import Ordering, Page, PageQuery, page_of, read_query
from apps.kernel.permissions import staff_with

FIELDS = (
    *("id", "at", "action", "about", "actor_kind", "actor_id", "session_id", "ip"),
    *("before", "after", "request_id", "seq"),
)


class AuditEntryDocument(serializers.Serializer[Any]):
    """One act."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    action = serializers.CharField()
    about = serializers.CharField(help_text="The id of what it happened to.")
    actor_kind = serializers.ChoiceField(choices=AuditEntry.ActorKind.choices)
    actor_id = serializers.UUIDField(allow_null=True)
    session_id = serializers.UUIDField(allow_null=True)
    ip = serializers.CharField(allow_null=True)
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)
    request_id = serializers.CharField()
    seq = serializers.IntegerField(allow_null=True, help_text="Null until it is sealed.")


class AuditLogPage(Page):
    """A page of acts."""

    results = AuditEntryDocument(many=True)


class AuditLog(APIView):
    """All acts, newest first."""

    permission_classes = (staff_with("kernel.view_auditentry"),)

    class AuditQuery(PageQuery):
        """Which acts; what is left out does not narrow."""

        def get_fields(self) -> dict[str, Any]:
            return super().get_fields() | {
                "filter[action]": serializers.CharField(max_length=80, required=False),
                "filter[about]": serializers.CharField(max_length=64, required=False),
                "filter[actor_id]": serializers.UUIDField(required=False),
                "filter[since]": serializers.DateTimeField(required=False),
                "filter[until]": serializers.DateTimeField(required=False),
            }

    @extend_schema(
        operation_id="audit_log_list",
        parameters=[AuditQuery],
        responses={200: AuditLogPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List acts by action, subject, actor or time."""
        query = read_query(request, self.AuditQuery)
        names = {
            "filter[action]": "action",
            "filter[about]": "about",
            "filter[actor_id]": "actor_id",
            "filter[since]": "at__gte",
            "filter[until]": "at__lt",
        }
        wanted = {names[name]: value for name, value in query.items() if name in names}
        return Response(
            page_of(
                AuditEntry.objects.filter(**wanted).values(*FIELDS),
                ordering=Ordering(column="id", descending=True, parse=UUID),
                query=query,
                request=request,
            )
        )


class OneAuditEntry(APIView):
    """One act."""

    permission_classes = (staff_with("kernel.view_auditentry"),)

    @extend_schema(
        operation_id="audit_log_retrieve",
        responses={200: AuditEntryDocument, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, entry_id: UUID) -> Response:
        entry = AuditEntry.objects.filter(pk=entry_id).values(*FIELDS).first()
        if entry is None:
            raise NotFound("There is no such entry.")
        return Response(entry)
