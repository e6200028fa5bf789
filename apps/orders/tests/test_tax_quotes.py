"""Staff try taxes out; the figures are worked out by hand."""

import pytest

from apps.kernel.models import AuditEntry
from apps.orders.tests.factories import tax_class, tax_rate, tax_zone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standard_class")]
QUOTES = "/api/v1/tax/quotes"
GERMANY = {"country": "DE"}


def money(amount, currency="EUR"):
    return {"amount": amount, "currency": currency}


def line(amount, currency, quantity=1, tax_class=""):
    return {"price": money(amount, currency), "quantity": quantity, "tax_class": tax_class}


def taxes_of(charge):
    return [(tax["code"], tax["percentage"], tax["amount"]["amount"]) for tax in charge["taxes"]]


def figures(answer):
    """The tax of each line, of the parcel, and net, tax and total."""
    assert answer.status_code == 200, answer.content
    document = answer.json()
    charges = [*document["lines"], *filter(None, [document["shipping"]])]
    return (
        [charge["tax"]["amount"] for charge in charges],
        tuple(document[name]["amount"] for name in ("net", "tax", "total")),
    )


@pytest.fixture
def germany():
    zone = tax_zone("DE", name="Germany", prices_include_tax=True)
    tax_rate(zone, "19", name="VAT 19 %")
    tax_rate(zone, "7", of="reduced", name="VAT 7 %")
    return zone


def test_euro_prices_with_tax_of_two_classes(staff, germany):
    # Standard: (119.00 + 4.99) × 19/119 = 19.796… -> 19.80, of which the parcel bears 0.80.
    # Reduced: 21.40 × 7/107 = 1.40.
    lines = [line("119.00", "EUR"), line("10.70", "EUR", 2, "reduced")]

    answer = staff.post(QUOTES, {"lines": lines, "shipping": money("4.99"), "address": GERMANY})

    assert figures(answer) == (["19.00", "1.40", "0.80"], ("124.19", "21.20", "145.39"))


def test_a_quote_says_which_zone_which_rates_and_how_it_rounds(staff, germany):
    answer = staff.post(QUOTES, {"lines": [line("1.07", "EUR", 1, "reduced")], "address": GERMANY})

    assert answer.json() == {
        "zone": {
            "id": str(germany.pk),
            "name": "Germany",
            "prices_include_tax": True,
            "country": "DE",
            "region": "",
            "postal_prefix": "",
            "found_by": "country",
        },
        "rounding": {"mode": "half_up", "tax": "total"},
        "lines": [
            {
                "tax_class": "reduced",
                "subtotal": money("1.07"),
                "net": money("1.00"),
                "tax": money("0.07"),
                "total": money("1.07"),
                "taxes": [
                    {
                        "code": "vat",
                        "name": "VAT 7 %",
                        "percentage": "7",
                        "amount": money("0.07"),
                    }
                ],
            }
        ],
        "shipping": None,
        "taxes": [
            {"code": "vat", "percentage": "7", "net": money("1.00"), "amount": money("0.07")}
        ],
        "net": money("1.00"),
        "tax": money("0.07"),
        "total": money("1.07"),
    }
    assert not AuditEntry.objects.filter(action__contains="quote").exists()


def test_dollar_prices_without_tax_of_state_and_county(staff):
    # Each line by itself, half a cent up: 59.97 × 7.25 % = 4.347…, × 2.25 % = 1.349…;
    # 2.00 × 7.25 % = 0.145, × 2.25 % = 0.045. Groceries and parcels are not taxed.
    tax_rate(tax_zone("US/CA", name="California"), "7.25", code="state", name="State")
    zone = tax_zone("US/CA/900", "US/CA/902", name="Los Angeles County", shipping_taxed=False)
    tax_rate(zone, "7.25", code="state", name="State")
    tax_rate(zone, "2.25", code="county", name="County")
    tax_class("groceries")
    lines = [line("19.99", "USD", 3), line("2.00", "USD"), line("0.10", "USD", 1, "groceries")]
    order = {"lines": lines, "shipping": money("7.95", "USD")}

    county = staff.post(
        QUOTES,
        {**order, "address": {"country": "US", "region": "CA", "postal_code": "90210"}},
    )
    state = staff.post(
        QUOTES,
        {**order, "address": {"country": "US", "region": "CA", "postal_code": "94016"}},
    )

    assert figures(county) == (["5.70", "0.20", "0.00", "0.00"], ("70.02", "5.90", "75.92"))
    assert taxes_of(county.json()["lines"][0]) == [
        ("county", "2.25", "1.35"),
        ("state", "7.25", "4.35"),
    ]
    assert county.json()["zone"]["found_by"] == "postal_prefix"
    assert county.json()["rounding"]["tax"] == "line"
    # 7.95 × 7.25 % = 0.576…
    assert figures(state) == (["4.35", "0.15", "0.00", "0.58"], ("70.02", "5.08", "75.10"))
    assert state.json()["zone"]["found_by"] == "region"


def test_yen_have_no_fractions(staff):
    # Food: 1674 × 8/108 = 124. The rest: 1770 × 10/110 = 160.9… -> 161, shared as 91 and 70.
    zone = tax_zone("JP", prices_include_tax=True)
    tax_rate(zone, "10", code="ct", name="Consumption tax")
    tax_rate(zone, "8", of="food", code="ct", name="Consumption tax (reduced)")
    lines = [
        line("198", "JPY", 3, "food"),
        line("1080", "JPY", 1, "food"),
        line("1000", "JPY"),
    ]

    answer = staff.post(
        QUOTES,
        {"lines": lines, "shipping": money("770", "JPY"), "address": {"country": "JP"}},
    )

    assert figures(answer) == (["44", "80", "91", "70"], ("3159", "285", "3444"))


def test_dinars_have_three_digits(staff):
    # 3.712 × 5 % = 0.1856 -> 0.186, shared by largest remainder: 185.498… and 0.501….
    tax_rate(tax_zone("KW", shipping_taxed=False), "5")
    lines = [line("1.234", "KWD", 3), line("0.010", "KWD")]

    answer = staff.post(
        QUOTES,
        {"lines": lines, "shipping": money("2.500", "KWD"), "address": {"country": "KW"}},
    )

    assert figures(answer) == (["0.185", "0.001", "0.000"], ("6.212", "0.186", "6.398"))


def test_where_no_zone_is_nothing_is_taxed(staff):
    answer = staff.post(QUOTES, {"lines": [line("1.00", "EUR")], "address": {"country": "FR"}})

    assert figures(answer) == (["0.00"], ("1.00", "0.00", "1.00"))
    assert answer.json()["zone"] is None


def test_the_rest_of_the_world_and_another_day_can_be_asked_for(staff):
    tax_rate(tax_zone("*"), "10", valid_from="2027-01-01T00:00:00Z")
    body = {"lines": [line("1.00", "EUR")], "address": {"country": "FR"}}

    today = staff.post(QUOTES, {**body, "at": "2026-12-31T23:59:59Z"})
    tomorrow = staff.post(QUOTES, {**body, "at": "2027-01-01T00:00:00Z"})

    assert figures(today)[0] == ["0.00"]
    assert figures(tomorrow)[0] == ["0.10"]
    assert tomorrow.json()["zone"]["found_by"] == "rest"


@pytest.mark.parametrize("tax_class", ["", "unheard-of", "not a code"])
def test_what_names_no_known_class_is_of_the_default_one(staff, germany, tax_class):
    answer = staff.post(QUOTES, {"lines": [line("1.19", "EUR", 1, tax_class)], "address": GERMANY})

    assert figures(answer)[0] == ["0.19"]
    assert answer.json()["lines"][0]["tax_class"] == "standard"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"lines": []}, "/lines"),
        ({"lines": [line("1.00", "EUR")] * 201}, "/lines"),
        ({"lines": [{}]}, "/lines/0/price"),
        ({"lines": [line("-1.00", "EUR")]}, "/lines/0/price"),
        ({"lines": [line("1.001", "EUR")]}, "/lines/0/price"),
        ({"lines": [line("NaN", "EUR")]}, "/lines/0/price"),
        ({"lines": [line("1.00", "EUR", 0)]}, "/lines/0/quantity"),
        ({"lines": [line("1.00", "EUR", 1000)]}, "/lines/0/quantity"),
        ({"lines": [line("1.00", "EUR", 1.0)]}, "/lines/0/quantity"),
        ({"lines": [line("1.00", "EUR", 1, 7)]}, "/lines/0/tax_class"),
        ({"address": None}, "/address"),
        ({"address": {}}, "/address/country"),
        ({"address": {"country": "XX"}}, "/address/country"),
        ({"address": {"country": "de"}}, "/address/country"),
        ({"at": "yesterday"}, "/at"),
        ({"shipping": "4.99"}, "/shipping"),
    ],
)
def test_a_quote_that_cannot_be_read_is_refused_where_it_is_wrong(staff, change, pointer):
    body = {"lines": [line("1.00", "EUR")], "address": GERMANY, **change}

    answer = staff.post(QUOTES, body)

    assert answer.status_code == 400, answer.content
    assert [entry["pointer"] for entry in answer.json()["errors"]] == [pointer]


def test_amounts_are_in_one_currency_and_not_beyond_belief(staff):
    mixed = {"lines": [line("1.00", "EUR"), line("1", "JPY")], "address": GERMANY}
    huge = {"lines": [line("999999999999", "JPY", 999)] * 2, "address": GERMANY}

    for body, code in ((mixed, "currency_mismatch"), (huge, "not_an_amount")):
        answer = staff.post(QUOTES, body)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
