"""What an order remembers of its price, and what the database does not let it say."""

import pgtrigger
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.catalog.tests.factories import PriceFactory, PriceListFactory, VariantFactory
from apps.orders.models import Order, OrderLine
from apps.orders.services.invariants import Rule, violations
from apps.orders.tests.factories import placed_order

pytestmark = pytest.mark.django_db


def written(rows, **values):
    """Write past the guards of documents, but not past the constraints."""
    with pgtrigger.ignore(), transaction.atomic():
        rows.update(**values)


def test_a_line_remembers_the_list_price_and_what_it_was_sold_for():
    variant = VariantFactory(price_minor=1000, stock=5)
    PriceFactory(variant=variant, price_list=PriceListFactory(), amount_minor=900)

    order, _ = placed_order({variant.pk: 2})

    line = order.lines.get()
    assert (line.list_price_minor, line.unit_price_minor, line.total_minor) == (1000, 900, 1800)
    assert (line.discount_minor, line.tax_minor, line.tax_included_minor) == (0, 0, 0)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"list_price_minor": -1}, "order_line_list_price_is_not_negative"),
        ({"discount_minor": -1}, "order_line_discount_is_part_of_its_total"),
        ({"discount_minor": 1001}, "order_line_discount_is_part_of_its_total"),
        ({"tax_minor": -1}, "order_line_tax_is_in_the_price_or_on_top"),
        ({"tax_minor": 1, "tax_included_minor": 1}, "order_line_tax_is_in_the_price_or_on_top"),
        ({"tax_included_minor": -1}, "order_line_included_tax_is_part_of_its_price"),
        (
            {"discount_minor": 900, "tax_included_minor": 101},
            "order_line_included_tax_is_part_of_its_price",
        ),
    ],
)
def test_a_line_says_nothing_impossible(values, constraint):
    order, _ = placed_order()

    with pytest.raises(IntegrityError, match=constraint):
        written(OrderLine.objects.filter(order=order), **values)


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        (
            {"tax_minor": 1, "tax_included_minor": 1, "grand_total_minor": 1501},
            "order_tax_is_in_the_prices_or_on_top",
        ),
        ({"tax_included_minor": 1501}, "order_included_tax_is_part_of_the_total"),
        ({"tax_included_minor": -1}, "order_included_tax_is_part_of_the_total"),
        ({"shipping_discount_minor": 1}, "order_shipping_is_part_of_its_amounts"),
        ({"shipping_tax_minor": 1}, "order_shipping_is_part_of_its_amounts"),
        ({"shipping_tax_minor": -1}, "order_shipping_is_part_of_its_amounts"),
    ],
)
def test_an_order_says_nothing_impossible(values, constraint):
    order, _ = placed_order()
    assert order.grand_total_minor == 1500

    with pytest.raises(IntegrityError, match=constraint):
        written(Order.objects.filter(pk=order.pk), **values)


@pytest.mark.parametrize(
    "on_line",
    [{"discount_minor": 1}, {"tax_minor": 1}, {"tax_included_minor": 1}],
    ids=lambda values: next(iter(values)),
)
def test_an_order_that_its_lines_contradict_breaks_the_rule_of_totals(on_line):
    order, _ = placed_order()
    written(OrderLine.objects.filter(order=order), **on_line)

    found = list(violations(ask_providers=False, placed_since=timezone.now().replace(year=2000)))

    assert [(each.rule, each.subject) for each in found] == [(Rule.TOTAL, str(order))]


def test_tax_that_is_in_the_prices_adds_up_too():
    order, _ = placed_order()
    written(OrderLine.objects.filter(order=order), tax_included_minor=160)
    amounts = {"tax_included_minor": 240, "shipping_tax_minor": 80}
    written(Order.objects.filter(pk=order.pk), **amounts)

    assert list(violations(ask_providers=False)) == []
