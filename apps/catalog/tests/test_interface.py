"""What other apps may rely on."""

import pytest

from apps.catalog import interface as catalog
from apps.catalog.models import Image, Reservation, Stock
from apps.catalog.tests.factories import (
    BrandFactory,
    CategoryFactory,
    PriceFactory,
    PriceListFactory,
    ProductFactory,
    TagFactory,
    VariantFactory,
)
from apps.kernel.ids import new_id
from apps.kernel.money import Money

pytestmark = pytest.mark.django_db


def test_an_offer_says_what_a_cart_needs_to_know(django_assert_num_queries):
    lamps, tag = CategoryFactory(parent=CategoryFactory()), TagFactory()
    mug = ProductFactory(name="Mug", category=lamps, brand=BrandFactory())
    mug.tags.add(tag)
    variant = VariantFactory(product=mug, name="Blue", sku="MUG", price_minor=950, stock=4)
    Image.objects.create(product=variant.product, file="products/m.webp", width=1, height=1)
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 1})

    with django_assert_num_queries(1):
        offers = catalog.offers(variant_ids=[variant.pk, new_id()])

    assert offers == {
        variant.pk: catalog.Offer(
            variant_id=variant.pk,
            product_id=variant.product_id,
            sku="MUG",
            name="Mug, Blue",
            price=Money(950, "USD"),
            list_price=Money(950, "USD"),
            weight_grams=500,
            available=3,
            availability="low_stock",
            available_on=None,
            image_url="/media/products/m.webp",
            category_ids=frozenset({lamps.pk, lamps.parent_id}),
            brand_id=mug.brand_id,
            tags=frozenset({tag.slug}),
        )
    }


def test_the_list_price_is_what_it_costs_without_lists_and_sales():
    listed, other = VariantFactory(price_minor=1000), VariantFactory(price_minor=2000)
    PriceFactory(variant=listed, price_list=PriceListFactory(code="spring"), amount_minor=900)

    offers = catalog.offers(variant_ids=[listed.pk, other.pk])

    assert [
        (o.price.minor, o.list_price.minor, o.price_source)
        for o in (offers[listed.pk], offers[other.pk])
    ] == [(900, 1000, "list:spring"), (2000, 2000, "regular")]


def test_what_is_not_for_sale_is_not_offered():
    inactive = VariantFactory(is_active=False)
    draft = VariantFactory(product__status="draft")

    assert catalog.offers(variant_ids=[inactive.pk, draft.pk]) == {}
    assert catalog.offers_by_sku(skus=[inactive.sku, draft.sku]) == {}


def test_offers_by_sku_answer_under_the_callers_spelling(django_assert_num_queries):
    variant = VariantFactory(sku="Mug-Blue", stock=1)

    with django_assert_num_queries(1):
        offers = catalog.offers_by_sku(skus=["MUG-blue", "mug-blue", "none", "nul\0"])

    assert {sku: offer.variant_id for sku, offer in offers.items()} == {
        "MUG-blue": variant.pk,
        "mug-blue": variant.pk,
    }


def balances():
    return sorted(Stock.objects.values_list("on_hand", "reserved"))


def test_an_order_reserves_and_ships_in_one_statement_each(django_assert_num_queries):
    first, second, order = VariantFactory(stock=5), VariantFactory(stock=3), new_id()

    with django_assert_num_queries(1):
        catalog.reserve(order_id=order, quantities={first.pk: 4, second.pk: 2})
    assert balances() == [(3, 2), (5, 4)]
    with django_assert_num_queries(1):
        assert catalog.ship(order_id=order)
    assert balances() == [(1, 0), (1, 0)]
    assert catalog.stock_differences() == []


def test_a_reservation_is_given_back_once(django_assert_num_queries):
    variant, order = VariantFactory(stock=5), new_id()
    catalog.reserve(order_id=order, quantities={variant.pk: 3})

    with django_assert_num_queries(1):
        assert catalog.release(order_id=order)

    assert not catalog.release(order_id=order)
    assert not catalog.ship(order_id=order)
    assert balances() == [(5, 0)]


def test_what_falls_short_is_named_and_nothing_is_reserved():
    plenty = VariantFactory(sku="PLENTY", stock=9)
    scarce = VariantFactory(sku="SCARCE", stock=1)
    never = VariantFactory(sku="NEVER")

    with pytest.raises(catalog.OutOfStock) as refusal:
        catalog.reserve(order_id=new_id(), quantities={plenty.pk: 2, scarce.pk: 2, never.pk: 1})

    assert refusal.value.facts == {"skus": ["NEVER", "SCARCE"]}
    assert balances() == [(1, 0), (9, 0)]
    assert not Reservation.objects.exists()


def test_an_order_that_gave_its_stock_back_may_reserve_again():
    variant, order = VariantFactory(stock=5), new_id()
    catalog.reserve(order_id=order, quantities={variant.pk: 3})
    catalog.release(order_id=order)

    catalog.reserve(order_id=order, quantities={variant.pk: 2})

    assert balances() == [(5, 2)]
    assert catalog.stock_differences() == []


def test_an_order_does_not_reserve_the_same_twice():
    variant, order = VariantFactory(stock=5), new_id()
    catalog.reserve(order_id=order, quantities={variant.pk: 3})

    with pytest.raises(catalog.AlreadyReserved):
        catalog.reserve(order_id=order, quantities={variant.pk: 1})


@pytest.mark.parametrize("quantity", [0, -1, 1.5, True, 10**10])
def test_a_quantity_that_is_none_is_refused(quantity):
    variant = VariantFactory(stock=5)

    with pytest.raises(catalog.NotAQuantity):
        catalog.reserve(order_id=new_id(), quantities={variant.pk: quantity})
    with pytest.raises(catalog.NotAQuantity):
        catalog.receive(quantities={variant.pk: quantity}, reason="test")
    assert balances() == [(5, 0)]


def test_goods_of_an_unknown_variant_are_not_received():
    known = VariantFactory(stock=1)

    with pytest.raises(catalog.UnknownVariant):
        catalog.receive(quantities={known.pk: 1, new_id(): 1}, reason="test")

    assert balances() == [(1, 0)]


def test_goods_are_received_in_two_statements_and_told_of_in_a_third(django_assert_num_queries):
    known, new = VariantFactory(stock=1), VariantFactory()

    with django_assert_num_queries(5):  # with a savepoint and its release
        catalog.receive(quantities={known.pk: 4, new.pk: 2}, reason="delivery")

    assert balances() == [(2, 0), (5, 0)]
