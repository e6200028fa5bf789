"""Moving goods between locations: written down, sent, and received in one or several parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.catalog.models import StockTransfer, StockTransferLine
from apps.catalog.services.stock.goods import SameStockLocation, transfer
from apps.catalog.services.stock.quantities import columns, skus_of, summed
from apps.catalog.services.stock.references import Lines, by_id, location_id_of
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, NotFound, VersionMismatch

Status = StockTransfer.Status

ARRIVE = """
UPDATE catalog_stocktransferline l SET received = l.received + a.quantity, lost = l.lost + a.lost
FROM unnest(%(variants)s::uuid[], %(quantities)s::bigint[], %(lost)s::bigint[])
    AS a(variant_id, quantity, lost)
WHERE l.transfer_id = %(transfer)s AND l.variant_id = a.variant_id
    AND l.received + l.lost + a.quantity + a.lost <= l.quantity
RETURNING l.variant_id
"""


class UnknownStockTransfer(NotFound):
    """There is no such transfer."""

    code = "unknown_stock_transfer"


class StockTransferStatusConflict(Conflict):
    """The transfer is not at a point where this can be done."""

    code = "stock_transfer_status_conflict"


class MoreThanWasSent(Conflict):
    """More would arrive than is on its way."""

    code = "more_than_was_sent"


class StockTransferChanges(TypedDict, total=False):
    """What can be changed of a transfer before it leaves."""

    note: str
    lines: Lines
    status: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """How many pieces of a SKU came in, and how many will never come."""

    sku: str
    quantity: int
    lost: int = 0


@transaction.atomic
def draft_transfer(
    *, from_location: str, to_location: str, lines: Lines, note: str = ""
) -> StockTransfer:
    """Write a transfer down; nothing moves yet. Lines of one SKU are summed.

    Raises UnknownStockLocation, SameStockLocation, UnknownVariant, NotAQuantity.
    """
    draft = StockTransfer(
        from_location_id=location_id_of(from_location),
        to_location_id=location_id_of(to_location),
        note=note,
    )
    if draft.from_location_id == draft.to_location_id:
        raise SameStockLocation("Goods are moved from one location to another one.")
    draft.save(force_insert=True)
    _write_lines(draft, lines)
    record("catalog.stock_transfer_drafted", about=draft.pk)
    return draft


@transaction.atomic
def change_transfer(
    *,
    transfer_id: UUID,
    changes: StockTransferChanges,
    expected_version: int | None = None,
    actor_id: UUID | None = None,
) -> None:
    """Change a draft; send it (`in_transit`), or give it up (`cancelled`).

    Raises UnknownStockTransfer, VersionMismatch; StockTransferStatusConflict once it has left;
    NotEnoughToMove with the SKUs of which not so many free pieces lie there.
    """
    found = _locked(transfer_id, Status.DRAFT, expected_version)
    if "lines" in changes:
        found.lines.all().delete()
        _write_lines(found, changes["lines"])
    found.note = changes.get("note", found.note)
    match changes.get("status", Status.DRAFT):
        case Status.IN_TRANSIT:
            _send(found, actor_id)
        case Status.CANCELLED:
            found.status = Status.CANCELLED
            record("catalog.stock_transfer_cancelled", about=found.pk)
        case _:
            record("catalog.stock_transfer_changed", about=found.pk)
    _save(found)


def lock_draft(*, transfer_id: UUID) -> int:
    """Keep a draft from being sent until the caller's transaction ends. Returns its version.

    Raises UnknownStockTransfer; StockTransferStatusConflict once it has left.
    """
    return _locked(transfer_id, Status.DRAFT, None).version


@transaction.atomic
def receive_transfer(
    *,
    transfer_id: UUID,
    arrivals: Sequence[Arrival],
    expected_version: int | None = None,
    actor_id: UUID | None = None,
) -> None:
    """Take in what has arrived, all of it or a part; with its last piece the transfer is over.

    Arrivals of one SKU are summed. What is lost is taken in nowhere.
    Raises UnknownStockTransfer, VersionMismatch, UnknownVariant, NotAQuantity;
    StockTransferStatusConflict unless it is on its way; MoreThanWasSent with the SKUs.
    """
    found = _locked(transfer_id, Status.IN_TRANSIT, expected_version)
    received = summed(by_id([(each.sku, each.quantity) for each in arrivals]), least=0)
    lost = summed(by_id([(each.sku, each.lost) for each in arrivals]), least=0)
    with connection.cursor() as cursor:
        cursor.execute(
            ARRIVE,
            {
                "transfer": found.pk,
                **columns(received),
                "lost": [lost[variant_id] for variant_id in received],
            },
        )
        arrived = {variant_id for (variant_id,) in cursor.fetchall()}
    if beyond := received.keys() - arrived:
        raise MoreThanWasSent("So many are not on their way.", skus=skus_of(beyond))
    transfer(
        quantities={variant_id: n for variant_id, n in received.items() if n},
        from_location_id=None,
        to_location_id=found.to_location_id,
        reason=found.note,
        document_id=found.pk,
        actor_id=actor_id,
    )
    if not found.lines.filter(quantity__gt=F("received") + F("lost")).exists():
        found.status = Status.RECEIVED
        found.received_at = Now()
    record(
        "catalog.stock_transfer_received",
        about=found.pk,
        after={"lines": [[each.sku, each.quantity, each.lost] for each in arrivals]},
    )
    _save(found)


def _send(draft: StockTransfer, actor_id: UUID | None) -> None:
    transfer(
        quantities=dict(draft.lines.values_list("variant", "quantity")),
        from_location_id=draft.from_location_id,
        to_location_id=None,
        reason=draft.note,
        document_id=draft.pk,
        actor_id=actor_id,
    )
    draft.status = Status.IN_TRANSIT
    draft.sent_at = Now()
    record("catalog.stock_transfer_sent", about=draft.pk)


def _write_lines(draft: StockTransfer, lines: Lines) -> None:
    StockTransferLine.objects.bulk_create(
        StockTransferLine(transfer=draft, variant_id=variant_id, quantity=quantity)
        for variant_id, quantity in summed(by_id(lines)).items()
    )


def _locked(transfer_id: UUID, status: str, expected_version: int | None) -> StockTransfer:
    found = StockTransfer.objects.select_for_update(no_key=True).filter(pk=transfer_id).first()
    if found is None:
        raise UnknownStockTransfer("There is no such transfer.")
    if expected_version not in (None, found.version):
        raise VersionMismatch("The transfer has changed since.", version=found.version)
    if found.status != status:
        raise StockTransferStatusConflict(f"The transfer is {found.status}.", status=found.status)
    return found


def _save(found: StockTransfer) -> None:
    found.version += 1
    found.save()
