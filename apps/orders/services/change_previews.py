"""What a change of an order would come to. Nothing here changes anything."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from apps.kernel.money import Money
from apps.orders.models import Exchange, Order, OrderLine, OrderPromotion
from apps.orders.pricing import Parts, Refund, refund
from apps.orders.pricing.amounts import allocate
from apps.orders.selectors.exchanges import lent_minor
from apps.orders.selectors.sold import returned_of, sold_of
from apps.orders.services.edits import Edit, plan_edit
from apps.orders.services.exchanges import Wish, offers_for
from apps.orders.services.orders import refuse_once_shipping
from apps.orders.services.refunds import NothingToRefund, RefundExceedsCaptured
from apps.orders.services.replacements import Part, charged
from apps.orders.services.returns import Wanted, wanted_lines
from apps.orders.services.transitions import OrderStatusConflict
from apps.orders.states import (
    ORDER_FOLLOWS,
    AttemptStatus,
    ChangeKind,
    OrderStatus,
    ReturnReason,
)

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Preview:
    """What becomes of the order, in minor units; `tax` is the part of the refund that is tax."""

    status: str
    total: int
    refund: int
    tax: int
    stock: Sequence[Mapping[str, Any]] = field(default_factory=list)
    promotions: Sequence[Mapping[str, Any]] = field(default_factory=list)
    added: Sequence[Mapping[str, Any]] = field(default_factory=list)


def preview_of(order: Order, kind: ChangeKind, body: Body) -> dict[str, Any]:
    """Return what the change would come to now, and the order before it.

    Raises what the change itself would raise for what is asked.
    """
    before = {"status": str(order.status), "total": order.grand_total_minor}
    return {"before": before, "after": asdict(PREVIEWS[kind](order, body))}


def wanted_of(body: Body) -> list[Wanted]:
    """Return what a return asks for."""
    return [
        Wanted(UUID(line["order_line_id"]), line["quantity"], ReturnReason(line["reason"]))
        for line in body["lines"]
    ]


def variants_of(body: Body) -> dict[UUID, UUID]:
    """Return which variants an exchange asks for, by line of the order."""
    return {UUID(line["order_line_id"]): UUID(line["variant_id"]) for line in body["lines"]}


def edit_of(body: Body) -> Edit:
    """Return what an edit asks for."""
    wanted: dict[str, dict[UUID, int]] = {"order_line_id": {}, "variant_id": {}}
    for line in body["lines"]:
        [name] = line.keys() - {"quantity"}
        wanted[name][UUID(line[name])] = line["quantity"]
    return Edit(wanted["order_line_id"], wanted["variant_id"])


def _cancel(order: Order, body: Body) -> Preview:
    if OrderStatus.CANCELLED not in ORDER_FOLLOWS[OrderStatus(order.status)]:
        raise OrderStatusConflict(f"The order is {order.status}.", status=order.status)
    refuse_once_shipping(order)
    left = _left(order)
    unpaid = order.status == OrderStatus.PENDING_PAYMENT
    return Preview(
        status=OrderStatus.CANCELLED.value,
        total=0,
        refund=left,
        tax=_tax_in(order, left),
        stock=_moves(((line, line.quantity) for line in _lines(order)), "release"),
        promotions=[
            _promotion(row, 0 if unpaid else row.amount_minor) for row in _promotions(order)
        ],
    )


def _refund(order: Order, body: Body) -> Preview:
    amount, left = body["amount_minor"], _left(order)
    if amount <= 0:
        raise NothingToRefund("Give back more than nothing.")
    if amount > left:
        raise RefundExceedsCaptured(
            "More than is left of what was taken.", refundable=Money(left, order.currency)
        )
    return Preview(
        status=str(order.status),
        total=order.grand_total_minor,
        refund=amount,
        tax=_tax_in(order, amount),
        promotions=[_promotion(row, row.amount_minor) for row in _promotions(order)],
    )


def _return(order: Order, body: Body, *, instead: Mapping[UUID, UUID] | None = None) -> Preview:
    wanted = wanted_of(body)
    lines = wanted_lines(order, wanted)
    parts = Parts({lines[each.order_line_id].variant_id: each.quantity for each in wanted})
    worth = refund(sold_of(order, lines.values()), parts, earlier=returned_of(order))
    net = sum(each.net for each in worth.lines.values())
    new = [] if instead is None else _parts(order, lines, wanted, worth, instead)
    costs = sum(charged(part, on_top=order.tax_minor > 0).total for part in new)
    left = _left(order)
    if costs > left:  # money that has gone back already pays for nothing
        new, costs = [], 0
    back = min(worth.total, left) - costs
    return Preview(
        status=str(order.status),
        total=order.grand_total_minor,
        refund=back,
        tax=allocate(back, [net, worth.total - net])[1] if back else 0,
        stock=[
            *_moves(((lines[each.order_line_id], each.quantity) for each in wanted), "return"),
            *_moves(((part.exchange, part.quantity) for part in new), "reserve"),
        ],
        promotions=[_promotion(row, row.amount_minor) for row in _promotions(order)],
        added=[_added(part.exchange, part.quantity) for part in new],
    )


def _exchange(order: Order, body: Body) -> Preview:
    return _return(order, body, instead=variants_of(body))


def _parts(
    order: Order,
    lines: Mapping[UUID, OrderLine],
    wanted: Sequence[Wanted],
    worth: Refund,
    variants: Mapping[UUID, UUID],
) -> list[Part]:
    """Return what is wanted instead of what comes back. Raises as `offers_for`."""
    wishes = [
        Wish(lines[each.order_line_id], each.quantity, variants[each.order_line_id])
        for each in wanted
    ]
    return [
        Part(
            Exchange(
                variant_id=offer.variant_id,
                sku=offer.sku,
                name=offer.name,
                unit_price_minor=offer.price_for(wish.quantity).minor,
            ),
            wish.order_line.unit_price_minor,
            wish.quantity,
            worth.lines[wish.order_line.variant_id],
        )
        for wish, offer in zip(wishes, offers_for(order, wishes), strict=True)
    ]


def _edit(order: Order, body: Body) -> Preview:
    plan = plan_edit(order, edit_of(body))
    amounts = plan.amounts
    saved = order.grand_total_minor - amounts["grand_total_minor"]
    paid = order.status == OrderStatus.PAID
    tax = order.tax_minor + order.tax_included_minor
    kept_tax = amounts["tax_minor"] + amounts["tax_included_minor"]
    return Preview(
        status=str(order.status),
        total=amounts["grand_total_minor"],
        refund=min(saved, _left(order)) if paid else 0,
        tax=tax - kept_tax if paid else 0,
        stock=[
            *_moves(((each.line, max(0, -each.added)) for each in plan.lines), "release"),
            *_moves(((each.line, max(0, each.added)) for each in plan.lines), "reserve"),
        ],
        promotions=[_promotion(each.applied, each.amount) for each in plan.promotions],
        added=[_added(each.line, each.added) for each in plan.lines if each.added > 0],
    )


PREVIEWS: dict[ChangeKind, Callable[[Order, Body], Preview]] = {
    ChangeKind.CANCEL: _cancel,
    ChangeKind.REFUND: _refund,
    ChangeKind.RETURN: _return,
    ChangeKind.EDIT: _edit,
    ChangeKind.EXCHANGE: _exchange,
}


def _left(order: Order) -> int:
    """Return what can go back to the payment, and to the gift cards and credit of a paid order.

    Replacements have their own part of it.
    """
    attempt = order.attempts.filter(status=AttemptStatus.CAPTURED).first()
    left = attempt.left_minor if attempt else 0
    if order.status != OrderStatus.PENDING_PAYMENT:
        left += sum(each.amount_minor - each.returned_minor for each in order.tenders.all())
    return left - lent_minor(order.pk)


def _tax_in(order: Order, amount: int) -> int:
    """Return how much of an amount is tax, in the proportion of the order."""
    total, tax = order.grand_total_minor, order.tax_minor + order.tax_included_minor
    return allocate(amount, [total - tax, tax])[1] if amount and total else 0


def _lines(order: Order) -> Iterable[OrderLine]:
    return order.lines.order_by("position")


def _promotions(order: Order) -> Iterable[OrderPromotion]:
    return OrderPromotion.objects.filter(order=order).order_by("position")


def _added(line: OrderLine | Exchange, quantity: int) -> dict[str, Any]:
    return {
        "variant_id": str(line.variant_id),
        "sku": line.sku,
        "name": line.name,
        "quantity": quantity,
        "unit_price": line.unit_price_minor,
    }


def _moves(moved: Iterable[tuple[OrderLine | Exchange, int]], move: str) -> list[dict[str, Any]]:
    return [
        {"sku": line.sku, "quantity": quantity, "move": move}
        for line, quantity in moved
        if quantity
    ]


def _promotion(row: OrderPromotion, after: int) -> dict[str, Any]:
    return {"name": row.name, "code": row.code, "before": row.amount_minor, "after": after}
