"""Changes of an order over HTTP: previewed, then confirmed."""

from datetime import datetime
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.idempotency import idempotent
from apps.kernel.money import CurrencyMismatch
from apps.kernel.openapi import IDEMPOTENCY_KEY, problems
from apps.kernel.pagination import Ordering, PageQuery, page_of, read_query
from apps.orders.models import ChangeSet
from apps.orders.selectors.orders import order_of
from apps.orders.serializers.changes import (
    ChangeDocument,
    ChangeDraft,
    ChangePage,
    change_body,
    change_document,
)
from apps.orders.services import change_sets
from apps.orders.states import ChangeKind
from apps.orders.views.holder import ORDER_TOKEN, order_holder
from apps.orders.views.returns import NothingToSay

NEWEST_FIRST = Ordering(column="created_at", descending=True, parse=datetime.fromisoformat)


class OrderChanges(APIView):
    """The changes of an order."""

    admits_api_keys = True
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="order_changes_list",
        parameters=[ORDER_TOKEN, PageQuery],
        responses={200: ChangePage, **problems(400, 401, 404)},
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        """List what was previewed and what was made of it, newest first."""
        query = read_query(request, PageQuery)
        rows = change_sets.changes_of(holder=order_holder(request), order_id=order_id)
        page = page_of(
            rows.values("id", "created_at"), ordering=NEWEST_FIRST, query=query, request=request
        )
        ids = [row["id"] for row in page["results"]]
        found = ChangeSet.objects.select_related("order").in_bulk(ids)
        return Response(page | {"results": [change_document(found[each]) for each in ids]})

    @extend_schema(
        operation_id="order_changes_create",
        parameters=[ORDER_TOKEN],
        request=ChangeDraft,
        responses={201: ChangeDocument, **problems(400, 401, 403, 404, 409, 422)},
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Preview a change: money, tax, stock, promotions. The order stays as it is."""
        draft = ChangeDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        holder = order_holder(request)
        _refuse_other_currencies(draft, order_of(holder=holder, order_id=order_id).currency)
        change = change_sets.propose_change(
            holder=holder,
            order_id=order_id,
            kind=ChangeKind(draft.validated_data["kind"]),
            body=change_body(draft.validated_data),
            actor_id=holder.customer_id,
        )
        change.refresh_from_db()
        response = Response(change_document(change), status=201)
        response["Location"] = f"/api/v1/orders/{order_id}/changes/{change.pk}"
        return response


class OneOrderChange(APIView):
    """A change of an order."""

    admits_api_keys = True
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="order_changes_retrieve",
        parameters=[ORDER_TOKEN],
        responses={200: ChangeDocument, **problems(400, 401, 404)},
    )
    def get(self, request: Request, order_id: UUID, change_id: UUID) -> Response:
        change = change_sets.change_of(
            holder=order_holder(request), order_id=order_id, change_id=change_id
        )
        return Response(change_document(change))


class ChangeConfirmations(APIView):
    """Make a change exactly as it was previewed."""

    admits_api_keys = True
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="order_change_confirmations_create",
        parameters=[ORDER_TOKEN, IDEMPOTENCY_KEY],
        request=NothingToSay,
        responses={201: ChangeDocument, **problems(400, 401, 403, 404, 409, 422)},
    )
    @idempotent
    def post(self, request: Request, order_id: UUID, change_id: UUID) -> Response:
        """Make it. 409 `order_changed` when the order is not what it was: preview it again."""
        NothingToSay(data=request.data or {}).is_valid(raise_exception=True)
        holder = order_holder(request)
        change_sets.confirm_change(
            holder=holder, order_id=order_id, change_id=change_id, actor_id=holder.customer_id
        )
        change = change_sets.change_of(holder=holder, order_id=order_id, change_id=change_id)
        return Response(change_document(change), status=201)


def _refuse_other_currencies(draft: ChangeDraft, currency: str) -> None:
    amount = draft.validated_data.get("amount")
    if amount is not None and amount.currency != currency:
        raise CurrencyMismatch(f"The order is in {currency}.")
