"""Putting lines into a list of a cart as far as they fit, and telling what did not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.db import connection, models

from apps.kernel.ids import new_id
from apps.orders.models import LARGEST_QUANTITY, MOST_LINES, CartItem
from apps.orders.services.cart_prices import PricedCart

DETAILS = {
    "cart_is_full": f"A cart takes at most {MOST_LINES} lines.",
    "quantity_too_large": f"A cart takes at most {LARGEST_QUANTITY} of one thing.",
}


NOT_SEEN: Mapping[UUID, int | None] = {}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """So many of a variant that did not get where they were to go, and why, by `code`."""

    code: str
    detail: str
    variant_id: UUID
    quantity: int


def put_in(
    lines: type[models.Model],
    *,
    cart_id: UUID,
    quantities: Mapping[UUID, int],
    prices: Mapping[UUID, int | None] = NOT_SEEN,
) -> list[LeftOut]:
    """Add quantities by variant to the lines of a locked cart, in one statement.

    What would be more than 999 of a variant, or one line too many, is left out and returned. A
    line that gets more forgets what its price was, unless `prices` says what the shopper has seen.
    """
    table = lines._meta.db_table
    seen = ", seen_price_minor" if lines is CartItem else ""
    forget = ", seen_price_minor = excluded.seen_price_minor" if seen else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH wanted AS (
                SELECT * FROM unnest(
                    %(ids)s::uuid[], %(variants)s::uuid[], %(quantities)s::int[],
                    %(prices)s::bigint[]
                ) WITH ORDINALITY AS given (id, variant_id, quantity, seen_price_minor, place)
            ),
            held AS (
                SELECT variant_id, quantity AS before FROM {table} WHERE cart_id = %(cart)s
            ),
            fitting AS (
                SELECT wanted.*, before, CASE
                    WHEN before IS NOT NULL THEN least(quantity, %(largest)s - before)
                    WHEN row_number() OVER (PARTITION BY before IS NULL ORDER BY place)
                        <= %(most)s - (SELECT count(*) FROM held) THEN least(quantity, %(largest)s)
                    ELSE 0
                END AS fits
                FROM wanted LEFT JOIN held USING (variant_id)
            ),
            put AS (
                INSERT INTO {table} (id, cart_id, variant_id, quantity{seen})
                SELECT id, %(cart)s, variant_id, fits{seen}
                FROM fitting WHERE fits > 0 ORDER BY place
                ON CONFLICT (cart_id, variant_id) DO UPDATE
                SET quantity = {table}.quantity + excluded.quantity{forget}
            )
            SELECT
                CASE WHEN before IS NULL AND fits = 0 THEN 'cart_is_full'
                    ELSE 'quantity_too_large' END,
                variant_id, quantity - fits
            FROM fitting WHERE fits < quantity ORDER BY place
            """,  # noqa: S608 - the table's name comes from the model
            {
                "ids": [new_id() for _ in quantities],
                "variants": list(quantities),
                "quantities": list(quantities.values()),
                "prices": [prices.get(variant_id) for variant_id in quantities],
                "cart": cart_id,
                "largest": LARGEST_QUANTITY,
                "most": MOST_LINES,
            },
        )
        return [_left_out(*row) for row in cursor.fetchall()]


def take_out(lines: type[models.Model], *, cart_id: UUID, line_id: UUID) -> dict[UUID, int]:
    """Delete a line of a locked cart. Returns its quantity by variant; nothing if there is none."""
    table = lines._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE id = %s AND cart_id = %s "  # noqa: S608 - the model's name
            "RETURNING variant_id, quantity",
            [line_id, cart_id],
        )
        return dict(cursor.fetchall())


def move(lines: type[models.Model], *, source_id: UUID, target_id: UUID) -> list[LeftOut]:
    """Move the lines of one locked cart to another; what does not fit stays, and is returned."""
    rows = lines._default_manager.filter(cart=source_id).order_by("created_at", "id")
    quantities, prices = {}, {}
    for row in rows:
        moved = cast("Any", row)
        quantities[moved.variant_id] = moved.quantity
        prices[moved.variant_id] = getattr(moved, "seen_price_minor", None)
    if not quantities:
        return []
    left = put_in(lines, cart_id=target_id, quantities=quantities, prices=prices)
    _keep(lines, source_id, left)
    return left


def remember_prices(priced: PricedCart) -> None:
    """Write down what the pieces cost of those lines that do not remember it. One statement."""
    unseen = [
        (line.item.pk, line.unit_price.minor)
        for line in priced.lines
        if line.unit_price is not None and line.item.seen_price_minor is None
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE orders_cartitem SET seen_price_minor = seen.price
            FROM unnest(%s::uuid[], %s::bigint[]) AS seen (id, price)
            WHERE orders_cartitem.id = seen.id
            """,
            [[key for key, _ in unseen], [price for _, price in unseen]],
        )


def _keep(lines: type[models.Model], cart_id: UUID, left: Iterable[LeftOut]) -> None:
    """Make what was left out the lines of the cart."""
    table = lines._meta.db_table
    quantities = {each.variant_id: each.quantity for each in left}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH gone AS (
                DELETE FROM {table} WHERE cart_id = %(cart)s AND variant_id <> ALL (%(variants)s)
            )
            UPDATE {table} SET quantity = kept.quantity
            FROM unnest(%(variants)s::uuid[], %(quantities)s::int[]) AS kept (variant_id, quantity)
            WHERE cart_id = %(cart)s AND {table}.variant_id = kept.variant_id
            """,  # noqa: S608 - the table's name comes from the model
            {
                "cart": cart_id,
                "variants": list(quantities),
                "quantities": list(quantities.values()),
            },
        )


def _left_out(code: str, variant_id: UUID, quantity: int) -> LeftOut:
    return LeftOut(code, DETAILS[code], variant_id, quantity)
