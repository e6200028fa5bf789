"""What operators ask and load from the command line."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.catalog.tests.factories import ProductFactory
from apps.orders.models import TaxClass, TaxRate, TaxZone
from apps.orders.pricing import Rate
from apps.orders.services.taxes import applicable
from apps.orders.tests.factories import ADDRESS, tax_zone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("standard_class")]


def told(command):
    output = io.StringIO()
    call_command(command, stdout=output)
    return output.getvalue()


def test_classes_that_products_name_and_nobody_knows_are_told():
    ProductFactory(tax_class="standard")
    assert "exist" in told("check_tax_classes")

    for _ in range(2):
        ProductFactory(tax_class="fodo")
    errors = io.StringIO()
    with pytest.raises(CommandError, match="1 unknown"):
        call_command("check_tax_classes", stderr=errors)
    assert errors.getvalue() == "fodo: 2 products are taxed as the default class.\n"


def test_the_sample_taxes_are_loaded_once_and_tax_nobody_elsewhere():
    assert "2 zones added" in told("load_sample_taxes")
    assert "has taxes" in told("load_sample_taxes")

    now = timezone.now()
    germany = applicable({"country": "DE"}, now).taxes
    assert (germany.included, germany.on("reduced")) == (True, (Rate("vat", 70_000),))
    city = applicable({"country": "US", "region": "New York", "postal_code": "10001"}, now).taxes
    assert sum(rate.ppm for rate in city.on("")) == 88_750
    assert applicable(ADDRESS, now).taxes.zone == ""
    assert (TaxClass.objects.count(), TaxRate.objects.count()) == (2, 5)


def test_a_store_that_has_a_zone_keeps_what_it_has():
    tax_zone("FR")

    told("load_sample_taxes")

    assert TaxZone.objects.get().name == "FR"
