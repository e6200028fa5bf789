"""Trying codes of coupons and gift cards, as often as honest shoppers do."""

from uuid import UUID

from apps.kernel.errors import DomainError
from apps.orders.models import StoredValue
from apps.orders.pricing import Outcome
from apps.orders.selectors.orders import Holder
from apps.orders.selectors.stored_value import UnknownGiftCard
from apps.orders.services.cart_prices import PricedCart
from apps.orders.services.cart_tenders import GiftCardNotUsable, add_gift_card
from apps.orders.services.coupons import CouponNotApplicable, add_coupon
from apps.orders.services.stored_value import gift_card_by_code
from apps.users import interface as users


def try_coupon(
    *, holder: Holder, cart_id: UUID, code: str, version: int | None, ip: str | None
) -> PricedCart:
    """Put a code into the cart as `add_coupon` does; a code that nobody has counts as a guess.

    Raises TooManyGuesses, and what `add_coupon` raises.
    """
    with users.guess(customer_id=holder.customer_id, ip=ip, is_wrong=_is_unknown):
        return add_coupon(holder=holder, cart_id=cart_id, code=code, version=version)


def try_gift_card(
    *, holder: Holder, cart_id: UUID, code: str, version: int | None, ip: str | None
) -> PricedCart:
    """Let a card pay as `add_gift_card` does; a code that no card has counts as a guess.

    Raises TooManyGuesses, and what `add_gift_card` raises.
    """
    with users.guess(customer_id=holder.customer_id, ip=ip, is_wrong=_is_unknown):
        return add_gift_card(holder=holder, cart_id=cart_id, code=code, version=version)


def look_up_gift_card(*, code: str, ip: str | None) -> StoredValue:
    """Return the card with a code; one that no card has counts as a guess.

    Raises TooManyGuesses, UnknownGiftCard.
    """
    with users.guess(customer_id=None, ip=ip, is_wrong=_is_unknown):
        return gift_card_by_code(code=code)


def _is_unknown(refusal: DomainError) -> bool:
    match refusal:
        case CouponNotApplicable():
            return refusal.facts.get("reason") == Outcome.UNKNOWN_CODE
        case GiftCardNotUsable():
            return refusal.facts.get("reason") == "unknown"
        case _:
            return isinstance(refusal, UnknownGiftCard)
