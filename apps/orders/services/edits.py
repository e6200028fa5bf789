"""Taking pieces out of an order before it is sent: amounts, stock and money in one step."""

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

import pgtrigger
from django.db.models import F, Q

from apps.catalog import interface as catalog
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, Invalid
from apps.kernel.events import publish
from apps.orders.models import (
    Coupon,
    CustomerUses,
    Order,
    OrderLine,
    OrderPromotion,
    Promotion,
)
from apps.orders.pricing import MoreThanBought
from apps.orders.selectors.edits import EditPlan, LinePlan, PromotionPlan, edit_plan
from apps.orders.selectors.refunds import GivenBack
from apps.orders.services.billing import issued_invoice
from apps.orders.services.orders import refuse_once_shipping
from apps.orders.services.refunds import refund_remaining
from apps.orders.services.returns import UnknownOrderLine
from apps.orders.services.transitions import OrderEvent, OrderStatusConflict
from apps.orders.states import UNPAID_ATTEMPTS, OrderStatus

OPEN_GUARDS = (
    "orders.OrderLine:order_line_is_a_document",
    "orders.OrderLine:order_line_stays",
    "orders.OrderPromotion:order_promotion_is_a_document",
    "orders.OrderPromotion:order_promotion_stays",
)


class OrderEdited(OrderEvent):
    """An order has fewer pieces than before, and costs less or the same."""

    name: ClassVar[str] = "orders.order_edited"


class NothingEdited(Invalid):
    """An edit takes something out."""

    code = "nothing_edited"


class NothingLeft(Conflict):
    """All of it would be taken out, or nothing be left to pay: cancel the order instead."""

    code = "nothing_left"


class PaymentAlive(Conflict):
    """A payment of the order is being made; an edit would change what it is for."""

    code = "payment_under_way"


def plan_edit(order: Order, quantities: Mapping[UUID, int]) -> EditPlan:
    """Return what the order becomes with so many pieces of these lines; 0 takes a line out.

    Raises OrderStatusConflict, PaymentAlive, UnknownOrderLine, MoreThanBought, NothingEdited,
    NothingLeft.
    """
    _refuse_unless_open(order)
    plan = edit_plan(order, quantities)
    known = {each.line.pk: each for each in plan.lines}
    for line_id, quantity in quantities.items():
        if line_id not in known:
            raise UnknownOrderLine("The order has no such line.", order_line_id=line_id)
        if quantity > known[line_id].line.quantity:
            raise MoreThanBought("Nothing is added.", left=known[line_id].line.quantity)
    if not plan.removed:
        raise NothingEdited("Take something out.")
    unpaid = order.status == OrderStatus.PENDING_PAYMENT
    if not any(each.quantity for each in plan.lines) or (
        unpaid and plan.amounts["grand_total_minor"] <= order.tendered_minor
    ):
        raise NothingLeft("Cancel the order instead.")
    return plan


def apply_edit(order: Order, quantities: Mapping[UUID, int], *, reason: str) -> GivenBack | None:
    """Take pieces out of a locked order; what was paid for them goes back.

    Raises as `plan_edit` does, and catalog.NotHeld.
    """
    plan = plan_edit(order, quantities)
    saved = order.grand_total_minor - plan.amounts["grand_total_minor"]
    given = None
    reduced = 0
    if order.status == OrderStatus.PAID:
        issued_invoice(order)  # it says what was bought; the refund's credit note takes from that
        given = refund_remaining(order, at_most=saved, reason=reason or "The order was changed.")
        reduced = saved
    with pgtrigger.ignore(*OPEN_GUARDS):
        for each in plan.promotions:
            _write_promotion(order, each)
        for line in plan.lines:
            _write_line(order, line)
    Order.objects.filter(pk=order.pk).update(
        **plan.amounts, reduced_minor=F("reduced_minor") + reduced, version=F("version") + 1
    )
    record(
        "orders.order_edited",
        about=order.pk,
        before={"total": order.grand_total_minor, "lines": _quantities(plan, after=False)},
        after={
            "total": plan.amounts["grand_total_minor"],
            "lines": _quantities(plan, after=True),
        },
    )
    publish(OrderEdited(order_id=order.pk), aggregate_id=order.pk)
    catalog.give_up(order_id=order.pk, quantities=plan.removed, reason="The order was changed.")
    return given


def _refuse_unless_open(order: Order) -> None:
    if order.status == OrderStatus.PAID:
        refuse_once_shipping(order)
    elif order.status != OrderStatus.PENDING_PAYMENT:
        raise OrderStatusConflict(f"The order is {order.status}.", status=order.status)
    elif order.attempts.exclude(status__in=UNPAID_ATTEMPTS).exists():
        raise PaymentAlive("A payment of this order is under way.")


def _write_line(order: Order, plan: LinePlan) -> None:
    rows = OrderLine.objects.filter(pk=plan.line.pk)
    if not plan.quantity:
        rows.delete()
        return
    on_top = order.tax_minor > 0
    rows.update(
        quantity=plan.quantity,
        total_minor=plan.charge.subtotal,
        discount_minor=plan.discount,
        tax_minor=plan.charge.tax if on_top else 0,
        tax_included_minor=0 if on_top else plan.charge.tax,
        taxes=[
            {"code": tax.rate.code, "ppm": tax.rate.ppm, "amount": tax.amount}
            for tax in plan.charge.taxes
        ],
    )


def _write_promotion(order: Order, plan: PromotionPlan) -> None:
    """Give the budget back; of a promotion that takes nothing off any more the use, too."""
    applied, less = plan.applied, plan.applied.amount_minor - plan.amount
    if not less:
        return
    gone = 0 if plan.amount else 1
    limited = Promotion.objects.exclude(uses_limit=None, budget_minor=None)
    limited.filter(pk=applied.promotion_id).update(
        uses=F("uses") - gone, budget_used_minor=F("budget_used_minor") - less
    )
    rows = OrderPromotion.objects.filter(pk=applied.pk)
    if not gone:
        rows.update(amount_minor=plan.amount)
        return
    if applied.coupon_id:
        counted = Coupon.objects.exclude(uses_limit=None).filter(pk=applied.coupon_id)
        counted.update(uses=F("uses") - 1)
    if order.customer_id:
        mine = Q(coupon=None) | Q(coupon=applied.coupon_id)
        CustomerUses.objects.filter(
            mine, promotion=applied.promotion_id, customer_id=order.customer_id
        ).update(uses=F("uses") - 1)
    rows.delete()


def _quantities(plan: EditPlan, *, after: bool) -> dict[str, int]:
    return {
        str(each.line.pk): each.quantity if after else each.line.quantity for each in plan.lines
    }
