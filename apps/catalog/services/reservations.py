"""What staff do with what orders hold back."""

from uuid import UUID

from django.db import transaction

from apps.catalog.models import Reservation
from apps.catalog.services.stock import release
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, NotFound


class UnknownReservation(NotFound):
    """The order has never held anything."""

    code = "unknown_reservation"


class ReservationIsOver(Conflict):
    """The order is paid, shipped, or has given back what it held."""

    code = "reservation_is_over"


@transaction.atomic
def release_reservation(*, order_id: UUID) -> None:
    """Give back all that an unpaid order holds. If it is paid later, it has to find goods again.

    Raises UnknownReservation; ReservationIsOver for what is paid: such an order is cancelled.
    """
    rows = Reservation.objects.filter(order_id=order_id).order_by("id")
    states = set(rows.select_for_update().values_list("state", flat=True))
    if not states:
        raise UnknownReservation("This order has never held anything.")
    if Reservation.State.ACTIVE not in states or Reservation.State.ALLOCATED in states:
        raise ReservationIsOver("The order holds nothing that could be given back.")
    release(order_id=order_id, reason="released by staff")
    record("catalog.reservation_released", about=order_id)
