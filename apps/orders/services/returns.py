"""Bringing goods back: the shopper asks, staff decide and take the parcel in."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from apps.kernel.errors import Conflict, Forbidden, NotFound
from apps.orders.models import Order, OrderLine, Return, ReturnLine
from apps.orders.pricing import MoreThanBought
from apps.orders.selectors.orders import Holder, order_of
from apps.orders.selectors.returns import eligibility_of, return_of, returnable
from apps.orders.services.return_steps import locked_return, note, step
from apps.orders.services.transitions import locked
from apps.orders.states import ReturnReason, ReturnStatus


class NotReturnable(Conflict):
    """Nothing of the order can be brought back; `reason` says why."""

    code = "not_returnable"


class UnknownOrderLine(NotFound):
    """The order has no such line."""

    code = "unknown_order_line"


class ReturnNotAllowed(Forbidden):
    """You may see this order, but not bring goods back."""

    code = "return_not_allowed"


REFUSALS = {
    "not_handed_over": "The parcel has not left the house.",
    "window_over": "The time for returns is over.",
    "nothing_left": "All of it comes back already.",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many pieces of a line of the order, and why they come back."""

    order_line_id: UUID
    quantity: int
    reason: ReturnReason


@transaction.atomic
def request_return(
    *, holder: Holder, order_id: UUID, wanted: Sequence[Wanted], comment: str = ""
) -> Return:
    """Ask to bring pieces of an order back: all of them or none.

    Raises UnknownOrder, NotReturnable, UnknownOrderLine, MoreThanBought with how many are left;
    ReturnNotAllowed for staff without the right.
    """
    order = locked(order_of(holder=holder, order_id=order_id).pk)
    _refuse_others(holder, order)
    return write_return(order, wanted, comment=comment)


def write_return(order: Order, wanted: Sequence[Wanted], *, comment: str) -> Return:
    """Write down a return of a locked order. Raises as `request_return` does."""
    lines = wanted_lines(order, wanted)
    found = Return.objects.create(order=order, comment=comment)
    for each in wanted:
        ReturnLine.objects.create(
            parent=found,
            order_line=lines[each.order_line_id],
            quantity=each.quantity,
            reason=each.reason,
        )
    note(found, before=None)
    return found


def wanted_lines(order: Order, wanted: Sequence[Wanted]) -> dict[UUID, OrderLine]:
    """Return the order's lines, if all that is wanted can come back.

    Raises NotReturnable, UnknownOrderLine, MoreThanBought.
    """
    eligibility = eligibility_of(order)
    if eligibility.refusal:
        raise NotReturnable(REFUSALS[eligibility.refusal], reason=eligibility.refusal)
    lines = {line.pk: line for line in eligibility.lines}
    for each in wanted:
        line = lines.get(each.order_line_id)
        if line is None:
            raise UnknownOrderLine("The order has no such line.", order_line_id=each.order_line_id)
        if each.quantity > returnable(line):
            raise MoreThanBought(
                "More than can come back.", order_line_id=line.pk, left=returnable(line)
            )
    return lines


@transaction.atomic
def cancel_return(*, holder: Holder, return_id: UUID) -> None:
    """Keep the goods after all, before they have arrived here.

    Raises UnknownReturn, ReturnStatusConflict; ReturnNotAllowed for staff without the right.
    """
    found = locked_return(return_of(holder=holder, return_id=return_id).pk)
    _refuse_others(holder, found.order)
    step(found, ReturnStatus.CANCELLED)


@transaction.atomic
def approve_return(*, return_id: UUID) -> None:
    """Let the goods be sent. Raises UnknownReturn, ReturnStatusConflict."""
    step(locked_return(return_id), ReturnStatus.APPROVED)


@transaction.atomic
def reject_return(*, return_id: UUID, reason: str) -> None:
    """Refuse a return; the shopper reads why. Raises UnknownReturn, ReturnStatusConflict."""
    step(locked_return(return_id), ReturnStatus.REJECTED, note=reason)


@transaction.atomic
def receive_return(*, return_id: UUID) -> None:
    """Take the parcel in; nobody has looked into it. Raises UnknownReturn, ReturnStatusConflict."""
    step(locked_return(return_id), ReturnStatus.RECEIVED)


def _refuse_others(holder: Holder, order: Order) -> None:
    if not (holder.bought(order) or holder.decides_returns):
        raise ReturnNotAllowed("You may see this order, but not bring goods back.")
