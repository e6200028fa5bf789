"""Tax on prices and in them."""

from typing import Any

import pytest

from apps.kernel.money import Money
from apps.orders.pricing import (
    Percentage,
    Quote,
    Rate,
    Rounding,
    RoundingMode,
    Shipping,
    Taxes,
    TaxRounding,
    quote,
)
from apps.orders.tests.baskets import CITY, REDUCED, STATE, VAT, basket, line, promotion

PER_LINE = Rounding(tax=TaxRounding.LINE)
PER_TOTAL = Rounding(tax=TaxRounding.TOTAL)


def taxed(*lines: Any, rounding: Rounding = PER_TOTAL, **facts: Any) -> Quote:
    rates = {"standard": (VAT,), "reduced": (REDUCED,), "city": (STATE, CITY)}
    return quote(
        basket(
            *lines,
            rounding=rounding,
            shipping=facts.pop("shipping", None),
            promotions=facts.pop("promotions", ()),
            taxes=Taxes(rates=rates, **facts),
        )
    )


def test_tax_is_added_to_prices_without_it() -> None:
    found = taxed(line(1, 1000), line(2, 1000, tax_class="reduced"), line(3, 50, tax_class="none"))

    assert [quoted.charge.total for quoted in found.lines] == [1190, 1070, 50]
    assert found.totals.tax == Money(260, "EUR")
    assert [(each.rate, each.net, each.amount) for each in found.taxes] == [
        (REDUCED, 1000, 70),
        (VAT, 1000, 190),
    ]


def test_tax_that_prices_include_is_told_and_not_added() -> None:
    found = taxed(line(1, 1190), line(2, 1070, tax_class="reduced"), included=True)

    assert found.totals.grand_total == Money(2260, "EUR")
    assert (found.totals.tax, found.tax_included) == (Money(0, "EUR"), Money(260, "EUR"))
    assert [quoted.charge.net for quoted in found.lines] == [1000, 1000]


@pytest.mark.parametrize(
    ("rounding", "tax"),
    [(PER_LINE, [1, 1, 1]), (PER_TOTAL, [1, 1, 0])],
    ids=["line", "total"],
)
def test_tax_is_rounded_for_each_line_or_once_and_shared(
    rounding: Rounding, tax: list[int]
) -> None:
    lines = [line(key, 4) for key in (1, 2, 3)]

    assert [quoted.charge.tax for quoted in taxed(*lines, rounding=rounding).lines] == tax


def test_half_a_cent_of_tax_goes_where_the_mode_says() -> None:
    def tax(mode: RoundingMode) -> int:
        rates = {"standard": (Rate("half", 50_000),)}
        rounding = Rounding(mode, TaxRounding.LINE)
        return quote(
            basket(line(1, 10), taxes=Taxes(rates=rates), rounding=rounding)
        ).totals.tax.minor

    assert (tax(RoundingMode.HALF_UP), tax(RoundingMode.HALF_EVEN)) == (1, 0)


def test_each_rate_of_a_class_is_a_tax_of_its_own() -> None:
    found = taxed(line(1, 10_000, tax_class="city"))

    assert [(tax.rate.code, tax.amount) for tax in found.lines[0].charge.taxes] == [
        ("state", 625),
        ("city", 89),
    ]


def test_included_taxes_of_several_rates_are_never_more_than_the_price() -> None:
    rates = {"standard": (Rate("a", 1_000_000), Rate("b", 1_000_000))}
    found = quote(basket(line(1, 1), taxes=Taxes(rates=rates, included=True), rounding=PER_LINE))

    assert [tax.amount for tax in found.lines[0].charge.taxes] == [1, 0]
    assert found.lines[0].charge.net == 0


def test_tax_is_on_what_is_left_after_discounts() -> None:
    found = taxed(line(1, 1000), promotions=(promotion(1, Percentage(1000)),))

    assert found.totals.tax == Money(171, "EUR")


def test_shipping_is_taxed_when_the_zone_says_so() -> None:
    with_tax = taxed(line(1, 1000), shipping=Shipping(100))
    without = taxed(line(1, 1000), shipping=Shipping(100), shipping_taxed=False)
    reduced = taxed(line(1, 1000), shipping=Shipping(100, "reduced"))

    assert [found.shipping.tax for found in (with_tax, without, reduced)] == [19, 0, 7]


def test_what_names_no_class_that_is_known_bears_the_default_one() -> None:
    found = taxed(
        line(1, 1000, tax_class=""),
        line(2, 1000, tax_class="gone"),
        line(3, 1000, tax_class="reduced"),
        default_class="standard",
    )

    assert [quoted.charge.tax for quoted in found.lines] == [190, 190, 70]
    assert [trial.key for trial in found.explanation] == ["reduced", "standard"]


def test_a_class_that_is_known_and_has_no_rate_is_not_taxed() -> None:
    rates = {"standard": (VAT,), "exempt": ()}
    taxes = Taxes(rates=rates, default_class="standard")
    found = quote(basket(line(1, 1000, tax_class="exempt"), taxes=taxes))

    assert found.totals.tax == Money(0, "EUR")


def test_the_parcel_bears_the_class_of_the_zone_unless_it_has_its_own() -> None:
    parcels = [Shipping(100), Shipping(100, "standard")]
    goods = line(1, 1000, tax_class="none")
    found = [taxed(goods, shipping=parcel, shipping_class="reduced") for parcel in parcels]

    assert [each.shipping.tax for each in found] == [7, 19]
    assert [trial.key for each in found for trial in each.explanation] == [
        *("none", "reduced"),
        *("none", "standard"),
    ]
