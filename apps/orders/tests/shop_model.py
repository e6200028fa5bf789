"""A shop small enough to be seen to be right: what the real one has to agree with."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

OVER = {"captured", "failed", "voided"}
BASE_FEE, FEE_A_KILOGRAM = 400, 100


class Card(StrEnum):
    """What the bank says to a card."""

    GOOD = "pm_card_visa"
    DECLINED = "pm_card_visa_chargeDeclined"
    ASKS = "pm_card_threeDSecure2Required"


REPLIES = {Card.GOOD: "authorised", Card.DECLINED: "failed", Card.ASKS: "requires_action"}


@dataclass(eq=False)
class Ware:
    """A variant and its units: on the shelf, and of these the ones held back for orders."""

    id: UUID
    product_id: UUID
    price: int
    grams: int
    on_hand: int
    held: int = 0

    @property
    def available(self) -> int:
        return self.on_hand - self.held


Lines = dict[Ware, int]


def parcel_of(lines: Lines) -> int:
    """What the standard delivery costs."""
    grams = sum(ware.grams * quantity for ware, quantity in lines.items())
    return BASE_FEE + FEE_A_KILOGRAM * max(1, -(-grams // 1000))


@dataclass
class Code:
    """A coupon's code that takes something off as often as it has uses left."""

    text: str
    off: int
    left: int


@dataclass(eq=False)
class Basket:
    """A guest's cart, and the order that it has become."""

    id: UUID
    token: str
    lines: Lines = field(default_factory=dict)
    addressed: bool = False
    code: Code | None = None
    purchase: "Purchase | None" = None

    @property
    def items(self) -> int:
        return sum(ware.price * quantity for ware, quantity in self.lines.items())

    @property
    def discount(self) -> int:
        return min(self.code.off, self.items) if self.code and self.code.left else 0

    @property
    def total(self) -> int:
        """What it costs with the standard delivery."""
        return self.items - self.discount + parcel_of(self.lines)

    @property
    def fits(self) -> bool:
        return all(ware.available >= quantity for ware, quantity in self.lines.items())


@dataclass(eq=False)
class Purchase:
    """An order: how far it has come, its newest payment, and the money that the shop has of it.

    A replacement is `paid_by` the order whose goods came back: what that has `lent` goes back of
    the replacement alone. `off` is what all that was bought costs less than its prices. `due` says
    that a worker would take the payment on now; `answer` is the shopper's to the bank.
    """

    id: UUID
    token: str
    lines: Lines
    total: int
    card: Card
    code: Code | None = None
    off: int = 0
    status: str = "pending_payment"
    payment: str = "created"
    due: bool = True
    answer: bool | None = None
    captured: int = 0
    promised: int = 0
    refunded: int = 0
    lent: int = 0
    paid_by: "Purchase | None" = None
    is_with_the_shopper: bool = False
    parcels: "list[Parcel]" = field(default_factory=list)

    @property
    def returnable(self) -> Lines:
        """Pieces that no return has asked for."""
        asked = Counter[Ware]()
        for parcel in self.parcels:
            asked[parcel.ware] += parcel.quantity
        left = {ware: bought - asked[ware] for ware, bought in self.lines.items()}
        return {ware: quantity for ware, quantity in left.items() if quantity}

    @property
    def left(self) -> int:
        """What can go back."""
        return self.captured - self.promised - self.lent

    @property
    def wanted(self) -> bool:
        return self.status == "pending_payment"

    @property
    def is_alive(self) -> bool:
        return self.payment not in OVER

    def pay_again(self, card: Card) -> None:
        self.card, self.payment, self.due, self.answer = card, "created", True, None

    def pay_one_step(self, *, heard: bool = True) -> None:
        """Do what a worker does in one turn; not `heard`: the provider's answer is lost."""
        match self.payment:
            case "created" if not self.wanted:
                self.payment = "voided"
            case "created" | "in_flight":
                self.payment = REPLIES[self.card] if heard else "in_flight"
            case "authorised" if not self.wanted:
                self.payment = "voided"
            case "authorised" | "capture_in_flight":
                self._capture(heard=heard)
            case "requires_action" if not self.wanted:
                self.payment = "voided"
            case "requires_action" if heard and self.answer is not None:
                self.payment = "authorised" if self.answer else "failed"
        self.due = self.payment in {"created", "authorised"}

    def hear(self) -> None:
        """Learn from the provider's messages what its answers did not tell."""
        told = {"in_flight": self.card != Card.ASKS, "capture_in_flight": True}
        told["requires_action"] = self.answer is not None
        if told.get(self.payment):
            if self.payment == "requires_action":
                self.payment = "authorised" if self.answer else "failed"
                self.due = True
            else:
                self.pay_one_step()

    def settle(self) -> None:
        """Do all that is due: charge, void, send money back, label the parcel."""
        while self.is_alive and self.due:
            self.pay_one_step()
        self.refunded = self.promised
        if self.status == "paid":
            self.status = "fulfilling"

    def cancel(self) -> None:
        self._end("cancelled")
        self.send_back(self.left)

    def send_back(self, minor: int) -> None:
        self.promised += minor
        if self.paid_by:
            self.paid_by.lent -= minor
            self.paid_by.send_back(minor)

    def expire(self) -> None:
        """Nobody has paid in time, unless the money is on its way at this moment."""
        if self.payment not in {"authorised", "capture_in_flight"}:
            self._end("expired")

    def edit(self, lines: Lines, *, total: int) -> None:
        """Give it other pieces; what a paid one costs less goes back."""
        for ware in {**self.lines, **lines}:
            ware.held += lines.get(ware, 0) - self.lines.get(ware, 0)
        if self.status == "paid":
            self.send_back(min(self.total - total, self.left))
        self.lines, self.total = lines, total

    def hand_over(self) -> None:
        self.is_with_the_shopper = True
        for ware, quantity in self.lines.items():
            ware.on_hand -= quantity
            ware.held -= quantity

    def _end(self, status: str) -> None:
        if self.code and self.wanted:
            self.code.left += 1
        self.status, self.due = status, True
        for ware, quantity in self.lines.items():
            ware.held -= quantity

    def _capture(self, *, heard: bool) -> None:
        self.payment = "captured" if heard else "capture_in_flight"
        if heard:
            self.captured = self.total
            self.promised = 0 if self.wanted else self.total
        if heard and self.wanted:
            self.status = "paid"


@dataclass(eq=False)
class Parcel:
    """Pieces of one ware that come back; once they are looked at, those that were accepted."""

    id: UUID
    purchase: Purchase
    ware: Ware
    quantity: int
    status: str = "requested"
    worth: int = 0
    wanted: Ware | None = None

    @property
    def replaced(self) -> int | None:
        """What another piece of what is wanted costs for each of these; None: they are paid back.

        It is what these have cost, in proportion of the prices and at most the price.
        """
        ware, pieces = self.wanted, self.quantity
        if ware is None or not pieces or ware.available < pieces:
            return None
        costs = min(self.worth * ware.price // self.ware.price, ware.price * pieces)
        return costs if costs <= self.purchase.left else None

    def look(self, accepted: int, *, worth: int) -> None:
        """Accept so many. Together the pieces are worth what they have cost, to the cent."""
        purchase = self.purchase
        self.quantity, self.worth, self.status = accepted, worth, "inspected"
        looked_at = [each for each in purchase.parcels if each.status == "inspected"]
        cost = sum(each.ware.price * each.quantity for each in looked_at)
        off = cost - sum(each.worth for each in looked_at)
        assert 0 <= off <= purchase.off
        if all(each.status == "inspected" for each in purchase.parcels) and not purchase.returnable:
            assert off == purchase.off

    def pay_back(self, *, replaced: int) -> None:
        """Pay back what they have cost, as far as it is left, less what a replacement has of it."""
        self.purchase.send_back(min(self.worth, self.purchase.left) - replaced)
