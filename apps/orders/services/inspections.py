"""Looking at what came back: what is accepted goes back as money, and to the shelf or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from apps.catalog import interface as catalog
from apps.kernel.errors import Conflict, Invalid
from apps.orders.models import Order, OrderLine, Refund, Return, ReturnLine
from apps.orders.pricing import Parts, Refunded
from apps.orders.pricing import refund as worth_of
from apps.orders.selectors.sold import returned_of, sold_of
from apps.orders.services.exchanges import exchanges_of
from apps.orders.services.refunds import lock_balances, refund_remaining
from apps.orders.services.replacements import Part, hold_replacement, place_replacement
from apps.orders.services.return_steps import ReturnStatusConflict, locked_return, step
from apps.orders.states import RefundStatus, Resolution, ReturnStatus

NOTHING = Refunded(0, ())


class IncompleteInspection(Invalid):
    """An inspection says of each line of the return, once, how many pieces are accepted."""

    code = "incomplete_inspection"


class ShippingIsKept(Conflict):
    """The parcel's price goes back when all of the order has come back, and once."""

    code = "shipping_is_kept"


@dataclass(frozen=True, slots=True)
class Finding:
    """How many pieces are accepted, and whether they are sold again."""

    accepted: int
    resolution: Resolution | None = None


@transaction.atomic
def inspect_return(
    *,
    return_id: UUID,
    findings: Mapping[UUID, Finding],
    refund_shipping: bool = False,
    actor_id: UUID | None = None,
) -> Return:
    """Accept pieces of a return, by its lines: stock and money follow in the same transaction.

    What was paid for them is promised back, or what is left of the order's money if that is less.
    The return is closed when the money is there, at once when none goes back. Pieces for which
    another variant is wanted are not paid back: an order of that is placed, if it is there still.

    Raises UnknownReturn, ReturnStatusConflict, IncompleteInspection, ShippingIsKept.
    """
    found = locked_return(return_id)
    if found.status != ReturnStatus.RECEIVED:
        raise ReturnStatusConflict(f"The return is {found.status}.", status=found.status)
    lines = list(found.lines.select_related("order_line"))
    _refuse_unless_complete(lines, findings)
    order, order_lines = found.order, list(found.order.lines.all())
    earlier = returned_of(order)
    accepted = {
        line.order_line.variant_id: findings[line.pk].accepted
        for line in lines
        if findings[line.pk].accepted
    }
    parts = Parts(accepted, shipping=refund_shipping)
    if refund_shipping and not _all_is_back(order_lines, [*earlier, parts]):
        raise ShippingIsKept("Not all of the order is back, or the shipping went back before.")
    worth = worth_of(sold_of(order, order_lines), parts, earlier=earlier)
    wanted = exchanges_of(lines)
    lock_balances(order)
    if wanted:
        variants = [each.variant_id for each in wanted.values()]
        catalog.take_turn(order_id=order.pk, variant_ids=[*accepted, *variants])
    for line in lines:
        _write(line, findings[line.pk], worth.lines.get(line.order_line.variant_id, NOTHING))
    catalog.return_to_stock(
        order_id=order.pk,
        quantities={
            line.order_line.variant_id: findings[line.pk].accepted
            for line in lines
            if findings[line.pk].accepted and findings[line.pk].resolution == Resolution.RESTOCK
        },
        reason="A return was inspected.",
        actor_id=actor_id,
    )
    held = hold_replacement(
        order,
        [
            Part(
                wanted[line.pk],
                line.order_line.unit_price_minor,
                findings[line.pk].accepted,
                worth.lines[line.order_line.variant_id],
            )
            for line in lines
            if line.pk in wanted and findings[line.pk].accepted
        ],
    )
    replaced = held.total if held else 0
    refund = _promised(order, worth.total - replaced, kept=replaced)
    step(
        found,
        ReturnStatus.INSPECTED,
        amount_minor=worth.total,
        refunds_shipping=refund_shipping,
        refund=refund,
    )
    if refund is None:
        step(found, ReturnStatus.CLOSED)
    if held:
        place_replacement(held, found)
    return found


@transaction.atomic
def refund_again(*, return_id: UUID) -> None:
    """Promise the money of a return anew, after its refund has failed.

    Raises UnknownReturn, ReturnStatusConflict.
    """
    found = locked_return(return_id)
    failed = found.refund
    if (
        found.status != ReturnStatus.INSPECTED
        or failed is None
        or failed.status != RefundStatus.FAILED
    ):
        raise ReturnStatusConflict("The money of the return is on its way.", status=found.status)
    # Of the order that paid, and no more: balances have got their part at the inspection.
    refund = _promised(failed.attempt.order, failed.amount_minor)
    Return.objects.filter(pk=found.pk).update(refund=refund)
    if refund is None:
        step(found, ReturnStatus.CLOSED)


def _promised(order: Order, minor: int, *, kept: int = 0) -> Refund | None:
    """Give so much back, and return what is on its way; balances have their part at once."""
    given = refund_remaining(order, at_most=minor, kept=kept, reason="Goods came back.")
    return given.payment if given else None


def _refuse_unless_complete(lines: list[ReturnLine], findings: Mapping[UUID, Finding]) -> None:
    if {line.pk for line in lines} != set(findings):
        raise IncompleteInspection("Say of each line of the return how many are accepted.")
    for line in lines:
        finding = findings[line.pk]
        if not 0 <= finding.accepted <= line.quantity:
            raise IncompleteInspection(
                "No more is accepted than came back.", line_id=line.pk, quantity=line.quantity
            )
        if finding.accepted and finding.resolution is None:
            raise IncompleteInspection(
                "Say whether what is accepted is sold again.", line_id=line.pk
            )


def _all_is_back(lines: list[OrderLine], returned: list[Parts]) -> bool:
    shipped_back = sum(each.shipping for each in returned)
    return shipped_back == 1 and all(
        line.quantity == sum(each.quantities.get(line.variant_id, 0) for each in returned)
        for line in lines
    )


def _write(line: ReturnLine, finding: Finding, worth: Refunded) -> None:
    ReturnLine.objects.filter(pk=line.pk).update(
        accepted=finding.accepted,
        resolution=(finding.resolution or "") if finding.accepted else "",
        amount_minor=worth.total,
        tax_minor=worth.total - worth.net,
    )
