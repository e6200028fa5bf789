"""Store credit over HTTP: customers see theirs, staff anybody's, and grant it and take it back."""

from typing import cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.idempotency import idempotent
from apps.kernel.openapi import IDEMPOTENCY_KEY, problems
from apps.kernel.permissions import PeopleOnly, RecentlyProven, staff_with
from apps.orders.selectors.stored_value import movements_of, store_credits_of
from apps.orders.serializers.stored_value import (
    StoreCreditChange,
    StoreCreditDocument,
    StoreCreditList,
    store_credit_document,
)
from apps.orders.services import stored_value


class MyStoreCredit(APIView):
    """The customer's own store credit."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="my_store_credit", responses={200: StoreCreditList, **problems(401)}
    )
    def get(self, request: Request) -> Response:
        """Show what there is, and what has moved."""
        return _rendered(cast("UUID", request.user.pk))


class StoreCredit(APIView):
    """A customer's store credit."""

    def get_permissions(self) -> list[BasePermission]:
        if self.request is not None and self.request.method == "POST":
            return [staff_with("orders.grant_storecredit")(), PeopleOnly(), RecentlyProven()]
        return [staff_with("orders.view_storedvalue")()]

    @extend_schema(
        operation_id="store_credit_retrieve",
        responses={200: StoreCreditList, **problems(401, 403, 404)},
    )
    def get(self, request: Request, user_id: UUID) -> Response:
        """Show what a customer has, and what has moved."""
        stored_value.require_customer(user_id)
        return _rendered(user_id)

    @extend_schema(
        operation_id="store_credit_change",
        parameters=[IDEMPOTENCY_KEY],
        request=StoreCreditChange,
        responses={201: StoreCreditDocument, **problems(400, 401, 403, 404, 409, 413, 415, 422)},
    )
    @idempotent
    def post(self, request: Request, user_id: UUID) -> Response:
        """Grant store credit, or take it back. 409 `balance_too_low` when there is less."""
        draft = StoreCreditChange(data=request.data)
        draft.is_valid(raise_exception=True)
        wish = draft.validated_data
        move = {"grant": stored_value.grant_store_credit, "take": stored_value.take_store_credit}
        credit = move[wish["change"]](
            customer_id=user_id, amount=wish["amount"], reason=wish["reason"]
        )
        document = store_credit_document(credit, movements_of([credit])[credit.pk])
        return Response(document, status=201)


def _rendered(customer_id: UUID) -> Response:
    credits_ = store_credits_of(customer_id=customer_id)
    movements = movements_of(credits_)
    return Response(
        {"results": [store_credit_document(each, movements[each.pk]) for each in credits_]}
    )
