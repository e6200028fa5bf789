"""An order's invoice and credit notes over HTTP: its buyer and staff read them."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.openapi import problems
from apps.kernel.rest import FastJSONRenderer
from apps.orders.models import BillingDocument
from apps.orders.selectors.documents import document_of, documents_of
from apps.orders.selectors.orders import order_of
from apps.orders.serializers.documents import (
    CreditNoteDocument,
    CreditNoteList,
    InvoiceDocument,
    InvoiceList,
    document_json,
)
from apps.orders.services.billing import pdf_of
from apps.orders.views.holder import ORDER_TOKEN, order_holder

Kind = BillingDocument.Kind
PDF = "application/pdf"


class PdfRenderer(FastJSONRenderer):
    """Lets clients ask for a PDF; a refusal is JSON all the same."""

    media_type = PDF
    format = "pdf"


class _Papers(APIView):
    admits_api_keys = True
    permission_classes = (AllowAny,)
    kind: ClassVar[BillingDocument.Kind]

    def listed(self, request: Request, order_id: UUID) -> Response:
        holder = order_holder(request)
        order_of(holder=holder, order_id=order_id)
        rows = documents_of(holder=holder, order_id=order_id, kind=self.kind)
        return Response({"results": [document_json(row) for row in rows]})

    def one(self, request: Request, order_id: UUID, document_id: UUID) -> BillingDocument:
        return document_of(
            holder=order_holder(request),
            order_id=order_id,
            kind=self.kind,
            document_id=document_id,
        )

    def as_pdf(self, request: Request, order_id: UUID, document_id: UUID) -> Response:
        document = self.one(request, order_id, document_id)
        return Response(
            pdf_of(document),
            content_type=PDF,
            headers={
                "Content-Disposition": f'attachment; filename="{document.shown_number}.pdf"',
                "Cache-Control": "private, no-cache",
            },
        )


class Invoices(_Papers):
    """The invoice of an order."""

    kind = Kind.INVOICE

    @extend_schema(
        operation_id="order_invoices_list",
        parameters=[ORDER_TOKEN],
        responses={200: InvoiceList, **problems(400, 401, 404)},
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        """List an order's invoice. A paid order has one within seconds, else there is none."""
        return self.listed(request, order_id)


class OneInvoice(_Papers):
    """An invoice."""

    kind = Kind.INVOICE

    @extend_schema(
        operation_id="order_invoices_retrieve",
        parameters=[ORDER_TOKEN],
        responses={200: InvoiceDocument, **problems(400, 401, 404)},
    )
    def get(self, request: Request, order_id: UUID, invoice_id: UUID) -> Response:
        """Show what an invoice says."""
        return Response(document_json(self.one(request, order_id, invoice_id)))


class InvoicePdf(_Papers):
    """An invoice as PDF."""

    kind = Kind.INVOICE
    renderer_classes = (FastJSONRenderer, PdfRenderer)

    @extend_schema(
        operation_id="order_invoices_pdf",
        parameters=[ORDER_TOKEN],
        responses={(200, PDF): OpenApiTypes.BINARY, **problems(400, 401, 404, 409)},
    )
    def get(self, request: Request, order_id: UUID, invoice_id: UUID) -> Response:
        """Download an invoice. 409 `document_not_ready` with Retry-After until it is written."""
        return self.as_pdf(request, order_id, invoice_id)


class CreditNotes(_Papers):
    """The credit notes of an order."""

    kind = Kind.CREDIT_NOTE

    @extend_schema(
        operation_id="order_credit_notes_list",
        parameters=[ORDER_TOKEN],
        responses={200: CreditNoteList, **problems(400, 401, 404)},
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        """List an order's credit notes: one for each refund that has gone back."""
        return self.listed(request, order_id)


class OneCreditNote(_Papers):
    """A credit note."""

    kind = Kind.CREDIT_NOTE

    @extend_schema(
        operation_id="order_credit_notes_retrieve",
        parameters=[ORDER_TOKEN],
        responses={200: CreditNoteDocument, **problems(400, 401, 404)},
    )
    def get(self, request: Request, order_id: UUID, credit_note_id: UUID) -> Response:
        """Show what a credit note says."""
        return Response(document_json(self.one(request, order_id, credit_note_id)))


class CreditNotePdf(_Papers):
    """A credit note as PDF."""

    kind = Kind.CREDIT_NOTE
    renderer_classes = (FastJSONRenderer, PdfRenderer)

    @extend_schema(
        operation_id="order_credit_notes_pdf",
        parameters=[ORDER_TOKEN],
        responses={(200, PDF): OpenApiTypes.BINARY, **problems(400, 401, 404, 409)},
    )
    def get(self, request: Request, order_id: UUID, credit_note_id: UUID) -> Response:
        """Download a credit note. 409 `document_not_ready` with Retry-After until it is written."""
        return self.as_pdf(request, order_id, credit_note_id)
