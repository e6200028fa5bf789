"""Stock in the back office: it changes with a reason; ledgers are only looked at."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet
from django.http import HttpRequest

from apps.catalog.models import (
    Reservation,
    Stock,
    StockLocation,
    StockMovement,
)
from apps.catalog.services.reservations import release_reservation
from apps.catalog.services.stock import LARGEST_QUANTITY, count, set_hot, set_policy
from apps.catalog.services.stock.locations import ADDRESS, switch
from apps.kernel.address_forms import PlaceForm
from apps.kernel.backoffice import ReadOnly, Recorded, Told
from apps.kernel.errors import DomainError


class StockLocationForm(PlaceForm):
    """A place; the main one stays in use."""

    class Meta:
        model = StockLocation
        fields = ("code", "name", "is_active", "priority", *ADDRESS)

    def clean_is_active(self) -> bool:
        active: bool = self.cleaned_data["is_active"]
        if self.instance.code == StockLocation.MAIN and not active:
            raise ValidationError("The main location serves the orders.")
        return active


@admin.register(StockLocation)
class StockLocationAdmin(Recorded, admin.ModelAdmin):
    """Places where goods lie. What lies at one that is not active is not for sale."""

    form = StockLocationForm
    list_display = ("code", "name", "is_active", "priority")
    ordering = ("priority", "code")

    def get_readonly_fields(
        self, request: HttpRequest, obj: StockLocation | None = None
    ) -> tuple[str, ...]:
        return ("code",) if obj else ()

    def save_model(self, request: HttpRequest, obj: StockLocation, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        if change and "is_active" in form.changed_data:
            switch(location_id=obj.pk, active=obj.is_active)
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


AHEAD = ("policy", "backorder_limit", "available_on")


class StockForm(forms.ModelForm):
    """What was counted and why it differs; and how the variant is sold."""

    counted = forms.IntegerField(min_value=0, max_value=LARGEST_QUANTITY, required=False)
    reason = forms.CharField(max_length=200, required=False)

    class Meta:
        model = Stock
        fields = (*AHEAD, "is_hot")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("counted") is not None and not cleaned.get("reason"):
            raise ValidationError({"reason": "Say why it differs."})
        return cleaned


@admin.register(Stock)
class StockAdmin(Told, Recorded, ReadOnly, admin.ModelAdmin):
    """Balances. They change by a count with a reason, through the ledger.

    How a variant is sold is said at the main location.
    """

    form = StockForm
    list_display = ("sku", "location", "on_hand", "reserved", "allocated", "available", "policy")
    list_select_related = ("variant", "location")
    list_filter = ("location", "policy", "is_hot")
    search_fields = ("variant__sku", "variant__product__name")
    readonly_fields = ("variant", "location", "on_hand", "reserved", "allocated")
    ordering = ("variant__sku", "location__code")

    @admin.display(ordering="variant__sku")
    def sku(self, stock: Stock) -> str:
        """What it is a balance of."""
        return stock.variant.sku

    @admin.display(ordering=F("on_hand") - F("reserved") - F("allocated"))
    def available(self, stock: Stock) -> int:
        """What nobody was promised yet; below 0 it is owed."""
        return stock.on_hand - stock.reserved - stock.allocated

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(request.user.has_perm("catalog.change_stock"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or obj.location.code == StockLocation.MAIN:
            return self.readonly_fields
        return (*self.readonly_fields, *AHEAD, "is_hot")

    def save_model(self, request: HttpRequest, obj: Stock, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        actor_id: Any = request.user.pk
        said = form.cleaned_data
        if set(AHEAD) & set(form.changed_data):
            ahead = said["policy"] != Stock.Policy.DENY
            set_policy(
                variant_id=obj.variant_id,
                policy=said["policy"],
                limit=said["backorder_limit"] if ahead else 0,
                available_on=said["available_on"],
            )
        if "is_hot" in form.changed_data:
            set_hot(variant_id=obj.variant_id, is_hot=said["is_hot"])
        if said["counted"] is not None:
            count(
                counts={obj.variant_id: said["counted"]},
                reason=said["reason"],
                location_id=obj.location_id,
                actor_id=actor_id,
            )


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnly, admin.ModelAdmin):
    """The ledger, newest first."""

    list_display = (
        "created_at",
        "sku",
        "kind",
        "on_hand_delta",
        "reserved_delta",
        "allocated_delta",
        "order_id",
        "reason",
    )
    list_filter = ("kind",)
    list_select_related = ("stock__variant",)
    search_fields = ("stock__variant__sku", "=order_id", "reason")
    ordering = ("-id",)

    @admin.display(ordering="stock__variant__sku")
    def sku(self, movement: StockMovement) -> str:
        """What moved."""
        return movement.stock.variant.sku


@admin.register(Reservation)
class ReservationAdmin(ReadOnly, admin.ModelAdmin):
    """What orders hold back."""

    list_display = ("created_at", "sku", "quantity", "state", "order_id", "expires_at", "returned")
    list_filter = ("state",)
    list_select_related = ("stock__variant",)
    search_fields = ("stock__variant__sku", "=order_id")
    ordering = ("-id",)
    actions = ("release",)

    def has_release_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("catalog.release_reservation"))

    @admin.action(description="Give back what unpaid orders hold", permissions=["release"])
    def release(self, request: HttpRequest, rows: QuerySet[Reservation]) -> None:
        for order_id in rows.order_by().values_list("order_id", flat=True).distinct():
            try:
                release_reservation(order_id=order_id)
            except DomainError as refusal:
                self.message_user(request, f"{order_id}: {refusal.detail}", messages.ERROR)

    @admin.display(ordering="stock__variant__sku")
    def sku(self, reservation: Reservation) -> str:
        """What is held back."""
        return reservation.stock.variant.sku
