"""Returns in the back office: staff read them, decide, and say what came back."""

from typing import cast
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.kernel.backoffice import ReadOnly, guarded
from apps.kernel.money import format_minor
from apps.orders.admin.actions import act_on_each
from apps.orders.admin.numbers import ByOrderNumber
from apps.orders.models import Return, ReturnLine
from apps.orders.services import inspections, returns
from apps.orders.states import Resolution


class ReturnLines(ReadOnly, admin.TabularInline):
    model = ReturnLine
    fields = ("order_line", "quantity", "reason", "accepted", "resolution", "amount_minor")


@admin.register(Return)
class ReturnAdmin(ReadOnly, ByOrderNumber):
    """Parts of a return, and the parcel's price, are accepted over the API."""

    list_display = ("id", "status", "order", "amount", "requested_at", "changed_at")
    list_filter = ("status", "lines__reason", "requested_at")
    list_select_related = ("order",)
    search_fields = ("id", "order__number", "order__email")
    ordering = ("-requested_at",)
    inlines = (ReturnLines,)
    actions = ("approve", "reject", "receive", "restock", "write_off")

    @admin.display(description="amount", ordering="amount_minor")
    def amount(self, found: Return) -> str:
        if found.amount_minor is None:
            return ""
        currency = found.order.currency
        return f"{format_minor(found.amount_minor, currency)} {currency}"

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.decide_return")

    def has_inspect_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.inspect_return")

    @admin.action(description="Approve: the goods may be sent", permissions=["decide"])
    def approve(self, request: HttpRequest, rows: QuerySet[Return]) -> None:
        act_on_each(self, request, rows, lambda row: returns.approve_return(return_id=row.pk))

    @admin.action(description="Reject", permissions=["decide"])
    def reject(self, request: HttpRequest, rows: QuerySet[Return]) -> None:
        act_on_each(
            self,
            request,
            rows,
            lambda row: returns.reject_return(return_id=row.pk, reason="Rejected by the store."),
        )

    @admin.action(description="The parcel has come in", permissions=["inspect"])
    def receive(self, request: HttpRequest, rows: QuerySet[Return]) -> None:
        act_on_each(self, request, rows, lambda row: returns.receive_return(return_id=row.pk))

    @admin.action(description="Accept all and sell it again (refunds)", permissions=["inspect"])
    @guarded
    def restock(self, request: HttpRequest, rows: QuerySet[Return]) -> None:
        self._accept(request, rows, Resolution.RESTOCK)

    @admin.action(description="Accept all and write it off (refunds)", permissions=["inspect"])
    @guarded
    def write_off(self, request: HttpRequest, rows: QuerySet[Return]) -> None:
        self._accept(request, rows, Resolution.WRITE_OFF)

    def _accept(self, request: HttpRequest, rows: QuerySet[Return], resolution: Resolution) -> None:
        def accept(row: Return) -> None:
            inspections.inspect_return(
                return_id=row.pk,
                findings={
                    line.pk: inspections.Finding(line.quantity, resolution)
                    for line in row.lines.all()
                },
                actor_id=cast("UUID", request.user.pk),
            )

        act_on_each(self, request, rows, accept)
