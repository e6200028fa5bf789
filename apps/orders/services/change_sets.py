"""Changing an order in two steps: see what it comes to, then make exactly that."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from apps.kernel.audit import record
from apps.kernel.errors import Conflict, NotFound, StepUpRequired
from apps.kernel.money import Money
from apps.orders.models import ChangeSet, Order
from apps.orders.selectors.orders import Holder, order_of
from apps.orders.services.change_previews import (
    Body,
    edit_of,
    preview_of,
    variants_of,
    wanted_of,
)
from apps.orders.services.edits import apply_edit
from apps.orders.services.exchanges import write_exchanges
from apps.orders.services.orders import (
    CancellationNotAllowed,
    RefundNotAllowed,
    cancel_order,
    holds_money,
)
from apps.orders.services.refunds import refund_order
from apps.orders.services.return_steps import step
from apps.orders.services.returns import ReturnNotAllowed, write_return
from apps.orders.services.transitions import locked
from apps.orders.states import ChangeKind, ChangeStatus, ReturnStatus

LASTS = timedelta(minutes=15)
BRING_BACK = (ChangeKind.RETURN, ChangeKind.EXCHANGE)


class UnknownChange(NotFound):
    """The order has no such change."""

    code = "unknown_change"


class ChangeStatusConflict(Conflict):
    """The change was made before."""

    code = "change_status_conflict"


class OrderChanged(Conflict):
    """The order, or what the change comes to, is not what was previewed: ask for it again."""

    code = "order_changed"


def changes_of(*, holder: Holder, order_id: UUID) -> QuerySet[ChangeSet]:
    """Return the changes of the holder's order. Raises UnknownOrder."""
    return ChangeSet.objects.filter(order=order_of(holder=holder, order_id=order_id))


def change_of(*, holder: Holder, order_id: UUID, change_id: UUID) -> ChangeSet:
    """Return a change of the holder's order. Raises UnknownOrder, UnknownChange."""
    found = changes_of(holder=holder, order_id=order_id).select_related("order")
    change = found.filter(pk=change_id).first()
    if change is None:
        raise UnknownChange("The order has no such change.")
    return change


@transaction.atomic
def propose_change(
    *,
    holder: Holder,
    order_id: UUID,
    kind: ChangeKind,
    body: Body,
    actor_id: UUID | None = None,
) -> ChangeSet:
    """Work out what a change comes to, and keep that for a while. The order does not change.

    Raises UnknownOrder, what the change itself would raise, and what refuses whoever may not
    make it.
    """
    order = locked(order_of(holder=holder, order_id=order_id).pk)
    _refuse_unless_allowed(kind, holder, order)
    return ChangeSet.objects.create(
        order=order,
        kind=kind,
        order_version=order.version,
        body=dict(body),
        preview=preview_of(order, kind, body),
        actor_id=actor_id,
        expires_at=timezone.now() + LASTS,
    )


@transaction.atomic
def confirm_change(
    *, holder: Holder, order_id: UUID, change_id: UUID, actor_id: UUID | None = None
) -> None:
    """Make a change exactly as it was previewed, all of it or nothing.

    Raises UnknownOrder, UnknownChange, ChangeStatusConflict; OrderChanged when the order is another
    version, the preview has expired, or it would come to something else now; StepUpRequired for
    staff who send money back and have not proven who they are for a while.
    """
    order = locked(order_of(holder=holder, order_id=order_id).pk)
    change = change_of(holder=holder, order_id=order_id, change_id=change_id)
    if change.status != ChangeStatus.PROPOSED:
        raise ChangeStatusConflict("The change was made before.", status=change.status)
    kind = ChangeKind(change.kind)
    _refuse_unless_allowed(kind, holder, order)
    _refuse_unless_proven(change, holder, order)
    if is_outdated(change, order) or preview_of(order, kind, change.body) != change.preview:
        raise OrderChanged("The order has changed since.", version=order.version)
    outcome = _apply(kind, order, change.body, holder=holder, actor_id=actor_id)
    ChangeSet.objects.filter(pk=change.pk).update(
        status=ChangeStatus.CONFIRMED, confirmed_at=Now(), outcome=outcome
    )
    record(
        "orders.change_confirmed",
        about=order.pk,
        before=change.preview["before"],
        after={"change": change.pk, "kind": kind, "total": change.preview["after"]["total"]},
    )


def is_outdated(change: ChangeSet, order: Order) -> bool:
    """Tell whether a change that nobody has made can be made no more."""
    return change.expires_at <= timezone.now() or change.order_version != order.version


def _apply(
    kind: ChangeKind, order: Order, body: Body, *, holder: Holder, actor_id: UUID | None
) -> dict[str, Any]:
    reason = body.get("reason", "")
    match kind:
        case ChangeKind.CANCEL:
            cancel_order(holder=holder, order_id=order.pk, reason=reason, actor_id=actor_id)
            return {}
        case ChangeKind.REFUND:
            amount = Money(body["amount_minor"], order.currency)
            refund = refund_order(order_id=order.pk, amount=amount, reason=reason)
            return {"refund_id": str(refund.id)}
        case ChangeKind.RETURN | ChangeKind.EXCHANGE:
            found = write_return(order, wanted_of(body), comment=body.get("comment", ""))
            if kind == ChangeKind.EXCHANGE:
                instead = variants_of(body)
                write_exchanges(
                    found, {line.pk: instead[line.order_line_id] for line in found.lines.all()}
                )
            if holder.decides_returns and not holder.bought(order):
                step(found, ReturnStatus.APPROVED)
            return {"return_id": str(found.pk)}
        case ChangeKind.EDIT:
            given = apply_edit(order, edit_of(body), reason=reason)
            return {"refund_id": str(given.id)} if given else {}


def _refuse_unless_allowed(kind: ChangeKind, holder: Holder, order: Order) -> None:
    mine = holder.bought(order)
    if kind in BRING_BACK:
        if not (mine or holder.decides_returns):
            raise ReturnNotAllowed("You may see this order, but not bring goods back.")
        return
    if kind == ChangeKind.REFUND:
        if not holder.refunds_all:
            raise RefundNotAllowed("You may not send money back.")
        return
    if mine:
        return
    if not holder.cancels_all:
        raise CancellationNotAllowed("You may see this order, but not change it.")
    if holds_money(order) and not holder.refunds_all:
        raise RefundNotAllowed("The order is paid, and you may not send money back.")


def _refuse_unless_proven(change: ChangeSet, holder: Holder, order: Order) -> None:
    by_staff = change.kind == ChangeKind.REFUND or not holder.bought(order)
    sends = change.kind not in BRING_BACK and change.preview["after"]["refund"] > 0
    if by_staff and sends and not holder.recently_proven:
        raise StepUpRequired("Prove who you are once more: POST /api/v1/auth/step-up.")
