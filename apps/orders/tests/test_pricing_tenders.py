"""How balances share in paying a total."""

from hypothesis import given
from hypothesis import strategies as st

from apps.orders.pricing.tenders import shares

AMOUNTS = st.integers(min_value=0, max_value=10**12)


@given(total=AMOUNTS, balances=st.lists(AMOUNTS, max_size=11))
def test_balances_pay_one_after_the_other_and_never_too_much(
    total: int, balances: list[int]
) -> None:
    parts = shares(total, balances)

    assert sum(parts) == min(total, sum(balances))
    for place, (part, balance) in enumerate(zip(parts, balances, strict=True)):
        assert 0 <= part <= balance
        left = total - sum(parts[: place + 1])
        assert part == balance or left == 0


def test_what_is_not_needed_is_left() -> None:
    assert shares(1500, [400, 2000, 300]) == [400, 1100, 0]
    assert shares(0, [400]) == [0]
    assert shares(1500, []) == []
