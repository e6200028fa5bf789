"""Brands, tags, and what search engines are told."""

import pytest

from apps.catalog.models import Brand, ChangedInCommon, ChangedProduct, Product, Tag
from apps.catalog.services import changes
from apps.catalog.tasks import tell_changes
from apps.catalog.tests.factories import (
    BrandFactory,
    CategoryFactory,
    ProductFactory,
    TagFactory,
    VariantFactory,
)
from apps.kernel.models import AuditEntry, OutboxEvent

pytestmark = pytest.mark.django_db
PRODUCTS = "/api/v1/products"
KINDS = {"brands": (Brand, BrandFactory), "tags": (Tag, TagFactory)}


def names(response):
    assert response.status_code == 200, response.content
    return [row["name"] for row in response.json()["results"]]


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_made_read_changed_and_removed(staff, visitor, kind):
    created = staff.post(f"/api/v1/{kind}", {"name": "Böhm & Co"})

    assert created.status_code == 201, created.content
    document = created.json()
    assert document == {"id": document["id"], "name": "Böhm & Co", "slug": "bohm-co"}
    address = created["Location"]
    assert visitor.get(address).json() == visitor.get(f"/api/v1/{kind}/bohm-co").json() == document
    assert staff.patch(address, {"name": "Böhm"}).json()["name"] == "Böhm"
    assert names(visitor.get(f"/api/v1/{kind}")) == ["Böhm"]
    assert staff.delete(address).status_code == 204
    for response in (visitor.get(address), staff.patch(address, {}), staff.delete(address)):
        assert (response.status_code, response.json()["code"]) == (404, "unknown_label")
    assert AuditEntry.objects.count() == 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_and_a_slug_are_given_once(staff, kind):
    _, factory = KINDS[kind]
    other = factory(name="Acme", slug="acme")
    mine = factory()

    for body, code in (
        ({"name": "ACME"}, "name_taken"),
        ({"name": "New", "slug": "acme"}, "slug_taken"),
    ):
        for response in (
            staff.post(f"/api/v1/{kind}", body),
            staff.patch(f"/api/v1/{kind}/{mine.pk}", body),
        ):
            assert (response.status_code, response.json()["code"]) == (409, code)
    assert staff.post(f"/api/v1/{kind}", {"name": "Acme!"}).json()["slug"].startswith("acme-")
    other.refresh_from_db()
    assert other.name == "Acme"


@pytest.mark.parametrize("kind", KINDS)
def test_bad_names_are_refused(staff, kind):
    for body in ({}, {"name": 1}, {"name": " "}, {"name": "x" * 121}, {"name": "x", "slug": "X"}):
        assert staff.post(f"/api/v1/{kind}", body).status_code == 400
    assert staff.patch(f"/api/v1/{kind}/no-id", {}).status_code == 400


@pytest.mark.parametrize("kind", KINDS)
def test_what_products_have_is_not_removed_and_its_new_name_is_told(staff, visitor, kind):
    _, factory = KINDS[kind]
    label = factory(name="Old", slug="old")
    mine, other = ProductFactory(), ProductFactory()
    if kind == "brands":
        mine.brand = label
        mine.save()
    else:
        mine.tags.add(label)
    address = f"/api/v1/{kind}/{label.pk}"

    refused = staff.delete(address)
    staff.patch(address, {"name": "New"})
    tell_changes()

    assert (refused.status_code, refused.json()["code"]) == (409, "label_in_use")
    assert OutboxEvent.objects.get().payload == {"product_id": str(mine.pk), "version": 2}
    document = visitor.get(f"{PRODUCTS}/{mine.pk}").json()
    assert (document["brand"], document["tags"]) == (
        ("New", []) if kind == "brands" else (None, [{"slug": "old", "name": "New"}])
    )
    other.refresh_from_db()
    assert other.version == 1


def test_a_new_name_is_one_row_at_once_and_then_told_a_part_at_a_time(staff, monkeypatch):
    monkeypatch.setattr(changes, "NOTED_AT_ONCE", 2)
    brand = BrandFactory()
    products = [ProductFactory(brand=brand) for _ in range(5)]

    def rename(name):
        staff.patch(f"/api/v1/brands/{brand.pk}", {"name": name})
        return ChangedInCommon.objects.count(), ChangedProduct.objects.count()

    def versions():
        order = [product.pk for product in products]
        found = Product.objects.in_bulk(order)
        return [found[pk].version for pk in order]

    assert rename("New") == (1, 0)
    assert changes.tell_changes()
    assert versions() == [2, 2, 1, 1, 1]
    assert rename("Newer") == (1, 0)  # begins with the first product again
    while changes.tell_changes():
        pass

    assert versions() == [3, 3, 2, 2, 2]
    assert not ChangedInCommon.objects.exists()


def test_tags_come_with_the_product_and_filter_the_list(staff, visitor):
    TagFactory(name="Vegan", slug="vegan")
    body = {
        "name": "Soup",
        "category": CategoryFactory().slug,
        "status": "published",
        "variants": [{"sku": "A", "price": {"amount": "1.00", "currency": "USD"}}],
        "tags": ["vegan", "Made in Italy", "VEGAN"],
    }
    VariantFactory(product__name="Bread")

    soup = staff.post(PRODUCTS, body)

    tags = [
        {"slug": "made-in-italy", "name": "Made in Italy"},
        {"slug": "vegan", "name": "Vegan"},
    ]
    assert soup.json()["tags"] == tags
    assert names(visitor.get(PRODUCTS, {"filter[tag]": "vegan,none"})) == ["Soup"]
    assert names(visitor.get(PRODUCTS, {"filter[tag]": "none"})) == []
    (listed,) = visitor.get(PRODUCTS, {"filter[tag]": "vegan", "expand": "tags"}).json()["results"]
    assert listed["tags"] == tags
    patched = staff.patch(f"{PRODUCTS}/{soup.json()['id']}", {"tags": ["vegan"]})
    assert patched.json()["tags"] == tags[1:]
    kept = staff.patch(f"{PRODUCTS}/{soup.json()['id']}", {"name": "Stew"})
    assert kept.json()["tags"] == tags[1:]
    assert staff.patch(f"{PRODUCTS}/{soup.json()['id']}", {"tags": ["x"] * 51}).status_code == 400


def test_search_engines_are_told_what_staff_have_written(staff, visitor):
    product = VariantFactory().product
    said = {"seo_title": "Oak tables", "seo_description": "Solid oak."}

    assert staff.patch(f"{PRODUCTS}/{product.pk}", said).status_code == 200

    assert said.items() <= visitor.get(f"{PRODUCTS}/{product.slug}").json().items()
    for name, length in (("seo_title", 121), ("seo_description", 321)):
        assert staff.patch(f"{PRODUCTS}/{product.pk}", {name: "x" * length}).status_code == 400


def test_breadcrumbs_lead_from_the_root_to_the_product(visitor):
    root = CategoryFactory(name="Home", slug="home")
    leaf = CategoryFactory(name="Tables", slug="tables", parent=root)
    product = ProductFactory(category=leaf)

    document = visitor.get(f"{PRODUCTS}/{product.pk}").json()

    assert document["breadcrumbs"] == [
        {"id": str(root.pk), "slug": "home", "name": "Home"},
        {"id": str(leaf.pk), "slug": "tables", "name": "Tables"},
    ]
