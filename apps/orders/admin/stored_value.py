"""Gift cards and store credit in the back office, through the services, which refuse and record."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from apps.kernel.backoffice import Guarded, ReadOnly, guarded
from apps.kernel.errors import DomainError
from apps.kernel.money import Money, format_minor
from apps.orders.admin.actions import act_on_each
from apps.orders.models import StoredValue, ValueMovement
from apps.orders.services import stored_value


class Movements(ReadOnly, admin.TabularInline):
    model = ValueMovement
    fields = ("at", "kind", "amount_minor", "order", "reason")
    ordering = ("-id",)


class AmountForm(forms.Form):
    """An amount in the store's currency."""

    amount = forms.CharField(max_length=20, help_text="Such as 25.00, in the store's currency.")

    def clean_amount(self) -> Money:
        try:
            return Money.parse(self.cleaned_data["amount"], settings.STORE_CURRENCY)
        except DomainError as refusal:
            raise ValidationError(refusal.detail, code=refusal.code) from refusal


class GiftCardForm(AmountForm, forms.ModelForm):
    """A new card. Asking is the check: the service writes it, or refuses."""

    class Meta:
        model = StoredValue
        fields = ("expires_at", "note")

    code = ""

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if self.errors:
            return given
        try:
            self.instance, self.code = stored_value.issue_gift_card(**given)
        except DomainError as refusal:
            raise ValidationError(refusal.detail, code=refusal.code) from refusal
        return given

    def _post_clean(self) -> None:
        """Nothing is left to be filled in or checked."""

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        return self.instance


class StoreCreditForm(AmountForm):
    """What is granted to a customer, or taken back."""

    customer_id = forms.UUIDField(label="customer's id")
    change = forms.ChoiceField(choices=[("grant", "grant"), ("take", "take back")])
    reason = forms.CharField(max_length=200, help_text="The customer reads it.")
    field_order = ("customer_id", "change", "amount", "reason")

    def change_credit(self) -> StoredValue | None:
        """Ask the service; its refusal is told as a fault of the form."""
        given = self.cleaned_data
        move = {"grant": stored_value.grant_store_credit, "take": stored_value.take_store_credit}
        try:
            return move[given["change"]](
                customer_id=given["customer_id"], amount=given["amount"], reason=given["reason"]
            )
        except DomainError as refusal:
            self.add_error(None, ValidationError(refusal.detail, code=refusal.code))
            return None


@admin.register(StoredValue)
class StoredValueAdmin(Guarded, ReadOnly, admin.ModelAdmin):
    """Cards are issued and credit is granted after a fresh code; the balance moves by movements."""

    list_display = ("__str__", "kind", "balance", "expires_at", "disabled_at", "created_at")
    list_filter = ("kind", "currency")
    search_fields = ("=last_four", "=customer_id", "=id")
    ordering = ("-id",)
    exclude = ("code_hash",)
    inlines = (Movements,)
    actions = ("disable", "enable")
    change_list_template = "admin/stored_value.html"

    @admin.display(ordering="balance_minor")
    def balance(self, row: StoredValue) -> str:
        """What is on it."""
        return f"{format_minor(row.balance_minor, row.currency)} {row.currency}"

    def get_urls(self) -> Any:
        grant = self.admin_site.admin_view(guarded(self.grant))
        return [path("grant/", grant, name="orders_storedvalue_grant"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest, *_: object) -> bool:
        return request.user.has_perm("orders.issue_giftcard")

    def has_disable_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.change_giftcard")

    has_enable_permission = has_disable_permission

    def get_form(  # type: ignore[override]  # `change` is Django's to pass
        self, request: HttpRequest, obj: Any = None, **options: Any
    ) -> Any:
        return super().get_form(request, obj, **options) if obj else GiftCardForm

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fields(request, obj) if obj else ("amount", "expires_at", "note")

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """The service has written it; its code is told once."""
        messages.warning(request, f"The code, which nobody is told again: {form.code}")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """Nothing hangs on it."""

    @admin.action(description="Disable", permissions=["disable"])
    def disable(self, request: HttpRequest, rows: QuerySet[StoredValue]) -> None:
        self._set(request, rows, disabled=True)

    @admin.action(description="Let it be used again", permissions=["enable"])
    def enable(self, request: HttpRequest, rows: QuerySet[StoredValue]) -> None:
        self._set(request, rows, disabled=False)

    def grant(self, request: HttpRequest) -> HttpResponse:
        """Grant store credit to a customer, or take it back."""
        if not request.user.has_perm("orders.grant_storecredit"):
            raise PermissionDenied
        form = StoreCreditForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and (credit := form.change_credit()):
            messages.success(request, f"{credit}: {self.balance(credit)}.")
            return HttpResponseRedirect(
                reverse("admin:orders_storedvalue_change", args=[credit.pk])
            )
        page = {
            **self.admin_site.each_context(request),
            "title": "Grant store credit",
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "admin/grant_store_credit.html", page)

    def _set(self, request: HttpRequest, rows: QuerySet[StoredValue], *, disabled: bool) -> None:
        def act(row: StoredValue) -> None:
            stored_value.change_gift_card(gift_card_id=row.pk, fields={"disabled": disabled})

        act_on_each(self, request, rows, act)


@admin.register(ValueMovement)
class ValueMovementAdmin(ReadOnly, admin.ModelAdmin):
    """Every movement of every balance, to be looked up by what it was for."""

    list_display = ("at", "kind", "account", "amount_minor", "order", "reason")
    list_filter = ("kind",)
    list_select_related = ("account", "order")
    search_fields = ("=account__last_four", "=account__customer_id", "=order__number")
    ordering = ("-id",)
