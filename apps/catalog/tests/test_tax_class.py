"""How a product is taxed: a code that staff give it and that carts are told."""

import pytest
from django.db import IntegrityError, transaction

from apps.catalog import interface as catalog
from apps.catalog.models import Product
from apps.catalog.tests.factories import ProductFactory, VariantFactory
from apps.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db
PRODUCTS = "/api/v1/products"
HEADER = "external_ref,name,tax_class\n"


def counts(done):
    return done.created, done.changed, done.unchanged, done.failed


def test_staff_say_how_a_product_is_taxed(staff, visitor):
    made = staff.post(PRODUCTS, {"name": "Bread", "tax_class": "reduced"})

    assert made.status_code == 201, made.content
    assert made.json()["tax_class"] == "reduced"
    address = f"{PRODUCTS}/{made.json()['id']}"
    assert staff.patch(address, {"name": "Rye bread"}).json()["tax_class"] == "reduced"
    assert staff.patch(address, {"tax_class": ""}).json()["tax_class"] == ""
    written = AuditEntry.objects.filter(action="catalog.product_written").order_by("id")
    assert [entry.after.get("tax_class") for entry in written] == ["reduced", None, ""]


def test_only_staff_are_shown_it(visitor):
    variant = VariantFactory(product__tax_class="reduced")

    assert "tax_class" not in visitor.get(f"{PRODUCTS}/{variant.product_id}").json()


def test_an_offer_says_it_in_the_same_statement(django_assert_num_queries):
    bread, mug = VariantFactory(product__tax_class="reduced", sku="BREAD"), VariantFactory()

    with django_assert_num_queries(1):
        offers = catalog.offers(variant_ids=[bread.pk, mug.pk])

    assert (offers[bread.pk].tax_class, offers[mug.pk].tax_class) == ("reduced", "")
    assert catalog.offers_by_sku(skus=["bread"])["bread"].tax_class == "reduced"


def test_files_bring_it_in_and_take_it_away(take):
    assert counts(take(f"{HEADER}A,Bread,reduced\n")) == (1, 0, 0, 0)
    assert counts(take(f"{HEADER}A,Bread,reduced\n")) == (0, 0, 1, 0)
    assert counts(take("external_ref,name\nA,Rye\n")) == (0, 1, 0, 0)
    assert Product.objects.get().tax_class == "reduced"

    assert counts(take(f"{HEADER}A,Rye,\n")) == (0, 1, 0, 0)
    assert Product.objects.get().tax_class == ""


def test_a_cell_that_is_no_code_fails_its_row(take):
    done = take(f"{HEADER}A,Bread,Reduced rate\n")

    assert counts(done) == (0, 0, 0, 1)
    [row] = done.rows.all()
    assert [(fault["column"], fault["code"]) for fault in row.faults] == [
        ("tax_class", "not_a_code")
    ]


@pytest.mark.parametrize("code", ["Reduced", "a b", "-a", "ä"])
def test_the_database_keeps_codes_alone(code):
    product = ProductFactory()

    with (
        pytest.raises(IntegrityError, match="product_tax_class_is_a_code"),
        transaction.atomic(),
    ):
        Product.objects.filter(pk=product.pk).update(tax_class=code)


def test_the_classes_in_use_are_counted_with_what_is_archived(django_assert_num_queries):
    for tax_class, status in (("food", "published"), ("food", "archived"), ("", "published")):
        ProductFactory(tax_class=tax_class, status=status)

    with django_assert_num_queries(1):
        assert catalog.tax_classes_in_use() == {"food": 2}
