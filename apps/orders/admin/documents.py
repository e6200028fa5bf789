"""Invoices and credit notes in the back office: to read and to fetch."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join

from apps.kernel.backoffice import ReadOnly
from apps.kernel.money import format_minor
from apps.orders.admin.actions import act_on_each
from apps.orders.admin.numbers import ByOrderNumber
from apps.orders.models import BillingDocument, CreditNoteNumbers, InvoiceNumbers, Order
from apps.orders.services.billing import DocumentNotReady, pdf_of, retry_document
from apps.orders.states import DocumentStatus

SEES = "orders.view_billingdocument"


@admin.register(BillingDocument)
class BillingDocumentAdmin(ReadOnly, ByOrderNumber):
    list_display = (
        *("__str__", "kind", "order", "amount", "issued_at", "status", "gave_up_at", "pdf"),
    )
    list_filter = ("kind", "status", ("gave_up_at", admin.EmptyFieldListFilter), "issued_at")
    list_select_related = ("order",)
    search_fields = ("number", "order__number", "order__email")
    ordering = ("-created_at", "-id")
    readonly_fields = ("pdf",)
    actions = ("retry",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        bare = search_term.replace("INV-", "").replace("CN-", "")
        return super().get_search_results(request, queryset, bare)

    @admin.display(description="total", ordering="total_minor")
    def amount(self, document: BillingDocument) -> str:
        if document.total_minor is None:
            return ""
        return f"{format_minor(document.total_minor, document.currency)} {document.currency}"

    @admin.display(description="PDF")
    def pdf(self, document: BillingDocument) -> str:
        """Where the file is, once it is written."""
        return link_to(document)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("orders.retry_billingdocument")

    @admin.action(description="Try again what was given up", permissions=["retry"])
    def retry(self, request: HttpRequest, rows: QuerySet[BillingDocument]) -> None:
        act_on_each(self, request, rows, lambda row: retry_document(document_id=row.pk))

    def get_urls(self) -> Any:
        fetch = self.admin_site.admin_view(self.fetch)
        return [
            path("<uuid:document_id>/pdf/", fetch, name="orders_billingdocument_pdf"),
            *super().get_urls(),
        ]

    def fetch(self, request: HttpRequest, document_id: UUID) -> HttpResponse:
        """Give the PDF to whoever may see invoices."""
        if not request.user.has_perm(SEES):
            raise PermissionDenied
        document = get_object_or_404(BillingDocument, pk=document_id)
        try:
            pdf = pdf_of(document)
        except DocumentNotReady as refusal:
            raise Http404(refusal.detail) from refusal
        name = f'attachment; filename="{document.shown_number}.pdf"'
        return HttpResponse(
            pdf, content_type="application/pdf", headers={"Content-Disposition": name}
        )


@admin.register(InvoiceNumbers, CreditNoteNumbers)
class DocumentNumbersAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("__str__", "last", "skipped")
    ordering = ("-year",)


def link_to(document: BillingDocument) -> str:
    """Return a link to the PDF, if there is one."""
    if document.status != DocumentStatus.STORED:
        return ""
    address = reverse("admin:orders_billingdocument_pdf", args=[document.pk])
    return format_html('<a href="{}">download</a>', address)


def documents_of(order: Order) -> str:
    """Return the order's documents, each with the link to its page."""
    rows = order.billing_documents.order_by("created_at", "id")
    return format_html_join(
        "",
        '<li><a href="{}">{}</a></li>',
        ((reverse("admin:orders_billingdocument_change", args=[row.pk]), str(row)) for row in rows),
    )
