"""Reads of refunds: what goes back of an order, to the payment and to balances."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from apps.orders.models import Order, Refund, ValueMovement
from apps.orders.states import RefundStatus


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What one refund came to: a part on its way to the payment, parts that are on balances."""

    id: UUID
    payment: Refund | None = None
    movements: list[ValueMovement] = field(default_factory=list)

    @property
    def amount_minor(self) -> int:
        """All of it."""
        of_payment = self.payment.amount_minor if self.payment else 0
        return of_payment + sum(movement.amount_minor for movement in self.movements)

    @property
    def status(self) -> RefundStatus:
        """What became of the payment's part; balances have theirs at once."""
        return RefundStatus(self.payment.status) if self.payment else RefundStatus.SUCCEEDED

    @property
    def reason(self) -> str:
        """Why, as the buyer reads it."""
        return (self.payment or self.movements[0]).reason

    @property
    def at(self) -> datetime:
        """When it was asked for."""
        return self.payment.created_at if self.payment else self.movements[0].at


def refunds_of(order: Order) -> list[GivenBack]:
    """Return what was given back of an order after it was paid, oldest first. Three statements."""
    found = {
        refund.pk: GivenBack(refund.pk, refund)
        for refund in Refund.objects.filter(attempt__order=order)
    }
    back = [ValueMovement.Kind.GIVE_BACK, ValueMovement.Kind.REFUND]
    movements = ValueMovement.objects.filter(order=order, kind__in=back).select_related("account")
    # What was never paid was given back because of the order, or of a payment that came too late.
    unpaid = {order.pk, *order.attempts.values_list("pk", flat=True)}
    for movement in movements.order_by("id"):
        if movement.source_id not in unpaid:
            given = found.setdefault(movement.source_id, GivenBack(movement.source_id))
            given.movements.append(movement)
    return sorted(found.values(), key=lambda given: (given.at, given.id))
