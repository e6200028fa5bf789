"""Correcting what is in the books: by how much, or to what, and why."""

from uuid import UUID

from django.db import transaction

from apps.catalog.services.stock.goods import adjust, count
from apps.catalog.services.stock.references import Lines, by_id, location_id_of
from apps.kernel.audit import record
from apps.kernel.ids import new_id


@transaction.atomic
def adjust_by(*, location: str, lines: Lines, reason: str, actor_id: UUID | None) -> UUID:
    """Correct by how many pieces more or less there are, by SKU: all lines or none.

    Lines of one SKU are summed. Returns the id that the ledger's lines carry.
    Raises UnknownStockLocation, UnknownVariant, NotAQuantity, StockIsReserved.
    """
    document_id = new_id()
    adjust(
        deltas=by_id(lines),
        location_id=location_id_of(location),
        reason=reason,
        document_id=document_id,
        actor_id=actor_id,
    )
    return _recorded(document_id, location, lines)


@transaction.atomic
def adjust_to(*, location: str, lines: Lines, reason: str, actor_id: UUID | None) -> UUID:
    """Correct to how many pieces there are, by SKU: as `adjust_by`."""
    document_id = new_id()
    count(
        counts=by_id(lines),
        location_id=location_id_of(location),
        reason=reason,
        document_id=document_id,
        actor_id=actor_id,
    )
    return _recorded(document_id, location, lines)


def _recorded(document_id: UUID, location: str, lines: Lines) -> UUID:
    record(
        "catalog.stock_adjusted",
        about=document_id,
        after={"location": location, "lines": [list(line) for line in lines]},
    )
    return document_id
