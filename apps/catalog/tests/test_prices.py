"""Which price counts, from when until when, and what it says where products are shown."""

from datetime import timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from apps.catalog import interface as catalog
from apps.catalog.models import (
    CollectionProduct,
    Import,
    Price,
    PriceChange,
    Product,
    RelatedProduct,
    Variant,
)
from apps.catalog.services.prices.current import settle_prices
from apps.catalog.services.prices.due import apply_due_prices
from apps.catalog.services.products import VariantDraft, change_product
from apps.catalog.services.search_index import refresh
from apps.catalog.tests.factories import (
    CollectionFactory,
    PriceFactory,
    PriceListFactory,
    ProductFactory,
    VariantFactory,
)
from apps.kernel.ids import new_id
from apps.kernel.models import OutboxEvent
from apps.kernel.money import Money

pytestmark = pytest.mark.django_db

GROUP, OTHERS = new_id(), new_id()
DAY = timedelta(days=1)
LEAST = timedelta(microseconds=1)


@pytest.fixture
def variant():
    """Something that has cost 10.00 for a year."""
    return VariantFactory.since(timezone.now() - 365 * DAY, price_minor=1000)


@pytest.fixture
def member(db):
    """A client of somebody in GROUP."""
    client = APIClient()
    client.force_authenticate(
        SimpleNamespace(pk=new_id(), is_authenticated=True, is_staff=False, customer_group_id=GROUP)
    )
    return client


def offer_of(variant, **asked):
    return catalog.offers(variant_ids=[variant.pk], **asked).get(variant.pk)


def price_of(variant, **asked):
    offer = offer_of(variant, **asked)
    return offer and (offer.price.amount, offer.price_source)


def listed(variant, minor, **fields):
    quantity = fields.pop("min_quantity", 1)
    return PriceFactory(
        variant=variant,
        amount_minor=minor,
        min_quantity=quantity,
        price_list=PriceListFactory(**fields),
    )


def test_without_anything_else_the_regular_price_counts(variant, django_assert_num_queries):
    with django_assert_num_queries(1):
        offer = offer_of(variant, customer_group_id=GROUP)

    assert (offer.price, offer.price_source, offer.tiers) == (Money(1000, "USD"), "regular", ())


def test_each_kind_of_price_counts_before_the_next(variant):
    PriceFactory(variant=variant, amount_minor=100)
    assert price_of(variant) == ("1.00", "sale")

    listed(variant, 1200, code="all")
    assert price_of(variant) == ("12.00", "list:all")

    listed(variant, 1500, code="ours", customer_group_id=GROUP)
    assert price_of(variant) == ("12.00", "list:all")
    assert price_of(variant, customer_group_id=OTHERS) == ("12.00", "list:all")
    assert price_of(variant, customer_group_id=GROUP) == ("15.00", "list:ours")


def test_the_higher_priority_counts_then_the_lower_price(variant):
    listed(variant, 700, code="cheap")
    listed(variant, 600, code="cheaper")
    assert price_of(variant) == ("6.00", "list:cheaper")

    listed(variant, 900, code="first", priority=1)
    assert price_of(variant) == ("9.00", "list:first")


@pytest.mark.parametrize(
    "fields",
    [
        {"is_active": False},
        {"valid_from": timezone.now() + DAY},
        {"valid_until": timezone.now() - DAY},
        {"currency": "EUR"},
        {"customer_group_id": OTHERS},
    ],
    ids=["off", "later", "over", "other currency", "other group"],
)
def test_a_list_that_does_not_apply_changes_nothing(variant, fields):
    listed(variant, 100, **fields)

    assert price_of(variant, customer_group_id=GROUP) == ("10.00", "regular")


def test_a_price_for_many_applies_from_that_quantity_on(variant):
    price_list = listed(variant, 900, code="tiers").price_list
    for quantity, minor in ((10, 700), (5, 800), (20, 700)):
        PriceFactory(
            variant=variant, price_list=price_list, min_quantity=quantity, amount_minor=minor
        )

    offer = offer_of(variant)

    assert [(each.min_quantity, each.price.minor) for each in offer.tiers] == [(5, 800), (10, 700)]
    assert {each.source for each in offer.tiers} == {"list:tiers"}
    wanted = {1: 900, 4: 900, 5: 800, 9: 800, 10: 700, 999: 700}
    assert {n: offer.price_for(n).minor for n in wanted} == wanted


def test_what_has_a_price_for_many_alone_cannot_be_bought_in_that_currency(variant):
    listed(variant, 900, currency="EUR", min_quantity=10)

    assert offer_of(variant, currency="EUR") is None
    assert price_of(variant) == ("10.00", "regular")


@pytest.mark.parametrize(
    ("currency", "minor", "amount"),
    [("JPY", 1099, "1099"), ("EUR", 1099, "10.99"), ("KWD", 1099, "1.099")],
    ids=["JPY", "EUR", "KWD"],
)
def test_every_currency_has_its_own_digits(variant, visitor, currency, minor, amount):
    listed(variant, minor, currency=currency, code="abroad")

    assert price_of(variant, currency=currency) == (amount, "list:abroad")
    shown = visitor.get(f"/api/v1/products/{variant.product_id}?currency={currency}").json()
    assert shown["price"] == {"amount": amount, "currency": currency}
    assert shown["variants"][0]["price"] == shown["price"]


def test_a_price_counts_from_its_first_instant_and_no_more_at_its_last(variant):
    begins = timezone.now() + DAY
    PriceFactory(variant=variant, valid_from=begins, valid_until=begins + DAY)
    PriceFactory(
        variant=variant, amount_minor=700, valid_from=begins + DAY, valid_until=begins + 2 * DAY
    )

    by_moment = {
        begins - LEAST: ("10.00", "regular"),
        begins: ("8.00", "sale"),
        begins + DAY - LEAST: ("8.00", "sale"),
        begins + DAY: ("7.00", "sale"),
        begins + 2 * DAY: ("10.00", "regular"),
    }
    assert {at: price_of(variant, at=at) for at in by_moment} == by_moment


def test_a_lists_validity_has_the_same_instants(variant):
    begins = timezone.now() + DAY
    listed(variant, 800, valid_from=begins, valid_until=begins + DAY, code="short")

    by_moment = {
        begins - LEAST: ("10.00", "regular"),
        begins: ("8.00", "list:short"),
        begins + DAY - LEAST: ("8.00", "list:short"),
        begins + DAY: ("10.00", "regular"),
    }
    assert {at: price_of(variant, at=at) for at in by_moment} == by_moment


def test_what_is_due_is_charged_before_anybody_has_dealt_with_it(variant, visitor):
    sale = PriceFactory.overlooked(variant=variant)

    assert price_of(variant) == ("8.00", "sale")
    detail = visitor.get(f"/api/v1/products/{variant.product_id}").json()
    assert detail["price"]["amount"] == detail["variants"][0]["price"]["amount"] == "8.00"
    (in_list,) = visitor.get("/api/v1/products").json()["results"]
    assert in_list["price"]["amount"] == "10.00"

    assert apply_due_prices() is True
    assert apply_due_prices() is False

    (in_list,) = visitor.get("/api/v1/products").json()["results"]
    assert (in_list["price"]["amount"], in_list["compare_at_price"]["amount"]) == ("8.00", "10.00")
    product = Product.objects.get()
    assert product.version == 2
    event = OutboxEvent.objects.get(name="catalog.product_changed")
    assert event.payload == {"product_id": str(product.pk), "version": 2}
    sale.refresh_from_db()
    assert sale.next_change_at == sale.valid_until
    assert PriceChange.objects.latest("id").at == sale.valid_from


def test_a_sale_that_came_and_went_unseen_is_in_the_history(variant):
    begins = timezone.now() - DAY
    PriceFactory.overlooked(variant=variant, valid_from=begins, valid_until=begins + DAY / 2)

    apply_due_prices()

    assert not Price.objects.exists()
    noted = PriceChange.objects.filter(variant=variant).order_by("id")
    assert [change.amount_minor for change in noted] == [1000, 800, 1000]
    assert Product.objects.get().price_from_minor == 1000


def test_a_price_without_an_end_becomes_the_regular_one(variant):
    PriceFactory.overlooked(
        variant=variant, amount_minor=900, compare_at_minor=950, valid_until=None
    )
    assert price_of(variant) == ("9.00", "regular")

    apply_due_prices()

    variant.refresh_from_db()
    assert (variant.price_minor, variant.compare_at_minor) == (900, 950)
    assert not Price.objects.exists()
    assert PriceChange.objects.filter(variant=variant).count() == 2
    product = Product.objects.get()
    assert (product.price_from_minor, product.compare_at_minor) == (900, 950)


def test_a_sale_and_a_new_regular_price_may_meet(variant):
    now = timezone.now()
    PriceFactory(variant=variant, valid_from=now, valid_until=now + 4 * DAY)
    PriceFactory(variant=variant, amount_minor=1200, valid_from=now + DAY, valid_until=None)
    PriceFactory(variant=variant, amount_minor=1300, valid_from=now + 2 * DAY, valid_until=None)

    assert price_of(variant, at=now + 3 * DAY) == ("8.00", "sale")
    assert price_of(variant, at=now + 4 * DAY) == ("13.00", "regular")


def test_who_edits_a_product_finds_what_was_due_already_done(variant):
    PriceFactory.overlooked(variant=variant, amount_minor=900, valid_until=None)
    draft = VariantDraft(sku=variant.sku, price=Money(1100, "USD"))

    change_product(product_id=variant.product_id, fields={"variants": [draft]})

    assert apply_due_prices() is False
    assert price_of(variant) == ("11.00", "regular")
    noted = PriceChange.objects.filter(variant=variant).order_by("id")
    assert [change.amount_minor for change in noted] == [1000, 900, 1100]


def test_an_edit_during_a_sale_keeps_the_sale(variant):
    PriceFactory(variant=variant)
    draft = VariantDraft(sku=variant.sku, price=Money(1100, "USD"))

    change_product(product_id=variant.product_id, fields={"variants": [draft]})

    product = Product.objects.get()
    assert (product.price_from_minor, product.compare_at_minor) == (800, 1100)
    assert price_of(variant) == ("8.00", "sale")


@pytest.mark.parametrize(
    "broken",
    [
        {"amount_minor": -1},
        {"amount_minor": 10**12 + 1},
        {"compare_at_minor": 800},
        {"valid_from": timezone.now() + 2 * DAY},
        {"min_quantity": 2},
        {"min_quantity": 0},
        {},
    ],
    ids=["negative", "absurd", "compare at", "ends first", "many", "none", "overlapping"],
)
def test_the_database_refuses_prices_that_make_no_sense(variant, broken):
    PriceFactory(variant=variant, valid_until=timezone.now() + timedelta(hours=1))
    apart = {"valid_from": timezone.now() + timedelta(hours=2)} if broken else {}

    with pytest.raises(IntegrityError), transaction.atomic():
        PriceFactory(**{"variant": variant, **apart, **broken})

    assert Price.objects.count() == 1


@pytest.mark.parametrize("size", [3, 12])
@pytest.mark.parametrize("query", ["", "?currency=EUR"], ids=["store's", "EUR"])
def test_a_page_costs_one_statement_in_any_currency_for_any_group(
    member, django_assert_num_queries, size, query
):
    price_list = PriceListFactory(customer_group_id=GROUP, currency="EUR" if query else "USD")
    for number in range(size):
        PriceFactory(variant=VariantFactory(), price_list=price_list, amount_minor=500 + number)

    with django_assert_num_queries(1):
        page = member.get(f"/api/v1/products{query}").json()

    assert [row["price"]["amount"] for row in page["results"]] == [
        f"5.{number:02}" for number in reversed(range(size))
    ]
    assert "variants" not in page["results"][0]
    with django_assert_num_queries(1):
        member.get(f"/api/v1/products/{page['results'][0]['id']}{query}")


def test_each_sees_the_price_of_their_group(variant, visitor, member):
    listed(variant, 500, customer_group_id=GROUP)
    path = f"/api/v1/products/{variant.product_id}"

    assert visitor.get(path).json()["price"]["amount"] == "10.00"
    answer = member.get(path)
    assert answer.json()["price"]["amount"] == "5.00"
    assert "public" not in answer.headers.get("Cache-Control", "")
    assert "Authorization" in answer["Vary"]


def test_a_currency_without_a_price_shows_none(variant, visitor):
    (shown,) = visitor.get("/api/v1/products?currency=EUR&expand=variants").json()["results"]

    assert shown["price"] is shown["compare_at_price"] is shown["lowest_price_30_days"] is None
    assert shown["variants"][0]["price"] is None
    assert offer_of(variant, currency="EUR") is None


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("currency=XYZ", "currency", "unknown_currency"),
        ("currency=usd", "currency", "unknown_currency"),
        ("currency=", "currency", "blank"),
        ("currency=EUR&sort=price", "sort", "store_currency_only"),
        ("currency=EUR&filter[price][gte]=1", "filter[price][gte]", "store_currency_only"),
    ],
    ids=["unknown", "small letters", "empty", "sorted", "filtered"],
)
def test_a_currency_that_makes_no_sense_is_refused(visitor, query, parameter, code):
    answer = visitor.get(f"/api/v1/products?{query}")

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["pointer"].lstrip("/"), error["code"]) == (parameter, code)


def test_the_cheapest_variant_that_is_for_sale_gives_the_product_its_price(visitor):
    product = ProductFactory(price_from_minor=1000)
    VariantFactory(product=product, price_minor=1000)
    dear = VariantFactory(product=product, price_minor=2000)
    PriceFactory.overlooked(variant=dear, amount_minor=900)

    apply_due_prices()

    product.refresh_from_db()
    assert (product.price_from_minor, product.compare_at_minor) == (900, 2000)


def test_every_list_of_products_shows_the_price_of_the_group(
    variant, visitor, member, django_assert_num_queries
):
    product = variant.product
    CollectionProduct.objects.create(collection=CollectionFactory(slug="gifts"), product=product)
    beside = RelatedProduct.objects.create(
        product=ProductFactory(), other=product, kind="related", position=0
    )
    refresh(product_ids=[product.pk])
    listed(variant, 500, customer_group_id=GROUP)
    # How many statements each may cost.
    pages = {
        "products": 1,
        f"categories/{product.category.slug}/products": 2,
        "collections/gifts/products": 2,
        f"products/{beside.product_id}/related": 2,
        f"search?q={product.name}": 3,
    }

    for path, statements in pages.items():
        for client, amount in ((visitor, "10.00"), (member, "5.00")):
            with django_assert_num_queries(statements):
                answer = client.get(f"/api/v1/{path}").json()
            shown = answer.get("results", answer.get("related"))
            (found,) = [each for each in shown if each["id"] == str(product.pk)]
            assert (path, found["price"]["amount"]) == (path, amount)
            assert "variants" not in found


def test_collections_and_what_is_shown_beside_a_product_know_currencies(variant, visitor):
    CollectionProduct.objects.create(
        collection=CollectionFactory(slug="gifts"), product=variant.product
    )
    beside = RelatedProduct.objects.create(
        product=ProductFactory(), other=variant.product, kind="related", position=0
    )
    listed(variant, 950, currency="EUR")
    euros = {"amount": "9.50", "currency": "EUR"}

    gifts = "/api/v1/collections/gifts/products?currency=EUR"
    assert visitor.get(gifts).json()["results"][0]["price"] == euros
    assert visitor.get(f"{gifts}&sort=price").status_code == 400
    related = visitor.get(f"/api/v1/products/{beside.product_id}/related?currency=EUR").json()
    assert related["related"][0]["price"] == euros


@pytest.fixture
def in_a_sale():
    """Something for 10.00 that costs 8.00 today, with a higher price to compare with."""
    variant = VariantFactory.since(
        timezone.now() - 365 * DAY, price_minor=1000, compare_at_minor=1100, sku="CUP"
    )
    PriceFactory(variant=variant)
    settle_prices(product_ids=[variant.product_id])
    return variant


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_files_hold_the_regular_price_and_change_nothing_during_a_sale(
    in_a_sale, tmp_path, file_format
):
    file = tmp_path / f"products.{file_format}"
    before = list(Product.objects.values()), list(Variant.objects.values())

    call_command("export_products", "--format", file_format, "--output", str(file))
    call_command("import_products", str(file), stdout=StringIO())

    assert "10.00" in file.read_text()
    assert "8.00" not in file.read_text()
    done = Import.objects.get()
    assert (done.changed, done.unchanged, done.failed) == (0, 1, 0)
    assert (list(Product.objects.values()), list(Variant.objects.values())) == before


def imported(tmp_path, text):
    file = tmp_path / "products.csv"
    file.write_text(text)
    call_command("import_products", str(file), stdout=StringIO())
    return Import.objects.latest("created_at")


def test_what_a_file_changes_during_a_sale_leaves_the_sale(in_a_sale, tmp_path):
    assert imported(tmp_path, "sku,price\nCUP,9.00\n").changed == 1

    product, variant = Product.objects.get(), Variant.objects.get()
    assert (variant.price_minor, variant.compare_at_minor) == (900, 1100)
    assert (product.price_from_minor, product.compare_at_minor) == (800, 1100)
    assert (product.lowest_minor, product.version) == (1000, 2)
    assert price_of(variant) == ("8.00", "sale")


def test_a_files_price_is_the_later_word_than_what_was_due_before_it(variant, tmp_path):
    PriceFactory.overlooked(variant=variant, amount_minor=900, valid_until=None)

    done = imported(tmp_path, f"sku,price\n{variant.sku},11.00\n")

    assert done.changed == 1
    assert apply_due_prices() is False
    assert price_of(variant) == ("11.00", "regular")
    noted = PriceChange.objects.filter(variant=variant).order_by("id")
    assert [change.amount_minor for change in noted] == [1000, 900, 1100]
