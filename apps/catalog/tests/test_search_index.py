"""What the search knows of a product, and that it knows it when the change is committed."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models.functions import Now

from apps.catalog.documents import documents_of
from apps.catalog.models import Product, SearchEntry, SearchFacet, SearchWord, Stock
from apps.catalog.selectors.search import found_rows
from apps.catalog.services.products import (
    VariantDraft,
    archive_product,
    change_product,
    create_product,
)
from apps.catalog.services.search_index import refresh
from apps.catalog.services.stock import adjust
from apps.catalog.tests.factories import (
    BrandFactory,
    CategoryFactory,
    ProductFactory,
    VariantFactory,
)
from apps.kernel.delivery import relay_batch
from apps.kernel.money import Money
from apps.kernel.tests.threads import at_once

pytestmark = pytest.mark.django_db


def table(**changes):
    return create_product(
        fields={
            "name": "Oak Table",
            "category": CategoryFactory(name="Tables", slug="tables").slug,
            "status": "published",
            "variants": [
                VariantDraft(sku="OAK-1", price=Money(24900, "USD"), options={"size": "Large"})
            ],
            **changes,
        }
    )


def test_a_document_tells_everything_that_can_be_searched():
    furniture = CategoryFactory(name="Furniture", slug="furniture")
    tables = CategoryFactory(name="Tables", slug="tables", parent=furniture)
    brand = BrandFactory(name="Holz", slug="holz")
    product = ProductFactory(
        name="Oak Table",
        slug="oak-table",
        description="Solid.",
        brand=brand,
        category=tables,
        price_from_minor=24900,
        rating_average="4.50",
        rating_count=2,
        rating_stars=9,
        rating_score=3.7857,
    )
    VariantFactory(product=product, sku="OAK-S", options={"size": "Small"}, stock=50)
    VariantFactory(product=product, sku="OAK-L", options={"size": "Large"}, position=1)
    VariantFactory(product=product, sku="OAK-X", options={"size": "Huge"}, is_active=False)
    refresh(product_ids=[product.pk])

    [document] = documents_of([product.pk])

    assert document.category_ids == [furniture.pk, tables.pk]
    assert document.category_slugs == ["furniture", "tables"]
    assert document.category_names == ["Furniture", "Tables"]
    assert (document.brand_id, document.brand_slug, document.brand_name) == (
        brand.pk,
        "holz",
        "Holz",
    )
    assert (document.slug, document.name, document.description) == (
        "oak-table",
        "Oak Table",
        "Solid.",
    )
    assert document.skus == ["OAK-S", "OAK-L"]
    assert document.options == ["Large", "Small"]
    assert document.attributes == {"size": {"Large": "Large", "Small": "Small"}}
    assert document.told == ""
    assert (document.price_minor, document.currency) == (24900, "USD")
    assert document.availability == "in_stock"
    assert (float(document.rating_average), document.rating_count) == (4.5, 2)
    assert document.rating_score == 3.7857
    assert document.created_at == product.created_at
    assert document.version == SearchEntry.objects.get(pk=product.pk).version


def test_the_search_knows_a_product_that_is_published_and_forgets_one_that_is_archived():
    product = table(status="draft")
    assert not SearchEntry.objects.exists()

    change_product(product_id=product.pk, fields={"status": "published"})
    assert SearchEntry.objects.get().name == "Oak Table"

    archive_product(product_id=product.pk)
    assert not SearchEntry.objects.exists()
    assert documents_of([product.pk]) == []


def test_a_later_state_has_a_higher_version_also_after_the_product_was_away():
    product = table()
    versions = [SearchEntry.objects.get().version]

    for fields in ({"name": "Elm Table"}, {"status": "archived"}, {"status": "published"}):
        change_product(product_id=product.pk, fields=fields)
        versions += SearchEntry.objects.values_list("version", flat=True)

    assert versions == sorted(set(versions))
    assert len(versions) == 3


def test_a_change_that_is_rolled_back_changes_nothing_in_the_search():
    product = table()

    with transaction.atomic():
        change_product(product_id=product.pk, fields={"name": "Elm Table"})
        transaction.set_rollback(True)

    assert SearchEntry.objects.get().name == "Oak Table"


def test_a_facet_follows_the_new_name_of_its_category():
    product = table()
    before = SearchFacet.objects.get(facet="category")

    type(product.category).objects.update(name="Desks", slug="desks")
    refresh(product_ids=[product.pk])

    after = SearchFacet.objects.get(facet="category")
    assert (after.pk, after.label, after.value) == (before.pk, "Desks", "desks")


def test_words_are_kept_without_accents_and_with_what_a_typo_would_leave_of_them():
    table(name="Crème Brûlée 7.5 oz/CT", description="")

    words = {word.word: word for word in SearchWord.objects.all()}

    assert {"creme", "brulee", "oz", "ct", "tables", "large"} == set(words)
    assert words["ct"].shortened == ["t", "c"]
    assert words["tables"].stem == "tabl"


def test_the_search_follows_what_is_sold():
    variant = VariantFactory(stock=1)
    refresh(product_ids=[variant.product_id])
    assert not SearchEntry.objects.get().sold_out

    adjust(deltas={variant.pk: -1}, reason="broken")
    while relay_batch():
        pass

    assert SearchEntry.objects.get().sold_out


def test_reindexing_writes_what_is_missing_and_forgets_what_nobody_uses():
    product = ProductFactory(name="Oak Table")
    ProductFactory(name="Elm Table")
    SearchWord.objects.create(word="gone", stem="gone", shortened=[])
    out = StringIO()

    call_command("search", "reindex", stdout=out)

    assert out.getvalue() == "PostgreSQL's search knows 2 products.\n"
    assert SearchEntry.objects.filter(pk=product.pk, name="Oak Table").exists()
    words = dict(SearchWord.objects.values_list("word", "products"))
    assert (words["table"], words["oak"]) == (2, 1)
    assert "gone" not in words


def test_products_come_in_the_order_of_their_ids_with_one_statement(django_assert_num_queries):
    first, second, draft = ProductFactory(), ProductFactory(), ProductFactory(status="draft")

    with django_assert_num_queries(1):
        rows = found_rows([second.pk, draft.pk, first.pk])

    assert [row["id"] for row in rows] == [second.pk, first.pk]


def test_refreshing_costs_as_many_statements_for_fifty_products_as_for_one(
    django_assert_num_queries,
):
    products = [VariantFactory(stock=1).product for _ in range(50)]

    for some in (products[:1], products):
        with django_assert_num_queries(5):  # two of them are the savepoint's
            refresh(product_ids=[product.pk for product in some])

    assert SearchEntry.objects.count() == 50


@pytest.mark.django_db(transaction=True)
def test_whoever_commits_last_leaves_the_search_with_what_all_have_changed():
    variant = VariantFactory(stock=5)
    product = variant.product
    refresh(product_ids=[product.pk])

    def rename():
        change_product(product_id=product.pk, fields={"name": "Elm Table"})

    def sell_out():
        with transaction.atomic():
            Stock.objects.filter(variant=variant).update(on_hand=0)
            refresh(product_ids=[product.pk])

    for _ in range(5):
        Product.objects.update(name="Oak Table", created_at=Now() - timedelta(days=1))
        Stock.objects.update(on_hand=5)
        at_once(rename, sell_out)

        entry = SearchEntry.objects.get()
        assert (entry.name, entry.sold_out) == ("Elm Table", True)
    connection.close()
