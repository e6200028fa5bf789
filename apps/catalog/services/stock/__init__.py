"""Everything that changes stock: each change and its ledger lines are one statement."""

from apps.catalog.services.stock.balances import AvailabilityChanged
from apps.catalog.services.stock.giving_up import NotHeld, give_up
from apps.catalog.services.stock.goods import (
    NotEnoughToMove,
    SameStockLocation,
    StockIsReserved,
    UnknownStockLocation,
    UnknownVariant,
    adjust,
    count,
    receive,
    receive_first,
    transfer,
)
from apps.catalog.services.stock.policies import (
    IncompletePolicy,
    LimitBelowOrders,
    set_policy,
)
from apps.catalog.services.stock.pools import fill_pools, set_hot
from apps.catalog.services.stock.proof import repair_balances
from apps.catalog.services.stock.quantities import LARGEST_QUANTITY, NotAQuantity
from apps.catalog.services.stock.reservations import (
    AlreadyReserved,
    GoodsNotThere,
    NotShipped,
    OutOfStock,
    allocate,
    expire_reservations,
    keep,
    release,
    reserve,
    return_to_stock,
    ship,
)
from apps.catalog.services.stock.turns import take_turn

__all__ = [
    "LARGEST_QUANTITY",
    "AlreadyReserved",
    "AvailabilityChanged",
    "GoodsNotThere",
    "IncompletePolicy",
    "LimitBelowOrders",
    "NotAQuantity",
    "NotEnoughToMove",
    "NotHeld",
    "NotShipped",
    "OutOfStock",
    "SameStockLocation",
    "StockIsReserved",
    "UnknownStockLocation",
    "UnknownVariant",
    "adjust",
    "allocate",
    "count",
    "expire_reservations",
    "fill_pools",
    "give_up",
    "keep",
    "receive",
    "receive_first",
    "release",
    "repair_balances",
    "reserve",
    "return_to_stock",
    "set_hot",
    "set_policy",
    "ship",
    "take_turn",
    "transfer",
]
