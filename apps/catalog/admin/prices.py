"""Price lists and prices in the back office, through the services, which record what changes."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from apps.catalog.models import Price, PriceChange, PriceList
from apps.catalog.services.prices.lists import (
    change_price_list,
    create_price_list,
    remove_price_list,
)
from apps.catalog.services.prices.writing import PriceDraft, set_prices
from apps.kernel.backoffice import ReadOnly, Told
from apps.kernel.money import CURRENCIES, Money, NotAnAmount, format_minor


class PriceListForm(forms.ModelForm):
    """A list; its currency is chosen once."""

    class Meta:
        model = PriceList
        fields = (
            "code",
            "name",
            "currency",
            "customer_group_id",
            "priority",
            "valid_from",
            "valid_until",
            "is_active",
        )

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"]
        if currency not in CURRENCIES:
            raise ValidationError("There is no such currency.")
        return currency


@admin.register(PriceList)
class PriceListAdmin(Told, admin.ModelAdmin):
    """Lists by code. One that ever had a price is switched off, not deleted."""

    form = PriceListForm
    list_display = ("code", "name", "currency", "customer_group_id", "priority", "is_active")
    list_filter = ("is_active", "currency")
    search_fields = ("code", "name")
    ordering = ("code",)

    def get_readonly_fields(self, request: HttpRequest, obj: PriceList | None = None) -> Any:
        return ("currency", "version") if obj else ()

    def save_model(self, request: HttpRequest, obj: PriceList, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        fields = {name: form.cleaned_data[name] for name in form.fields if name != "currency"}
        if change:
            change_price_list(list_id=obj.pk, fields=fields)  # type: ignore[arg-type]  # of the form
        else:
            made = create_price_list(currency=form.cleaned_data["currency"], fields=fields)  # type: ignore[arg-type]  # of the form
            vars(obj).update(vars(made))

    def delete_model(self, request: HttpRequest, obj: PriceList) -> None:
        remove_price_list(list_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[PriceList]) -> None:
        for price_list in queryset:
            remove_price_list(list_id=price_list.pk)


class PriceForm(forms.ModelForm):
    """A price, as an amount of its list's currency."""

    price = forms.CharField(max_length=20)
    compare_at = forms.CharField(max_length=20, required=False)

    class Meta:
        model = Price
        fields = ("variant", "price_list", "min_quantity", "valid_from", "valid_until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            currency = currency_of(self.instance)
            self.initial["price"] = format_minor(self.instance.amount_minor, currency)
            if self.instance.compare_at_minor is not None:
                compare_at = format_minor(self.instance.compare_at_minor, currency)
                self.initial["compare_at"] = compare_at

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        price_list = cleaned.get("price_list", self.instance.price_list)
        currency = price_list.currency if price_list else settings.STORE_CURRENCY
        for name in ("price", "compare_at"):
            if text := cleaned.get(name):
                try:
                    cleaned[name] = Money.parse(text, currency)
                except NotAnAmount:
                    self.add_error(name, f"This is no amount of {currency}.")
        return cleaned

    def _post_clean(self) -> None:
        """Nothing: the service that writes the row also refuses it."""


def currency_of(price: Price) -> str:
    """Return the currency of a price."""
    return price.price_list.currency if price.price_list else settings.STORE_CURRENCY


@admin.register(Price)
class PriceAdmin(Told, admin.ModelAdmin):
    """Prices now and later. What has ended is in the price history."""

    form = PriceForm
    list_display = (
        "sku",
        "price_list",
        "min_quantity",
        "amount",
        "valid_from",
        "valid_until",
    )
    list_filter = ("price_list",)
    list_select_related = ("variant", "price_list")
    search_fields = ("variant__sku", "variant__product__name")
    raw_id_fields = ("variant",)
    ordering = ("variant__sku", "price_list__code", "min_quantity", "valid_from")
    show_full_result_count = False

    @admin.display(ordering="variant__sku")
    def sku(self, price: Price) -> str:
        """What costs that."""
        return price.variant.sku

    @admin.display(ordering="amount_minor")
    def amount(self, price: Price) -> str:
        """The price, as an amount."""
        return str(Money(price.amount_minor, currency_of(price)))

    def get_readonly_fields(self, request: HttpRequest, obj: Price | None = None) -> Any:
        return ("variant", "price_list", "min_quantity", "valid_from") if obj else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        return self.has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        wanted = form.cleaned_data
        if not change:
            obj.variant, obj.price_list = wanted["variant"], wanted["price_list"]
            obj.min_quantity = wanted["min_quantity"]
            obj.valid_from = wanted["valid_from"] or timezone.now()
        elif not obj.price_list and (obj.valid_until is None) != (wanted["valid_until"] is None):
            self.delete_model(request, obj)
        self._set(
            obj,
            price=wanted["price"],
            compare_at=wanted["compare_at"] or None,
            valid_until=wanted["valid_until"],
        )
        obj.pk = Price.objects.values_list("pk", flat=True).get(
            variant=obj.variant,
            price_list=obj.price_list,
            min_quantity=obj.min_quantity,
            valid_from=obj.valid_from,
            valid_until__isnull=wanted["valid_until"] is None,
        )

    def delete_model(self, request: HttpRequest, obj: Price) -> None:
        self._set(obj, price=None, valid_until=obj.valid_until)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Price]) -> None:
        for price in queryset.select_related("variant", "price_list"):
            self.delete_model(request, price)

    def _set(self, obj: Price, **wanted: Any) -> None:
        draft = PriceDraft(
            price_list=obj.price_list.code if obj.price_list else None,
            min_quantity=obj.min_quantity,
            valid_from=obj.valid_from,
            **wanted,
        )
        refusals = set_prices(rows={0: (obj.variant.sku, draft)}, all_or_nothing=True)
        if refusals:
            raise refusals[0]


@admin.register(PriceChange)
class PriceChangeAdmin(ReadOnly, admin.ModelAdmin):
    """The price history, newest first."""

    list_display = ("at", "sku", "price_list", "min_quantity", "amount", "lowest")
    list_filter = ("currency", "price_list")
    list_select_related = ("variant", "price_list")
    search_fields = ("variant__sku", "variant__product__name")
    ordering = ("-id",)

    @admin.display(ordering="variant__sku")
    def sku(self, change: PriceChange) -> str:
        """What cost that."""
        return change.variant.sku

    @admin.display(ordering="amount_minor")
    def amount(self, change: PriceChange) -> str:
        """The price, as an amount."""
        if change.amount_minor is None:
            return "not for sale"
        return str(Money(change.amount_minor, change.currency))

    @admin.display(description="lowest of 30 days")
    def lowest(self, change: PriceChange) -> str:
        """The lowest price before the reduction."""
        if change.lowest_minor is None:
            return ""
        return format_minor(change.lowest_minor, change.currency)
