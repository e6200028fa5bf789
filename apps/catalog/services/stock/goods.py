"""Goods that come, go elsewhere, or turn out to be another number than was thought."""

# ruff: noqa: S608 - the SQL is put together from constants; values are parameters

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.catalog.models import StockLocation
from apps.catalog.services.stock import pools
from apps.catalog.services.stock.balances import CROSSED, LOCKED, TOLD, low, tell
from apps.catalog.services.stock.quantities import (
    LARGEST_QUANTITY,
    Quantities,
    columns,
    skus_of,
    summed,
)
from apps.kernel.errors import Conflict, Invalid, NotFound
from apps.kernel.ids import new_id

# A balance that never was is made first, so that there is a row to lock. Every variant has one at
# the main location: it is the one that all who change the variant's stock meet at.
OPEN = """
WITH opened AS (
    INSERT INTO catalog_stock (id, variant_id, location_id, on_hand, reserved)
    SELECT o.id, v.id, l.id, 0, 0
    FROM unnest(%(ids)s::uuid[], %(variants)s::uuid[], %(locations)s::uuid[])
        AS o(id, variant_id, location_id)
    JOIN catalog_variant v ON v.id = o.variant_id
    JOIN catalog_stocklocation l
        ON CASE WHEN o.location_id IS NULL THEN l.code = 'main' ELSE l.id = o.location_id END
    ORDER BY v.id, l.id
    ON CONFLICT DO NOTHING
)
SELECT variant_id FROM catalog_stock WHERE is_hot AND variant_id = ANY(%(variants)s::uuid[])
"""

FIRST = """
WITH opened AS (
    INSERT INTO catalog_stock (id, variant_id, location_id, on_hand, reserved)
    SELECT o.id, o.variant_id, l.id, o.quantity, 0
    FROM unnest(%(ids)s::uuid[], %(variants)s::uuid[], %(quantities)s::bigint[])
        AS o(id, variant_id, quantity)
    JOIN catalog_stocklocation l ON l.code = 'main'
    RETURNING id, on_hand
)
INSERT INTO catalog_stockmovement
    (stock_id, kind, on_hand_delta, reserved_delta, reason, actor_id)
SELECT id, 'receive', on_hand, 0, %(reason)s, %(actor)s FROM opened
"""

_MOVE = f"""
WITH wanted AS (
    SELECT * FROM unnest(%(variants)s::uuid[], %(quantities)s::bigint[]) AS w(variant_id, quantity)
), locked AS MATERIALIZED ({LOCKED}
), wished AS (
    SELECT l.id, l.variant_id, l.on_hand, l.reserved + l.allocated AS promised,
        l.ceiling, l.free, {{delta}} AS delta
    FROM locked l JOIN wanted w ON w.variant_id = l.variant_id
    WHERE {{there}}
), refused AS (
    SELECT variant_id FROM wished WHERE delta < 0 AND {{refused}}
), moved AS (
    UPDATE catalog_stock s SET on_hand = s.on_hand + w.delta
    FROM wished w WHERE s.id = w.id AND w.delta <> 0 AND NOT EXISTS (SELECT FROM refused)
    RETURNING s.id, w.delta AS freed, 0 AS raised
), noted AS (
    INSERT INTO catalog_stockmovement
        (stock_id, kind, on_hand_delta, reserved_delta, document_id, reason, actor_id)
    SELECT id, %(kind)s, freed, 0, %(document)s, %(reason)s, %(actor)s FROM moved
), crossed AS ({CROSSED})
SELECT (SELECT count(*) FROM wished),
    ARRAY(SELECT DISTINCT variant_id FROM refused), {TOLD}
"""

_THERE = """CASE WHEN %(location)s::uuid IS NULL THEN l.code = 'main'
        ELSE l.location_id = %(location)s END"""
_TOO_FEW = "on_hand + delta < greatest(promised - ceiling, 0)"

BY = _MOVE.format(delta="w.quantity", there=_THERE, refused=_TOO_FEW)
TO = _MOVE.format(delta="w.quantity - l.on_hand", there=_THERE, refused=_TOO_FEW)
BETWEEN = _MOVE.format(
    delta="CASE WHEN l.location_id = %(into)s THEN w.quantity ELSE -w.quantity END",
    there="l.location_id IN (%(out_of)s, %(into)s)",
    refused="free + delta < 0",
)


class UnknownVariant(NotFound):
    """There is no such variant."""

    code = "unknown_variant"


class UnknownStockLocation(NotFound):
    """There is no such stock location."""

    code = "unknown_stock_location"


class StockIsReserved(Conflict):
    """Orders hold back more than was counted."""

    code = "stock_is_reserved"


class NotEnoughToMove(Conflict):
    """There are not so many free pieces at the location."""

    code = "not_enough_to_move"


class SameStockLocation(Invalid):
    """Goods are moved from one location to another one."""

    code = "same_stock_location"


@transaction.atomic
def receive(
    *,
    quantities: Quantities,
    reason: str,
    location_id: UUID | None = None,
    document_id: UUID | None = None,
    actor_id: UUID | None = None,
) -> None:
    """Take goods in at the location, or the main one, by variant id.

    Raises NotAQuantity, UnknownVariant, UnknownStockLocation.
    """
    _move(
        BY,
        "receive",
        summed(quantities),
        locations=[location_id],
        location=location_id,
        reason=reason,
        document=document_id,
        actor=actor_id,
    )


def receive_first(
    *, quantities: Mapping[UUID, int], reason: str, actor_id: UUID | None = None
) -> None:
    """Take the first goods in, at the main location, of variants that this transaction has made.

    Nobody is told: to nobody they become available again. One statement. Each quantity is above 0.
    Raises UnknownStockLocation; IntegrityError when a variant has a balance already.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            FIRST,
            {
                "ids": [new_id() for _ in quantities],
                "reason": reason,
                "actor": actor_id,
                **columns(quantities),
            },
        )
        if cursor.rowcount != len(quantities):
            raise UnknownStockLocation("There is no main stock location.")


@transaction.atomic
def adjust(
    *,
    deltas: Quantities,
    reason: str,
    location_id: UUID | None = None,
    document_id: UUID | None = None,
    actor_id: UUID | None = None,
) -> None:
    """Correct by how much more or less lies at the location, or the main one, by variant id.

    What differs by 0 leaves no line.
    Raises NotAQuantity, UnknownVariant, UnknownStockLocation; StockIsReserved when orders hold
    back more than would be left.
    """
    _move(
        BY,
        "adjust",
        summed(deltas, least=-LARGEST_QUANTITY),
        locations=[location_id],
        location=location_id,
        reason=reason,
        document=document_id,
        actor=actor_id,
    )


@transaction.atomic
def count(
    *,
    counts: Quantities,
    reason: str,
    location_id: UUID | None = None,
    document_id: UUID | None = None,
    actor_id: UUID | None = None,
) -> None:
    """Set what lies at the location, or the main one, to what was counted, by variant id.

    A count that finds what was known leaves no line.
    Raises NotAQuantity, UnknownVariant, UnknownStockLocation; StockIsReserved when orders hold
    back more than that.
    """
    _move(
        TO,
        "count",
        summed(counts, least=0),
        locations=[location_id],
        location=location_id,
        reason=reason,
        document=document_id,
        actor=actor_id,
    )


@transaction.atomic
def transfer(
    *,
    quantities: Quantities,
    from_location_id: UUID | None,
    to_location_id: UUID | None,
    reason: str,
    document_id: UUID | None = None,
    actor_id: UUID | None = None,
) -> None:
    """Move free pieces, by variant id. Without a `from` or a `to` they are on their way.

    Raises NotAQuantity, UnknownVariant, UnknownStockLocation, SameStockLocation; NotEnoughToMove
    with the SKUs of which not so many lie there that nobody was promised.
    """
    if from_location_id == to_location_id:
        raise SameStockLocation("Goods are moved from one location to another one.")
    _move(
        BETWEEN,
        "transfer",
        summed(quantities),
        locations=[pk for pk in (from_location_id, to_location_id) if pk],
        out_of=from_location_id,
        into=to_location_id,
        reason=reason,
        document=document_id,
        actor=actor_id,
    )


def _move(
    statement: str,
    kind: str,
    quantities: Mapping[UUID, int],
    *,
    locations: list[UUID | None],
    **parameters: Any,
) -> None:
    if not quantities:
        return
    hot = open_balances(quantities, locations)
    if hot:
        pools.lock(quantities)
        if kind != "receive":
            pools.drain(hot)
    with connection.cursor() as cursor:
        cursor.execute(statement, {**columns(quantities), **parameters, "kind": kind, "low": low()})
        found, refused, crossed = cursor.fetchone()
    if found != len(quantities) * len(locations):
        raise _missing(locations)
    if refused and kind == "transfer":
        raise NotEnoughToMove("There are not so many free pieces.", skus=skus_of(refused))
    if refused:
        raise StockIsReserved("Orders hold back more than that.", skus=skus_of(refused))
    tell(crossed)


def open_balances(quantities: Mapping[UUID, int], locations: list[UUID | None]) -> list[UUID]:
    """See that the variants have balances at the locations, and at the main one (None).

    Returns which of them are hot.
    """
    wanted = [(variant, place) for place in {*locations, None} for variant in quantities]
    variants, places = zip(*wanted, strict=True)
    ids = [new_id() for _ in wanted]
    with connection.cursor() as cursor:
        cursor.execute(OPEN, {"ids": ids, "variants": list(variants), "locations": list(places)})
        return [variant_id for (variant_id,) in cursor.fetchall()]


def _missing(locations: list[UUID | None]) -> NotFound:
    named = {pk for pk in locations if pk}
    if StockLocation.objects.filter(pk__in=named).count() < len(named):
        return UnknownStockLocation("There is no such stock location.")
    return UnknownVariant("There is no such variant.")
