"""Promotions and their codes in the back office."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.html import format_html

from apps.kernel.backoffice import ReadOnly
from apps.orders.admin.actions import act_on_each
from apps.orders.models import (
    Coupon,
    CouponBatch,
    CustomerUses,
    OrderPromotion,
    Promotion,
    PromotionSimulation,
)
from apps.orders.selectors.promotions import UnknownCouponBatch
from apps.orders.services import promotions
from apps.orders.services.coupon_files import codes_file


class Batches(ReadOnly, admin.TabularInline):
    model = CouponBatch
    fields = ("count", "uses_limit", "uses_per_customer", "created_at", "codes")
    readonly_fields = ("codes",)

    @admin.display
    def codes(self, batch: CouponBatch) -> str:
        """Where the codes are, as a file."""
        address = reverse("admin:orders_coupon_codes", args=[batch.promotion_id, batch.pk])
        return format_html('<a href="{}">download</a>', address)


@admin.register(Promotion)
class PromotionAdmin(ReadOnly, admin.ModelAdmin):
    """Promotions are written over the API, which says what they meet."""

    list_display = ("name", "status", "priority", "starts_at", "ends_at", "uses", "uses_limit")
    list_filter = ("status", "needs_code", "exclusive")
    search_fields = ("name", "id")
    ordering = ("-id",)
    inlines = (Batches,)
    actions = ("activate", "archive")

    def get_urls(self) -> Any:
        fetch = self.admin_site.admin_view(self.fetch_codes)
        return [
            path(
                "<uuid:promotion_id>/batches/<uuid:batch_id>/codes/",
                fetch,
                name="orders_coupon_codes",
            ),
            *super().get_urls(),
        ]

    def fetch_codes(
        self, request: HttpRequest, promotion_id: UUID, batch_id: UUID
    ) -> HttpResponseBase:
        """Give the codes of a batch to whoever may see codes."""
        if not request.user.has_perm("orders.view_coupon"):
            raise PermissionDenied
        try:
            pieces = codes_file(promotion_id=promotion_id, batch_id=batch_id)
        except UnknownCouponBatch as refusal:
            raise Http404 from refusal
        return StreamingHttpResponse(
            pieces,
            content_type="text/csv",
            headers={"Content-Disposition": f'attachment; filename="codes-{batch_id}.csv"'},
        )

    def has_activate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.change_promotion")

    def has_archive_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.delete_promotion")

    @admin.action(description="Let it count", permissions=["activate"])
    def activate(self, request: HttpRequest, rows: QuerySet[Promotion]) -> None:
        act_on_each(
            self, request, rows, lambda row: promotions.activate_promotion(promotion_id=row.pk)
        )

    @admin.action(description="Archive (deletes drafts)", permissions=["archive"])
    def archive(self, request: HttpRequest, rows: QuerySet[Promotion]) -> None:
        act_on_each(
            self, request, rows, lambda row: promotions.retire_promotion(promotion_id=row.pk)
        )


@admin.register(Coupon)
class CouponAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("code", "promotion", "uses", "uses_limit", "uses_per_customer")
    list_select_related = ("promotion",)
    search_fields = ("code", "promotion__name")
    ordering = ("-id",)


@admin.register(PromotionSimulation)
class PromotionSimulationAdmin(ReadOnly, admin.ModelAdmin):
    """What promotions would have done; simulations are asked for over the API."""

    list_display = ("promotion", "placed_from", "placed_until", "state", "seen", "affected")
    list_filter = ("state",)
    list_select_related = ("promotion",)
    search_fields = ("promotion__name", "promotion__id")
    ordering = ("-id",)

    @admin.display(description="orders", ordering="orders_seen")
    def seen(self, simulation: PromotionSimulation) -> int:
        return simulation.orders_seen

    @admin.display(description="affected", ordering="orders_affected")
    def affected(self, simulation: PromotionSimulation) -> int:
        return simulation.orders_affected


@admin.register(CustomerUses)
class CustomerUsesAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("promotion", "coupon", "customer_id", "uses", "most")
    list_select_related = ("promotion", "coupon")
    search_fields = ("customer_id", "promotion__name")
    ordering = ("-id",)


@admin.register(OrderPromotion)
class OrderPromotionAdmin(ReadOnly, admin.ModelAdmin):
    """What promotions have taken off, to be looked up by promotion or code."""

    list_display = ("order", "name", "code", "amount_minor", "given_back_at")
    list_select_related = ("order",)
    search_fields = ("name", "code", "order__number")
    ordering = ("-id",)
