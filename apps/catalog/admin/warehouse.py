"""The papers of the warehouse in the back office."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet
from django.http import HttpRequest

from apps.catalog.admin.skus import SkuField
from apps.catalog.models import StockCount, StockCountLine, StockTransfer, StockTransferLine
from apps.catalog.services.stock import LARGEST_QUANTITY
from apps.catalog.services.transfers import (
    Arrival,
    change_transfer,
    lock_draft,
    receive_transfer,
)
from apps.kernel.backoffice import ReadOnly, Recorded, Told
from apps.kernel.errors import DomainError

CHANGE = "catalog.change_stocktransfer"


class CountLines(ReadOnly, admin.TabularInline):
    """What was found."""

    model = StockCountLine
    fields = ("variant", "expected", "counted")


@admin.register(StockCount)
class StockCountAdmin(ReadOnly, admin.ModelAdmin):
    """Counts, newest first."""

    list_display = ("created_at", "location", "reason", "actor_id")
    list_filter = ("location",)
    list_select_related = ("location",)
    search_fields = ("=id", "reason", "lines__variant__sku")
    ordering = ("-id",)
    inlines = (CountLines,)


class TransferForm(forms.ModelForm):
    """Where goods go."""

    class Meta:
        model = StockTransfer
        fields = ("from_location", "to_location", "note")


class TransferLineForm(forms.ModelForm):
    """How many of a SKU."""

    variant = SkuField()
    quantity = forms.IntegerField(min_value=1, max_value=LARGEST_QUANTITY)

    class Meta:
        model = StockTransferLine
        fields = ("variant", "quantity")


class TransferLineFormSet(forms.BaseInlineFormSet):
    """The lines of a transfer: at least one."""

    def clean(self) -> None:
        super().clean()
        kept = [row for row in self.forms if row.cleaned_data and not row.cleaned_data["DELETE"]]
        if not kept:
            raise ValidationError("Name what is moved.")


class TransferLines(admin.TabularInline):
    """What is moved, and what has become of it."""

    model = StockTransferLine
    form = TransferLineForm
    formset = TransferLineFormSet
    readonly_fields = ("received", "lost")
    extra = 0
    min_num = 1

    def has_add_permission(self, request: HttpRequest, obj: StockTransfer | None = None) -> bool:
        return _is_draft(obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_draft(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_draft(obj)


@admin.register(StockTransfer)
class StockTransferAdmin(Told, Recorded, admin.ModelAdmin):
    """Transfers, newest first. They move by actions."""

    form = TransferForm
    list_display = ("created_at", "from_location", "to_location", "status", "note")
    list_filter = ("status", "to_location")
    list_select_related = ("from_location", "to_location")
    search_fields = ("=id", "note", "lines__variant__sku")
    readonly_fields = ("status", "version", "sent_at", "received_at")
    ordering = ("-id",)
    inlines = (TransferLines,)
    actions = ("send", "receive", "give_up")

    def has_change_permission(self, request: HttpRequest, obj: StockTransfer | None = None) -> bool:
        return bool(request.user.has_perm(CHANGE)) and _is_draft(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_move_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(CHANGE))

    def save_model(self, request: HttpRequest, obj: StockTransfer, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        if change:
            obj.version = lock_draft(transfer_id=obj.pk) + 1
        super().save_model(request, obj, form, change)

    @admin.action(description="Send", permissions=["move"])
    def send(self, request: HttpRequest, rows: QuerySet[StockTransfer]) -> None:
        self._change(request, rows, StockTransfer.Status.IN_TRANSIT)

    @admin.action(description="Give up", permissions=["move"])
    def give_up(self, request: HttpRequest, rows: QuerySet[StockTransfer]) -> None:
        self._change(request, rows, StockTransfer.Status.CANCELLED)

    @admin.action(description="Receive all that is on its way", permissions=["move"])
    def receive(self, request: HttpRequest, rows: QuerySet[StockTransfer]) -> None:
        actor_id: Any = request.user.pk

        def take_in(row: StockTransfer) -> None:
            open_lines = row.lines.filter(quantity__gt=F("received") + F("lost"))
            arrivals = [
                Arrival(line.variant.sku, line.quantity - line.received - line.lost)
                for line in open_lines.select_related("variant")
            ]
            receive_transfer(
                transfer_id=row.pk,
                arrivals=arrivals,
                expected_version=row.version,
                actor_id=actor_id,
            )

        self._each(request, rows, take_in)

    def _change(self, request: HttpRequest, rows: QuerySet[StockTransfer], status: str) -> None:
        actor_id: Any = request.user.pk
        self._each(
            request,
            rows,
            lambda row: change_transfer(
                transfer_id=row.pk,
                changes={"status": status},
                expected_version=row.version,
                actor_id=actor_id,
            ),
        )

    def _each(
        self,
        request: HttpRequest,
        rows: QuerySet[StockTransfer],
        act: Callable[[StockTransfer], None],
    ) -> None:
        """Act on each transfer by itself and tell how it went."""
        for row in rows:
            try:
                act(row)
            except DomainError as refusal:
                self.message_user(request, f"{row}: {refusal.detail}", messages.ERROR)


def _is_draft(transfer: StockTransfer | None) -> bool:
    return transfer is None or transfer.status == StockTransfer.Status.DRAFT
