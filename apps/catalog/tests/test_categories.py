"""The category tree over HTTP: reading, writing, moving."""

import pytest
from django.db import connection

from apps.catalog.models import Category, Product
from apps.catalog.selectors.categories import ids_below
from apps.catalog.selectors.filters import in_category
from apps.catalog.selectors.products import product_rows
from apps.catalog.services.categories import count_products
from apps.catalog.services.changes import tell_changes
from apps.catalog.tests.factories import CategoryFactory, ProductFactory, VariantFactory
from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry, OutboxEvent

pytestmark = pytest.mark.django_db
CATEGORIES = "/api/v1/categories"


@pytest.fixture
def home():
    """Home > Furniture > Tables, and Home > Lamps, with a product in each of the lower ones."""
    root = CategoryFactory(name="Home", slug="home")
    furniture = CategoryFactory(name="Furniture", slug="furniture", parent=root, position=0)
    tables = CategoryFactory(name="Tables", slug="tables", parent=furniture)
    lamps = CategoryFactory(name="Lamps", slug="lamps", parent=root, position=1)
    for category in (furniture, tables, lamps):
        ProductFactory(name=f"in {category.slug}", category=category)
    ProductFactory(name="draft", category=tables, status="draft")
    count_products()
    return root


def assert_problem(response, status, code):
    assert response.status_code == status, response.content
    assert response.json()["code"] == code


def slugs(rows):
    return [row["slug"] for row in rows]


def brief(slug):
    category = Category.objects.get(slug=slug)
    return {"id": str(category.pk), "slug": category.slug, "name": category.name}


def test_the_tree_comes_whole_or_in_part_as_a_tree_or_flat(
    visitor, home, django_assert_num_queries
):
    CategoryFactory(slug="garden", position=1)

    def asked(**query):
        with django_assert_num_queries(1):
            response = visitor.get(CATEGORIES, query)
        assert response.status_code == 200, response.content
        return response.json()["results"]

    whole = asked()
    assert slugs(whole) == ["home", "garden"]
    assert slugs(whole[0]["children"]) == ["furniture", "lamps"]
    assert whole[0]["children"][0]["children"] == [
        {**brief("tables"), "product_count": 1, "children": []}
    ]
    assert asked(depth=1)[0]["children"] == []
    assert slugs(asked(parent="home")) == ["furniture", "lamps"]
    assert slugs(asked(parent=str(home.pk), depth=1, flat="true")) == ["furniture", "lamps"]
    flat = asked(flat="true")
    assert slugs(flat) == ["home", "furniture", "tables", "lamps", "garden"]
    assert [row["depth"] for row in flat] == [1, 2, 3, 2, 1]
    assert flat[1] == {
        **brief("furniture"),
        "product_count": 2,
        "parent_id": str(home.pk),
        "depth": 2,
    }
    assert asked(parent="nowhere") == []


@pytest.mark.parametrize(
    "query",
    [{"depth": 0}, {"depth": 11}, {"depth": "x"}, {"flat": "yes"}, {"parent": "x" * 161}, {"a": 1}],
    ids=str,
)
def test_a_query_that_makes_no_sense_is_a_bad_request(visitor, query):
    assert_problem(visitor.get(CATEGORIES, query), 400, "validation_failed")


def test_a_category_shows_where_it_stands_and_what_is_in_it(
    visitor, home, django_assert_num_queries
):
    with django_assert_num_queries(1):
        response = visitor.get(f"{CATEGORIES}/furniture")

    assert response.json() == {
        **brief("furniture"),
        "description": "",
        "seo_title": "",
        "seo_description": "",
        "position": 0,
        "product_count": 2,
        "parent": brief("home"),
        "breadcrumbs": [brief("home"), brief("furniture")],
        "children": [{**brief("tables"), "product_count": 1}],
        "version": 1,
    }
    again = visitor.get(f"{CATEGORIES}/{brief('furniture')['id']}")
    assert again.json() == response.json()
    assert visitor.get(f"{CATEGORIES}/home").json()["parent"] is None
    unchanged = visitor.get(f"{CATEGORIES}/furniture", HTTP_IF_NONE_MATCH=response["ETag"])
    assert unchanged.status_code == 304
    for missing in (new_id(), "nowhere"):
        assert_problem(visitor.get(f"{CATEGORIES}/{missing}"), 404, "no_such_category")


def test_the_products_of_a_category_are_listed_like_all_products(
    visitor, staff, home, django_assert_max_num_queries
):
    place = f"{CATEGORIES}/furniture/products"

    def names(client, address, **query):
        with django_assert_max_num_queries(2):
            response = client.get(address, {"sort": "name", **query})
        assert response.status_code == 200, response.content
        return [product["name"] for product in response.json()["results"]]

    assert names(visitor, place) == ["in furniture", "in tables"]
    assert names(visitor, f"{CATEGORIES}/{home.pk}/products", limit=1) == ["in furniture"]
    assert names(staff, place, **{"filter[status]": "draft"}) == ["draft"]
    assert names(visitor, place, **{"filter[price][gte]": "11"}) == []
    assert_problem(visitor.get(f"{CATEGORIES}/nowhere/products"), 404, "no_such_category")
    for query in ({"filter[category]": "home"}, {"filter[status]": "draft"}, {"sort": "x"}):
        assert_problem(visitor.get(place, query), 400, "validation_failed")


def test_a_category_is_made_at_its_place(staff, home):
    body = {"name": "Rugs & Mats", "parent": "home", "position": 1, "description": "Soft."}

    response = staff.post(CATEGORIES, body)

    assert response.status_code == 201, response.content
    document = response.json()
    assert (document["slug"], document["description"]) == ("rugs-mats", "Soft.")
    assert response["Location"].endswith(f"{CATEGORIES}/{document['id']}")
    assert slugs(staff.get(f"{CATEGORIES}/home").json()["children"]) == [
        "furniture",
        "rugs-mats",
        "lamps",
    ]
    last = staff.post(CATEGORIES, {"name": "Last", "parent": str(home.pk)}).json()
    assert (last["position"], last["parent"]["slug"]) == (3, "home")
    assert staff.post(CATEGORIES, {"name": "Root"}).json()["parent"] is None
    assert AuditEntry.objects.filter(action="catalog.category_added").count() == 3


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "validation_failed"),
        ({"name": 1}, 400, "validation_failed"),
        ({"name": "x", "slug": "X"}, 400, "validation_failed"),
        ({"name": "x", "position": -1}, 400, "validation_failed"),
        ({"name": "x", "position": "1"}, 400, "validation_failed"),
        ({"name": "x", "parent": 1}, 400, "validation_failed"),
        ({"name": "x", "path": "/"}, 400, "validation_failed"),
        ({"name": "x", "parent": "nowhere"}, 422, "unknown_category"),
        ({"name": "x", "slug": "home"}, 409, "slug_taken"),
        ({"name": "Home"}, 409, "name_taken"),
    ],
    ids=str,
)
def test_a_category_that_makes_no_sense_is_refused(staff, home, body, status, code):
    before = Category.objects.count()
    assert_problem(staff.post(CATEGORIES, body), status, code)
    assert Category.objects.count() == before


def test_changes_are_told_of_the_products_below(staff, visitor, home):
    address = f"{CATEGORIES}/{brief('furniture')['id']}"
    etag = staff.get(address)["ETag"]

    changed = staff.patch(address, {"name": "Chairs and tables"}, HTTP_IF_MATCH=etag)
    tell_changes()

    assert (changed.json()["name"], changed.json()["slug"]) == ("Chairs and tables", "furniture")
    assert_problem(staff.patch(address, {"name": "x"}, HTTP_IF_MATCH=etag), 412, "version_mismatch")
    assert_problem(staff.put(address, {"name": "x"}, HTTP_IF_MATCH=etag), 412, "version_mismatch")
    assert_problem(staff.delete(address, HTTP_IF_MATCH=etag), 412, "version_mismatch")
    told = {event.payload["product_id"] for event in OutboxEvent.objects.all()}
    below = Product.objects.filter(category__slug__in=["furniture", "tables"])
    assert told == {str(product.pk) for product in below}
    replaced = staff.put(address, {"name": "Chairs", "slug": "chairs"})
    assert (replaced.json()["name"], replaced.json()["version"]) == ("Chairs", 3)
    document = visitor.get(f"/api/v1/products/{below.first().pk}").json()
    assert "Chairs" in [crumb["name"] for crumb in document["breadcrumbs"]]


def test_a_moved_category_takes_along_what_is_below_it(staff, visitor, home):
    furniture = Category.objects.get(slug="furniture")
    garden = CategoryFactory(slug="garden")
    CategoryFactory(slug="pots", parent=garden, position=5)
    place = f"{CATEGORIES}/{furniture.pk}/moves"

    moved = staff.post(place, {"parent": "garden", "position": 0})
    tell_changes()

    assert moved.status_code == 200, moved.content
    assert slugs(moved.json()["breadcrumbs"]) == ["garden", "furniture"]
    assert slugs(visitor.get(f"{CATEGORIES}/garden").json()["children"]) == ["furniture", "pots"]
    table = Product.objects.get(name="in tables")
    document = visitor.get(f"/api/v1/products/{table.pk}").json()
    assert slugs(document["breadcrumbs"]) == ["garden", "furniture", "tables"]
    assert OutboxEvent.objects.filter(aggregate_id=table.pk).count() == 1
    assert [p["name"] for p in visitor.get(f"{CATEGORIES}/garden/products").json()["results"]] == [
        "in tables",
        "in furniture",
    ]
    root = staff.post(place, {"parent": None}, HTTP_IF_MATCH=moved["ETag"])
    assert (root.json()["parent"], root.json()["position"]) == (None, 2)
    stale = staff.post(place, {"parent": "garden"}, HTTP_IF_MATCH=moved["ETag"])
    assert_problem(stale, 412, "version_mismatch")
    count_products()
    counts = {
        row["slug"]: row["product_count"] for row in visitor.get(CATEGORIES).json()["results"]
    }
    assert counts == {"home": 1, "garden": 0, "furniture": 2}


def test_a_move_that_makes_no_sense_changes_nothing(staff, home):
    before = list(Category.objects.order_by("pk").values())
    for slug, body, status, code in (
        ("home", {"parent": "tables"}, 422, "category_cycle"),
        ("home", {"parent": "home"}, 422, "category_cycle"),
        ("furniture", {"parent": "nowhere"}, 422, "unknown_category"),
        ("furniture", {}, 400, "validation_failed"),
        ("furniture", {"parent": "home", "position": -1}, 400, "validation_failed"),
        ("furniture", {"parent": "home", "position": 10**9}, 400, "validation_failed"),
    ):
        place = f"{CATEGORIES}/{brief(slug)['id']}/moves"
        assert_problem(staff.post(place, body), status, code)
    assert_problem(
        staff.post(f"{CATEGORIES}/{new_id()}/moves", {"parent": None}), 404, "no_such_category"
    )
    assert_problem(staff.post(f"{CATEGORIES}/home/moves", {"parent": None}), 400, "malformed_id")
    assert list(Category.objects.order_by("pk").values()) == before


def test_the_tree_has_ten_levels_also_below_what_is_moved(staff):
    chain = [CategoryFactory()]
    for _ in range(8):
        chain.append(CategoryFactory(parent=chain[-1]))
    pair = CategoryFactory(parent=CategoryFactory())

    tenth = staff.post(f"{CATEGORIES}/{pair.pk}/moves", {"parent": str(chain[-1].pk)})
    eleventh = staff.post(f"{CATEGORIES}/{chain[0].pk}/moves", {"parent": str(pair.parent_id)})
    below = staff.post(CATEGORIES, {"name": "x", "parent": str(pair.pk)})

    assert tenth.status_code == 200, tenth.content
    assert_problem(eleventh, 422, "category_tree_too_deep")
    assert_problem(below, 422, "category_tree_too_deep")


def test_only_an_empty_category_is_removed(staff, home):
    empty = CategoryFactory()
    for slug in ("home", "tables"):
        response = staff.delete(f"{CATEGORIES}/{brief(slug)['id']}")
        assert_problem(response, 409, "category_in_use")
    assert staff.delete(f"{CATEGORIES}/{empty.pk}").status_code == 204
    assert_problem(staff.delete(f"{CATEGORIES}/{empty.pk}"), 404, "no_such_category")


def test_former_slugs_lead_to_where_things_are_now(staff, visitor, home):
    tables = f"{CATEGORIES}/{brief('tables')['id']}"
    product = VariantFactory(product__slug="oak-table").product
    address = f"/api/v1/products/{product.pk}"
    for slug in ("desks", "boards"):
        staff.patch(tables, {"slug": slug})
        staff.patch(address, {"slug": slug})

    for old in ("tables", "desks"):
        response = visitor.get(f"{CATEGORIES}/{old}")
        assert response.status_code == 301
        assert response["Location"].endswith(f"{CATEGORIES}/boards")
    for old in ("oak-table", "desks"):
        response = visitor.get(f"/api/v1/products/{old}")
        assert response.status_code == 301
        assert response["Location"].endswith("/api/v1/products/boards")
    # Who is called so now comes first; and what nobody may see has no address, old or new.
    CategoryFactory(name="New", slug="tables")
    assert visitor.get(f"{CATEGORIES}/tables").json()["name"] == "New"
    staff.patch(address, {"slug": "oak-table"})
    assert visitor.get("/api/v1/products/oak-table").status_code == 200
    staff.delete(address)
    assert visitor.get("/api/v1/products/desks").status_code == 404
    assert staff.get("/api/v1/products/desks").status_code == 301


def test_what_was_never_published_leaves_no_former_slug(staff):
    product = ProductFactory(status="draft", published_at=None, slug="secret")

    staff.patch(f"/api/v1/products/{product.pk}", {"slug": "known"})

    assert staff.get("/api/v1/products/secret").status_code == 404


def test_the_products_of_a_category_are_found_by_an_index(home):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = Product.objects.filter(in_category(home.pk)).explain()

    assert "catalog_product_category_id" in plan


@pytest.mark.parametrize(
    ("sort", "index"),
    [
        ("created_at", "product_published_in_category"),
        ("price_from_minor", "product_in_category_by_price"),
    ],
)
def test_the_first_products_of_a_small_category_are_read_in_their_order(home, sort, index):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    [tables] = ids_below("tables")
    first = product_rows().filter(category__in=[tables]).order_by(f"-{sort}", "-id")

    assert index in first[:26].explain()
