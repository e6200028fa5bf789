"""What the catalog's services promise beyond what HTTP shows."""

import pytest
from django.db import IntegrityError, transaction

from apps.catalog import interface as catalog
from apps.catalog.models import Brand, Category, Product, Stock, StockMovement, Variant
from apps.catalog.services.categories import CategoryCycle, TreeTooDeep, place_category
from apps.catalog.services.imports import programs
from apps.catalog.services.labels import brand_ids
from apps.catalog.services.pictures import LARGEST_BYTES, clean_picture
from apps.catalog.services.products import VariantDraft, change_product, create_product
from apps.catalog.services.slugs import free_slug, slug_of
from apps.catalog.tests.factories import (
    BrandFactory,
    CategoryFactory,
    ProductFactory,
    VariantFactory,
)
from apps.kernel.models import OutboxEvent
from apps.kernel.money import Money
from apps.kernel.pictures import NotAPicture

pytestmark = pytest.mark.django_db


def record(ref, **changes):
    fields = {
        "external_ref": ref,
        "name": f"Product {ref}",
        "category_path": ("Grocery", "Cookies", "Chocolate"),
        "variants": [catalog.VariantRecord(sku=f"S-{ref}", price=Money(250, "USD"), on_hand=3)],
        **changes,
    }
    return catalog.ProductRecord(**fields)


def line(**changes):
    fields = {"sku": "S-x", "price": Money(250, "USD"), **changes}
    return [catalog.VariantRecord(**fields)]


def test_an_import_makes_products_with_categories_brands_and_stock():
    report = catalog.import_products(
        records=[
            record("1", brand="Acme", package_size="12 OZ", description="Good."),
            record("2", brand="ACME", category_path=("Grocery", "Cookies")),
        ]
    )

    assert (report.created, report.kept, report.refused) == (("1", "2"), (), ())
    first = Product.objects.select_related("brand", "category__parent__parent").get(
        external_ref="1"
    )
    assert (first.status, first.price_from_minor, first.slug) == ("published", 250, "product-1")
    assert (first.brand.name, first.package_size) == ("ACME", "12 OZ")
    assert first.category.parent.parent.name == "Grocery"
    assert Category.objects.count() == 3
    assert Brand.objects.count() == 1
    assert (
        list(StockMovement.objects.values_list("kind", "on_hand_delta", "reason"))
        == [("receive", 3, "import")] * 2
    )
    assert catalog.stock_differences() == []
    assert list(OutboxEvent.objects.values_list("name", "seq")) == [
        ("catalog.product_changed", 1)
    ] * len(report.created)


def test_a_second_import_changes_nothing_even_after_a_sale(django_assert_max_num_queries):
    records = [record(str(number)) for number in range(10)]
    catalog.import_products(records=records)
    Stock.objects.update(on_hand=1)
    before = list(Product.objects.values()), list(Stock.objects.values())

    with django_assert_max_num_queries(6):
        report = catalog.import_products(records=records)

    assert (len(report.created), len(report.kept)) == (0, 10)
    assert (list(Product.objects.values()), list(Stock.objects.values())) == before


def test_an_import_costs_the_same_few_statements_whatever_its_size(django_assert_num_queries):
    catalog.import_products(records=[record("a", brand="A")])

    for size, statements in ((1, 19), (300, 20)):  # many entries are put in order at once
        with django_assert_num_queries(statements):
            catalog.import_products(records=[record(f"{size}-{n}", brand="A") for n in range(size)])


def test_an_import_goes_on_where_it_was_interrupted(monkeypatch):
    monkeypatch.setattr(programs, "BATCH", 2)

    def interrupted():
        yield from (record("1"), record("2"), record("3"))
        raise ConnectionError

    with pytest.raises(ConnectionError):
        catalog.import_products(records=interrupted())
    report = catalog.import_products(records=[record(ref) for ref in "123"])

    assert (report.created, report.kept) == (("3",), ("1", "2"))
    assert Category.objects.count() == 3


def test_without_a_price_or_a_category_a_product_stays_a_draft():
    catalog.import_products(
        records=[record("1", variants=line(price=None)), record("2", category_path=())]
    )

    assert set(Product.objects.values_list("status", "price_from_minor")) == {
        ("draft", None),
        ("draft", 250),
    }
    assert Variant.objects.filter(is_active=False, price_minor=None).count() == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": "a\0b"}, "nul_character"),
        ({"variants": line(options={"size": "\0"})}, "nul_character"),
        ({"name": "  "}, "required"),
        ({"name": "x" * 201}, "too_long"),
        ({"brand": "x" * 121}, "too_long"),
        ({"category_path": ("Grocery", "")}, "not_a_path"),
        ({"variants": line(sku="")}, "required"),
        ({"variants": line(sku="ß")}, "not_a_sku"),
        ({"variants": line() + line(sku="s-X")}, "sku_taken"),
        ({"variants": line(sku="s-GOOD")}, "sku_taken"),
        ({"variants": line(on_hand=-1)}, "out_of_bounds"),
        ({"variants": line(on_hand=10**10)}, "out_of_bounds"),
        ({"variants": line(weight_grams=-1)}, "out_of_bounds"),
        ({"variants": line(price=Money(-1, "USD"))}, "out_of_bounds"),
        ({"variants": line(price=Money(1, "EUR"))}, "currency_mismatch"),
        ({"variants": line(compare_at=Money(250, "USD"))}, "compare_at_not_higher"),
    ],
)
def test_a_bad_record_is_left_out_with_its_reason_and_the_others_come_in(changes, reason):
    report = catalog.import_products(records=[record("GOOD"), record("bad", **changes)])

    assert report.created == ("GOOD",)
    assert [refused.reason for refused in report.refused] == [reason]
    assert Product.objects.count() == 1


def test_products_of_one_name_get_different_addresses():
    long = "y" * 200
    catalog.import_products(
        records=[
            record("A", name="Milk"),
            record("B", name="Milk"),
            record("C", name="***"),
            record("D", name=long),
            record("E", name=long),
            record("F", name="0190a5b0-0000-7000-8000-000000000000"),
        ]
    )

    slugs = dict(Product.objects.values_list("external_ref", "slug"))
    assert (slugs["A"], slugs["B"], slugs["C"]) == ("milk", "milk-b", "c")
    assert len(set(slugs.values())) == 6


def test_a_slug_is_small_letters_digits_and_single_hyphens():
    assert slug_of("  Crème_brûlée -- 2 ", longest=50) == "creme-brulee-2"
    assert slug_of("***", longest=50) == ""
    assert free_slug(["A", "A b"], {"a"}, longest=50) == "a-b"
    assert free_slug(["A"], {"a"}, longest=50).startswith("a-")


def test_a_brand_is_found_by_slug_or_name_and_made_when_missing():
    acme = BrandFactory(name="Acme Söhne", slug="acme")

    found = brand_ids(references=["acme", "ACME SÖHNE", "Straße"])

    assert found["acme"] == found["ACME SÖHNE"] == acme.pk
    assert Brand.objects.get(pk=found["Straße"]).slug == "strae"


def test_the_price_of_a_product_is_that_of_its_cheapest_active_variant():
    product = create_product(
        fields={
            "name": "Oak",
            "variants": [
                VariantDraft(sku="A", price=Money(300, "USD")),
                VariantDraft(sku="B", price=Money(200, "USD"), compare_at=Money(250, "USD")),
            ],
        }
    )
    assert (product.price_from_minor, product.compare_at_minor) == (200, 250)

    product = change_product(
        product_id=product.pk,
        fields={"variants": [VariantDraft(sku="A", price=Money(300, "USD"))]},
    )

    assert (product.price_from_minor, product.compare_at_minor) == (300, None)


def test_publishing_again_keeps_the_first_date():
    product = VariantFactory(product__status="draft", product__published_at=None).product

    first = change_product(product_id=product.pk, fields={"status": "published"}).published_at
    change_product(product_id=product.pk, fields={"status": "archived"})
    again = change_product(product_id=product.pk, fields={"status": "published"}).published_at

    assert first is not None
    assert again == first


def test_moving_a_category_carries_everything_below_along():
    home, garden = CategoryFactory(), CategoryFactory()
    tables = CategoryFactory(parent=home)
    oak = CategoryFactory(parent=tables)
    beside = CategoryFactory(parent=home)

    place_category(category=tables, parent=garden)

    paths = dict(Category.objects.values_list("pk", "path"))
    assert paths[oak.pk] == f"/{garden.pk}/{tables.pk}/{oak.pk}/"
    assert paths[beside.pk] == f"/{home.pk}/{beside.pk}/"


def test_a_category_cannot_stand_below_itself():
    home = CategoryFactory()
    tables = CategoryFactory(parent=home)

    for parent in (home, tables):
        with pytest.raises(CategoryCycle):
            place_category(category=home, parent=parent)
    assert Category.objects.get(pk=home.pk).parent is None


def test_the_tree_has_at_most_ten_levels():
    parent = None
    for _ in range(10):
        parent = CategoryFactory(parent=parent)

    with pytest.raises(TreeTooDeep):
        place_category(category=Category(name="x", slug="x"), parent=parent)


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        (lambda: Category.objects.update(path="/x/"), "category_"),
        (
            lambda: Category.objects.filter(parent=None).update(
                parent=Category.objects.exclude(parent=None).get()
            ),
            "category_path_ends_with_parent_and_self",
        ),
        (lambda: Product.objects.update(category=None), "product_published_has_category"),
        (lambda: Product.objects.update(price_from_minor=None), "product_published_has_category"),
        (lambda: Product.objects.update(price_from_minor=-1), "product_price_is_not_negative"),
        (lambda: Product.objects.update(compare_at_minor=1), "product_compare_at_is_higher"),
        (lambda: Product.objects.update(status="sold"), "product_status_is_known"),
        (lambda: Product.objects.update(slug="Not a slug"), "product_slug_is_a_slug"),
        (lambda: Product.objects.update(currency="usd"), "product_currency_is_a_code"),
        (lambda: ProductFactory(rating_average=6), "product_rating_is_0_to_5"),
        (lambda: Variant.objects.update(price_minor=None), "variant_active_has_a_price"),
        (lambda: Variant.objects.update(price_minor=-1), "variant_price_is_not_negative"),
        (lambda: Variant.objects.update(compare_at_minor=1000), "variant_compare_at_is_higher"),
        (lambda: Variant.objects.update(options={"a": 1}), "variant_options_are_strings"),
        (lambda: Variant.objects.update(options=[]), "variant_options_are_strings"),
        (lambda: Variant.objects.update(sku=""), "variant_sku_is_visible_ascii"),
    ],
)
def test_the_database_has_the_last_word(change, constraint):
    VariantFactory(product=ProductFactory(category=CategoryFactory(parent=CategoryFactory())))

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        change()


def test_a_picture_that_is_too_large_is_refused_unread():
    with pytest.raises(NotAPicture):
        clean_picture(content=b"x" * (LARGEST_BYTES + 1))
