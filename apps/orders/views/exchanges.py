"""Exchanges over HTTP: which variant is wanted instead of money."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.openapi import problems
from apps.orders.serializers.returns import ExchangesDraft, ReturnDocument
from apps.orders.services import exchanges
from apps.orders.views.holder import ORDER_TOKEN, order_holder
from apps.orders.views.returns import shown_return


class ReturnExchanges(APIView):
    """What is wanted instead of money, for the goods of a return."""

    admits_api_keys = True
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="return_exchanges_create",
        parameters=[ORDER_TOKEN],
        request=ExchangesDraft,
        responses={201: ReturnDocument, **problems(400, 401, 403, 404, 409)},
    )
    def post(self, request: Request, return_id: UUID) -> Response:
        """Say it before the goods are here. It costs as much as what comes back, or less.

        409 `exchange_costs_more`, `taxes_differ` or `out_of_stock` when it cannot be exchanged. An
        order of it is placed when the goods were inspected; sold out by then, money goes back.
        """
        draft = ExchangesDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        exchanges.ask_for_exchange(
            holder=order_holder(request),
            return_id=return_id,
            variants={
                line["line_id"]: line["variant_id"] for line in draft.validated_data["lines"]
            },
        )
        return shown_return(return_id, status=201)
