"""Invoices and credit notes as JSON: what their PDFs say."""

from typing import Any

from rest_framework import serializers

from apps.kernel.addresses import Address
from apps.kernel.money import Money
from apps.kernel.serializers import MoneyField
from apps.orders.models import BillingDocument
from apps.orders.pricing.percentages import percentage_of
from apps.orders.serializers.prices import SumsDocument, TaxDocument


class SellerDocument(serializers.Serializer[Any]):
    """Who sells."""

    name = serializers.CharField()
    address = serializers.ListField(child=serializers.CharField())
    tax_id = serializers.CharField()


class InvoiceLineDocument(serializers.Serializer[Any]):
    """A line as it was sold: unit price times quantity is the total, before discount and tax."""

    sku = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price = MoneyField()
    total = MoneyField()
    discount = MoneyField()
    tax = MoneyField(help_text="On top of what is left, or in it.")
    percentages = serializers.ListField(child=serializers.CharField())


class _Paper(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.CharField()
    issued_at = serializers.DateTimeField()
    order_number = serializers.CharField()
    seller = SellerDocument()
    buyer = Address(help_text="As the order said it, without the telephone number.")
    taxes = TaxDocument(many=True)
    sha256 = serializers.CharField(
        allow_null=True, help_text="Of the PDF, in hexadecimal digits; null until it is written."
    )


class InvoiceDocument(_Paper):
    """The invoice of a paid order. It never changes."""

    paid_at = serializers.DateTimeField()
    lines = InvoiceLineDocument(many=True)
    totals = SumsDocument()


class CreditedDocument(serializers.Serializer[Any]):
    """What was given back: net and tax are the grand total."""

    net = MoneyField()
    tax = MoneyField()
    grand_total = MoneyField()


class CreditNoteDocument(_Paper):
    """What was given back of an invoice, with the taxes in proportion. It never changes."""

    invoice_number = serializers.CharField()
    refund_id = serializers.UUIDField(help_text="As the refunds of the order say it.")
    totals = CreditedDocument()


class InvoiceList(serializers.Serializer[Any]):
    """The order's invoice, once it is issued."""

    results = InvoiceDocument(many=True)


class CreditNoteList(serializers.Serializer[Any]):
    """The order's credit notes, in the order of their numbers."""

    results = CreditNoteDocument(many=True)


def document_json(document: BillingDocument) -> dict[str, Any]:
    """Return an issued document as InvoiceDocument or CreditNoteDocument says."""
    said = document.content or {}
    money = _in(document.currency)
    shared = {
        "id": document.pk,
        "number": document.shown_number,
        "issued_at": document.issued_at,
        "order_number": said["order"]["number"],
        "seller": said["seller"],
        "buyer": said["buyer"],
        "taxes": [
            {
                "code": tax["code"],
                "name": tax["name"],
                "percentage": percentage_of(tax["ppm"]),
                "net": money(tax["net"]),
                "amount": money(tax["amount"]),
            }
            for tax in said["taxes"]
        ],
        "totals": {name: money(minor) for name, minor in said["totals"].items()},
        "sha256": document.sha256 or None,
    }
    if document.kind == BillingDocument.Kind.CREDIT_NOTE:
        refund_id = document.movement.source_id if document.movement else document.refund_id
        return shared | {"invoice_number": said["invoice"], "refund_id": refund_id}
    return shared | {
        "paid_at": said["paid_at"],
        "lines": [_line(each, money) for each in said["lines"]],
    }


def _line(line: dict[str, Any], money: Any) -> dict[str, Any]:
    amounts = ("unit_price", "total", "discount", "tax")
    return {
        **{name: line[name] for name in ("sku", "name", "quantity")},
        **{name: money(line[name]) for name in amounts},
        "percentages": [percentage_of(ppm) for ppm in line["rates"]],
    }


def _in(currency: str) -> Any:
    return lambda minor: Money(minor, currency)
