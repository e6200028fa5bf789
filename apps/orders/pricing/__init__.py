"""What a basket costs and why, and what goes back for a part of it. Pure: facts in, amounts out.

`quote` and `refund` are the two functions; the rest are their facts and answers. Amounts are whole
minor units of the basket's currency: cents for USD, yen for JPY, fils for KWD.
"""

from apps.orders.pricing.amounts import NotPriceable, Rounding, RoundingMode, TaxRounding
from apps.orders.pricing.baskets import Basket, Coupon, Customer, Line, Shipping
from apps.orders.pricing.conflicts import Conflict, Meeting, conflicts
from apps.orders.pricing.promotions import (
    AmountOff,
    AmountOffEach,
    BuyXGetY,
    FreeShipping,
    Measure,
    Percentage,
    Promotion,
    Selection,
    Tier,
    Tiers,
)
from apps.orders.pricing.quotes import (
    AppliedPromotion,
    Charge,
    Discount,
    Quote,
    QuotedLine,
    TaxTotal,
    Totals,
    quote,
)
from apps.orders.pricing.refunds import (
    MoreThanBought,
    Parts,
    Refund,
    Refunded,
    Sold,
    SoldLine,
    refund,
)
from apps.orders.pricing.replays import Effect, effect_of
from apps.orders.pricing.stored import (
    benefit_document,
    benefit_of,
    selection_document,
    selection_of,
)
from apps.orders.pricing.taxes import Rate, Tax, Taxes
from apps.orders.pricing.verdicts import Outcome, RuleKind, Trial

__all__ = [
    "AmountOff",
    "AmountOffEach",
    "AppliedPromotion",
    "Basket",
    "BuyXGetY",
    "Charge",
    "Conflict",
    "Coupon",
    "Customer",
    "Discount",
    "Effect",
    "FreeShipping",
    "Line",
    "Measure",
    "Meeting",
    "MoreThanBought",
    "NotPriceable",
    "Outcome",
    "Parts",
    "Percentage",
    "Promotion",
    "Quote",
    "QuotedLine",
    "Rate",
    "Refund",
    "Refunded",
    "Rounding",
    "RoundingMode",
    "RuleKind",
    "Selection",
    "Shipping",
    "Sold",
    "SoldLine",
    "Tax",
    "TaxRounding",
    "TaxTotal",
    "Taxes",
    "Tier",
    "Tiers",
    "Totals",
    "Trial",
    "benefit_document",
    "benefit_of",
    "conflicts",
    "effect_of",
    "quote",
    "refund",
    "selection_document",
    "selection_of",
]
