"""A basket's goods in an order of their own, so that the customer's order decides nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from apps.orders.pricing.baskets import Basket, Line
from apps.orders.pricing.promotions import Selection


@dataclass(frozen=True, slots=True)
class Chosen:
    """The places of some lines, in order, and what they hold and cost together."""

    places: Sequence[int]
    quantity: int
    subtotal: int


@dataclass(frozen=True, slots=True, eq=False)
class Goods:
    """The lines by variant, with what they cost before promotions; and the parcel's price.

    Everything that is worked out about a basket is a sequence in this order, in which the parcel
    comes after the last line; a place is a number in it. The parcel's price is None until a way is
    chosen, and 0 when nothing is sent.
    """

    lines: tuple[Line, ...]
    quantities: tuple[int, ...]
    subtotals: tuple[int, ...]
    cheapest_first: tuple[int, ...]
    parcel: int | None
    sent: bool
    _found: dict[Selection, Chosen] = field(default_factory=dict)

    @classmethod
    def of(cls, basket: Basket) -> "Goods":
        """Return the goods of a basket."""
        lines = tuple(sorted(basket.lines, key=lambda line: line.variant_id.int))
        prices = [line.unit_price for line in lines]
        sent = any(line.requires_shipping for line in lines)
        return cls(
            lines=lines,
            quantities=tuple(line.quantity for line in lines),
            subtotals=tuple(p * line.quantity for p, line in zip(prices, lines, strict=True)),
            cheapest_first=tuple(sorted(range(len(lines)), key=prices.__getitem__)),
            parcel=(basket.shipping.price if sent else 0) if basket.shipping else None,
            sent=sent,
        )

    @property
    def amounts(self) -> list[int]:
        """What the lines and the parcel cost before promotions."""
        return [*self.subtotals, self.parcel or 0]

    def matching(self, selection: Selection) -> Chosen:
        """Return the lines that the selection names."""
        if selection not in self._found:
            places = self._places(selection)
            self._found[selection] = Chosen(
                places=places,
                quantity=sum(self.quantities[place] for place in places),
                subtotal=sum(self.subtotals[place] for place in places),
            )
        return self._found[selection]

    def _places(self, wanted: Selection) -> Sequence[int]:
        lines = self.lines
        found: Iterable[int] = range(len(lines))
        if categories := wanted.category_ids:
            found = [i for i in found if not categories.isdisjoint(lines[i].category_ids)]
        if brands := wanted.brand_ids:
            found = [i for i in found if lines[i].brand_id in brands]
        if products := wanted.product_ids:
            found = [i for i in found if lines[i].product_id in products]
        if tags := wanted.tags:
            found = [i for i in found if not tags.isdisjoint(lines[i].tags)]
        return tuple(found)
