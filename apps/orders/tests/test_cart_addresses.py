"""Where parcels go: held against the country's rules when it is said, and never afterwards."""

import pytest
from rest_framework.test import APIClient

from apps.orders.models import Cart
from apps.orders.tests.factories import ADDRESS, tax_rate, tax_zone
from apps.orders.tests.test_api import check_out, filled, opened

pytestmark = pytest.mark.django_db


@pytest.fixture
def guest():
    return APIClient()


def test_an_address_is_kept_in_the_form_of_its_country(guest):
    path = f"/api/v1/carts/{opened(guest)['id']}/shipping-address"

    answer = guest.put(path, {**ADDRESS, "region": "illinois", "postal_code": " 62701 "})

    assert answer.json()["shipping_address"] == ADDRESS


def test_each_field_that_the_country_does_not_know_is_an_error(guest):
    cart = opened(guest)
    wrong = {**ADDRESS, "region": "Bavaria", "postal_code": "SW1Y 4JH"}
    del wrong["city"]

    answer = guest.put(f"/api/v1/carts/{cart['id']}/shipping-address", wrong)

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert {error["pointer"]: error["code"] for error in answer.json()["errors"]} == {
        "/city": "required",
        "/region": "unknown_region",
        "/postal_code": "invalid_postal_code",
    }
    assert guest.get(f"/api/v1/carts/{cart['id']}").json()["shipping_address"] is None


def test_a_country_without_cities_and_postal_codes_needs_none(guest):
    path = f"/api/v1/carts/{opened(guest)['id']}/shipping-address"
    short = {name: ADDRESS[name] for name in ("first_name", "last_name", "line1")}

    answer = guest.put(path, {**short, "country": "HK", "region": "Kowloon"})

    assert answer.status_code == 200
    assert answer.json()["shipping_address"] == {
        **short,
        "city": "",
        "region": "Kowloon",
        "postal_code": "",
        "country": "HK",
    }


def test_an_address_from_before_is_read_ordered_and_paid(guest):
    path, _ = filled(guest)
    before = {**ADDRESS, "region": "Nowhere", "postal_code": "?"}
    Cart.objects.update(shipping_address=before)

    assert guest.get(path).json()["shipping_address"] == before
    order = check_out(guest, path)

    assert order.status_code == 201
    assert order.json()["shipping_address"] == before


@pytest.mark.parametrize("area", ["US/IL", "US/Illinois"])
def test_taxes_of_a_region_count_however_the_area_names_it(guest, area, standard_class):
    tax_rate(tax_zone(area), "6.25")
    path, _ = filled(guest, price_minor=1000)

    for region in ("IL", "Illinois", "US-IL"):
        guest.put(f"{path}/shipping-address", {**ADDRESS, "region": region})
        assert guest.get(path).json()["totals"]["tax"]["amount"] != "0.00"
