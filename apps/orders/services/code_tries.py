"""Trying a code in a cart, as often as honest shoppers do."""

from uuid import UUID

from apps.kernel.errors import DomainError
from apps.orders.pricing import Outcome
from apps.orders.selectors.orders import Holder
from apps.orders.services.cart_prices import PricedCart
from apps.orders.services.coupons import CouponNotApplicable, add_coupon
from apps.users import interface as users


def try_coupon(
    *, holder: Holder, cart_id: UUID, code: str, version: int | None, ip: str | None
) -> PricedCart:
    """Put a code into the cart as `add_coupon` does; a code that nobody has counts as a guess.

    Raises TooManyGuesses, and what `add_coupon` raises.
    """
    with users.guess(customer_id=holder.customer_id, ip=ip, is_wrong=_is_unknown):
        return add_coupon(holder=holder, cart_id=cart_id, code=code, version=version)


def _is_unknown(refusal: DomainError) -> bool:
    unknown = refusal.facts.get("reason") == Outcome.UNKNOWN_CODE
    return isinstance(refusal, CouponNotApplicable) and unknown
