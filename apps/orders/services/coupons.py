"""Making codes, and putting them into carts."""

import secrets
from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.kernel.audit import record
from apps.kernel.errors import Conflict, Invalid, NotFound
from apps.orders.models import Cart, Coupon, CouponBatch
from apps.orders.selectors.orders import Holder
from apps.orders.selectors.promotions import promotion_of
from apps.orders.services.cart_prices import PricedCart, price_cart
from apps.orders.services.carts import change_cart, items_of

MOST_COUPONS = 10
# Without what looks like something else. Ten of them are one of 2^50: nobody guesses that.
LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
RANDOM_LETTERS = 10


class CouponCodeTaken(Conflict):
    """There is such a code, of this promotion or of another one."""

    code = "coupon_code_taken"


class NeedsNoCode(Conflict):
    """The promotion counts without a code."""

    code = "promotion_needs_no_code"


class CouponNotApplicable(Invalid):
    """The code takes nothing off this cart; `reason` says why, as an explanation does."""

    code = "coupon_not_applicable"


class TooManyCoupons(Conflict):
    """The cart holds as many codes as it may."""

    code = "too_many_coupons"


class UnknownCoupon(NotFound):
    """The cart has no such code."""

    code = "unknown_coupon"


@transaction.atomic
def add_coupon(*, holder: Holder, cart_id: UUID, code: str, version: int | None) -> PricedCart:
    """Put a code, in any case, into the cart, if it takes something off; free shipping may wait
    until it is chosen how the parcel goes.

    Raises UnknownCart, CartIsOrdered, VersionMismatch, TooManyCoupons, CouponNotApplicable.
    """
    cart, code = change_cart(holder, cart_id, version), code.upper()
    if code not in cart.coupons:
        cart.coupons = [*cart.coupons, code]
        if len(cart.coupons) > MOST_COUPONS:
            raise TooManyCoupons(f"A cart takes at most {MOST_COUPONS} codes.")
        Cart.objects.filter(pk=cart.pk).update(coupons=cart.coupons)
    priced = price_cart(cart, holder=holder, items=items_of(cart))
    for trial in (trial for trial in priced.idle_codes if trial.key == code):
        raise CouponNotApplicable(
            "The code takes nothing off this cart.", reason=trial.outcome, **trial.facts
        )
    return priced


@transaction.atomic
def remove_coupon(*, holder: Holder, cart_id: UUID, code: str, version: int | None) -> PricedCart:
    """Take a code out of the cart.

    Raises UnknownCart, CartIsOrdered, VersionMismatch, UnknownCoupon.
    """
    cart, code = change_cart(holder, cart_id, version), code.upper()
    if code not in cart.coupons:
        raise UnknownCoupon("The cart has no such code.")
    cart.coupons = [each for each in cart.coupons if each != code]
    Cart.objects.filter(pk=cart.pk).update(coupons=cart.coupons)
    return price_cart(cart, holder=holder, items=items_of(cart))


@transaction.atomic
def create_batch(
    *,
    promotion_id: UUID,
    codes: Sequence[str],
    uses_limit: int | None,
    uses_per_customer: int | None,
) -> CouponBatch:
    """Make codes for a promotion, each with these limits.

    Raises UnknownPromotion, NeedsNoCode, CouponCodeTaken.
    """
    promotion = promotion_of(promotion_id=promotion_id)
    if not promotion.needs_code:
        raise NeedsNoCode("The promotion counts without a code.")
    limits = {"uses_limit": uses_limit, "uses_per_customer": uses_per_customer}
    batch = CouponBatch.objects.create(promotion=promotion, count=len(codes), **limits)
    coupons = [
        Coupon(promotion=promotion, batch=batch, code=code.upper(), **limits) for code in codes
    ]
    try:
        with transaction.atomic():
            Coupon.objects.bulk_create(coupons, batch_size=1_000)
    except IntegrityError as error:
        if "coupon_code_is_unique" not in str(error):
            raise
        raise CouponCodeTaken("There is such a code.") from error
    record(
        "orders.coupon_batch_added",
        about=batch.pk,
        after={"promotion_id": promotion_id, "count": len(codes), **limits},
    )
    return batch


def random_codes(count: int, *, prefix: str = "") -> list[str]:
    """Return so many different codes that nobody can guess."""
    made: dict[str, None] = {}
    while len(made) < count:
        letters = "".join(secrets.choice(LETTERS) for _ in range(RANDOM_LETTERS))
        made[f"{prefix.upper()}{letters}"] = None
    return list(made)
