"""Orders and parcels in the back office: staff read everything and act through the services."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from apps.kernel.backoffice import ReadOnly, Told, guarded
from apps.kernel.money import Money, format_minor
from apps.orders.admin.actions import act_on_each
from apps.orders.admin.documents import documents_of
from apps.orders.admin.numbers import ByOrderNumber
from apps.orders.models import (
    Order,
    OrderLine,
    OrderNote,
    OrderPromotion,
    OrderTender,
    PaymentAttempt,
    RetainedInvoice,
    Shipment,
    StatusChange,
)
from apps.orders.selectors.ledger import refundable_minor
from apps.orders.selectors.orders import Holder
from apps.orders.selectors.refunds import refunds_of
from apps.orders.services import orders, shipments
from apps.orders.services.annotations import add_note, tag_order

ANNOTATES = "orders.annotate_order"
READ = ("refunds", "documents")


class Lines(ReadOnly, admin.TabularInline):
    model = OrderLine
    fields = (
        *("position", "sku", "name", "quantity", "list_price_minor", "unit_price_minor"),
        *("total_minor", "discount_minor", "tax_minor", "tax_included_minor"),
    )


class Applied(ReadOnly, admin.TabularInline):
    model = OrderPromotion
    fields = ("position", "name", "code", "amount_minor", "given_back_at")


class Tenders(ReadOnly, admin.TabularInline):
    model = OrderTender
    fields = ("position", "account", "amount_minor", "returned_minor")


class Attempts(ReadOnly, admin.TabularInline):
    model = PaymentAttempt
    fields = ("provider", "status", "amount_minor", "reference", "failure_code", "created_at")


class Shipments(ReadOnly, admin.TabularInline):
    model = Shipment
    fields = ("status", "carrier", "tracking_number", "handed_over_at", "delivered_at")


class History(ReadOnly, admin.TabularInline):
    model = StatusChange
    fields = ("from_status", "to_status", "actor_id", "reason", "at")


class Notes(ReadOnly, admin.TabularInline):
    """What staff write about the order: notes are added, never changed."""

    model = OrderNote
    fields = ("text", "author_id", "at")
    readonly_fields = ("author_id", "at")
    extra = 0

    def has_add_permission(self, request: HttpRequest, *_: object) -> bool:
        return bool(request.user.has_perm(ANNOTATES))


@admin.register(Order)
class OrderAdmin(Told, ReadOnly, ByOrderNumber):
    list_display = ("shown_number", "status", "email", "total", "placed_at")
    list_filter = ("status", "currency", "placed_at")
    search_fields = ("number", "email", "id", "lines__sku")
    date_hierarchy = "placed_at"
    ordering = ("-placed_at",)
    inlines = (Lines, Applied, Tenders, Attempts, Shipments, History, Notes)
    exclude = ("token_hash",)
    actions = ("cancel",)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(request.user.has_perm(ANNOTATES))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Also find what has such a tag."""
        found, may_have_duplicates = super().get_search_results(request, queryset, search_term)
        if search_term:
            found |= queryset.filter(tags__contains=[search_term.casefold()])
        return found, may_have_duplicates

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> tuple[str, ...]:
        """All but the tags."""
        names = [field.name for field in Order._meta.fields if field.editable]
        return (*(name for name in names if name not in (*self.exclude, "tags")), *READ)

    def save_model(self, request: HttpRequest, obj: Order, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        if "tags" in form.changed_data:
            tag_order(order_id=obj.pk, tags=form.cleaned_data["tags"])

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        author_id: Any = request.user.pk
        for note in formset.save(commit=False):
            add_note(order_id=form.instance.pk, author_id=author_id, text=note.text)

    @admin.display(description="number", ordering="number")
    def shown_number(self, order: Order) -> str:
        return order.shown_number

    @admin.display(description="total", ordering="grand_total_minor")
    def total(self, order: Order) -> str:
        return f"{format_minor(order.grand_total_minor, order.currency)} {order.currency}"

    @admin.display(description="invoice and credit notes")
    def documents(self, order: Order) -> str:
        return documents_of(order)

    @admin.display
    def refunds(self, order: Order) -> str:
        """What goes back, what is left, and where more is given back."""
        listed = format_html_join(
            "",
            "<li>{} {}: {}</li>",
            (
                (Money(given.amount_minor, order.currency), given.status, given.reason)
                for given in refunds_of(order)
            ),
        )
        left = Money(refundable_minor(order.pk), order.currency)
        asked = f"order={order.shown_number}&version={order.version}"
        form = f"{reverse('admin:orders_refund_add')}?{asked}"
        return format_html(
            '<ul>{}</ul> {} can be given back. <a href="{}">Give back</a>', listed, left, form
        )

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.cancel_order")

    @admin.action(description="Cancel (refunds what was paid)", permissions=["cancel"])
    @guarded
    def cancel(self, request: HttpRequest, rows: QuerySet[Order]) -> None:
        refunds = request.user.has_perm("orders.refund_order")
        act_on_each(
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
class ShipmentAdmin(ReadOnly, ByOrderNumber):
    list_display = ("tracking_number", "status", "carrier", "order", "created_at")
    list_filter = ("status", "carrier")
    list_select_related = ("order",)
    search_fields = ("tracking_number", "order__number", "order__email")
    actions = ("hand_over", "deliver")

    def has_move_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.move_shipment")

    @admin.action(description="Handed over to the carrier", permissions=["move"])
    def hand_over(self, request: HttpRequest, rows: QuerySet[Shipment]) -> None:
        act_on_each(
            self,
            request,
            rows,
            lambda row: shipments.hand_over(shipment_id=row.pk, actor_id=request.user.pk),
        )

    @admin.action(description="Delivered", permissions=["move"])
    def deliver(self, request: HttpRequest, rows: QuerySet[Shipment]) -> None:
        act_on_each(
            self,
            request,
            rows,
            lambda row: shipments.deliver(shipment_id=row.pk, actor_id=request.user.pk),
        )


@admin.register(RetainedInvoice)
class RetainedInvoiceAdmin(ReadOnly, ByOrderNumber):
    """What invoices keep of people who were erased, for tax inspections."""

    list_display = ("order", "legal_basis", "keep_until")
    list_select_related = ("order",)
    search_fields = ("order__number",)
    ordering = ("keep_until",)


@admin.register(StatusChange)
class StatusChangeAdmin(ReadOnly, ByOrderNumber):
    list_display = ("order", "from_status", "to_status", "at")
    list_filter = ("to_status",)
    list_select_related = ("order",)
    search_fields = ("order__number",)
