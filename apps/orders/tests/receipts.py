"""A tiny Complete Journey for the tests: its two tables, and the command that loads them."""

import csv
import io
import json
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import StockLocationFactory
from apps.orders.management.complete_journey.source import INSTALL

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

    def load(self, *, baskets: int = 0, recommendations: bool = False) -> str:
        StockLocationFactory()
        out = io.StringIO()
        call_command(
            "load_complete_journey",
            data=self.data,
            report=self.report,
            baskets=baskets,
            recommendations=recommendations,
            stdout=out,
        )
        return out.getvalue()

    def summary(self) -> dict[str, Any]:
        return json.loads((self.report / "summary.json").read_text())

    def left_out(self, name: str) -> list[list[str]]:
        with (self.report / f"{name}-left-out.csv").open(newline="") as file:
            return list(csv.reader(file))[1:]


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
