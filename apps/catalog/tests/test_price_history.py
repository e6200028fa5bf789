"""What things cost is written down by the database, and the lowest price of 30 days follows."""

import random
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from apps.catalog import interface as catalog
from apps.catalog.models import Price, PriceChange, PriceList, Product, Variant
from apps.catalog.services.prices.due import apply_due_prices
from apps.catalog.services.products import VariantDraft, archive_product, change_product
from apps.catalog.tests.factories import (
    PriceFactory,
    PriceListFactory,
    ProductFactory,
    VariantFactory,
)
from apps.kernel.money import Money

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def noted(variant, **wanted):
    """Return the amounts that were noted of a variant, the oldest first."""
    changes = PriceChange.objects.filter(variant=variant, **wanted).order_by("id")
    return list(changes.values_list("amount_minor", flat=True))


def moment():
    """Return when the transaction began, which is what the database writes down."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cursor.fetchone()[0]


def test_every_price_that_everybody_was_asked_is_noted_once():
    variant = VariantFactory(price_minor=1000)

    for price, compare_at, active in (
        (1000, None, True),
        (900, None, True),
        (900, 1200, True),
        (900, 1200, False),
        (900, 1200, True),
    ):
        Variant.objects.filter(pk=variant.pk).update(
            price_minor=price, compare_at_minor=compare_at, is_active=active
        )

    changes = PriceChange.objects.filter(variant=variant).order_by("id")
    assert [(each.amount_minor, each.compare_at_minor) for each in changes] == [
        (1000, None),
        (900, None),
        (900, 1200),
        (None, None),
        (900, 1200),
    ]
    assert {(each.currency, each.price_list_id, each.min_quantity) for each in changes} == {
        ("USD", None, 1)
    }


def test_only_what_is_published_has_prices_that_count():
    product = ProductFactory(status="draft", published_at=None)
    variant = VariantFactory(product=product, price_minor=1000)
    assert noted(variant) == []

    change_product(product_id=product.pk, fields={"status": "published"})
    assert noted(variant) == [1000]

    archive_product(product_id=product.pk)
    assert noted(variant) == [1000, None]


def test_an_import_is_noted(django_assert_num_queries):
    records = [
        catalog.ProductRecord(
            external_ref=f"ref-{n}",
            name=f"Thing {n}",
            category_path=("Things",),
            variants=[catalog.VariantRecord(sku=f"T-{n}", price=Money(100 + n, "USD"))],
        )
        for n in range(5)
    ]

    catalog.import_products(records=records)

    amounts = PriceChange.objects.order_by("amount_minor").values_list("amount_minor", flat=True)
    assert list(amounts) == [100, 101, 102, 103, 104]


def test_what_a_list_says_is_noted_beside_what_everybody_pays():
    variant = VariantFactory(price_minor=1000)
    ours = PriceListFactory(code="ours", customer_group_id=variant.pk)
    euros = PriceListFactory(code="euros", currency="EUR")
    PriceFactory(variant=variant, price_list=ours, amount_minor=700)
    PriceFactory(variant=variant, price_list=ours, amount_minor=600, min_quantity=10)
    PriceFactory(variant=variant, price_list=euros, amount_minor=950)

    Price.objects.all().delete()

    assert noted(variant, price_list=None, currency="USD") == [1000]
    assert noted(variant, price_list=None, currency="EUR") == [950, None]
    assert noted(variant, price_list=ours, min_quantity=1) == [700, None]
    assert noted(variant, price_list=ours, min_quantity=10) == [600, None]
    assert noted(variant, price_list=euros) == [950, None]


@pytest.mark.parametrize("change", ["UPDATE catalog_pricechange SET amount_minor = 1", "DELETE"])
def test_the_history_only_grows(change):
    variant = VariantFactory()
    statement = change if "SET" in change else "DELETE FROM catalog_pricechange"

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert noted(variant) == [1000]


def test_a_lists_currency_never_changes():
    price_list = PriceListFactory(currency="EUR")

    with pytest.raises(DatabaseError), transaction.atomic():
        PriceList.objects.filter(pk=price_list.pk).update(currency="USD")


def lowest_by_hour(prices):
    """Return the lowest of the 720 hours before now, asking for each hour what was asked in it.

    `prices` are amounts, or None, by how many hours ago they began; the naive model.
    """
    asked = []
    for hour in range(720, 0, -1):
        begun = [ago for ago in prices if ago >= hour]
        if begun and prices[min(begun)] is not None:
            asked.append(prices[min(begun)])
    return min(asked, default=None)


@pytest.mark.parametrize("seed", range(4))
def test_the_lowest_price_is_that_of_a_model_that_looks_at_every_hour(seed):
    chance, now = random.Random(seed), moment()
    product = ProductFactory()
    expected = {}
    for _ in range(40):
        # At the edges of the 30 days, where mistakes are made, more often than elsewhere.
        hours = sorted(
            chance.sample([1, 2, 719, 720, 721, 722, *range(3, 1400, 50)], chance.randint(0, 6)),
            reverse=True,
        )
        prices = {ago: chance.choice([None, *range(500, 1500, 50)]) for ago in hours}
        variant = VariantFactory(product=product, is_active=False, price_minor=400)
        PriceChange.objects.bulk_create(
            PriceChange(
                variant=variant,
                currency="USD",
                min_quantity=1,
                amount_minor=minor,
                at=now - ago * HOUR,
            )
            for ago, minor in prices.items()
        )
        expected[variant.pk] = lowest_by_hour(prices)

    Variant.objects.filter(pk__in=expected).update(is_active=True, compare_at_minor=2000)

    reduced = PriceChange.objects.filter(variant__in=expected, compare_at_minor=2000)
    assert dict(reduced.values_list("variant", "lowest_minor")) == expected


def test_the_lowest_price_is_shown_wherever_a_reduction_is(visitor):
    variant = VariantFactory.since(timezone.now() - 60 * DAY, price_minor=1000)
    now = timezone.now()
    PriceFactory.overlooked(
        variant=variant, amount_minor=850, valid_from=now - 20 * DAY, valid_until=now - 19 * DAY
    )
    apply_due_prices()
    path = f"/api/v1/products/{variant.product_id}"
    assert visitor.get(path).json()["lowest_price_30_days"] is None

    PriceFactory.overlooked(variant=variant, amount_minor=900)
    apply_due_prices()

    detail = visitor.get(path).json()
    expected = {
        "price": {"amount": "9.00", "currency": "USD"},
        "compare_at_price": {"amount": "10.00", "currency": "USD"},
        "lowest_price_30_days": {"amount": "8.50", "currency": "USD"},
    }
    (in_list,) = visitor.get("/api/v1/products").json()["results"]
    for document in (detail, detail["variants"][0], in_list):
        assert {name: document[name] for name in expected} == expected


def test_a_reduction_that_is_none_shows_the_price_itself(visitor):
    variant = VariantFactory.since(timezone.now() - 60 * DAY, price_minor=1000)
    draft = VariantDraft(sku=variant.sku, price=Money(1000, "USD"), compare_at=Money(1500, "USD"))

    change_product(product_id=variant.product_id, fields={"variants": [draft]})

    shown = visitor.get(f"/api/v1/products/{variant.product_id}").json()
    assert shown["lowest_price_30_days"] == shown["price"] == {"amount": "10.00", "currency": "USD"}


@pytest.mark.django_db(transaction=True)
def test_what_a_transaction_sets_and_changes_again_was_nobodys_price():
    variant = VariantFactory.since(timezone.now() - 60 * DAY, price_minor=1000)

    with transaction.atomic():
        Variant.objects.filter(pk=variant.pk).update(price_minor=100)
        Variant.objects.filter(pk=variant.pk).update(price_minor=900, compare_at_minor=1000)

    assert PriceChange.objects.latest("id").lowest_minor == 1000
    assert catalog.offers(variant_ids=[variant.pk])[variant.pk].price == Money(900, "USD")


@pytest.mark.django_db(transaction=True)
def test_a_reduction_lasts_when_the_product_is_written_again(visitor):
    size = {"size": "L"}
    variant = VariantFactory.since(timezone.now() - 60 * DAY, price_minor=1000, options=size)
    draft = VariantDraft(
        sku=variant.sku, price=Money(800, "USD"), compare_at=Money(1000, "USD"), options=size
    )

    for _ in range(2):
        change_product(product_id=variant.product_id, fields={"variants": [draft]})

    shown = visitor.get(f"/api/v1/products/{variant.product_id}").json()
    assert shown["lowest_price_30_days"] == {"amount": "10.00", "currency": "USD"}
    assert noted(variant) == [1000, 800]


def test_what_lists_hold_ends_with_the_list():
    variant = VariantFactory.since(timezone.now() - 60 * DAY, price_minor=1000)
    ends = timezone.now() - HOUR
    price_list = PriceListFactory(valid_from=ends - DAY, valid_until=ends)
    PriceFactory.overlooked(
        variant=variant, price_list=price_list, amount_minor=700, valid_from=ends - DAY
    )

    apply_due_prices()

    changes = PriceChange.objects.filter(variant=variant, price_list=None).order_by("id")
    assert [(each.amount_minor, each.at) for each in changes][1:] == [
        (700, ends - DAY),
        (1000, ends),
    ]
    assert Product.objects.get(pk=variant.product_id).price_from_minor == 1000


def test_the_public_sees_what_everybody_paid_in_one_currency_of_late(
    visitor, django_assert_num_queries
):
    variant = VariantFactory.since(timezone.now() - 300 * DAY, price_minor=1200)
    now = timezone.now()
    for begins, minor in ((200, 1100), (100, 1000), (50, 900)):
        PriceFactory.overlooked(
            variant=variant,
            amount_minor=minor,
            valid_from=now - begins * DAY,
            valid_until=now - (begins - 20) * DAY,
        )
    apply_due_prices()
    PriceFactory(
        variant=variant, price_list=PriceListFactory(customer_group_id=variant.pk), amount_minor=1
    )
    path = f"/api/v1/products/{variant.product_id}/price-history"

    with django_assert_num_queries(2):
        page = visitor.get(path).json()

    amounts = [row["price"]["amount"] for row in page["results"]]
    assert amounts == ["12.00", "9.00", "12.00", "10.00"]
    newest, sale = page["results"][:2]
    assert newest["valid_until"] is None
    assert sale["valid_until"] == newest["valid_from"]
    assert "price_list" not in sale
    assert sale["compare_at_price"] == sale["lowest_price_30_days"] == newest["price"]
    assert visitor.get(f"{path}?currency=EUR").json()["results"] == []
    by_slug = f"/api/v1/products/{variant.product.slug}/price-history"
    assert visitor.get(by_slug).json()["results"] == page["results"]


def test_staff_see_everything_page_by_page(staff):
    variant = VariantFactory.since(timezone.now() - 300 * DAY, price_minor=1200)
    price_list = PriceListFactory(code="ours", customer_group_id=variant.pk, currency="EUR")
    PriceFactory(variant=variant, price_list=price_list, amount_minor=700, min_quantity=3)
    path = f"/api/v1/products/{variant.product_id}/price-history"

    first = staff.get(f"{path}?limit=1").json()
    second = staff.get(first["next"]).json()

    (row,) = first["results"]
    assert (row["price_list"], row["min_quantity"], row["price"]["currency"]) == ("ours", 3, "EUR")
    (row,) = second["results"]
    assert (row["price_list"], row["price"]["amount"]) == (None, "12.00")
    assert second["next"] is None
    assert staff.get(f"{path}?filter[variant]={variant.product_id}").json()["results"] == []


def test_a_draft_has_no_history_for_the_public(visitor, staff):
    variant = VariantFactory(product=ProductFactory(status="draft", published_at=None))
    path = f"/api/v1/products/{variant.product_id}/price-history"

    assert visitor.get(path).status_code == 404
    assert staff.get(path).json()["results"] == []
