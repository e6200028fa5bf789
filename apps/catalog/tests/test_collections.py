"""Collections by hand and by rule, and what is shown beside a product."""

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from apps.catalog.models import Collection, CollectionProduct, Product, RelatedProduct
from apps.catalog.services.collections import choose_products
from apps.catalog.services.recommendations import Companion, keep_companions
from apps.catalog.tests.factories import (
    AttributeFactory,
    BrandFactory,
    CategoryFactory,
    CollectionFactory,
    ProductFactory,
    ProductTypeFactory,
    TagFactory,
    VariantFactory,
)
from apps.kernel.errors import DomainError, VersionMismatch
from apps.kernel.ids import new_id
from apps.kernel.models import OutboxEvent
from apps.kernel.tests.threads import at_once

pytestmark = pytest.mark.django_db
COLLECTIONS, PRODUCTS = "/api/v1/collections", "/api/v1/products"


def assert_problem(response, status, code):
    assert response.status_code == status, response.content
    assert response.json()["code"] == code


def names(response):
    assert response.status_code == 200, response.content
    return [product["name"] for product in response.json()["results"]]


def by_rules(staff, *rules, **fields):
    body = {"name": "Picked", "kind": "rule", "rules": list(rules), **fields}
    response = staff.post(COLLECTIONS, body)
    assert response.status_code == 201, response.content
    return response.json()


def test_a_collection_is_made_read_changed_and_removed(staff, visitor):
    created = staff.post(COLLECTIONS, {"name": "Gifts", "description": "For friends."})

    assert created.status_code == 201, created.content
    document = created.json()
    assert document == {
        "id": document["id"],
        "slug": "gifts",
        "name": "Gifts",
        "description": "For friends.",
        "seo_title": "",
        "seo_description": "",
        "kind": "manual",
        "match": "all",
        "rules": [],
        "version": 1,
    }
    address = f"{COLLECTIONS}/{document['id']}"
    assert created["Location"] == address
    assert visitor.get(f"{COLLECTIONS}/gifts").json() == document
    assert visitor.get(COLLECTIONS).json()["results"] == [document]
    changed = staff.patch(address, {"name": "Presents"}, HTTP_IF_MATCH=created["ETag"])
    assert (changed.json()["name"], changed.json()["description"]) == ("Presents", "For friends.")
    for method, body in ((staff.patch, {"name": "x"}), (staff.delete, None)):
        stale = method(address, body, HTTP_IF_MATCH=created["ETag"])
        assert_problem(stale, 412, "version_mismatch")
    assert staff.delete(address).status_code == 204
    for response in (visitor.get(address), visitor.get(f"{address}/products")):
        assert_problem(response, 404, "unknown_collection")


@pytest.mark.parametrize("size", [3, 30])
def test_products_by_hand_come_in_the_order_of_staff(
    staff, visitor, django_assert_num_queries, size
):
    products = [ProductFactory(name=f"p{number:02}") for number in range(size)]
    order = [products[-1], *products[:-1]]
    collection = CollectionFactory(slug="gifts")
    CollectionProduct.objects.create(collection=CollectionFactory(), product=products[0])
    address = f"{COLLECTIONS}/{collection.pk}/products"

    chosen = staff.put(address, {"products": [str(order[0].pk), *[p.slug for p in order[1:]]]})

    assert chosen.status_code == 200, chosen.content
    Product.objects.filter(pk=order[1].pk).update(status="draft")
    shown = [product.name for product in order if product != order[1]]
    with django_assert_num_queries(2):
        assert names(visitor.get(address, {"limit": 100, "expand": "variants,tags"})) == shown
    page = visitor.get(f"{COLLECTIONS}/gifts/products", {"limit": 1})
    assert names(page) == shown[:1]
    assert names(visitor.get(page.json()["next"])) == shown[1:2]
    assert names(visitor.get(address, {"sort": "name", "limit": 100})) == sorted(shown)


def test_rules_choose_what_fits_all_of_them_or_any(staff, visitor):
    home = CategoryFactory(slug="home")
    acme, vegan = BrandFactory(slug="acme"), TagFactory(slug="vegan")
    kind = ProductTypeFactory(
        attributes=[
            AttributeFactory(code="colour", kind="choice"),
            AttributeFactory(code="length", kind="number"),
            AttributeFactory(code="care", kind="multi_choice"),
        ]
    )
    table = ProductFactory(name="table", category=CategoryFactory(parent=home), brand=acme)
    soup = ProductFactory(name="soup", price_from_minor=500)
    soup.tags.add(vegan)
    ProductFactory(
        name="shirt",
        type=kind,
        attributes={"colour": "red", "length": 70, "care": ["wash"]},
        price_from_minor=2000,
    )
    VariantFactory(product=table, stock=99)
    Product.objects.filter(pk=table.pk).update(published_at="2020-01-01T00:00:00Z")
    ProductFactory(name="draft", category=home, status="draft")

    def found(*rules, **fields):
        collection = by_rules(staff, *rules, **fields)
        place = f"{COLLECTIONS}/{collection['id']}/products"
        return names(visitor.get(place, {"sort": "name"}))

    assert found({"category": "home"}) == ["table"]
    assert found({"category": str(home.pk)}) == ["table"]
    assert found({"brands": ["acme"]}) == ["table"]
    assert found({"tags": ["vegan"]}) == ["soup"]
    assert found({"price": {"gte": "10", "lte": "19.99"}}) == ["table"]
    assert found({"attribute": {"code": "colour", "values": ["red", "blue"]}}) == ["shirt"]
    assert found({"attribute": {"code": "care", "values": ["wash"]}}) == ["shirt"]
    assert found({"attribute": {"code": "length", "gte": 60, "lte": 70}}) == ["shirt"]
    assert found({"attribute": {"code": "length", "gte": 71}}) == []
    assert found({"availability": ["in_stock"]}) == ["table"]
    assert found({"new_since_days": 30}) == ["shirt", "soup"]
    both = ({"category": "home"}, {"tags": ["vegan"]})
    assert found(*both) == []
    assert found(*both, match="any") == ["soup", "table"]


def test_rules_outlive_new_slugs(staff, visitor):
    category = CategoryFactory(slug="home")
    ProductFactory(name="table", category=category)
    collection = by_rules(staff, {"category": "home"})
    staff.patch(f"/api/v1/categories/{category.pk}", {"slug": "house"})

    assert collection["rules"] == [{"category": str(category.pk)}]
    assert names(visitor.get(f"{COLLECTIONS}/{collection['id']}/products")) == ["table"]


@pytest.mark.parametrize(
    ("rules", "status", "code"),
    [
        ([{}], 400, "validation_failed"),
        ([{"price": {"gte": "1"}, "tags": ["x"]}], 400, "validation_failed"),
        ([{"colour": "red"}], 400, "validation_failed"),
        ([{"price": {}}], 400, "validation_failed"),
        ([{"price": {"gte": "cheap"}}], 400, "validation_failed"),
        ([{"price": {"gte": "9" * 15}}], 400, "validation_failed"),
        ([{"price": {"lte": "-1"}}], 400, "validation_failed"),
        ([{"availability": ["maybe"]}], 400, "validation_failed"),
        ([{"new_since_days": 0}], 400, "validation_failed"),
        ([{"new_since_days": 10**9}], 400, "validation_failed"),
        ([{"attribute": {"code": "colour"}}], 400, "validation_failed"),
        ([{"attribute": {"code": "colour", "values": [{}]}}], 400, "validation_failed"),
        ([{"attribute": {"code": "colour", "gte": "x"}}], 400, "validation_failed"),
        ([{"new_since_days": 1}] * 21, 400, "validation_failed"),
        ([{"attribute": {"code": "none", "values": ["x"]}}], 422, "unfit_rule"),
        ([{"category": "nowhere"}], 422, "unfit_rule"),
        ([{"brands": ["none"]}], 422, "unfit_rule"),
        ([{"tags": [str(new_id())[:8]]}], 422, "unfit_rule"),
        ([], 422, "unfit_rule"),
    ],
    ids=[str(number) for number in range(19)],
)
def test_a_rule_that_makes_no_sense_is_refused(staff, rules, status, code):
    collection = CollectionFactory()
    body = {"kind": "rule", "rules": rules}

    assert_problem(staff.post(COLLECTIONS, {"name": "x", **body}), status, code)
    assert_problem(staff.patch(f"{COLLECTIONS}/{collection.pk}", body), status, code)
    assert Collection.objects.get().version == 1


def test_a_collection_is_either_by_hand_or_by_rules(staff):
    product = ProductFactory()
    mine = by_rules(staff, {"new_since_days": 1})
    address = f"{COLLECTIONS}/{mine['id']}"

    chosen = staff.put(f"{address}/products", {"products": [product.slug]})
    ruled = staff.post(COLLECTIONS, {"name": "x", "rules": [{"new_since_days": 1}]})

    assert_problem(chosen, 409, "chosen_by_rules")
    assert_problem(ruled, 422, "unfit_rule")
    by_hand = staff.patch(address, {"kind": "manual", "rules": []})
    assert by_hand.status_code == 200, by_hand.content
    assert staff.put(f"{address}/products", {"products": [product.slug]}).status_code == 200
    staff.patch(address, {"kind": "rule", "rules": [{"new_since_days": 1}]})
    assert not CollectionProduct.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        Collection.objects.update(rules=[])


@pytest.mark.parametrize("products", [["none"], ["a", "a"], ["x" * 201], [1], ["a"] * 501, "a"])
def test_only_products_that_exist_are_chosen_once(staff, products):
    ProductFactory(slug="a")
    collection = CollectionFactory()

    response = staff.put(f"{COLLECTIONS}/{collection.pk}/products", {"products": products})

    assert response.status_code in {400, 422}
    assert not CollectionProduct.objects.exists()


def test_queries_of_a_collection_that_make_no_sense_are_refused(visitor):
    address = f"{COLLECTIONS}/{CollectionFactory().pk}/products"
    for query in ({"sort": "place"}, {"expand": "x"}, {"a": "1"}, {"after": "x"}, {"limit": 0}):
        assert_problem(visitor.get(address, query), 400, "validation_failed")


def test_what_customers_buy_with_a_product_is_shown_beside_it_best_first(
    visitor, django_assert_num_queries
):
    bread = ProductFactory(slug="bread")
    butter, milk = ProductFactory(name="butter"), ProductFactory(name="milk")
    gone = ProductFactory(status="archived")
    keep_companions(
        companions=[
            Companion(bread.pk, butter.pk, 9, 0.4),
            Companion(bread.pk, gone.pk, 9, 0.6),
            Companion(bread.pk, milk.pk, 9, 0.5),
            Companion(milk.pk, bread.pk, 9, 0.5),
        ]
    )

    with django_assert_num_queries(2):
        shown = visitor.get(f"{PRODUCTS}/bread/related").json()

    assert [product["name"] for product in shown["bought_together"]] == ["milk", "butter"]
    assert shown["related"] == []


def test_products_are_shown_beside_a_product_by_kind_and_in_order(
    staff, visitor, django_assert_num_queries
):
    mine = ProductFactory(slug="table")
    _, lamp, _ = (ProductFactory(name=name, slug=name) for name in ("chair", "lamp", "wax"))
    hidden = ProductFactory(status="draft")
    address = f"{PRODUCTS}/{mine.pk}/related"
    body = {
        "related": [str(lamp.pk), "chair", str(hidden.pk)],
        "accessory": ["wax", "lamp"],
    }

    written = staff.put(address, body, HTTP_IF_MATCH='"1"')

    assert written.status_code == 200, written.content
    with django_assert_num_queries(2):
        response = visitor.get(f"{PRODUCTS}/table/related")
    shown = {kind: [p["name"] for p in rows] for kind, rows in response.json().items()}
    assert shown == {
        "related": ["lamp", "chair"],
        "cross_sell": [],
        "up_sell": [],
        "accessory": ["wax", "lamp"],
        "bought_together": [],
    }
    assert OutboxEvent.objects.get().payload == {"product_id": str(mine.pk), "version": 2}
    assert_problem(staff.put(address, {}, HTTP_IF_MATCH='"1"'), 412, "version_mismatch")
    assert (
        staff.put(address, {"up_sell": ["chair"]}, HTTP_IF_MATCH=written["ETag"]).json()["related"]
        == []
    )
    assert RelatedProduct.objects.count() == 1
    assert_problem(visitor.get(f"{PRODUCTS}/{hidden.pk}/related"), 404, "unknown_product")
    assert staff.get(f"{PRODUCTS}/{hidden.pk}/related").status_code == 200


def test_what_cannot_be_beside_a_product_is_refused(staff):
    mine = ProductFactory(slug="table")
    address = f"{PRODUCTS}/{mine.pk}/related"
    for body, status, code in (
        ({"related": ["none"]}, 422, "unknown_products"),
        ({"related": ["table"]}, 422, "unknown_products"),
        ({"related": [str(mine.pk), "table"]}, 422, "unknown_products"),
        ({"related": "table"}, 400, "validation_failed"),
        ({"beside": []}, 400, "validation_failed"),
        ({"related": ["x"] * 51}, 400, "validation_failed"),
    ):
        assert_problem(staff.put(address, body), status, code)
    assert_problem(staff.put(f"{PRODUCTS}/{new_id()}/related", {}), 404, "unknown_product")
    assert_problem(staff.put(f"{PRODUCTS}/table/related", {}), 400, "malformed_id")
    with pytest.raises(IntegrityError), transaction.atomic():
        RelatedProduct.objects.create(product=mine, other=mine, kind="related")


def test_collections_are_kept_in_the_back_office(enter):
    user = get_user_model().objects.create_superuser("boss@example.com", "long enough password")
    office = enter(Client(), user)
    product = ProductFactory()
    form = {
        "name": "Gifts",
        "slug": "gifts",
        "kind": "manual",
        "match": "all",
        "rules": "[]",
        "entries-TOTAL_FORMS": 1,
        "entries-INITIAL_FORMS": 0,
        "entries-0-product": product.pk,
        "entries-0-position": 0,
    }
    add = reverse("admin:catalog_collection_add")

    made = office.post(add, form)
    wrong = office.post(add, {**form, "slug": "new", "kind": "rule", "rules": '[{"price": 1}]'})

    assert made.status_code == 302, made.context["errors"]
    assert CollectionProduct.objects.get().product == product
    assert wrong.status_code == 200
    assert Collection.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_fill_one_version_the_second_is_refused():
    collection = CollectionFactory()
    product = ProductFactory()

    def fill():
        try:
            return choose_products(
                collection_id=collection.pk, products=[product.slug], expected_version=1
            )
        except DomainError as refusal:
            return refusal

    results = at_once(*[fill] * 6)

    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, VersionMismatch) for result in results) == 5
    assert CollectionProduct.objects.count() == 1
