"""Money: an exact amount in one currency, never rounded silently."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from apps.kernel.errors import Invalid

# ISO 4217:2015, table A.1: the currencies whose minor unit is not 1/100.
EXPONENTS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}
# ISO 4217:2015, table A.1, as of 2026: what people pay with; no funds, metals and tests.
CURRENCIES = frozenset(
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD "
    "CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS "
    "GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW "
    "KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR "
    "MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR "
    "SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX "
    "USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG".split()
)
CURRENCY = re.compile(r"[A-Z]{3}")
AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,4})?")
LARGEST_MINOR = 10**15


class NotAnAmount(Invalid):
    """The text is no amount of that currency."""

    code = "not_an_amount"


class CurrencyMismatch(Invalid):
    """Two currencies met where only one may stand."""

    code = "currency_mismatch"


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in minor units (cents, for USD) of an ISO 4217 currency.

    Raises TypeError for a float, NotAnAmount for a malformed currency or an amount beyond ±10^15.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"Money is counted in whole minor units, not {self.minor!r}.")
        if not CURRENCY.fullmatch(self.currency) or abs(self.minor) > LARGEST_MINOR:
            raise NotAnAmount("This is no amount of money.", currency=self.currency)

    @classmethod
    def parse(cls, amount: str, currency: str) -> Money:
        """Return the money that a decimal string names.

        Raises NotAnAmount, also when the string has more digits than the currency has.
        """
        if not AMOUNT.fullmatch(amount) or not CURRENCY.fullmatch(currency):
            raise NotAnAmount("An amount is a decimal string such as 19.99.", currency=currency)
        try:
            minor = Decimal(amount).scaleb(EXPONENTS.get(currency, 2))
        except InvalidOperation as error:
            raise NotAnAmount("An amount is a decimal string such as 19.99.") from error
        if minor != minor.to_integral_value():
            raise NotAnAmount("The amount is finer than the currency's minor unit.")
        return cls(int(minor), currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Return nothing, in a currency."""
        return cls(0, currency)

    @classmethod
    def sum(cls, amounts: Iterable[Money], *, currency: str) -> Money:
        """Return the total. Raises CurrencyMismatch when one is in another currency."""
        total = cls.zero(currency)
        for amount in amounts:
            total += amount
        return total

    @property
    def amount(self) -> str:
        """The decimal string with exactly the currency's number of digits."""
        return format_minor(self.minor, self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other).minor, self.currency)

    def __mul__(self, quantity: int) -> Money:
        if type(quantity) is not int:
            raise TypeError(f"Money is multiplied by whole numbers, not {quantity!r}.")
        return Money(self.minor * quantity, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other).minor

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other).minor

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def _same(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise CurrencyMismatch(
                "These amounts are in different currencies.",
                currencies=sorted({self.currency, other.currency}),
            )
        return other


def format_minor(minor: int, currency: str) -> str:
    """Return minor units as the decimal string of the currency: 1999 USD is "19.99"."""
    digits = EXPONENTS.get(currency, 2)
    if digits == 0:
        return str(minor)
    whole, fraction = divmod(abs(minor), 10**digits)
    return f"{'-' if minor < 0 else ''}{whole}.{fraction:0{digits}d}"
