"""Nothing that is sent makes the catalog fail, and nothing wrong changes it."""

import base64

import pytest

from apps.catalog.models import Brand, Product, Stock, Variant
from apps.catalog.tests.factories import CategoryFactory, VariantFactory
from apps.kernel.ids import new_id
from apps.kernel.models import OutboxEvent

pytestmark = pytest.mark.django_db
PRODUCTS = "/api/v1/products"
PRICE = {"amount": "1.00", "currency": "USD"}
LINE = {"sku": "NEW-1", "price": PRICE}
BODY = {"name": "New", "category": "here", "status": "published", "variants": [LINE]}


def line(**changes):
    return {"variants": [{**LINE, **changes}]}


REFUSED = {
    "name is a number": ({"name": 7}, "/name"),
    "name is null": ({"name": None}, "/name"),
    "name is empty": ({"name": " "}, "/name"),
    "name is too long": ({"name": "x" * 201}, "/name"),
    "slug has capitals": ({"slug": "Oak"}, "/slug"),
    "slug has a line feed inside": ({"slug": "oak\ntable"}, "/slug"),
    "slug looks like an id": ({"slug": "0190a5b0-0000-7000-8000-000000000000"}, "/slug"),
    "slug is too long": ({"slug": "x" * 201}, "/slug"),
    "description is a list": ({"description": []}, "/description"),
    "description is too long": ({"description": "x" * 20_001}, "/description"),
    "brand is an object": ({"brand": {}}, "/brand"),
    "brand is too long": ({"brand": "x" * 121}, "/brand"),
    "category is a number": ({"category": 1}, "/category"),
    "category is too long": ({"category": "x" * 161}, "/category"),
    "status is unknown": ({"status": "sold"}, "/status"),
    "package size is too long": ({"package_size": "x" * 61}, "/package_size"),
    "tax class is no code": ({"tax_class": "Reduced rate"}, "/tax_class"),
    "tax class is too long": ({"tax_class": "x" * 41}, "/tax_class"),
    "tax class is null": ({"tax_class": None}, "/tax_class"),
    "a field is unknown": ({"colour": "red"}, "/colour"),
    "variants is an object": ({"variants": {}}, "/variants"),
    "variants holds a string": ({"variants": ["NEW-1"]}, "/variants/0"),
    "there are too many variants": ({"variants": [LINE] * 201}, "/variants"),
    "a variant has no sku": ({"variants": [{"price": PRICE}]}, "/variants/0/sku"),
    "a variant has no price": ({"variants": [{"sku": "A"}]}, "/variants/0/price"),
    "sku is a number": (line(sku=1), "/variants/0/sku"),
    "sku has a space": (line(sku="A B"), "/variants/0/sku"),
    "sku is not ASCII": (line(sku="ß"), "/variants/0/sku"),
    "sku is too long": (line(sku="x" * 65), "/variants/0/sku"),
    "price is a float": (line(price=1.5), "/variants/0/price"),
    "price is a string": (line(price="1.50"), "/variants/0/price"),
    "amount is a float": (line(price={**PRICE, "amount": 1.5}), "/variants/0/price"),
    "amount is negative": (line(price={**PRICE, "amount": "-1.00"}), "/variants/0/price"),
    "amount is too fine": (line(price={**PRICE, "amount": "1.001"}), "/variants/0/price"),
    "amount is huge": (line(price={**PRICE, "amount": "9" * 15}), "/variants/0/price"),
    "amount is endless": (line(price={**PRICE, "amount": "9" * 9999}), "/variants/0/price"),
    "amount is not a number": (line(price={**PRICE, "amount": "NaN"}), "/variants/0/price"),
    "price has no currency": (line(price={"amount": "1.00"}), "/variants/0/price"),
    "price is in another currency": (line(price={**PRICE, "currency": "EUR"}), "/variants/0/price"),
    "price has more to say": (line(price={**PRICE, "tax": "0"}), "/variants/0/price"),
    "compare-at is in another currency": (
        line(compare_at_price={"amount": "2.00", "currency": "EUR"}),
        "/variants/0/compare_at_price",
    ),
    "weight is negative": (line(weight_grams=-1), "/variants/0/weight_grams"),
    "weight is a float": (line(weight_grams=1.0), "/variants/0/weight_grams"),
    "weight is huge": (line(weight_grams=10**20), "/variants/0/weight_grams"),
    "stock is negative": (line(on_hand=-1), "/variants/0/on_hand"),
    "stock is huge": (line(on_hand=10**10), "/variants/0/on_hand"),
    "stock is true": (line(on_hand=True), "/variants/0/on_hand"),
    "options is a list": (line(options=["red"]), "/variants/0/options"),
    "an option is a number": (line(options={"size": 1}), "/variants/0/options/size"),
    "there are too many options": (
        line(options={str(n): "x" for n in range(21)}),
        "/variants/0/options",
    ),
    "a variant's field is unknown": (line(barcode="1"), "/variants/0/barcode"),
}


def assert_unchanged():
    product = Product.objects.get()
    assert (product.version, product.name) == (1, "Old")
    assert list(Variant.objects.values_list("sku", "is_active")) == [("OLD-1", True)]
    assert Stock.objects.get().on_hand == 3
    assert not Brand.objects.exists()
    assert not OutboxEvent.objects.exists()


@pytest.fixture
def old():
    return VariantFactory(
        sku="OLD-1", product__name="Old", product__category=CategoryFactory(slug="here"), stock=3
    ).product


def assert_problem(response, status, code):
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/problem+json")
    assert response.json()["code"] == code


@pytest.mark.parametrize(("changes", "pointer"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_field_is_named_and_changes_nothing(staff, old, changes, pointer):
    body = {**BODY, **changes}
    for response in (
        staff.post(PRODUCTS, body),
        staff.put(f"{PRODUCTS}/{old.pk}", body),
        staff.patch(f"{PRODUCTS}/{old.pk}", changes),
    ):
        assert_problem(response, 400, "validation_failed")
        pointers = {entry["pointer"] for entry in response.json()["errors"]}
        assert any(found.startswith(pointer) for found in pointers), pointers
    assert_unchanged()


@pytest.mark.parametrize("missing", ["name", "status", "category", "variants"])
def test_replacing_a_product_takes_every_field(staff, old, missing):
    body = {name: value for name, value in BODY.items() if name != missing}

    assert_problem(staff.put(f"{PRODUCTS}/{old.pk}", body), 400, "validation_failed")
    assert_unchanged()


REFUSED_LATER = {
    "the category is unknown": ({"category": "nowhere"}, 422, "unknown_category"),
    "the category's id is unknown": ({"category": str(new_id())}, 422, "unknown_category"),
    "a published product has no category": ({"category": None}, 422, "not_publishable"),
    "a published product has no variant": ({"variants": []}, 422, "not_publishable"),
    "the price to compare with is lower": (
        line(compare_at_price={**PRICE, "amount": "0.99"}),
        422,
        "compare_at_not_higher",
    ),
    "a sku is named twice": ({"variants": [LINE, {**LINE, "sku": "new-1"}]}, 409, "sku_taken"),
}


@pytest.mark.parametrize(
    ("changes", "status", "code"), REFUSED_LATER.values(), ids=REFUSED_LATER.keys()
)
def test_what_makes_no_sense_changes_nothing(staff, old, changes, status, code):
    body = {**BODY, "brand": "New brand", **changes}

    assert_problem(staff.post(PRODUCTS, body), status, code)
    assert_problem(staff.put(f"{PRODUCTS}/{old.pk}", body), status, code)
    assert_unchanged()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "validation_failed"),
        (b"{", 400, "malformed_body"),
        (b"[]", 400, "malformed_body"),
        (b'{"name": NaN}', 400, "malformed_body"),
        (b'{"name": "a\\u0000b"}', 400, "malformed_body"),
        (b'{"name": "\\ud800"}', 400, "malformed_body"),
        (b"\xff\xfe", 400, "malformed_body"),
        (b'{"name": "' + b"x" * 2**20 + b'"}', 413, "body_too_large"),
    ],
)
def test_a_malformed_body_changes_nothing(staff, old, body, status, code):
    for method, address in ((staff.post, PRODUCTS), (staff.put, f"{PRODUCTS}/{old.pk}")):
        response = method(address, body, content_type="application/json")
        assert_problem(response, status, code)
    assert_unchanged()


def test_only_json_is_taken(staff, old):
    assert_problem(
        staff.post(PRODUCTS, "name=x", content_type="application/x-www-form-urlencoded"),
        415,
        "unsupported_media_type",
    )
    assert_unchanged()


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "filter[colour]=red",
        "filter=red",
        "filter[price]=10",
        "filter[price][gte]=ten",
        "filter[price][gte]=-1",
        "filter[price][lte]=1.001",
        "filter[price][lte]=99999999999999999999",
        "filter[price][gte]=1e5",
        "filter[availability]=sold",
        "filter[availability]=in_stock,",
        "filter[category]=" + "x" * 10_000,
        "filter[brand]=" + "x" * 10_000,
        "filter[status]=draft",
        "sort=colour",
        "sort=price,name",
        "sort=name&sort=price",
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=many",
        "limit=" + "9" * 5000,
        "include=all",
        "expand=stock",
        "after=nonsense",
        "after=" + "A" * 10_000,
        "after=W10&sort=price",
        "after=WzFlOTk5LCIwIl0&sort=price",
        "before=WyJhIiwgImIiXQ",
        "after=a&before=b",
        "x" * 10_000,
        "filter[category]=%00",
        "filter[category]=%ff%fe&colour=1",
    ],
)
def test_a_wrong_query_is_refused(visitor, query):
    response = visitor.get(f"{PRODUCTS}?{query}")

    assert response.status_code == 400, response.content
    assert response["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize("sort", ["price", "name", "created_at"])
@pytest.mark.parametrize(
    "value", ["null", "1e400", "99999999999999999999", '"\\u0000"', "[]", "true", '"9999"', '"x"']
)
def test_a_forged_cursor_is_refused_or_leads_nowhere(visitor, sort, value):
    cursor = base64.urlsafe_b64encode(f'[{value},"{new_id()}"]'.encode()).decode().rstrip("=")

    response = visitor.get(PRODUCTS, {"sort": sort, "after": cursor})

    assert response.status_code in {200, 400}, response.content


@pytest.mark.parametrize(
    "key", ["nowhere", "0190a5b0-0000-7000-8000-000000000000", "x" * 5000, "%ff", "a b", "..;", "'"]
)
def test_an_unknown_product_is_not_found(visitor, key):
    assert_problem(visitor.get(f"{PRODUCTS}/{key}"), 404, "unknown_product")


def test_a_malformed_id_is_refused_where_only_ids_count(staff, visitor, old):
    for response in (
        staff.put(f"{PRODUCTS}/{old.slug}", BODY),
        staff.patch(f"{PRODUCTS}/{old.slug}", {}),
        staff.delete(f"{PRODUCTS}/{old.slug}"),
        visitor.get("/api/v1/inventory/nowhere"),
    ):
        assert_problem(response, 400, "malformed_id")
    assert_unchanged()


def test_a_product_that_is_not_there_cannot_be_changed(staff, visitor):
    for response in (
        staff.put(f"{PRODUCTS}/{new_id()}", BODY),
        staff.patch(f"{PRODUCTS}/{new_id()}", {}),
        staff.delete(f"{PRODUCTS}/{new_id()}"),
        visitor.get(f"/api/v1/inventory/{new_id()}"),
    ):
        assert_problem(response, 404, "unknown_product")


@pytest.mark.parametrize("tag", ["1", '"one"', '"99999999999"', '"', "W/"])
def test_a_malformed_if_match_changes_nothing(staff, old, tag):
    response = staff.patch(f"{PRODUCTS}/{old.pk}", {"name": "x"}, HTTP_IF_MATCH=tag)

    assert_problem(response, 400, "etag_malformed")
    assert_unchanged()


def test_what_takes_no_parameters_refuses_them(visitor, old):
    for path in ("categories", f"inventory/{old.pk}", f"products/{old.pk}"):
        address = f"/api/v1/{path}?a=1"
        assert_problem(visitor.get(address), 400, "validation_failed")


def test_methods_that_are_not_there_are_refused(staff):
    assert_problem(staff.delete(PRODUCTS), 405, "method_not_allowed")
    assert_problem(staff.put("/api/v1/categories", {}), 405, "method_not_allowed")
