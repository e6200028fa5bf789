"""Promotions and their codes over HTTP, for staff."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.conditional import expected_version, tagged
from apps.kernel.idempotency import idempotent
from apps.kernel.openapi import IDEMPOTENCY_KEY, IF_MATCH, problems
from apps.kernel.pagination import Ordering, PageQuery, page_of, read_query
from apps.kernel.permissions import staff_with
from apps.kernel.serializers import StrictSerializer
from apps.orders.models import Promotion
from apps.orders.pricing import NotPriceable
from apps.orders.selectors.promotions import batches_of, coupons_of, promotion_of, warnings_about
from apps.orders.serializers.promotions import (
    CouponBatchDocument,
    CouponBatchDraft,
    CouponBatchPage,
    CouponPage,
    PromotionChange,
    PromotionDocument,
    PromotionDraft,
    PromotionPage,
    promotion_document,
    promotion_fields,
)
from apps.orders.services import coupons, promotions
from apps.orders.states import PromotionStatus

NEWEST_FIRST = Ordering(column="id", descending=True, parse=UUID)
IN_ORDER = Ordering(column="id", descending=False, parse=UUID)


class PromotionQuery(PageQuery):
    """A page, of one status if it is named."""

    def get_fields(self) -> dict[str, serializers.Field]:
        statuses = [s.value for s in PromotionStatus]
        return super().get_fields() | {
            "filter[status]": serializers.ChoiceField(choices=statuses, required=False)
        }


class Promotions(APIView):
    """All promotions."""

    def get_permissions(self) -> list[BasePermission]:
        adds = self.request is not None and self.request.method == "POST"
        return [staff_with(f"orders.{'add' if adds else 'view'}_promotion")()]

    @extend_schema(
        operation_id="promotions_list",
        parameters=[PromotionQuery],
        responses={200: PromotionPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List promotions, newest first."""
        query = read_query(request, PromotionQuery)
        rows = Promotion.objects.values("id")
        if status := query.get("filter[status]"):
            rows = rows.filter(status=status)
        page = page_of(rows, ordering=NEWEST_FIRST, query=query, request=request)
        found = Promotion.objects.in_bulk([row["id"] for row in page["results"]])
        page["results"] = [promotion_document(found[row["id"]]) for row in page["results"]]
        return Response(page)

    @extend_schema(
        operation_id="promotions_create",
        request=PromotionDraft,
        responses={201: PromotionDocument, **problems(400, 401, 403, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Make a draft. `warnings` names the active promotions that it would meet."""
        draft = PromotionDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        said = dict(draft.validated_data)
        currency = said.pop("currency", None) or ""
        fields = promotion_fields(said, currency=currency)
        try:
            promotion = promotions.create_promotion(fields={**fields, "currency": currency})
        except NotPriceable as refusal:
            raise _as_fault(refusal) from refusal
        response = _rendered(promotion, status=201)
        response["Location"] = f"{request.path}/{promotion.pk}"
        return response


class OnePromotion(APIView):
    """A promotion."""

    def get_permissions(self) -> list[BasePermission]:
        needed = {"PATCH": "change", "DELETE": "delete"}
        method = self.request.method if self.request is not None else ""
        return [staff_with(f"orders.{needed.get(method or '', 'view')}_promotion")()]

    @extend_schema(
        operation_id="promotions_retrieve",
        responses={200: PromotionDocument, **problems(401, 403, 404)},
    )
    def get(self, request: Request, promotion_id: UUID) -> Response:
        """Show a promotion, and the active ones that it meets."""
        return _rendered(promotion_of(promotion_id=promotion_id))

    @extend_schema(
        operation_id="promotions_update",
        parameters=[IF_MATCH],
        request=PromotionChange,
        responses={
            200: PromotionDocument,
            **problems(400, 401, 403, 404, 409, 412, 413, 415, 422),
        },
    )
    def patch(self, request: Request, promotion_id: UUID) -> Response:
        """Change what is given; carts follow at once. 409 `limit_below_uses`."""
        change = PromotionChange(data=request.data, partial=True)
        change.is_valid(raise_exception=True)
        currency = promotion_of(promotion_id=promotion_id).currency
        try:
            promotion = promotions.change_promotion(
                promotion_id=promotion_id,
                fields=promotion_fields(change.validated_data, currency=currency),
                expected_version=expected_version(request),
            )
        except NotPriceable as refusal:
            raise _as_fault(refusal) from refusal
        return _rendered(promotion)

    @extend_schema(
        operation_id="promotions_delete",
        parameters=[IF_MATCH],
        responses={204: None, **problems(400, 401, 403, 404, 409, 412)},
    )
    def delete(self, request: Request, promotion_id: UUID) -> Response:
        """Delete a draft; archive what has been active."""
        promotions.retire_promotion(
            promotion_id=promotion_id, expected_version=expected_version(request)
        )
        return Response(status=204)


class Activations(APIView):
    """Let a promotion count."""

    permission_classes = (staff_with("orders.change_promotion"),)

    class Nothing(StrictSerializer):
        """An empty object."""

    @extend_schema(
        operation_id="promotion_activations_create",
        parameters=[IF_MATCH],
        request=Nothing,
        responses={201: PromotionDocument, **problems(400, 401, 403, 404, 409, 412, 413, 415)},
    )
    def post(self, request: Request, promotion_id: UUID) -> Response:
        """Activate a draft or an archived promotion: it counts from its start on, or at once."""
        self.Nothing(data=request.data or {}).is_valid(raise_exception=True)
        promotion = promotions.activate_promotion(
            promotion_id=promotion_id, expected_version=expected_version(request)
        )
        return _rendered(promotion, status=201)


class CouponBatches(APIView):
    """The batches of codes of a promotion."""

    def get_permissions(self) -> list[BasePermission]:
        adds = self.request is not None and self.request.method == "POST"
        return [staff_with(f"orders.{'add' if adds else 'view'}_couponbatch")()]

    @extend_schema(
        operation_id="coupon_batches_list",
        parameters=[PageQuery],
        responses={200: CouponBatchPage, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, promotion_id: UUID) -> Response:
        """List the batches, newest first."""
        query = read_query(request, PageQuery)
        rows = batches_of(promotion_id=promotion_id)
        return Response(page_of(rows, ordering=NEWEST_FIRST, query=query, request=request))

    @extend_schema(
        operation_id="coupon_batches_create",
        parameters=[IDEMPOTENCY_KEY],
        request=CouponBatchDraft,
        responses={201: CouponBatchDocument, **problems(400, 401, 403, 404, 409, 413, 415, 422)},
    )
    @idempotent
    def post(self, request: Request, promotion_id: UUID) -> Response:
        """Make codes: these, or so many that nobody can guess. 409 `coupon_code_taken`."""
        draft = CouponBatchDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        wish = draft.validated_data
        batch = coupons.create_batch(
            promotion_id=promotion_id,
            codes=wish.get("codes")
            or coupons.random_codes(wish["count"], prefix=wish.get("prefix", "")),
            uses_limit=wish["uses_limit"],
            uses_per_customer=wish["uses_per_customer"],
        )
        batch.refresh_from_db(fields=["created_at"])
        columns = ("id", "count", "uses_limit", "uses_per_customer", "created_at")
        location = f"{request.path}/{batch.pk}"
        document = {name: getattr(batch, name) for name in columns}
        return Response(document, status=201, headers={"Location": location})


class OneCouponBatch(APIView):
    """The codes of a batch."""

    permission_classes = (staff_with("orders.view_coupon"),)

    @extend_schema(
        operation_id="coupon_batches_retrieve",
        parameters=[PageQuery],
        responses={200: CouponPage, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, promotion_id: UUID, batch_id: UUID) -> Response:
        """List the codes of a batch, and how often each has been used."""
        query = read_query(request, PageQuery)
        rows = coupons_of(promotion_id=promotion_id, batch_id=batch_id)
        page = page_of(rows, ordering=IN_ORDER, query=query, request=request)
        page["results"] = [
            {**row, "uses": None if row["uses_limit"] is None else row["uses"]}
            for row in page["results"]
        ]
        return Response(page)


def _rendered(promotion: Promotion, *, status: int = 200) -> Response:
    promotion.refresh_from_db(fields=["created_at"])
    document: dict[str, Any] = promotion_document(promotion, warnings=warnings_about(promotion))
    return tagged(Response(document, status=status), version=promotion.version)


def _as_fault(refusal: NotPriceable) -> serializers.ValidationError:
    """Return what the kernel does not take as a fault of the field that it names."""
    field = str(refusal.facts.get("field", "benefit"))
    return serializers.ValidationError(
        {field: [serializers.ErrorDetail(refusal.detail, code=refusal.code)]}
    )
