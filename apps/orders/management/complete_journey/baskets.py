"""Real baskets, replayed as orders of guests through the services that the API uses."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pyarrow as pa
import pyarrow.compute as pc
from django.db import reset_queries, transaction

from apps.catalog import interface as catalog
from apps.kernel.errors import DomainError
from apps.orders.management.complete_journey.accounts import Account
from apps.orders.management.complete_journey.products import sku_of
from apps.orders.management.complete_journey.purchases import (
    Advance,
    faults_of,
    pieces,
    reasons_of,
)
from apps.orders.models import LARGEST_QUANTITY, MOST_LINES, Order
from apps.orders.selectors.orders import Holder
from apps.orders.services import cart_prices, carts, checkout

LINE = ["basket_id", "product_id", "quantity", "sales_value"]
BASKETS = UUID("0d7c1a52-6d0e-5d43-9f2b-5f7f3a6e1c84")
BASKETS_AT_ONCE = 200
ADDRESS = {
    "first_name": "Grocery",
    "last_name": "Basket",
    "line1": "1 Market Street",
    "city": "Cincinnati",
    "region": "OH",
    "postal_code": "45202",
    "country": "US",
}
CARD = checkout.PaymentChoice(provider="stripe", method="pm_card_visa")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a receipt; `reason` says why it cannot be used, if it cannot."""

    place: int
    row: int
    basket_id: int
    product_id: int
    quantity: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class Accounts:
    """What became of the baskets, and of their lines."""

    baskets: Account
    lines: Account


def replay(table: Path, known: Any, count: int, accounts: Accounts, advance: Advance) -> None:
    """Place the first baskets, by time and then by id, as orders.

    Each is one transaction and one order whatever happens: its cart's id follows from the
    basket's, and a cart becomes an order once. So an interrupted replay goes on where it was.
    """
    variants: dict[int, UUID | None] = {}
    baskets = (list(lines) for _, lines in groupby(_lines(table, known, count), _place))
    while batch := list(islice(baskets, BASKETS_AT_ONCE)):
        _look_up(variants, {line.product_id for lines in batch for line in lines})
        ordered = _ordered(lines[0].basket_id for lines in batch)
        for lines in batch:
            _settle(lines, variants, accounts, ordered=lines[0].basket_id in ordered)
            advance(1)
        # With DEBUG on, Django remembers every statement.
        reset_queries()


def cart_id_of(basket_id: int) -> UUID:
    """Return the id of the cart that a basket becomes."""
    return uuid5(BASKETS, str(basket_id))


def _place(line: Line) -> int:
    return line.place


def _settle(
    lines: list[Line], variants: dict[int, UUID | None], accounts: Accounts, *, ordered: bool
) -> None:
    basket_id = lines[0].basket_id
    accounts.baskets.read += 1
    accounts.lines.read += len(lines)
    usable, quantities = _sort_out(lines, variants, accounts.lines)
    if not quantities:
        refusal = "empty_basket"
    elif ordered:
        refusal = ""
    elif len(quantities) > MOST_LINES:
        refusal = "too_many_lines"
    else:
        refusal = _order(basket_id, quantities)
    if refusal:
        accounts.baskets.leave_out(refusal, basket_id)
        for line in usable:
            _leave_out(line, refusal, accounts.lines)
    else:
        how = "placed_before" if ordered else "placed"
        accounts.baskets.take(how)
        accounts.lines.take(how, rows=len(usable))


def _sort_out(
    lines: list[Line], variants: dict[int, UUID | None], account: Account
) -> tuple[list[Line], dict[UUID, int]]:
    """Return the usable lines and the quantities by variant; account for the other lines."""
    sums: dict[int, int] = {}
    for line in lines:
        if not line.reason:
            sums[line.product_id] = sums.get(line.product_id, 0) + line.quantity
    usable: list[Line] = []
    quantities: dict[UUID, int] = {}
    for line in lines:
        variant = variants[line.product_id]
        if line.reason:
            _leave_out(line, line.reason, account)
        elif sums[line.product_id] > LARGEST_QUANTITY:
            _leave_out(line, "quantity_over_limit", account)
        elif variant is None:
            _leave_out(line, "unpublished_product", account)
        else:
            usable.append(line)
            quantities[variant] = sums[line.product_id]
    return usable, quantities


def _leave_out(line: Line, reason: str, account: Account) -> None:
    account.leave_out(reason, line.row, line.basket_id, line.product_id, line.quantity)


def _order(basket_id: int, quantities: dict[UUID, int]) -> str:
    """Place one basket. Returns the code of the refusal, if it was refused as a whole."""
    cart_id = cart_id_of(basket_id)
    try:
        with transaction.atomic():
            _, token = carts.open_cart(customer_id=None, cart_id=cart_id)
            holder = Holder(token=token)
            carts.replace_items(holder=holder, cart_id=cart_id, quantities=quantities, version=None)
            priced = carts.set_details(
                holder=holder,
                cart_id=cart_id,
                version=None,
                email=f"basket-{basket_id}@example.com",
                shipping_address=ADDRESS,
            )
            cheapest = cart_prices.shipping_options(priced)[0]
            carts.choose_shipping(holder=holder, cart_id=cart_id, code=cheapest.code, version=None)
            checkout.place_order(holder=holder, cart_id=cart_id, payment=CARD)
    except DomainError as refusal:
        return refusal.code
    return ""


def _look_up(variants: dict[int, UUID | None], product_ids: set[int]) -> None:
    """Learn what the products are in the catalog, None for those not sold."""
    new = {sku_of(product_id): product_id for product_id in product_ids - variants.keys()}
    offers = catalog.offers_by_sku(skus=new)
    for sku, product_id in new.items():
        variants[product_id] = offers[sku].variant_id if sku in offers else None


def _ordered(basket_ids: Iterable[int]) -> set[int]:
    """Return the baskets that have become orders."""
    carts_of = {cart_id_of(basket_id): basket_id for basket_id in basket_ids}
    found = Order.objects.filter(cart_id__in=list(carts_of)).values_list("cart_id", flat=True)
    return {carts_of[cart_id] for cart_id in found}


def _lines(table: Path, known: Any, count: int) -> Iterator[Line]:
    """Yield the lines of the first baskets, basket by basket."""
    first = _first(table, count)
    found = []
    for start, piece in pieces(table, LINE):
        lines = pa.record_batch(
            {
                "place": pc.index_in(piece["basket_id"], value_set=first),
                "row": pa.array(range(start, start + piece.num_rows), pa.int64()),
                "basket_id": piece["basket_id"],
                "product_id": piece["product_id"],
                "quantity": piece["quantity"],
                "reason": reasons_of(faults_of(piece, known)),
            }
        )
        found.append(lines.filter(pc.is_valid(lines["place"])))
    table_of_lines = pa.Table.from_batches(found).sort_by(
        [("place", "ascending"), ("row", "ascending")]
    )
    for piece in table_of_lines.to_batches(max_chunksize=8_192):
        columns = [piece[name].to_pylist() for name in piece.schema.names]
        for values in zip(*columns, strict=True):
            yield Line(*values)


def _first(table: Path, count: int) -> Any:
    """Return the ids of the first baskets in the order of their time, then of their id."""
    columns = ["basket_id", "transaction_timestamp"]
    parts = [
        _times(pa.Table.from_batches([piece]), "transaction_timestamp")
        for _, piece in pieces(table, columns)
    ]
    baskets = _times(pa.concat_tables(parts), "time").sort_by(
        [("time", "ascending"), ("basket_id", "ascending")]
    )
    return baskets["basket_id"].slice(0, count).combine_chunks()


def _times(table: Any, column: str) -> Any:
    times = table.group_by("basket_id").aggregate([(column, "min")])
    return times.select(["basket_id", f"{column}_min"]).rename_columns(["basket_id", "time"])
