"""The devices somebody is logged in on, as that person sees and ends them."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.openapi import problems
from apps.kernel.pagination import Ordering, Page, PageQuery, page_of, read_query
from apps.users.models import Session, User
from apps.users.selectors.sessions import living_sessions_of
from apps.users.services import sessions

NEWEST_FIRST = Ordering(column="created_at", descending=True, parse=datetime.fromisoformat)


class SessionDocument(serializers.Serializer[Any]):
    """One login on one device."""

    id = serializers.UUIDField()
    current = serializers.BooleanField(help_text="Whether this request was sent in it.")
    user_agent = serializers.CharField(help_text="What the device called itself at the login.")
    ip = serializers.IPAddressField(allow_null=True, help_text="Where the login came from.")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


class SessionPage(Page):
    """One page of sessions."""

    results = SessionDocument(many=True)


class MySessions(APIView):
    """Where I am logged in."""

    @extend_schema(
        operation_id="users_me_sessions_list",
        parameters=[PageQuery],
        responses={200: SessionPage, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """List my living sessions, newest first."""
        rows = living_sessions_of(user_id=cast("User", request.user).pk).values(
            "id", "user_agent", "ip", "created_at", "last_used_at", "expires_at"
        )
        query = read_query(request, PageQuery)
        page = page_of(rows, ordering=NEWEST_FIRST, query=query, request=request)
        current = cast("Session", request.auth).pk
        page["results"] = [{**row, "current": row["id"] == current} for row in page["results"]]
        return Response(page)


class MySession(APIView):
    """One place where I am logged in."""

    @extend_schema(
        operation_id="users_me_sessions_end",
        request=None,
        responses={204: None, **problems(400, 401, 404)},
    )
    def delete(self, request: Request, session_id: UUID) -> Response:
        """Log one device out. 404 `unknown_session` when it is not mine or already over."""
        sessions.end_own(user_id=cast("User", request.user).pk, session_id=session_id)
        return Response(status=204)
