"""Products of the data set as records for the catalog, with price and stock from its receipts."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings

from apps.catalog import interface as catalog
from apps.kernel.money import Money
from apps.orders.management.complete_journey.accounts import Account
from apps.orders.management.complete_journey.purchases import (
    Advance,
    faults_of,
    pieces,
    reasons_of,
)

PURCHASE = [
    "basket_id",
    "product_id",
    "quantity",
    "sales_value",
    "retail_disc",
    "coupon_match_disc",
]
PRODUCT = [
    "product_id",
    "department",
    "brand",
    "product_category",
    "product_type",
    "package_size",
]
LEVELS = ("department", "product_category", "product_type")


@dataclass(frozen=True, slots=True)
class Sales:
    """What the usable receipts say of a product: its median shelf price and the units sold."""

    cents: int
    units: int


@dataclass(frozen=True, slots=True)
class Market:
    """The sales by product id, and the products that only unusable lines name."""

    sales: dict[int, Sales]
    unusable: set[int]


def read_market(table: Path, known: Any, account: Account, advance: Advance) -> Market:
    """Read all lines of the receipts once, in little memory.

    The shelf price of a line is (sales_value + retail_disc + coupon_match_disc) / quantity:
    `sales_value` is what the retailer got, so it lacks what the retailer gave away itself, the
    loyalty discount and its match of a coupon. It does not lack `coupon_disc`, which the
    manufacturer paid. All three are whole cents; a unit's price is rounded half up to a cent.
    The price of a product is the median over its lines, half up where two lines share the middle.
    """
    prices: list[Any] = []
    unusable: set[int] = set()
    for first, piece in pieces(table, PURCHASE):
        account.read += piece.num_rows
        faults = faults_of(piece, known)
        for fault, lines in faults.items():
            account.noted[fault] += pc.sum(lines).as_py() or 0
        reasons = reasons_of(faults)
        usable = piece.filter(pc.is_null(reasons))
        account.take("used", rows=usable.num_rows)
        for row, reason in enumerate(reasons.to_pylist(), first):
            if reason:
                line = piece.slice(row - first, 1).to_pylist()[0]
                unusable.add(line["product_id"])
                account.leave_out(
                    reason,
                    row,
                    line["basket_id"],
                    line["product_id"],
                    line["quantity"],
                    line["sales_value"],
                )
        prices.append(_unit_prices(usable))
        advance(piece.num_rows)
    sales = dict(_sales(pa.Table.from_batches(prices)))
    return Market(sales, unusable - sales.keys())


def records(
    table: Path, market: Market, *, found: Account, published: Account, advance: Advance
) -> Iterator[catalog.ProductRecord]:
    """Yield all products as the catalog takes them in; without a price they stay drafts."""
    for _, piece in pieces(table, PRODUCT, rows=1_000):
        found.read += piece.num_rows
        published.read += piece.num_rows
        for row in piece.to_pylist():
            found.noted.update(f"no_{name}" for name in PRODUCT if not row[name])
            yield _record(row, market, published)
        advance(piece.num_rows)


def _record(row: dict[str, Any], market: Market, published: Account) -> catalog.ProductRecord:
    product_id = row["product_id"]
    sales = market.sales.get(product_id)
    path = tuple(row[level].strip() for level in LEVELS if row[level])
    price = Money(sales.cents, settings.STORE_CURRENCY) if sales and sales.cents else None
    if price and path:
        published.take("published")
    elif price:
        published.leave_out("no_category", product_id)
    elif sales:
        published.leave_out("price_below_a_cent", product_id)
    elif product_id in market.unusable:
        published.leave_out("no_usable_purchase", product_id)
    else:
        published.leave_out("never_sold", product_id)
    size = row["package_size"] or ""
    what = path[-1] if path else f"Product {product_id}"
    return catalog.ProductRecord(
        external_ref=external_ref(product_id),
        name=f"{what}, {size}" if size else what,
        brand=row["brand"] or "",
        category_path=path,
        package_size=size,
        variants=[
            catalog.VariantRecord(
                sku=sku_of(product_id), price=price, on_hand=sales.units if sales else 0
            )
        ],
    )


def external_ref(product_id: int) -> str:
    """Return what the catalog remembers a product of the data set by."""
    return f"complete-journey:{product_id}"


def sku_of(product_id: int) -> str:
    """Return the SKU of a product of the data set."""
    return str(product_id)


def median(prices: list[tuple[int, int]]) -> int:
    """Return the median of cents, given in ascending order as (cents, how many lines)."""
    lines = sum(count for _, count in prices)
    return (_at((lines - 1) // 2, prices) + _at(lines // 2, prices) + 1) // 2


def _at(place: int, prices: list[tuple[int, int]]) -> int:
    for cents, count in prices:
        if place < count:
            return cents
        place -= count
    raise IndexError(place)


def _unit_prices(lines: Any) -> Any:
    total = pc.add(
        pc.add(_cents(lines["sales_value"]), _cents(lines["retail_disc"])),
        _cents(lines["coupon_match_disc"]),
    )
    units = lines["quantity"]
    # Half up, in whole numbers: nothing here is left to a float.
    each = pc.divide(pc.add(pc.multiply(total, 2), units), pc.multiply(units, 2))
    return pa.record_batch({"product": lines["product_id"], "cents": each, "units": units})


def _cents(dollars: Any) -> Any:
    return pc.cast(pc.round(pc.multiply(pc.fill_null(dollars, 0.0), 100)), pa.int64())


def _sales(lines: Any) -> Iterator[tuple[int, Sales]]:
    prices = (
        lines.group_by(["product", "cents"])
        .aggregate([("units", "count"), ("units", "sum")])
        .sort_by([("product", "ascending"), ("cents", "ascending")])
    )
    rows = (
        row
        for piece in prices.to_batches(max_chunksize=16_384)
        for row in zip(
            *(piece[name].to_pylist() for name in ("product", "cents", "units_count", "units_sum")),
            strict=True,
        )
    )
    for product_id, group in groupby(rows, key=itemgetter(0)):
        found = list(group)
        yield (
            product_id,
            Sales(
                cents=median([(cents, count) for _, cents, count, _ in found]),
                units=sum(units for *_, units in found),
            ),
        )
