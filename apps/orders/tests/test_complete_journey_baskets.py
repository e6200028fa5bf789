"""Real baskets replayed as orders, on tables of a few rows that the tests write themselves."""

import io
from datetime import timedelta

import pytest
from django.core.management.base import OutputWrapper

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import StockLocationFactory
from apps.kernel.ids import new_id
from apps.orders.management.complete_journey.progress import Progress
from apps.orders.management.complete_journey.source import find_source
from apps.orders.models import Cart, Order, OrderLine, PaymentAttempt
from apps.orders.states import OrderStatus
from apps.orders.tests.receipts import BREAD, MIDNIGHT, MILK, Shop, bought, needs_pyarrow, offer


@pytest.fixture
def shop(tmp_path) -> Shop:
    return Shop(tmp_path)


@needs_pyarrow
@pytest.mark.django_db
def test_a_basket_becomes_an_unpaid_order_of_a_guest_with_the_same_product_summed(shop):
    shop.write([BREAD, MILK], [bought(7, 1, 2, 4.0), bought(7, 2), bought(7, 1, 3, 6.0)])
    shop.load(baskets=1)
    order = Order.objects.get()
    assert (order.email, order.customer_id) == ("basket-7@example.com", None)
    assert order.status == OrderStatus.PENDING_PAYMENT
    lines = OrderLine.objects.filter(order=order).values_list("sku", "quantity", "total_minor")
    assert sorted(lines) == [("1", 5, 1000), ("2", 1, 200)]
    assert PaymentAttempt.objects.get().amount_minor == order.grand_total_minor
    assert shop.summary()["basket_lines"]["taken"] == {"placed": 3}


@needs_pyarrow
@pytest.mark.django_db
def test_the_first_baskets_are_the_earliest_and_of_the_same_time_those_with_the_lowest_id(shop):
    later, same = MIDNIGHT + timedelta(hours=9), MIDNIGHT
    shop.write(
        [BREAD],
        [
            bought(1, 1, transaction_timestamp=later),
            bought(9, 1, transaction_timestamp=same),
            bought(8, 1, transaction_timestamp=same),
        ],
    )
    shop.load(baskets=1)
    assert list(Order.objects.values_list("email", flat=True)) == ["basket-8@example.com"]
    shop.load(baskets=2)
    assert set(Order.objects.values_list("email", flat=True)) == {
        "basket-8@example.com",
        "basket-9@example.com",
    }


@needs_pyarrow
@pytest.mark.django_db
def test_every_line_that_is_left_out_is_listed_with_its_reason(shop):
    shop.write(
        [
            BREAD,
            MILK,
            (3, "DAIRY", "Private", "MILK", "CREAM", None),
            (4, None, "X", None, None, None),
        ],
        [
            bought(1, 1),
            bought(1, 77),
            bought(1, 2, 0),
            bought(1, 2, 1, 0.0),
            bought(1, 2, 1000, 2000.0),
            bought(2, 3, 600, 600.0),
            bought(2, 3, 600, 600.0),
            bought(3, 4),
            bought(3, 88, 0, 0.0),
        ],
    )
    shop.load(baskets=9)
    assert shop.left_out("basket-lines") == [
        ["1", "1", "77", "1", "unknown_product"],
        ["2", "1", "2", "0", "quantity_zero"],
        ["3", "1", "2", "1", "no_sale_value"],
        ["4", "1", "2", "1000", "quantity_over_limit"],
        ["5", "2", "3", "600", "quantity_over_limit"],
        ["6", "2", "3", "600", "quantity_over_limit"],
        ["7", "3", "4", "1", "unpublished_product"],
        ["8", "3", "88", "0", "unknown_product"],
    ]
    assert shop.left_out("baskets") == [["2", "empty_basket"], ["3", "empty_basket"]]
    assert shop.left_out("purchases") == [
        ["1", "1", "77", "1", "2.0", "unknown_product"],
        ["2", "1", "2", "0", "2.0", "quantity_zero"],
        ["3", "1", "2", "1", "0.0", "no_sale_value"],
        ["8", "3", "88", "0", "0.0", "unknown_product"],
    ]
    assert shop.summary()["purchases"]["noted"] == {
        "unknown_product": 2,
        "quantity_zero": 2,
        "no_sale_value": 2,
    }
    assert shop.summary()["baskets"]["taken"] == {"placed": 1}


@needs_pyarrow
@pytest.mark.django_db
def test_a_basket_of_more_lines_than_a_cart_takes_is_left_out_with_all_its_lines(shop):
    many = [(n, "GROCERY", "National", "BREAD", f"BREAD {n}", None) for n in range(1, 202)]
    shop.write(many, [bought(1, n) for n in range(1, 202)])
    shop.load(baskets=1)
    assert shop.left_out("baskets") == [["1", "too_many_lines"]]
    assert shop.summary()["basket_lines"]["left_out"] == {"too_many_lines": 201}
    assert not Cart.objects.exists()


@needs_pyarrow
@pytest.mark.django_db
def test_a_basket_that_cannot_be_reserved_is_left_out_and_leaves_nothing_behind(shop):
    shop.write([BREAD, MILK], [bought(1, 1, 2), bought(1, 2), bought(2, 2)])
    shop.load()
    catalog.reserve(order_id=new_id(), quantities={offer(1).variant_id: 1})
    shop.load(baskets=2)
    assert shop.left_out("baskets") == [["1", "out_of_stock"]]
    assert shop.summary()["basket_lines"] == {
        "read": 3,
        "taken": {"placed": 1},
        "left_out": {"out_of_stock": 2},
    }
    assert Cart.objects.count() == Order.objects.count() == 1
    assert catalog.stock_differences() == []


@needs_pyarrow
@pytest.mark.django_db
def test_a_second_run_changes_nothing_and_says_so(shop):
    shop.write([BREAD, MILK], [bought(1, 1), bought(2, 2), bought(2, 9)])
    first = shop.load(baskets=2)
    orders = list(Order.objects.order_by("id").values())
    second = shop.load(baskets=2)
    assert "Nothing changed" not in first
    assert "Nothing changed: all of it was there already." in second
    assert list(Order.objects.order_by("id").values()) == orders
    assert offer(1).available == 0
    assert shop.summary()["products"]["taken"] == {"created": 0, "kept": 2}
    assert shop.summary()["baskets"]["taken"] == {"placed_before": 2}
    assert shop.summary()["basket_lines"]["taken"] == {"placed_before": 2}


class InterruptedAfterTwo(Progress):
    """Ctrl-C comes while the third basket is on its way."""

    def advance(self, steps: int = 1) -> None:
        super().advance(steps)
        if self._label.startswith("Replaying") and self._done > 2:
            raise KeyboardInterrupt


@needs_pyarrow
@pytest.mark.django_db
def test_an_interrupted_replay_goes_on_where_it_was(shop):
    from apps.orders.management.complete_journey.load import load

    shop.write([BREAD], [bought(basket, 1) for basket in range(1, 6)])
    StockLocationFactory()
    with pytest.raises(KeyboardInterrupt):
        load(
            find_source(shop.data),
            baskets=5,
            recommendations=False,
            report=shop.report,
            show_progress=lambda label, total: InterruptedAfterTwo(
                OutputWrapper(io.StringIO()), label, total
            ),
        )
    assert Order.objects.count() == 3
    assert not (shop.report / "summary.json").exists()
    shop.load(baskets=5)
    assert Order.objects.count() == 5
    assert shop.summary()["baskets"]["taken"] == {"placed_before": 3, "placed": 2}
    assert offer(1).available == 0
