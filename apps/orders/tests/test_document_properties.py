"""What every invoice and its credit notes say, for random baskets: sums that are exact."""

import io
import random
from datetime import UTC, datetime

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.kernel.money import format_minor
from apps.orders.documents.content import credit_note_content, invoice_content
from apps.orders.documents.fonts import runs
from apps.orders.documents.pdf import written
from apps.orders.models import BillingDocument, Order, OrderLine
from apps.orders.pricing import quote
from apps.orders.pricing.amounts import allocate
from apps.orders.tests.baskets import random_basket
from apps.orders.tests.factories import ADDRESS

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
SELLER = {"name": "Shop", "address": [], "tax_id": ""}


def invoice_of(basket, address=ADDRESS):
    """Return what the invoice of a basket says."""
    quoted = quote(basket)
    totals, currency = quoted.totals, quoted.currency
    order = Order(
        number=2026 * 10**9 + 1,
        currency=currency,
        placed_at=NOON,
        items_minor=totals.items.minor,
        discount_minor=totals.discount.minor,
        shipping_minor=totals.shipping.minor,
        tax_minor=totals.tax.minor,
        tax_included_minor=quoted.tax_included.minor,
        grand_total_minor=totals.grand_total.minor,
        taxes=[
            {
                "code": each.rate.code,
                "name": each.rate.code,
                "ppm": each.rate.ppm,
                "net": each.net,
                "amount": each.amount,
            }
            for each in quoted.taxes
        ],
    )
    lines = [
        OrderLine(
            sku=each.line.sku,
            name="A thing",
            quantity=each.line.quantity,
            unit_price_minor=each.line.unit_price,
            total_minor=each.charge.subtotal,
            discount_minor=each.charge.discount,
            tax_minor=each.charge.tax_on_top,
            tax_included_minor=each.charge.tax - each.charge.tax_on_top,
            taxes=[{"ppm": tax.rate.ppm} for tax in each.charge.taxes],
        )
        for each in quoted.lines
    ]
    return invoice_content(order, lines, paid_at=NOON, seller=SELLER, address=address)


def as_pdf(content, title="Invoice"):
    return written(content, title=title, number="INV-2026-000001", issued_at=NOON)


def text_of(pdf):
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


@settings(max_examples=500)
@given(st.integers(0, 2**64).map(random_basket))
def test_lines_discounts_shipping_and_taxes_are_the_total(basket):
    said = invoice_of(basket)
    totals = said["totals"]

    assert (
        totals["items"] - totals["discount"] + totals["shipping"] + totals["tax"]
        == totals["grand_total"]
    )
    assert sum(line["total"] for line in said["lines"]) == totals["items"]
    assert sum(line["discount"] for line in said["lines"]) <= totals["discount"]
    for line in said["lines"]:
        assert line["unit_price"] * line["quantity"] == line["total"]
    assert sum(tax["amount"] for tax in said["taxes"]) == totals["tax"] + totals["tax_included"]


@settings(max_examples=500)
@given(st.integers(0, 2**64).map(random_basket), st.integers(0, 2**32))
def test_credit_notes_of_all_parts_are_the_invoice(basket, seed):
    chance = random.Random(seed)
    content = invoice_of(basket)
    invoice = BillingDocument(kind="invoice", number=2026 * 10**9 + 1, content=content)
    left = content["totals"]["grand_total"]
    tax_left = sum(tax["amount"] for tax in content["taxes"])
    notes = []
    while left:
        amount = left if len(notes) == 4 else chance.randint(1, left)
        of_tax = allocate(amount, [left - tax_left, tax_left])[1]
        notes.append(
            credit_note_content(
                invoice,
                amount_minor=amount,
                tax_minor=of_tax,
                earlier=notes,
                seller=SELLER,
            )
        )
        left, tax_left = left - amount, tax_left - of_tax

    for note in notes:
        totals = note["totals"]
        assert totals["net"] + totals["tax"] == totals["grand_total"]
        assert sum(tax["amount"] for tax in note["taxes"]) == totals["tax"]
    for place, tax in enumerate(content["taxes"] if notes else []):
        for column in ("net", "amount"):
            given_back = [note["taxes"][place][column] for note in notes]
            assert min(given_back) >= 0
            assert sum(given_back) == tax[column]


@settings(max_examples=60)
@given(st.integers(0, 2**64).map(random_basket))
def test_the_pdf_says_every_amount_with_the_currencys_decimals(basket):
    content = invoice_of(basket)
    currency, totals = content["currency"], content["totals"]

    pdf = as_pdf(content)

    text = text_of(pdf)
    amounts = [line["total"] for line in content["lines"]] + [totals["grand_total"]]
    amounts += [tax["amount"] for tax in content["taxes"]]
    for minor in amounts:
        assert format_minor(minor, currency) in text
    assert as_pdf(content) == pdf


@pytest.mark.parametrize(
    ("currency", "shown"), [("JPY", "1234"), ("USD", "12.34"), ("EUR", "12.34"), ("KWD", "1.234")]
)
def test_amounts_have_the_decimals_of_their_currency(currency, shown):
    content = {
        "order": {"number": "2026-000001", "placed_at": NOON.isoformat()},
        "seller": SELLER,
        "buyer": dict.fromkeys(
            "first_name last_name company line1 line2 city region postal_code country".split(), ""
        ),
        "currency": currency,
        "invoice": "INV-2026-000001",
        "taxes": [],
        "totals": {"net": 1234, "tax": 0, "grand_total": 1234},
    }

    text = text_of(as_pdf(content, "Credit note"))

    assert f"Total {shown}" in text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Жанна Łódź Ελένη Nguyễn", "Жанна Łódź Ελένη Nguyễn"),
        ("日本太郎", "日本太郎"),
        ("张伟", "张伟"),
        ("김철수", "김철수"),
        ("e\u0301", "é"),
        ("a\x00b\u202ec\u200d", "abc"),
        ("עברית", "\ufffd" * 5),
        ("🙂", "\ufffd"),
        ("<b>&amp;</b> (\\) %s", "<b>&amp;</b> (\\) %s"),
    ],
)
def test_every_name_can_be_written(name, shown):
    assert "".join(piece for _, piece in runs(name)) == shown
    content = invoice_of(random_basket(1), {**ADDRESS, "last_name": name})

    assert shown.replace(" ", "") in text_of(as_pdf(content)).replace(" ", "")


@settings(max_examples=40)
@given(st.text(max_size=300), st.text(alphabet="x" * 5, max_size=300))
def test_no_text_whatever_keeps_an_invoice_from_being_written(odd, long):
    basket = random_basket(7)
    content = invoice_of(basket, {**ADDRESS, "line1": odd, "company": long})
    content["lines"] = [line | {"name": odd + long, "sku": odd} for line in content["lines"]]

    assert as_pdf(content).startswith(b"%PDF-")


def test_an_invoice_of_100_lines_has_all_of_them_on_numbered_pages():
    content = invoice_of(random_basket(1))
    line = content["lines"][0]
    content["lines"] = [line | {"sku": f"S{place:03}"} for place in range(100)]

    text = text_of(as_pdf(content))

    assert all(f"SKU S{place:03}" in text for place in range(100))
    assert "Page 1" in text
    assert "Page 3" in text


def test_who_has_no_address_any_more_has_an_invoice_all_the_same():
    content = invoice_of(random_basket(1), {})

    assert set(content["buyer"].values()) == {""}
    assert as_pdf(content)
