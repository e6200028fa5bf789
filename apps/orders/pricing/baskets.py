"""What a price is asked for: goods, rules, the customer, the parcel, the taxes, the moment."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from apps.orders.pricing.amounts import (
    NotPriceable,
    Rounding,
    refuse_unless_whole,
    refuse_unless_whole_or_none,
    rounding_of,
)
from apps.orders.pricing.promotions import Promotion
from apps.orders.pricing.taxes import Taxes

UNTAXED = Taxes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """So many of one variant. Prices are minor units for one piece.

    `price_list` is the code of the list that `price_list_price` comes from; without one the list
    price counts.
    """

    variant_id: UUID
    sku: str
    product_id: UUID
    quantity: int
    list_price: int
    price_list: str = ""
    price_list_price: int | None = None
    category_ids: frozenset[UUID] = frozenset()
    brand_id: UUID | None = None
    tags: frozenset[str] = frozenset()
    tax_class: str = "standard"
    requires_shipping: bool = True

    def __post_init__(self) -> None:
        refuse_unless_whole(list_price=self.list_price)
        refuse_unless_whole_or_none(price_list_price=self.price_list_price)
        refuse_unless_whole(1, quantity=self.quantity)
        if bool(self.price_list) != (self.price_list_price is not None):
            raise NotPriceable("A price list says a price.", field="price_list")

    @property
    def unit_price(self) -> int:
        """What one piece costs before promotions."""
        return self.list_price if self.price_list_price is None else self.price_list_price


@dataclass(frozen=True, slots=True)
class Coupon:
    """A code that the customer gave, and the promotion it is for; None when nobody knows it.

    `uses_left` is what remains of the code's own limit, `uses_per_customer` the most for each.
    """

    code: str
    promotion_id: UUID | None
    uses_left: int | None = None
    uses_per_customer: int | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """Who buys: the group, whether it is the first order, and uses so far by promotion and code."""

    group_id: UUID | None = None
    first_order: bool = False
    uses: Mapping[UUID, int] = field(default_factory=dict)
    code_uses: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shipping:
    """The way that was chosen: its price in minor units, and how that is taxed.

    Without a tax class it bears the one that the zone has for parcels.
    """

    price: int
    tax_class: str = ""

    def __post_init__(self) -> None:
        refuse_unless_whole(price=self.price)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """All that a price depends on.

    `customer` is None when nobody knows who buys, `shipping` until a way is chosen. `rounding` is
    the currency's unless it is said.

    Raises NotPriceable when a variant, a promotion or a code comes twice.
    """

    currency: str
    at: datetime
    lines: tuple[Line, ...]
    promotions: tuple[Promotion, ...] = ()
    coupons: tuple[Coupon, ...] = ()
    customer: Customer | None = None
    shipping: Shipping | None = None
    taxes: Taxes = UNTAXED
    rounding: Rounding | None = None

    def __post_init__(self) -> None:
        _refuse_twice("lines", (line.variant_id for line in self.lines))
        _refuse_twice("promotions", (promotion.id for promotion in self.promotions))
        _refuse_twice("coupons", (coupon.code for coupon in self.coupons))

    @property
    def rule(self) -> Rounding:
        """How amounts of this basket become whole."""
        return self.rounding or rounding_of(self.currency)


def _refuse_twice(name: str, keys: Iterable[Hashable]) -> None:
    seen = list(keys)
    if len(set(seen)) < len(seen):
        raise NotPriceable(f"One of the {name} comes twice.", field=name)
