"""What goods would be taxed at an address, and why: for staff who set taxes up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.kernel.money import CurrencyMismatch, Money
from apps.orders.pricing import Basket, Charge, Line, Quote, Shipping, quote
from apps.orders.services.taxes import Applicable, applicable


@dataclass(frozen=True, slots=True)
class Goods:
    """So many pieces at a price, and the code of their tax class."""

    price: Money
    quantity: int = 1
    tax_class: str = ""


@dataclass(frozen=True, slots=True)
class TaxedCharge:
    """What goods or a parcel cost, and the class that they were taxed as."""

    tax_class: str
    charge: Charge


@dataclass(frozen=True, slots=True)
class TaxQuote:
    """The taxes of some goods: where they come from, and how high they are."""

    found: Applicable
    quote: Quote
    goods: list[TaxedCharge]
    parcel: TaxedCharge | None


def quote_taxes(
    *,
    goods: Sequence[Goods],
    shipping: Money | None,
    address: Mapping[str, Any],
    at: datetime,
) -> TaxQuote:
    """Return what the goods, and the parcel, would be taxed at an address at a moment.

    Raises CurrencyMismatch, and NotAnAmount for totals beyond 10^15.
    """
    currencies = {each.price.currency for each in goods}
    currencies |= {shipping.currency} if shipping else set()
    if len(currencies) > 1:
        raise CurrencyMismatch("Give all amounts in one currency.", currencies=sorted(currencies))
    found = applicable(address, at)
    quoted = quote(
        Basket(
            currency=currencies.pop(),
            at=at,
            lines=tuple(_line(number, each) for number, each in enumerate(goods, start=1)),
            shipping=Shipping(shipping.minor) if shipping else None,
            taxes=found.taxes,
        )
    )
    class_of = found.taxes.class_of
    return TaxQuote(
        found,
        quoted,
        goods=[TaxedCharge(class_of(each.line.tax_class), each.charge) for each in quoted.lines],
        parcel=TaxedCharge(found.taxes.shipping_class, quoted.shipping) if shipping else None,
    )


def _line(number: int, goods: Goods) -> Line:
    return Line(
        variant_id=UUID(int=number),
        sku=str(number),
        product_id=UUID(int=number),
        quantity=goods.quantity,
        list_price=goods.price.minor,
        tax_class=goods.tax_class,
    )
