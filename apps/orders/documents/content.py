"""What invoices and credit notes say: documents of texts and whole minor units, made once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from apps.orders.models import BillingDocument, Order, OrderLine
from apps.orders.pricing.amounts import RoundingMode, allocate, divide

Content = dict[str, Any]

# Who is invoiced: what the law asks for, and no more of a person.
BUYER = (
    *("first_name", "last_name", "company", "line1", "line2"),
    *("city", "region", "postal_code", "country"),
)


def invoice_content(
    order: Order,
    lines: Iterable[OrderLine],
    *,
    paid_at: datetime,
    seller: Mapping[str, Any],
    address: Mapping[str, str],
) -> Content:
    """Return what the invoice of a paid order says."""
    return {
        **_parties(order, seller, address),
        "paid_at": paid_at.isoformat(),
        "lines": [
            {
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "unit_price": line.unit_price_minor,
                "total": line.total_minor,
                "discount": line.discount_minor,
                "tax": line.tax_minor + line.tax_included_minor,
                "rates": [tax["ppm"] for tax in line.taxes],
            }
            for line in lines
        ],
        "taxes": [dict(tax) for tax in order.taxes],
        "totals": {
            "items": order.items_minor,
            "discount": order.discount_minor,
            "shipping": order.shipping_minor,
            "tax": order.tax_minor,
            "tax_included": order.tax_included_minor,
            "grand_total": order.grand_total_minor,
        },
    }


def credit_note_content(
    invoice: BillingDocument,
    *,
    amount_minor: int,
    tax_minor: int,
    earlier: Sequence[Content],
    seller: Mapping[str, Any],
) -> Content:
    """Return what the credit note of so much that has gone back says, of which so much is tax.

    Net amounts and taxes by rate are in proportion to what earlier credit notes have left of the
    invoice, so that all of an invoice's credit notes add up to it once all of it has gone back.
    """
    said: Content = invoice.content or {}
    left = _left(said, earlier)
    amounts = allocate(tax_minor, [tax["amount"] for tax in left["taxes"]])
    net_minor = amount_minor - tax_minor
    net_left = left["total"] - sum(tax["amount"] for tax in left["taxes"])
    return {
        **{name: said[name] for name in ("order", "buyer", "currency")},
        "seller": dict(seller),
        "invoice": invoice.shown_number,
        "taxes": [
            tax | {"net": _share(tax["net"], net_minor, net_left), "amount": amount}
            for tax, amount in zip(left["taxes"], amounts, strict=True)
        ],
        "totals": {"net": net_minor, "tax": tax_minor, "grand_total": amount_minor},
    }


def _parties(order: Order, seller: Mapping[str, Any], address: Mapping[str, str]) -> Content:
    return {
        "order": {"number": order.shown_number, "placed_at": order.placed_at.isoformat()},
        "seller": dict(seller),
        "buyer": {name: address.get(name, "") for name in BUYER},
        "currency": order.currency,
    }


def _left(invoice: Content, earlier: Sequence[Content]) -> Content:
    """What credit notes have left of an invoice: its total, and its taxes in their order."""
    given = sum(content["totals"]["grand_total"] for content in earlier)
    taxes = [
        tax
        | {
            column: tax[column] - sum(content["taxes"][place][column] for content in earlier)
            for column in ("net", "amount")
        }
        for place, tax in enumerate(invoice["taxes"])
    ]
    return {"total": invoice["totals"]["grand_total"] - given, "taxes": taxes}


def _share(amount: int, part: int, whole: int) -> int:
    return divide(amount * part, whole, RoundingMode.HALF_UP) if whole else 0
