"""The catalog that a new store starts with."""

from io import StringIO

import pytest
from django.core.management import call_command
from PIL import Image as Pillow

from apps.catalog import interface as catalog
from apps.catalog.models import Category, Image, Product, StockMovement, Variant
from apps.catalog.selectors.categories import category_tree

pytestmark = pytest.mark.django_db


def load():
    output = StringIO()
    call_command("load_sample_catalog", stdout=output)
    return output.getvalue()


def everything():
    return [list(model.objects.order_by("pk").values()) for model in (Product, Variant, Image)]


def test_it_is_a_shop_that_can_be_browsed(media):
    assert load() == "Sample catalog: 60 products added, 0 were there, 0 refused.\n"
    assert Product.objects.filter(status="published").count() == 60
    assert {root["name"]: root["product_count"] for root in category_tree()} == {
        "Garden": 13,
        "Home": 19,
        "Kitchen": 18,
        "Travel": 10,
    }
    assert {path.count("/") - 1 for path in Category.objects.values_list("path", flat=True)} == {
        1,
        2,
        3,
    }
    assert Product.objects.exclude(description="").exclude(brand=None).count() == 60
    assert Product.objects.filter(compare_at_minor__isnull=False).count() >= 5
    offers = catalog.offers(variant_ids=Variant.objects.values_list("pk", flat=True))
    assert len(offers) == Variant.objects.count() > 100
    assert min(offer.available for offer in offers.values()) == 0
    assert all(offer.image_url for offer in offers.values())
    assert catalog.stock_differences() == []


def test_its_pictures_are_small_webp_files(media):
    load()

    files = list(media.rglob("*.webp"))
    assert len(files) == Image.objects.count() == 60
    assert max(file.stat().st_size for file in files) < 40_000
    with Pillow.open(files[0]) as picture:
        assert (picture.format, picture.size) == ("WEBP", (800, 800))


def test_loading_it_again_changes_nothing(media, django_assert_max_num_queries):
    load()
    variant = Variant.objects.get(sku="SKILLET-24-CM")
    catalog.receive(quantities={variant.pk: 1}, reason="test")
    Product.objects.filter(pk=variant.product_id).update(name="Renamed by staff")
    before, movements = everything(), StockMovement.objects.count()

    with django_assert_max_num_queries(12):
        line = load()

    assert line == "Sample catalog: 0 products added, 60 were there, 0 refused.\n"
    assert everything() == before
    assert StockMovement.objects.count() == movements


def test_it_is_priced_in_the_currency_of_the_store(media, settings):
    settings.STORE_CURRENCY = "JPY"

    load()

    price = catalog.offers_by_sku(skus=["SKILLET-24-CM"])["SKILLET-24-CM"].price
    assert str(price) == "39 JPY"
