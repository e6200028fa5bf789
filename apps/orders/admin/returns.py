"""Returns in the back office: staff read them, decide, and say what came back."""

from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse

from apps.kernel.backoffice import ReadOnly, guarded
from apps.kernel.money import format_minor
from apps.orders.admin import return_photos
from apps.orders.admin.actions import act_on_each
from apps.orders.admin.inspections import InspectionForm
from apps.orders.admin.numbers import ByOrderNumber
from apps.orders.admin.return_photos import ReturnPhotos
from apps.orders.models import Replacement, Return, ReturnLine
from apps.orders.services import inspections, returns
from apps.orders.states import Resolution


class ReturnLines(ReadOnly, admin.TabularInline):
    model = ReturnLine
    fields = (
        *("order_line", "quantity", "reason", "exchange", "accepted", "resolution"),
        "amount_minor",
    )
    readonly_fields = ("exchange",)

    @admin.display(description="exchange for")
    def exchange(self, line: ReturnLine) -> str:
        wanted = getattr(line, "exchange", None)
        return f"{wanted.sku} {wanted.name}" if wanted else ""


class Replacements(ReadOnly, admin.TabularInline):
    model = Replacement
    fields = ("order", "paid_minor", "returned_minor", "made_at")


@admin.register(Return)
class ReturnAdmin(ReadOnly, ByOrderNumber):
    """Whole returns are accepted in the list, parts and the parcel's price on a return's page."""

    list_display = ("id", "status", "order", "amount", "requested_at", "changed_at")
    list_filter = ("status", "lines__reason", "requested_at")
    list_select_related = ("order",)
    search_fields = ("id", "order__number", "order__email")
    ordering = ("-requested_at",)
    inlines = (ReturnLines, ReturnPhotos, Replacements)
    actions = ("approve", "reject", "receive", "restock", "write_off")
    change_form_template = "admin/return.html"

    def get_urls(self) -> Any:
        inspection = self.admin_site.admin_view(self.inspection)
        photo = self.admin_site.admin_view(return_photos.shown)
        return [
            path("<uuid:return_id>/photos/<uuid:photo_id>/", photo, name="orders_return_photo"),
            path("<uuid:return_id>/inspection/", inspection, name="orders_return_inspection"),
            *super().get_urls(),
        ]

    @guarded
    def inspection(self, request: HttpRequest, return_id: UUID) -> HttpResponse:
        """Say of each line what is accepted; stock and money follow at once."""
        if not self.has_inspect_permission(request):
            raise PermissionDenied
        found = get_object_or_404(Return, pk=return_id)
        form = InspectionForm(found, request.POST or None)
        inspector = cast("UUID", request.user.pk)
        if request.method == "POST" and form.is_valid() and form.inspect(actor_id=inspector):
            messages.success(request, "The return is inspected.")
            return HttpResponseRedirect(reverse("admin:orders_return_changelist"))
        page = {
            **self.admin_site.each_context(request),
            "title": "Inspect",
            "opts": self.opts,
            "found": found,
            "form": form,
        }
        return TemplateResponse(request, "admin/inspect_return.html", page)

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
