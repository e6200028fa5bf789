"""How variants are sold, over HTTP."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.selectors.stock import policy_of
from apps.catalog.serializers.stock_policies import StockPolicyDocument, StockPolicyDraft
from apps.catalog.services.stock import UnknownVariant, set_policy
from apps.kernel.openapi import problems
from apps.kernel.permissions import staff_with


class StockPolicy(APIView):
    """How a variant is sold when none lies there, and when very many want it."""

    def get_permissions(self) -> list[BasePermission]:
        writes = self.request is not None and self.request.method == "PUT"
        return [staff_with(f"catalog.{'change' if writes else 'view'}_stock")()]

    @extend_schema(
        operation_id="stock_policies_retrieve",
        responses={200: StockPolicyDocument, **problems(401, 403, 404)},
    )
    def get(self, request: Request, variant_id: UUID) -> Response:
        """Show how a variant is sold. What has never been in stock sells what lies there."""
        return _rendered(variant_id)

    @extend_schema(
        operation_id="stock_policies_replace",
        request=StockPolicyDraft,
        responses={200: StockPolicyDocument, **problems(400, 401, 403, 404, 409, 413, 415, 422)},
    )
    def put(self, request: Request, variant_id: UUID) -> Response:
        """Say how a variant is sold; doing it again changes nothing. 409 `limit_below_orders`.

        422 `incomplete_policy`: `backorder` and `preorder` need a limit, `preorder` also a day;
        `deny` takes neither.
        """
        draft = StockPolicyDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        set_policy(variant_id=variant_id, **draft.validated_data)
        return _rendered(variant_id)


def _rendered(variant_id: UUID) -> Response:
    row = policy_of(variant_id=variant_id)
    if row is None:
        raise UnknownVariant("There is no such variant.")
    return Response(row)
