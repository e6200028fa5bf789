"""What Money promises."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.kernel.money import (
    EXPONENTS,
    LARGEST_MINOR,
    CurrencyMismatch,
    Money,
    NotAnAmount,
    format_minor,
)

CURRENCIES = [*EXPONENTS, "USD", "EUR", "GBP", "CHF"]
currencies = st.sampled_from(CURRENCIES)
minors = st.integers(min_value=-(10**12), max_value=10**12)


@given(minors, currencies)
def test_the_written_amount_parses_to_the_same_money(minor: int, currency: str) -> None:
    money = Money(minor, currency)

    assert Money.parse(money.amount, currency) == money


@given(minors, currencies)
def test_the_written_amount_has_the_currencys_own_number_of_digits(
    minor: int, currency: str
) -> None:
    amount = Money(minor, currency).amount

    digits = EXPONENTS.get(currency, 2)
    assert len(amount.partition(".")[2]) == digits
    assert Decimal(amount) == Decimal(minor).scaleb(-digits)


@given(st.lists(minors, max_size=20), currencies)
def test_a_sum_is_the_sum_of_the_minor_units(amounts: list[int], currency: str) -> None:
    total = Money.sum([Money(minor, currency) for minor in amounts], currency=currency)

    assert total == Money(sum(amounts), currency)


@given(minors, minors, currencies)
def test_what_is_added_can_be_taken_away_again(one: int, other: int, currency: str) -> None:
    a, b = Money(one, currency), Money(other, currency)

    assert a + b - b == a
    assert (a < b) is (one < other)
    assert (a <= b) is (one <= other)


@given(minors, st.integers(min_value=-1000, max_value=1000))
def test_a_multiple_is_a_repeated_sum(minor: int, quantity: int) -> None:
    assert Money(minor, "USD") * quantity == Money(minor * quantity, "USD")


@given(st.text(max_size=12), st.text(max_size=4))
def test_any_text_is_an_amount_or_refused(amount: str, currency: str) -> None:
    try:
        money = Money.parse(amount, currency)
    except NotAnAmount:
        return
    assert Decimal(money.amount) == Decimal(amount)


@pytest.mark.parametrize("minor", [1.0, 19.99, Decimal(1), Fraction(1), "1", None, True])
def test_minor_units_are_whole_numbers_and_nothing_else(minor: object) -> None:
    with pytest.raises(TypeError):
        Money(minor, "USD")  # type: ignore[arg-type]  # this is the refusal


@pytest.mark.parametrize("quantity", [0.5, 2.0, Decimal(2), "2", True])
def test_money_is_multiplied_by_whole_numbers_only(quantity: object) -> None:
    with pytest.raises(TypeError):
        Money(100, "USD") * quantity  # type: ignore[operator]  # this is the refusal


@pytest.mark.parametrize(
    "amount",
    [
        "",
        " 1",
        "1 ",
        "1.",
        ".5",
        "1,5",
        "+1",
        "--1",
        "1e3",
        "0x1",
        "NaN",
        "inf",
        "1_000",
        "١",
        "1\n",
    ],
)
def test_a_malformed_amount_is_refused(amount: str) -> None:
    with pytest.raises(NotAnAmount):
        Money.parse(amount, "USD")


@pytest.mark.parametrize(
    ("amount", "currency"), [("1.5", "JPY"), ("1.999", "USD"), ("1.0001", "KWD")]
)
def test_an_amount_finer_than_the_currency_is_refused_not_rounded(
    amount: str, currency: str
) -> None:
    with pytest.raises(NotAnAmount):
        Money.parse(amount, currency)


@pytest.mark.parametrize("currency", ["", "usd", "US", "USDX", "U$D", "ÜSD", "USD\n"])
def test_a_malformed_currency_is_refused(currency: str) -> None:
    with pytest.raises(NotAnAmount):
        Money(1, currency)
    with pytest.raises(NotAnAmount):
        Money.parse("1", currency)


def test_an_amount_beyond_the_largest_is_refused() -> None:
    assert Money(LARGEST_MINOR, "USD").minor == LARGEST_MINOR
    with pytest.raises(NotAnAmount):
        Money(LARGEST_MINOR + 1, "USD")
    with pytest.raises(NotAnAmount):
        Money(LARGEST_MINOR, "USD") + Money(1, "USD")
    with pytest.raises(NotAnAmount):
        Money.parse("9" * 15, "USD")


def test_currencies_never_mix() -> None:
    dollars, euros = Money(100, "USD"), Money(100, "EUR")

    for mix in (
        lambda: dollars + euros,
        lambda: dollars - euros,
        lambda: dollars < euros,
        lambda: dollars <= euros,
        lambda: Money.sum([dollars, euros], currency="USD"),
    ):
        with pytest.raises(CurrencyMismatch) as refusal:
            mix()
        assert refusal.value.facts == {"currencies": ["EUR", "USD"]}
    assert dollars != euros


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1999, "USD", "19.99"),
        (5, "USD", "0.05"),
        (-5, "USD", "-0.05"),
        (0, "USD", "0.00"),
        (1999, "JPY", "1999"),
        (1999, "KWD", "1.999"),
        (-100000, "BHD", "-100.000"),
    ],
)
def test_amounts_are_written_like_this(minor: int, currency: str, text: str) -> None:
    assert format_minor(minor, currency) == text
    assert str(Money(minor, currency)) == f"{text} {currency}"


def test_money_cannot_be_changed() -> None:
    money = Money.zero("USD")

    with pytest.raises(AttributeError):
        money.minor = 1  # type: ignore[misc]  # this is the refusal
