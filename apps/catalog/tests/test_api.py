"""What the catalog promises over HTTP."""

import pytest
from django.db import connection

from apps.catalog.models import Image, Product, StockMovement, Variant
from apps.catalog.services.categories import count_products
from apps.catalog.tests.factories import (
    BrandFactory,
    CategoryFactory,
    ProductFactory,
    VariantFactory,
)
from apps.kernel.ids import new_id
from apps.kernel.models import OutboxEvent

pytestmark = pytest.mark.django_db
PRODUCTS = "/api/v1/products"


def usd(amount):
    return {"amount": amount, "currency": "USD"}


def names(response):
    assert response.status_code == 200, response.content
    return [product["name"] for product in response.json()["results"]]


def draft(**changes):
    return {
        "name": "Oak Table",
        "category": CategoryFactory(slug=f"tables-{new_id().hex}").slug,
        "status": "published",
        "variants": [{"sku": "OAK-1", "price": usd("249.00"), "on_hand": 7}],
        **changes,
    }


def test_a_product_in_a_list_has_the_documented_form(visitor):
    category = CategoryFactory(name="Tables", slug="tables")
    brand = BrandFactory(name="Holz")
    product = ProductFactory(
        name="Oak Table",
        slug="oak-table",
        brand=brand,
        category=category,
        price_from_minor=24900,
        compare_at_minor=29900,
    )
    VariantFactory(product=product, price_minor=24900, stock=7)
    Image.objects.create(product=product, file="products/a.webp", alt="A", width=8, height=6)

    response = visitor.get(PRODUCTS)

    assert response.json() == {
        "results": [
            {
                "id": str(product.pk),
                "slug": "oak-table",
                "name": "Oak Table",
                "brand": "Holz",
                "category": {"id": str(category.pk), "slug": "tables", "name": "Tables"},
                "price": usd("249.00"),
                "compare_at_price": usd("299.00"),
                "lowest_price_30_days": None,
                "images": [
                    {
                        "url": "/media/products/a.webp",
                        "alt": "A",
                        "width": 8,
                        "height": 6,
                        "renditions": dict.fromkeys(
                            ("thumbnail", "medium", "large"), "/media/products/a.webp"
                        ),
                    }
                ],
                "rating": {"average": None, "count": 0},
                "availability": "in_stock",
            }
        ],
        "next": None,
        "previous": None,
    }
    assert response["Cache-Control"] == "public, max-age=30"
    assert "Authorization" in response["Vary"]


def test_one_product_adds_description_and_variants_and_is_found_by_id_and_by_slug(visitor):
    variant = VariantFactory(name="Large", options={"size": "L"}, sku="OAK-L", stock=3)
    product = variant.product
    VariantFactory(product=product, is_active=False)

    by_id = visitor.get(f"{PRODUCTS}/{product.pk}")
    by_slug = visitor.get(f"{PRODUCTS}/{product.slug}")

    assert by_id.json() == by_slug.json()
    assert by_id.json()["description"] == ""
    assert by_id.json()["variants"] == [
        {
            "id": str(variant.pk),
            "sku": "OAK-L",
            "name": "Large",
            "options": {"size": "L"},
            "price": usd("10.00"),
            "compare_at_price": None,
            "lowest_price_30_days": None,
            "availability": "low_stock",
        }
    ]
    assert by_id["ETag"].startswith('"1-')
    assert (
        visitor.get(f"{PRODUCTS}/{product.pk}", HTTP_IF_NONE_MATCH=by_id["ETag"]).status_code == 304
    )


def test_a_list_can_be_expanded_by_variants_and_description(visitor):
    VariantFactory(sku="X-1")

    product = visitor.get(PRODUCTS, {"expand": "variants,description"}).json()["results"][0]

    assert [variant["sku"] for variant in product["variants"]] == ["X-1"]
    assert product["description"] == ""


@pytest.mark.parametrize("size", [5, 50])
def test_a_page_of_a_category_costs_two_statements_whatever_its_size(
    visitor, django_assert_num_queries, size
):
    category = CategoryFactory(slug="all")
    below = CategoryFactory(parent=category)
    for _ in range(size + 1):
        VariantFactory(product=ProductFactory(category=below), stock=2)
    query = {"limit": size, "expand": "variants", "filter[category]": "all"}

    with django_assert_num_queries(2):
        assert len(names(visitor.get(PRODUCTS, query))) == size
    with django_assert_num_queries(3):
        page = visitor.get(PRODUCTS, {**query, "include": "count"}).json()
    assert (page["count"], page["count_capped"]) == (size + 1, False)


def test_one_product_costs_one_statement(visitor, django_assert_num_queries):
    product = VariantFactory(stock=1).product
    for _ in range(5):
        VariantFactory(product=product, stock=1)

    with django_assert_num_queries(1):
        assert visitor.get(f"{PRODUCTS}/{product.slug}").status_code == 200


def test_the_list_shows_only_published_products_of_which_the_newest_come_first(visitor):
    for status in ("published", "draft", "archived", "published"):
        ProductFactory(name=f"{status} {Product.objects.count()}", status=status)

    assert names(visitor.get(PRODUCTS)) == ["published 3", "published 0"]


def test_staff_may_ask_for_other_statuses_and_nobody_else(staff, customer, visitor):
    ProductFactory(name="draft", status="draft")
    ProductFactory(name="published")

    assert names(staff.get(PRODUCTS, {"filter[status]": "draft"})) == ["draft"]
    assert names(staff.get(PRODUCTS, {"filter[status]": "all"})) == ["published", "draft"]
    assert names(staff.get(PRODUCTS)) == ["published"]
    for client in (customer, visitor):
        assert client.get(PRODUCTS, {"filter[status]": "draft"}).status_code == 400


def test_a_category_filter_includes_what_is_below_and_nothing_beside(visitor):
    home = CategoryFactory(slug="home")
    tables = CategoryFactory(parent=CategoryFactory(parent=home, slug="furniture"))
    ProductFactory(name="table", category=tables)
    ProductFactory(name="vase", category=home)
    ProductFactory(name="tent")

    assert names(visitor.get(PRODUCTS, {"filter[category]": "home", "sort": "name"})) == [
        "table",
        "vase",
    ]
    assert names(visitor.get(PRODUCTS, {"filter[category]": str(tables.pk)})) == ["table"]
    assert names(visitor.get(PRODUCTS, {"filter[category]": "nowhere"})) == []


def test_filters_by_brand_price_and_availability_narrow_together(visitor):
    acme = BrandFactory(slug="acme")
    for name, cents, stock in (("a", 500, 0), ("b", 1000, 5), ("c", 1500, 6)):
        product = ProductFactory(name=name, brand=acme, price_from_minor=cents)
        VariantFactory(product=product, price_minor=cents, stock=stock)
    VariantFactory(product__name="d", stock=50)

    def found(**filters):
        query = {f"filter{key}": value for key, value in filters.items()}
        return names(visitor.get(PRODUCTS, {"sort": "name", **query}))

    assert found(**{"[brand]": "acme"}) == ["a", "b", "c"]
    assert found(**{"[brand]": "acme,other", "[price][gte]": "10"}) == ["b", "c"]
    assert found(**{"[price][gte]": "10", "[price][lte]": "10.00"}) == ["b", "d"]
    assert found(**{"[availability]": "out_of_stock"}) == ["a"]
    assert found(**{"[availability]": "low_stock,out_of_stock"}) == ["a", "b"]
    assert found(**{"[availability]": "in_stock", "[brand]": "acme"}) == ["c"]


def test_a_product_is_as_available_as_the_best_of_its_active_variants(visitor):
    product = ProductFactory()
    VariantFactory(product=product, stock=50, is_active=False)
    for pieces in (0, 4, 4):
        VariantFactory(product=product, stock=pieces)

    assert visitor.get(f"{PRODUCTS}/{product.pk}").json()["availability"] == "low_stock"


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("price", ["b", "c", "a", "e", "d"]),
        ("-price", ["d", "e", "a", "c", "b"]),
        ("name", ["a", "b", "c", "d", "e"]),
        ("-name", ["e", "d", "c", "b", "a"]),
        ("created_at", ["a", "b", "c", "d", "e"]),
        ("-created_at", ["e", "d", "c", "b", "a"]),
    ],
)
def test_every_sort_pages_forwards_and_backwards_through_all_products(visitor, sort, expected):
    for name, cents in zip("abcde", (300, 100, 200, 500, 400), strict=True):
        ProductFactory(name=name, price_from_minor=cents)

    pages = [visitor.get(PRODUCTS, {"sort": sort, "limit": 2})]
    while link := pages[-1].json()["next"]:
        pages.append(visitor.get(link))
    assert [names(page) for page in pages] == [expected[:2], expected[2:4], expected[4:]]
    assert names(visitor.get(pages[-1].json()["previous"])) == expected[2:4]


def test_the_cursor_of_the_longest_name_is_taken_back(visitor):
    ProductFactory(name="🪑" * 200)
    ProductFactory(name="🪑" * 199 + "🪴")

    first = visitor.get(PRODUCTS, {"sort": "name", "limit": 1}).json()

    assert len(names(visitor.get(first["next"]))) == 1


def test_creating_a_product_answers_all_of_it_and_its_place(staff):
    response = staff.post(PRODUCTS, draft(brand="Holz & Söhne", description="Solid."))

    assert response.status_code == 201, response.content
    product = response.json()
    assert response["Location"].endswith(f"{PRODUCTS}/{product['id']}")
    assert (product["slug"], product["brand"]) == ("oak-table", "Holz & Söhne")
    assert (product["price"], product["version"]) == (usd("249.00"), 1)
    assert product["availability"] == "in_stock"
    assert response["ETag"].startswith('"1-')
    event = OutboxEvent.objects.get(name="catalog.product_changed")
    assert event.name == "catalog.product_changed"
    assert event.payload == {"product_id": product["id"], "version": 1}
    assert StockMovement.objects.get().on_hand_delta == 7


def test_a_slug_is_made_unique_when_nobody_chose_it_and_refused_when_somebody_did(staff):
    assert staff.post(PRODUCTS, draft()).status_code == 201
    second = staff.post(PRODUCTS, draft(variants=[{"sku": "B", "price": usd("1.00")}]))
    third = staff.post(
        PRODUCTS, draft(slug="oak-table", variants=[{"sku": "C", "price": usd("1.00")}])
    )

    assert second.json()["slug"].startswith("oak-table-")
    assert (third.status_code, third.json()["code"]) == (409, "slug_taken")
    assert not Variant.objects.filter(sku="C").exists()


def test_a_sku_belongs_to_one_variant_in_any_case(staff):
    VariantFactory(sku="oak-1")

    response = staff.post(PRODUCTS, draft())

    assert (response.status_code, response.json()["code"]) == (409, "sku_taken")
    assert Product.objects.count() == 1


def test_customers_and_visitors_change_nothing(customer, visitor):
    product = ProductFactory()
    for client, status in ((visitor, 401), (customer, 403)):
        assert client.post(PRODUCTS, {"name": "x"}).status_code == status
        for method in (client.put, client.patch, client.delete):
            assert method(f"{PRODUCTS}/{product.pk}").status_code == status
    product.refresh_from_db()
    assert product.version == 1


def test_put_replaces_a_product_and_retires_the_variants_it_does_not_name(staff):
    kept = VariantFactory(sku="KEPT", stock=5)
    gone = VariantFactory(sku="GONE", product=kept.product)
    body = draft(
        name="New",
        slug="new",
        variants=[
            {"sku": "kept", "price": usd("5.00"), "compare_at_price": usd("9.00"), "on_hand": 3},
            {"sku": "FRESH", "price": usd("7.00")},
        ],
    )

    response = staff.put(
        f"{PRODUCTS}/{kept.product_id}", body, HTTP_IF_MATCH='"1-0123456789abcdef"'
    )

    assert response.status_code == 200, response.content
    product = response.json()
    assert (product["name"], product["slug"], product["version"]) == ("New", "new", 2)
    assert (product["price"], product["compare_at_price"]) == (usd("5.00"), usd("9.00"))
    assert [variant["sku"] for variant in product["variants"]] == ["kept", "FRESH"]
    assert product["variants"][0]["id"] == str(kept.pk)
    assert product["variants"][0]["availability"] == "low_stock"
    gone.refresh_from_db()
    assert not gone.is_active
    assert OutboxEvent.objects.get().payload["version"] == 2


def test_patch_changes_what_it_names_and_nothing_else(staff):
    variant = VariantFactory(stock=9, sku="SAME")

    response = staff.patch(f"{PRODUCTS}/{variant.product_id}", {"description": "Better."})

    assert response.status_code == 200, response.content
    assert response.json()["description"] == "Better."
    assert [v["sku"] for v in response.json()["variants"]] == ["SAME"]
    assert response.json()["availability"] == "in_stock"


def test_a_stale_version_changes_nothing(staff):
    product = VariantFactory().product
    staff.patch(f"{PRODUCTS}/{product.pk}", {"name": "First"})

    for method, body in (
        (staff.patch, {"name": "Second"}),
        (staff.put, draft()),
        (staff.delete, None),
    ):
        response = method(f"{PRODUCTS}/{product.pk}", body, HTTP_IF_MATCH='"1"')
        assert (response.status_code, response.json()["code"]) == (412, "version_mismatch")
    product.refresh_from_db()
    assert (product.name, product.version, product.status) == ("First", 2, "published")


def test_deleting_archives_and_hides_from_everybody_but_staff(staff, visitor):
    product = VariantFactory().product

    assert staff.delete(f"{PRODUCTS}/{product.pk}").status_code == 204

    assert visitor.get(f"{PRODUCTS}/{product.pk}").status_code == 404
    assert visitor.get(f"/api/v1/inventory/{product.pk}").status_code == 404
    assert staff.get(f"{PRODUCTS}/{product.slug}").json()["status"] == "archived"
    assert OutboxEvent.objects.count() == 1


def test_the_category_tree_counts_published_products_below(visitor, django_assert_num_queries):
    home = CategoryFactory(name="Home", slug="home", position=1)
    tables = CategoryFactory(name="Tables", slug="tables", parent=home)
    garden = CategoryFactory(name="Garden", slug="garden", position=0)
    ProductFactory(category=tables)
    ProductFactory(category=home)
    ProductFactory(category=home, status="draft")
    count_products()

    with django_assert_num_queries(1):
        response = visitor.get("/api/v1/categories")

    leaf = {
        "id": str(tables.pk),
        "slug": "tables",
        "name": "Tables",
        "product_count": 1,
        "children": [],
    }
    assert response.json() == {
        "results": [
            {
                "id": str(garden.pk),
                "slug": "garden",
                "name": "Garden",
                "product_count": 0,
                "children": [],
            },
            {
                "id": str(home.pk),
                "slug": "home",
                "name": "Home",
                "product_count": 2,
                "children": [leaf],
            },
        ]
    }


def test_inventory_tells_bands_to_everybody_and_numbers_to_staff(
    visitor, staff, django_assert_num_queries
):
    variant = VariantFactory(sku="OAK", stock=4)
    address = f"/api/v1/inventory/{variant.product_id}"

    with django_assert_num_queries(1):
        public = visitor.get(address)

    band = {
        "variant_id": str(variant.pk),
        "sku": "OAK",
        "availability": "low_stock",
        "available_on": None,
    }
    assert public.json() == {
        "product_id": str(variant.product_id),
        "availability": "low_stock",
        "variants": [band],
    }
    balance = {"on_hand": 4, "reserved": 0, "allocated": 0, "available": 4}
    main = {
        "code": "main",
        "name": "Main warehouse",
        "is_active": True,
        "policy": "deny",
        "backorder_limit": 0,
        **balance,
    }
    assert staff.get(address).json()["variants"] == [{**band, **balance, "locations": [main]}]


@pytest.mark.django_db(transaction=True)
def test_what_everybody_reads_is_planned_once_and_what_is_narrowed_each_time(visitor):
    connection.close()
    product = ProductFactory()

    for _ in range(7):
        visitor.get(PRODUCTS, {"filter[price][gte]": "5"})
        visitor.get(PRODUCTS, {"filter[category]": "home"})
    assert plans_kept() == 0
    for _ in range(7):
        visitor.get(PRODUCTS)
        visitor.get(f"{PRODUCTS}/{product.pk}")
    assert plans_kept() == 2


def plans_kept() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        return int(cursor.fetchone()[0])
