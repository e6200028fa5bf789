"""Payments and refunds in the back office."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.kernel.backoffice import Guarded, ReadOnly
from apps.kernel.errors import DomainError
from apps.kernel.money import Money
from apps.orders.admin.numbers import ByOrderNumber
from apps.orders.models import (
    PaymentAttempt,
    PaymentFee,
    Refund,
    StrayPayment,
    WebhookEvent,
)
from apps.orders.models.order_number import number_in
from apps.orders.selectors.orders import STORE, order_numbered
from apps.orders.services import refunds
from apps.orders.states import RefundStatus


@admin.register(PaymentAttempt)
class PaymentAttemptAdmin(ReadOnly, ByOrderNumber):
    list_display = ("id", "status", "provider", "order", "amount_minor", "currency", "created_at")
    list_filter = ("status", "provider")
    list_select_related = ("order",)
    search_fields = ("id", "reference", "order__number")


@admin.register(PaymentFee)
class PaymentFeeAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("attempt_id", "amount_minor", "currency", "tries", "created_at")
    list_filter = (("amount_minor", admin.EmptyFieldListFilter), "currency")
    search_fields = ("=attempt__id", "attempt__reference", "=attempt__order__number")
    ordering = ("-id",)


class RefundForm(forms.ModelForm):
    """How much goes back. Asking is the check: the service writes the row, or refuses."""

    order = forms.CharField(
        max_length=30,
        label="order number",
        error_messages={"required": "Begin on the order's page."},
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
            order = order_numbered(number_in(given["order"]) or 0, holder=STORE)
            made = refunds.refund_order(
                order_id=order.pk,
                amount=Money.parse(given["amount"], order.currency),
                reason=given["reason"],
                version=given["version"],
            )
            self.instance = made.payment or Refund(id=made.id, status=RefundStatus.SUCCEEDED)
        except DomainError as refusal:
            raise ValidationError(refusal.detail, code=refusal.code) from refusal
        return given

    def _post_clean(self) -> None:
        """Nothing is left to be filled in or checked."""

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        return self.instance


@admin.register(Refund)
class RefundAdmin(Guarded, ReadOnly, ByOrderNumber):
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
