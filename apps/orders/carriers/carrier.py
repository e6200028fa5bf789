"""What the store asks of any carrier."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from apps.kernel.money import Money


@dataclass(frozen=True, slots=True)
class ShippingOption:
    """One way to get the parcel there, with its price and the days it may arrive."""

    code: str
    name: str
    price: Money
    earliest: date
    latest: date


@dataclass(frozen=True, slots=True)
class Label:
    """A bought label: the parcel can be handed over."""

    tracking_number: str
    tracking_url: str


class Carrier(Protocol):
    """A carrier. Calls are made with no transaction open and may be repeated with the same id."""

    code: str

    def options(
        self, *, country: str, weight_grams: int, currency: str, today: date
    ) -> list[ShippingOption]:
        """Return the ways to that country (ISO 3166-1 alpha-2), cheapest first."""
        ...

    def buy_label(self, *, shipment_id: UUID, address: dict[str, Any]) -> Label:
        """Return the label of a shipment: the same one for the same id."""
        ...
