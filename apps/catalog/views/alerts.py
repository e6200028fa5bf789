"""Alerts of customers over HTTP."""

from datetime import datetime
from typing import cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.selectors.alerts import alerts_of
from apps.catalog.serializers.alerts import (
    AlertDocument,
    AlertDraft,
    AlertPage,
    alert_document,
)
from apps.catalog.services.alerts import remove_alert, set_alert
from apps.kernel.openapi import problems
from apps.kernel.pagination import Ordering, PageQuery, page_of, read_query

NEWEST_FIRST = Ordering(column="created_at", descending=True, parse=datetime.fromisoformat)


class Alerts(APIView):
    """What the person who asks waits for."""

    @extend_schema(
        operation_id="alerts_list",
        parameters=[PageQuery],
        responses={200: AlertPage, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """Show what I wait for, newest first."""
        query = read_query(request, PageQuery)
        page = page_of(
            alerts_of(customer_id=_me(request)),
            ordering=NEWEST_FIRST,
            query=query,
            request=request,
        )
        page["results"] = [alert_document(row) for row in page["results"]]
        return Response(page)

    @extend_schema(
        operation_id="alerts_create",
        request=AlertDraft,
        responses={
            200: AlertDocument,
            201: AlertDocument,
            **problems(400, 401, 404, 409, 413, 415),
        },
    )
    def post(self, request: Request) -> Response:
        """Be told by mail, once, when a variant is in stock again.

        200 if I wait for it already. 409 `available_already`, or `too_many_alerts` beyond 100.
        """
        draft = AlertDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        alert, new = set_alert(customer_id=_me(request), **draft.validated_data)
        return Response(alert_document(alert), status=201 if new else 200)


class OneAlert(APIView):
    """One thing to wait for."""

    @extend_schema(operation_id="alerts_delete", responses={204: None, **problems(401, 404)})
    def delete(self, request: Request, alert_id: UUID) -> Response:
        """Stop waiting for it."""
        remove_alert(customer_id=_me(request), alert_id=alert_id)
        return Response(status=204)


def _me(request: Request) -> UUID:
    return cast("UUID", request.user.pk)
