"""Carts and orders where taxes are: on top of the prices, in them, and as they were then."""

import pgtrigger
import pytest
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from apps.catalog.tests.factories import VariantFactory
from apps.orders.models import Order, OrderLine, TaxRate
from apps.orders.services import checkout
from apps.orders.services.invariants import violations
from apps.orders.tests.factories import VISA, placed_order, ready_cart, tax_rate, tax_zone

pytestmark = pytest.mark.django_db


def usd(amount):
    return {"amount": amount, "currency": "USD"}


def goods():
    """Return two lamps of 20.00, and a book of 10.00 that is of the class `reduced`."""
    lamp = VariantFactory(price_minor=2000, stock=9)
    book = VariantFactory(price_minor=1000, stock=9, product__tax_class="reduced")
    return {lamp.pk: 2, book.pk: 1}


def read(cart, holder):
    client = APIClient(headers={"X-Cart-Token": holder.token})
    return client.get(f"/api/v1/carts/{cart.pk}").json()


def read_order(placed):
    client = APIClient(headers={"X-Order-Token": placed.token})
    return client.get(f"/api/v1/orders/{placed.whole.order.pk}").json()


def test_tax_on_top_is_added_line_by_line_and_the_order_keeps_it():
    zone = tax_zone("US/IL")
    standard = tax_rate(zone, "10", code="state", name="State tax")
    tax_rate(zone, "2.5", of="reduced", code="state", name="State tax")
    cart, holder = ready_cart(goods())

    shown = read(cart, holder)
    placed = checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)
    TaxRate.objects.filter(pk=standard.pk).update(ppm=990_000, name="Another")
    kept = read_order(placed)

    # 10 % of 40.00 and of the parcel for 6.00, and 2.5 % of 10.00.
    taxes = [
        {
            "code": "state",
            "name": "State tax",
            "percentage": "2.5",
            "net": usd("10.00"),
            "amount": usd("0.25"),
        },
        {
            "code": "state",
            "name": "State tax",
            "percentage": "10",
            "net": usd("46.00"),
            "amount": usd("4.60"),
        },
    ]
    assert shown["taxes"] == kept["taxes"] == taxes
    assert shown["totals"] == kept["totals"]
    assert kept["totals"] == {
        "items": usd("50.00"),
        "discount": usd("0.00"),
        "shipping": usd("6.00"),
        "tax": usd("4.85"),
        "tax_included": usd("0.00"),
        "grand_total": usd("60.85"),
        "to_pay": usd("60.85"),
    }
    assert sorted(item["tax"]["amount"] for item in kept["items"]) == ["0.25", "4.00"]
    assert Order.objects.get().shipping_tax_minor == 60
    assert list(violations(ask_providers=False)) == []


def test_tax_in_the_prices_is_told_and_nobody_pays_more_for_it():
    tax_rate(tax_zone("US", prices_include_tax=True), "25")
    cart, holder = ready_cart(goods())

    shown = read(cart, holder)
    placed = checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)
    kept = read_order(placed)

    # The class `reduced` is none, so that the book bears the default one: 56.00 × 25/125.
    assert [(tax["net"], tax["amount"]) for tax in kept["taxes"]] == [(usd("44.80"), usd("11.20"))]
    assert (shown["taxes"], shown["totals"]) == (kept["taxes"], kept["totals"])
    assert kept["totals"]["tax"] == usd("0.00")
    assert kept["totals"]["tax_included"] == usd("11.20")
    assert kept["totals"]["grand_total"] == usd("56.00")
    assert list(violations(ask_providers=False)) == []


def test_a_rate_that_changes_before_the_order_changes_the_total_that_was_agreed_to():
    rate = tax_rate(tax_zone("US"), "10")
    cart, holder = ready_cart()
    agreed = read(cart, holder)["totals"]["grand_total"]
    TaxRate.objects.filter(pk=rate.pk).update(ppm=200_000)

    answer = APIClient(headers={"X-Cart-Token": holder.token}).post(
        f"/api/v1/carts/{cart.pk}/checkout",
        {"payment": {"provider": "stripe", "method": ""}, "expected_total": agreed},
        headers={"Idempotency-Key": "0123456789abcdef"},
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "total_changed")
    assert agreed == usd("16.50")
    assert answer.json()["facts"]["grand_total"] == usd("18.00")
    assert not Order.objects.exists()


def test_somewhere_else_nothing_is_taxed():
    tax_rate(tax_zone("CA"), "10")
    cart, holder = ready_cart()

    shown = read(cart, holder)

    assert (shown["taxes"], shown["totals"]["tax"]) == ([], usd("0.00"))


@pytest.mark.parametrize(
    ("model", "constraint"),
    [(Order, "order_taxes_add_up"), (OrderLine, "order_line_taxes_add_up")],
)
@pytest.mark.parametrize("said", [[], [{"code": "vat", "ppm": 100_000, "amount": 1}]])
def test_taxes_that_do_not_add_up_are_not_written(model, constraint, said):
    tax_rate(tax_zone("US"), "10")
    placed_order()

    with (
        pgtrigger.ignore("orders.OrderLine:order_line_is_a_document"),
        pytest.raises(IntegrityError, match=constraint),
        transaction.atomic(),
    ):
        model.objects.update(taxes=said)
