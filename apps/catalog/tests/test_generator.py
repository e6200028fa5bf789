"""Made-up catalogs: the same for the same seed, all of it importable."""

import io

import pytest
from django.core.management import CommandError, call_command

from apps.catalog.management.generator import generated
from apps.catalog.models import Product, Variant


def generate(**options: int) -> str:
    out = io.StringIO()
    call_command("generate_catalog", stdout=out, **options)
    return out.getvalue()


def test_a_larger_catalog_begins_as_a_smaller_one():
    assert list(generated(products=30, seed=7))[:20] == list(generated(products=20, seed=7))


def test_another_seed_makes_other_products_that_can_stand_beside_them():
    one, other = list(generated(products=50, seed=1)), list(generated(products=50, seed=2))
    assert {record.name for record in one} != {record.name for record in other}
    skus = [variant.sku for record in (*one, *other) for variant in record.variants]
    assert len(set(skus)) == len(skus)


@pytest.mark.django_db
def test_all_of_it_is_published_and_a_second_run_adds_nothing():
    assert "300 products added, 0 were there, 0 refused" in generate(products=300)
    assert Product.objects.filter(status="published").count() == 300
    variants = Variant.objects.count()
    assert 300 < variants < 1800

    assert "0 products added, 300 were there, 0 refused" in generate(products=300)
    assert Variant.objects.count() == variants


@pytest.mark.django_db
@pytest.mark.parametrize("currency", ["JPY", "KWD"])
def test_it_is_made_in_the_currency_of_the_store(settings, currency):
    settings.STORE_CURRENCY = currency
    assert "40 products added" in generate(products=40)
    assert set(Variant.objects.values_list("currency", flat=True)) == {currency}


@pytest.mark.parametrize("options", [{"products": 0}, {"products": 1, "seed": -1}], ids=str)
def test_absurd_numbers_are_refused(options):
    with pytest.raises(CommandError, match="takes a number"):
        generate(**options)
