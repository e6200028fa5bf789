"""How balances share in paying a total."""

from collections.abc import Iterable


def shares(total: int, balances: Iterable[int]) -> list[int]:
    """Return what each balance pays of a total, one after the other; together at most the total."""
    parts = []
    for balance in balances:
        parts.append(min(balance, total))
        total -= parts[-1]
    return parts
