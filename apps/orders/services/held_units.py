"""What buyers may hold back of the stock with orders that nobody has paid: no more than so much."""

from typing import Never

from django.conf import settings
from django.db import IntegrityError

from apps.kernel.errors import Conflict
from apps.kernel.networks import network_of
from apps.orders.models import HeldUnits, Order
from apps.orders.models.held_units import LONGEST_BUYER, OF_A_BUYER, OF_A_NETWORK


class TooManyUnitsHeld(Conflict):
    """Unpaid orders hold as much as they may: pay or cancel one. `limit` says how much that is."""

    code = "too_many_units_held"


def hold(order: Order, *, units: int, ip: str | None) -> None:
    """Write down what an unpaid order holds. One statement, exact however many order at once.

    Raises TooManyUnitsHeld; then the order must not be placed.
    """
    try:
        HeldUnits.objects.create(
            order=order,
            # Small letters may be more than capital ones.
            buyer=str(order.customer_id or order.email.lower())[:LONGEST_BUYER],
            network=network_of(ip) if ip else "",
            units=units,
            most_of_buyer=settings.HELD_UNITS_PER_BUYER,
            most_of_network=settings.HELD_UNITS_PER_NETWORK,
        )
    except IntegrityError as error:
        _refuse(error)


def hold_other_units(order: Order, *, units: int) -> None:
    """Change what an unpaid order holds. Raises TooManyUnitsHeld; then it must stay as it was."""
    try:
        HeldUnits.objects.filter(order=order).update(units=units)
    except IntegrityError as error:
        _refuse(error)


def _refuse(error: IntegrityError) -> Never:
    limits = {
        OF_A_BUYER: settings.HELD_UNITS_PER_BUYER,
        OF_A_NETWORK: settings.HELD_UNITS_PER_NETWORK,
    }
    rule = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    if rule not in limits:
        raise error
    raise TooManyUnitsHeld("Pay or cancel an unpaid order first.", limit=limits[rule]) from error
