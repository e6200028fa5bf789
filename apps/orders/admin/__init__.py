"""Orders in the back office: staff read everything and act through the services."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join

from apps.kernel.backoffice import Guarded, ReadOnly, guarded
from apps.kernel.errors import DomainError
from apps.kernel.money import Money, format_minor
from apps.orders.admin.taxes import TaxClassAdmin, TaxRateAdmin, TaxZoneAdmin
from apps.orders.models import (
    Cart,
    CartItem,
    Coupon,
    CouponBatch,
    CustomerUses,
    LedgerAccount,
    LedgerEntry,
    LedgerPosting,
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
from apps.orders.selectors.ledger import refundable_minor, trial_balance
from apps.orders.selectors.orders import STORE, Holder, order_numbered
from apps.orders.services import orders, promotions, refunds, shipments

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
    readonly_fields = ("refunds",)
    actions = ("cancel",)

    @admin.display(description="total", ordering="grand_total_minor")
    def total(self, order: Order) -> str:
        return f"{format_minor(order.grand_total_minor, order.currency)} {order.currency}"

    @admin.display
    def refunds(self, order: Order) -> str:
        """What goes back, what is left, and where more is given back."""
        rows = Refund.objects.filter(attempt__order=order).order_by("created_at", "id")
        listed = format_html_join(
            "",
            "<li>{} {}: {}</li>",
            ((Money(row.amount_minor, row.currency), row.status, row.reason) for row in rows),
        )
        left = Money(refundable_minor(order.pk), order.currency)
        form = f"{reverse('admin:orders_refund_add')}?order={order.number}&version={order.version}"
        return format_html(
            '<ul>{}</ul> {} can be given back. <a href="{}">Give back</a>', listed, left, form
        )

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


class RefundForm(forms.ModelForm):
    """How much goes back. Asking is the check: the service writes the row, or refuses."""

    order = forms.IntegerField(
        label="order number", error_messages={"required": "Begin on the order's page."}
    )
    version = forms.IntegerField(
        widget=forms.HiddenInput, error_messages={"required": "Begin on the order's page."}
    )
    amount = forms.CharField(max_length=20, help_text="For example 19.99, in its currency.")
    reason = forms.CharField(max_length=200, help_text="The buyer reads it.")

    class Meta:
        model = Refund
        fields = ()

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if self.errors:
            return given
        try:
            order = order_numbered(given["order"], holder=STORE)
            self.instance = refunds.refund_order(
                order_id=order.pk,
                amount=Money.parse(given["amount"], order.currency),
                reason=given["reason"],
                version=given["version"],
            )
        except DomainError as refusal:
            raise ValidationError(refusal.detail, code=refusal.code) from refusal
        return given

    def _post_clean(self) -> None:
        """Nothing is left to be filled in or checked."""

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        return self.instance


@admin.register(Refund)
class RefundAdmin(Guarded, ReadOnly, admin.ModelAdmin):
    """Refunds are made on an order's page, after a fresh code, and looked at."""

    list_display = ("id", "status", "amount_minor", "currency", "attempt", "created_at")
    list_filter = ("status",)
    list_select_related = ("attempt",)
    search_fields = ("id", "reference", "attempt__order__number")

    def has_add_permission(self, request: HttpRequest, *_: object) -> bool:
        return request.user.has_perm("orders.refund_order")

    def get_form(  # type: ignore[override]  # `change` is Django's to pass
        self, request: HttpRequest, obj: Any = None, **options: Any
    ) -> Any:
        return super().get_form(request, obj, **options) if obj else RefundForm

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("order", "amount", "reason", "version")
        return super().get_fields(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """The service has written it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Nothing hangs on it."""


class Entries(ReadOnly, admin.TabularInline):
    model = LedgerEntry
    fields = ("account", "amount_minor", "currency", "order")


class Moment(forms.Form):
    """Until when the trial balance counts."""

    at = forms.DateTimeField(required=False, label="before", help_text="2026-12-31 00:00, or empty")


@admin.register(LedgerPosting)
class LedgerPostingAdmin(ReadOnly, admin.ModelAdmin):
    """The money ledger, and its trial balance."""

    list_display = ("at", "kind", "source_id")
    list_filter = ("kind",)
    search_fields = ("=source_id", "=entries__order__number")
    ordering = ("-id",)
    inlines = (Entries,)

    def get_urls(self) -> Any:
        balances = self.admin_site.admin_view(self.balances)
        return [
            path("balances/", balances, name="orders_ledgerposting_balances"),
            *super().get_urls(),
        ]

    def balances(self, request: HttpRequest) -> TemplateResponse:
        """Show what each account holds, now or at a moment."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = Moment(request.GET)
        at = form.cleaned_data["at"] if form.is_valid() else None
        rows = [
            {
                "account": LedgerAccount(row.account).label,
                "currency": row.currency,
                "debits": format_minor(row.debits_minor, row.currency),
                "credits": format_minor(row.credits_minor, row.currency),
                "balance": format_minor(row.balance_minor, row.currency),
            }
            for row in trial_balance(at=at)
        ]
        page = {
            **self.admin_site.each_context(request),
            "title": "Trial balance",
            "opts": self.opts,
            "form": form,
            "rows": rows,
        }
        return TemplateResponse(request, "admin/trial_balance.html", page)


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
