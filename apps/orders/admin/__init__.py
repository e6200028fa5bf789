"""Orders in the back office: staff read everything and act through the services."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.kernel.backoffice import ReadOnly, guarded
from apps.kernel.errors import DomainError
from apps.kernel.money import format_minor
from apps.orders.admin.taxes import TaxClassAdmin, TaxRateAdmin, TaxZoneAdmin
from apps.orders.models import (
    Cart,
    CartItem,
    Coupon,
    CouponBatch,
    CustomerUses,
    Order,
    OrderLine,
    OrderPromotion,
    PaymentAttempt,
    Promotion,
    Refund,
    RetainedInvoice,
    Shipment,
    StatusChange,
    StrayPayment,
    WebhookEvent,
)
from apps.orders.selectors.orders import Holder
from apps.orders.services import orders, promotions, shipments

__all__ = ["TaxClassAdmin", "TaxRateAdmin", "TaxZoneAdmin"]


class Lines(ReadOnly, admin.TabularInline):
    model = OrderLine
    fields = (
        *("position", "sku", "name", "quantity", "list_price_minor", "unit_price_minor"),
        *("total_minor", "discount_minor", "tax_minor", "tax_included_minor"),
    )


class Applied(ReadOnly, admin.TabularInline):
    model = OrderPromotion
    fields = ("position", "name", "code", "amount_minor", "given_back_at")


class Attempts(ReadOnly, admin.TabularInline):
    model = PaymentAttempt
    fields = ("provider", "status", "amount_minor", "reference", "failure_code", "created_at")


class Shipments(ReadOnly, admin.TabularInline):
    model = Shipment
    fields = ("status", "carrier", "tracking_number", "handed_over_at", "delivered_at")


class History(ReadOnly, admin.TabularInline):
    model = StatusChange
    fields = ("from_status", "to_status", "actor_id", "reason", "at")


class CartItems(ReadOnly, admin.TabularInline):
    model = CartItem
    fields = ("variant_id", "quantity")


def _each(
    page: admin.ModelAdmin,
    request: HttpRequest,
    rows: QuerySet[Any],
    act: Callable[[Any], object],
) -> None:
    """Act on each row by itself and tell how it went."""
    done = 0
    for row in rows:
        try:
            act(row)
            done += 1
        except DomainError as refusal:
            page.message_user(request, f"{row}: {refusal.detail}", messages.ERROR)
    if done:
        page.message_user(request, f"Done: {done}.", messages.SUCCESS)


@admin.register(Order)
class OrderAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("number", "status", "email", "total", "placed_at")
    list_filter = ("status", "currency", "placed_at")
    search_fields = ("number", "email", "id", "lines__sku")
    date_hierarchy = "placed_at"
    ordering = ("-placed_at",)
    inlines = (Lines, Applied, Attempts, Shipments, History)
    exclude = ("token_hash",)
    actions = ("cancel",)

    @admin.display(description="total", ordering="grand_total_minor")
    def total(self, order: Order) -> str:
        return f"{format_minor(order.grand_total_minor, order.currency)} {order.currency}"

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.cancel_order")

    @admin.action(description="Cancel (refunds what was paid)", permissions=["cancel"])
    @guarded
    def cancel(self, request: HttpRequest, rows: QuerySet[Order]) -> None:
        refunds = request.user.has_perm("orders.refund_order")
        _each(
            self,
            request,
            rows,
            lambda order: orders.cancel_order(
                holder=Holder(sees_all=True, cancels_all=True, refunds_all=refunds),
                order_id=order.pk,
                reason="Cancelled by staff.",
                actor_id=request.user.pk,
            ),
        )


@admin.register(Shipment)
class ShipmentAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("tracking_number", "status", "carrier", "order", "created_at")
    list_filter = ("status", "carrier")
    list_select_related = ("order",)
    search_fields = ("tracking_number", "order__number", "order__email")
    actions = ("hand_over", "deliver")

    def has_move_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.move_shipment")

    @admin.action(description="Handed over to the carrier", permissions=["move"])
    def hand_over(self, request: HttpRequest, rows: QuerySet[Shipment]) -> None:
        _each(
            self,
            request,
            rows,
            lambda row: shipments.hand_over(shipment_id=row.pk, actor_id=request.user.pk),
        )

    @admin.action(description="Delivered", permissions=["move"])
    def deliver(self, request: HttpRequest, rows: QuerySet[Shipment]) -> None:
        _each(
            self,
            request,
            rows,
            lambda row: shipments.deliver(shipment_id=row.pk, actor_id=request.user.pk),
        )


@admin.register(Cart)
class CartAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("id", "status", "email", "customer_id", "updated_at")
    list_filter = ("status",)
    search_fields = ("id", "email", "customer_id")
    exclude = ("token_hash",)
    inlines = (CartItems,)


@admin.register(PaymentAttempt)
class PaymentAttemptAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("id", "status", "provider", "order", "amount_minor", "currency", "created_at")
    list_filter = ("status", "provider")
    list_select_related = ("order",)
    search_fields = ("id", "reference", "order__number")


@admin.register(Refund)
class RefundAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("id", "status", "amount_minor", "currency", "attempt", "created_at")
    list_filter = ("status",)
    list_select_related = ("attempt",)
    search_fields = ("id", "reference", "attempt__order__number")


@admin.register(StrayPayment)
class StrayPaymentAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("reference", "status", "amount_minor", "currency", "attempt_id", "created_at")
    list_filter = ("status", "provider")
    search_fields = ("reference", "attempt_id")


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("event_id", "type", "outcome", "tries", "received_at")
    list_filter = ("outcome", "type")
    search_fields = ("event_id", "reference")


@admin.register(RetainedInvoice)
class RetainedInvoiceAdmin(ReadOnly, admin.ModelAdmin):
    """What invoices keep of people who were erased, for tax inspections."""

    list_display = ("order", "legal_basis", "keep_until")
    list_select_related = ("order",)
    search_fields = ("order__number",)
    ordering = ("keep_until",)


@admin.register(StatusChange)
class StatusChangeAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("order", "from_status", "to_status", "at")
    list_filter = ("to_status",)
    list_select_related = ("order",)
    search_fields = ("order__number",)


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
        _each(self, request, rows, lambda row: promotions.activate_promotion(promotion_id=row.pk))

    @admin.action(description="Archive (deletes drafts)", permissions=["archive"])
    def archive(self, request: HttpRequest, rows: QuerySet[Promotion]) -> None:
        _each(self, request, rows, lambda row: promotions.retire_promotion(promotion_id=row.pk))


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
