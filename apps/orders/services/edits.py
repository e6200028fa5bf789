"""Other quantities, or more lines, of an order that is not sent: amounts, stock, money at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

import pgtrigger
from django.db.models import F, Q
from django.utils import timezone

from apps.catalog import interface as catalog
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, Invalid
from apps.kernel.events import publish
from apps.kernel.money import Money
from apps.orders.models import (
    Coupon,
    CustomerUses,
    Order,
    OrderLine,
    OrderPromotion,
    Promotion,
)
from apps.orders.selectors.edits import EditPlan, LinePlan, PromotionPlan, edit_plan
from apps.orders.selectors.refunds import GivenBack
from apps.orders.services.additions import TaxesDiffer, additions_to
from apps.orders.services.billing import issued_invoice
from apps.orders.services.held_units import hold_other_units
from apps.orders.services.orders import refuse_once_shipping
from apps.orders.services.refunds import refund_remaining
from apps.orders.services.returns import UnknownOrderLine
from apps.orders.services.transitions import OrderEvent, OrderStatusConflict
from apps.orders.states import UNPAID_ATTEMPTS, OrderStatus

CHANGED = "The order was changed."
OPEN_GUARDS = (
    "orders.OrderLine:order_line_is_a_document",
    "orders.OrderLine:order_line_stays",
    "orders.OrderPromotion:order_promotion_is_a_document",
    "orders.OrderPromotion:order_promotion_stays",
)


class OrderEdited(OrderEvent):
    """An order has other pieces than before; once it is paid it costs no more."""

    name: ClassVar[str] = "orders.order_edited"


class NothingEdited(Invalid):
    """An edit takes something out, or adds something."""

    code = "nothing_edited"


class NothingLeft(Conflict):
    """All of it would be taken out, or nothing be left to pay: cancel the order instead."""

    code = "nothing_left"


class PaymentAlive(Conflict):
    """A payment of the order is being made; an edit would change what it is for."""

    code = "payment_under_way"


class PaymentNeeded(Conflict):
    """The paid order would cost more, and takes no second payment: order it anew.

    `difference` says how much more.
    """

    code = "payment_needed"


class ReplacementStays(Conflict):
    """Goods that came back pay for the order: cancel it, or bring its goods back."""

    code = "replacement_stays"


@dataclass(frozen=True, slots=True)
class Edit:
    """How many pieces these lines have afterwards, and how many of which variants are new."""

    quantities: Mapping[UUID, int]
    variants: Mapping[UUID, int] = field(default_factory=dict)


def plan_edit(order: Order, asked: Edit) -> EditPlan:
    """Return what the order becomes with so many pieces of these lines; 0 takes a line out.

    Raises ReplacementStays, OrderStatusConflict, PaymentAlive, UnknownOrderLine, NothingEdited,
    NothingLeft, and as `additions_to`; PaymentNeeded and TaxesDiffer for what is added to a paid
    order.
    """
    _refuse_unless_open(order)
    lines = list(order.lines.order_by("position"))
    for line_id in asked.quantities.keys() - {line.pk for line in lines}:
        raise UnknownOrderLine("The order has no such line.", order_line_id=line_id)
    additions = additions_to(order, lines, quantities=asked.quantities, variants=asked.variants)
    plan = edit_plan(order, asked.quantities, additions)
    if not (plan.removed or plan.adds):
        raise NothingEdited("Take something out, or add something.")
    total = Money(plan.amounts["grand_total_minor"], order.currency)
    unpaid = order.status == OrderStatus.PENDING_PAYMENT
    if plan.adds and not unpaid:
        if total.minor > order.grand_total_minor:
            raise PaymentNeeded(
                "The order is paid, and would cost more.", difference=total - order.grand_total
            )
        if plan.dearer_rates:
            raise TaxesDiffer("What is added is taxed in another way.")
    if not any(each.quantity for each in plan.lines) or (
        unpaid and total.minor <= order.tendered_minor
    ):
        raise NothingLeft("Cancel the order instead.")
    return plan


def apply_edit(order: Order, asked: Edit, *, reason: str) -> GivenBack | None:
    """Give a locked order other pieces; what a paid one costs less goes back.

    Raises as `plan_edit` does, TooManyUnitsHeld, catalog.NotHeld and catalog.OutOfStock.
    """
    plan = plan_edit(order, asked)
    saved = order.grand_total_minor - plan.amounts["grand_total_minor"]
    given = None
    reduced = 0
    _lock_uses(order, plan.promotions)
    if order.status == OrderStatus.PAID:
        issued_invoice(order)  # it says what was bought; the refund's credit note takes from that
        given = refund_remaining(order, at_most=saved, reason=reason or CHANGED)
        reduced = saved
    with pgtrigger.ignore(*OPEN_GUARDS):
        for each in plan.promotions:
            _write_promotion(order, each)
        for line in plan.lines:
            _write_line(line, on_top=plan.tax_on_top)
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
    if plan.adds:
        _hold_anew(order, plan)
    else:
        catalog.give_up(order_id=order.pk, quantities=plan.removed, reason=CHANGED)
    if order.status == OrderStatus.PENDING_PAYMENT:
        hold_other_units(order, units=sum(each.quantity for each in plan.lines))
    return given


def _hold_anew(order: Order, plan: EditPlan) -> None:
    """Hold all that the order has now, until one moment: then it goes back all at once, too."""
    unpaid = order.status == OrderStatus.PENDING_PAYMENT
    wanted = {each.line.variant_id: each.quantity for each in plan.lines if each.quantity}
    catalog.take_turn(order_id=order.pk, variant_ids=wanted)
    catalog.release(order_id=order.pk, reason=CHANGED)
    catalog.reserve(
        order_id=order.pk,
        quantities=wanted,
        hold_for=order.expires_at - timezone.now() if unpaid else None,
    )
    if not unpaid:
        catalog.allocate(order_id=order.pk)


def _refuse_unless_open(order: Order) -> None:
    if order.exchanged_minor:
        raise ReplacementStays("The order replaces goods that came back.")
    if order.status == OrderStatus.PAID:
        refuse_once_shipping(order)
    elif order.status != OrderStatus.PENDING_PAYMENT:
        raise OrderStatusConflict(f"The order is {order.status}.", status=order.status)
    elif order.attempts.exclude(status__in=UNPAID_ATTEMPTS).exists():
        raise PaymentAlive("A payment of this order is under way.")


def _write_line(plan: LinePlan, *, on_top: bool) -> None:
    if not plan.before:
        plan.line.save(force_insert=True)
    rows = OrderLine.objects.filter(pk=plan.line.pk)
    if not plan.quantity:
        rows.delete()
        return
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


def _lock_uses(order: Order, plans: Sequence[PromotionPlan]) -> None:
    """Lock what promotions count, in the order in which an order takes it, and before balances."""
    less = [plan.applied for plan in plans if plan.amount < plan.applied.amount_minor]
    if not less:
        return
    ids = [applied.promotion_id for applied in less]
    codes = [applied.coupon_id for applied in less if applied.coupon_id]
    buyers = [order.customer_id] if order.customer_id else []
    mine = CustomerUses.objects.filter(promotion__in=ids, customer_id__in=buyers)
    for rows in (
        Promotion.objects.filter(pk__in=ids).order_by("pk"),
        Coupon.objects.filter(pk__in=codes).order_by("pk"),
        mine.order_by("promotion_id", F("coupon_id").asc(nulls_first=True)),
    ):
        list(rows.select_for_update(no_key=True).values_list("pk"))


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
    return {str(each.line.pk): each.quantity if after else each.before for each in plan.lines}
