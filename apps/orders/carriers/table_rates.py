"""The store's own carrier: prices from a table of zones and weights, no network."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.kernel.money import EXPONENTS, Money
from apps.orders.carriers.carrier import Label, ShippingOption


@dataclass(frozen=True, slots=True)
class Rate:
    """A base price in whole currency units and a price for each kilogram begun."""

    code: str
    name: str
    base: int
    each_kilogram: int
    least_days: int
    most_days: int


DOMESTIC = (
    Rate("standard", "Standard delivery", 4, 1, 2, 4),
    Rate("express", "Express delivery", 12, 2, 1, 1),
)
NEAR = (Rate("standard", "Standard delivery", 9, 2, 4, 8), Rate("express", "Express", 24, 4, 2, 3))
FAR = (Rate("standard", "International delivery", 19, 5, 7, 21),)

HOME = "US"
NEIGHBOURS = frozenset({"CA", "MX"})


class TableRates:
    """Quotes from the table above; makes its own tracking numbers, with a check digit."""

    code = "table_rates"

    def options(
        self, *, country: str, weight_grams: int, currency: str, today: date
    ) -> list[ShippingOption]:
        kilograms = max(1, -(-weight_grams // 1000))
        unit = 10 ** EXPONENTS.get(currency, 2)
        return sorted(
            (
                ShippingOption(
                    code=rate.code,
                    name=rate.name,
                    price=Money((rate.base + rate.each_kilogram * kilograms) * unit, currency),
                    earliest=_after_working_days(today, rate.least_days),
                    latest=_after_working_days(today, rate.most_days),
                )
                for rate in _zone(country)
            ),
            key=lambda option: option.price.minor,
        )

    def buy_label(self, *, shipment_id: UUID, address: dict[str, Any]) -> Label:
        digits = f"{int.from_bytes(hashlib.sha256(shipment_id.bytes).digest()[:6], 'big'):015d}"
        number = f"TR{digits}{_check_digit(digits)}"
        return Label(
            tracking_number=number, tracking_url=f"{settings.PUBLIC_URL}/?tracking={number}"
        )


def _zone(country: str) -> tuple[Rate, ...]:
    if country == HOME:
        return DOMESTIC
    return NEAR if country in NEIGHBOURS else FAR


def _after_working_days(start: date, days: int) -> date:
    def working_days() -> Iterator[date]:
        day = start
        while True:
            day += timedelta(days=1)
            if day.weekday() < 5:
                yield day

    return next(day for count, day in enumerate(working_days(), 1) if count == days)


def _check_digit(digits: str) -> int:
    """Return the Luhn check digit (ISO/IEC 7812-1, annex B)."""
    doubled = (int(d) * (2 if place % 2 == 0 else 1) for place, d in enumerate(reversed(digits)))
    return -sum(d - 9 if d > 9 else d for d in doubled) % 10
