"""Percentages as people write them, and in parts per million as rates hold them."""

import re
from decimal import Decimal

from apps.kernel.errors import Invalid

PERCENTAGE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?")
ONE = 10_000  # parts per million


class NotAPercentage(Invalid):
    """The text is no percentage from 0 to 100 with up to 4 decimals."""

    code = "not_a_percentage"


def ppm_of(percentage: str) -> int:
    """Return the parts per million: "8.875" is 88750. Raises NotAPercentage."""
    if not PERCENTAGE.fullmatch(percentage):
        raise NotAPercentage("A percentage is a decimal text such as 8.875.")
    ppm = int(Decimal(percentage) * ONE)
    if ppm > 100 * ONE:
        raise NotAPercentage("A percentage is at most 100.")
    return ppm


def percentage_of(ppm: int) -> str:
    """Return the percentage without zeros at its end: 88750 is "8.875"."""
    whole, rest = divmod(ppm, ONE)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")
