"""Promotions and their codes in the back office."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.kernel.backoffice import ReadOnly
from apps.orders.admin.actions import act_on_each
from apps.orders.models import (
    Coupon,
    CouponBatch,
    CustomerUses,
    OrderPromotion,
    Promotion,
)
from apps.orders.services import promotions


class Batches(ReadOnly, admin.TabularInline):
    model = CouponBatch
    fields = ("count", "uses_limit", "uses_per_customer", "created_at")


@admin.register(Promotion)
class PromotionAdmin(ReadOnly, admin.ModelAdmin):
    """Promotions are written over the API, which says what they meet."""

    list_display = ("name", "status", "priority", "starts_at", "ends_at", "uses", "uses_limit")
    list_filter = ("status", "needs_code", "exclusive")
    search_fields = ("name", "id")
    ordering = ("-id",)
    inlines = (Batches,)
    actions = ("activate", "archive")

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
