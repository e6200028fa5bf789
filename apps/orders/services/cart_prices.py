"""What a cart costs now and why, and what keeps it from being ordered."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.utils import timezone

from apps.catalog import interface as catalog
from apps.kernel.errors import Conflict
from apps.kernel.money import Money
from apps.orders.carriers import TableRates
from apps.orders.carriers.carrier import ShippingOption
from apps.orders.models import Cart, CartItem, StoredValue
from apps.orders.pricing import (
    Basket,
    Line,
    Outcome,
    Quote,
    RuleKind,
    Shipping,
    Totals,
    Trial,
    quote,
)
from apps.orders.selectors.orders import Holder, whole_cart
from apps.orders.selectors.promotions import Rules, rules_for
from apps.orders.selectors.stored_value import NONE, Tenders, tenders_for
from apps.orders.services.taxes import Applicable, applicable

# Free shipping counts as soon as it is chosen how the parcel goes.
COUNTING = {Outcome.APPLIED, Outcome.SHIPPING_NOT_CHOSEN}
# The lines that there are come along: a statement does not see what it writes itself.
USED_UP = {Outcome.USED_UP, Outcome.CODE_USED_UP, Outcome.CUSTOMER_USED_UP, Outcome.BUDGET_SPENT}


Offers = Mapping[UUID, catalog.Offer]


class ShippingAddressMissing(Conflict):
    """Where it goes has to be said first."""

    code = "shipping_address_missing"


@dataclass(frozen=True, slots=True)
class CartLine:
    """A line with what the catalog says of it now; `offer` is None when it is sold no more."""

    item: CartItem
    offer: catalog.Offer | None

    @property
    def unit_price(self) -> Money | None:
        """What each of so many pieces costs."""
        return self.offer.price_for(self.item.quantity) if self.offer else None

    @property
    def rise(self) -> int:
        """How much more a piece costs than when the shopper last changed the line."""
        now, seen = self.unit_price, self.item.seen_price_minor
        return 0 if now is None or seen is None else now.minor - seen


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to know before the cart is ordered, and why it mostly cannot be."""

    code: str
    detail: str
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def document(self) -> dict[str, object]:
        """The problem as it is shown."""
        return {"code": self.code, "detail": self.detail, "facts": self.facts}


@dataclass(frozen=True, slots=True)
class PricedCart:
    """A cart with live prices, what it costs and why, and what is still in the way."""

    cart: Cart
    lines: list[CartLine]
    quote: Quote
    rules: Rules
    taxes: Applicable
    problems: list[Problem]
    tenders: Tenders = NONE

    @property
    def totals(self) -> Totals:
        return self.quote.totals

    @property
    def is_dearer(self) -> bool:
        """Whether any line costs more than the shopper has seen."""
        return any(line.rise > 0 for line in self.lines)

    @property
    def to_pay(self) -> Money:
        """What a payment would have to bring."""
        return self.totals.grand_total - Money(self.tenders.amount_minor, self.cart.currency)

    @property
    def used_up(self) -> list[str]:
        """The cart's codes that somebody else has used up."""
        return [trial.key for trial in self.codes if trial.outcome in USED_UP]

    @property
    def codes(self) -> list[Trial]:
        """What came of each of the cart's codes."""
        return [trial for trial in self.quote.explanation if trial.kind is RuleKind.CODE]

    @property
    def idle_codes(self) -> list[Trial]:
        """The codes that do not count: nobody orders in the belief that they do."""
        return [trial for trial in self.codes if trial.outcome not in COUNTING]


def read_cart(*, holder: Holder, cart_id: UUID | None = None) -> PricedCart:
    """Return the holder's cart, or the newest open one, priced. Raises UnknownCart."""
    cart, items, balances = whole_cart(holder=holder, cart_id=cart_id)
    return price_cart(cart, holder=holder, items=items, balances=balances)


def offers_for(cart: Cart, *, holder: Holder, variant_ids: Iterable[UUID]) -> Offers:
    """Return what the catalog offers the holder for this cart now, by variant."""
    return catalog.offers(
        variant_ids=list(variant_ids),
        currency=cart.currency,
        customer_group_id=holder.customer_group_id,
    )


def price_cart(
    cart: Cart,
    *,
    holder: Holder,
    items: Sequence[CartItem] | None = None,
    offers: Offers | None = None,
    balances: Sequence[StoredValue] | None = None,
    with_tenders: bool = True,
) -> PricedCart:
    """Return the cart at the prices that the holder pays now, with all that is in the way.

    Whoever has read the cart's lines, what the catalog says of them, or the balances that the cart
    names, already gives them; who orders it takes the tenders themself.
    """
    at = timezone.now()
    if items is None:
        items = list(CartItem.objects.filter(cart=cart).order_by("created_at", "id"))
    if offers is None:
        offers = offers_for(cart, holder=holder, variant_ids=[item.variant_id for item in items])
    lines = [CartLine(item, offers.get(item.variant_id)) for item in items]
    option = next(
        (o for o in _options(cart, lines, at.date()) if o.code == cart.shipping_option), None
    )
    rules = rules_for(
        codes=cart.coupons,
        customer_id=cart.customer_id,
        group_id=holder.customer_group_id,
        at=at,
    )
    taxes = applicable(cart.shipping_address, at)
    quoted = quote(
        Basket(
            currency=cart.currency,
            at=at,
            lines=tuple(_line(line.item, line.offer) for line in lines if line.offer is not None),
            promotions=rules.promotions,
            coupons=rules.coupons,
            customer=rules.customer,
            shipping=Shipping(option.price.minor) if option else None,
            taxes=taxes.taxes,
        )
    )
    total = quoted.totals.grand_total.minor
    tenders = tenders_for(cart, total, balances) if with_tenders else NONE
    problems = _problems(cart, lines, option)
    priced = PricedCart(cart, lines, quoted, rules, taxes, problems, tenders)
    priced.problems.extend(
        Problem(
            "coupon_not_applicable",
            f"{trial.key}: {trial.outcome}.",
            {"code": trial.key, "reason": trial.outcome},
        )
        for trial in priced.idle_codes
    )
    priced.problems.extend(
        Problem(
            "gift_card_not_usable", f"The card that ends in {card.account.last_four} cannot pay."
        )
        for card in tenders.gift_cards
        if card.problem
    )
    return priced


def shipping_options(priced: PricedCart) -> list[ShippingOption]:
    """Return the ways the cart can be sent. Raises ShippingAddressMissing."""
    if not priced.cart.shipping_address:
        raise ShippingAddressMissing("Set the shipping address first.")
    return _options(priced.cart, priced.lines, timezone.now().date())


def _line(item: CartItem, offer: catalog.Offer) -> Line:
    tier = offer.tier_for(item.quantity)
    regular = tier.source == "regular"
    return Line(
        variant_id=offer.variant_id,
        sku=offer.sku,
        product_id=offer.product_id,
        quantity=item.quantity,
        list_price=offer.list_price.minor,
        price_list="" if regular else tier.source,
        price_list_price=None if regular else tier.price.minor,
        category_ids=offer.category_ids,
        brand_id=offer.brand_id,
        tags=offer.tags,
        tax_class=offer.tax_class,
    )


def _options(cart: Cart, lines: list[CartLine], today: date) -> list[ShippingOption]:
    if not cart.shipping_address:
        return []
    weight = sum(line.offer.weight_grams * line.item.quantity for line in lines if line.offer)
    return TableRates().options(
        country=cart.shipping_address["country"],
        weight_grams=weight,
        currency=cart.currency,
        today=today,
    )


def _problems(cart: Cart, lines: list[CartLine], option: ShippingOption | None) -> list[Problem]:
    found = []
    if not lines:
        found.append(Problem("cart_is_empty", "There is nothing in the cart."))
    for line in lines:
        found += _problems_of(line, cart.currency)
    if not cart.email:
        found.append(Problem("email_missing", "Say where the confirmation goes."))
    if not cart.shipping_address:
        found.append(Problem("shipping_address_missing", "Say where the parcel goes."))
    elif option is None:
        found.append(Problem("shipping_option_missing", "Choose how the parcel is sent."))
    return found


def _problems_of(line: CartLine, currency: str) -> Iterator[Problem]:
    item, offer, now = line.item, line.offer, line.unit_price
    facts = {"item_id": item.pk, "variant_id": item.variant_id}
    if offer is None or now is None:
        yield Problem("item_unavailable", f"Line {item.pk} is sold no more.", facts)
        return
    if offer.available < item.quantity:
        left = {"wanted": item.quantity, "available": offer.available}
        detail = f"{offer.sku}: {offer.available} left."
        yield Problem("insufficient_stock", detail, {**facts, **left})
    if line.rise:
        before = Money(now.minor - line.rise, currency)
        detail = f"{offer.sku}: one cost {before.amount}, now {now.amount}."
        yield Problem("price_changed", detail, {**facts, "before": before, "now": now})
