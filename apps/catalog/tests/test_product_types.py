"""What products of a type have to say, and what becomes of them when the type changes."""

import pytest
from django.db import IntegrityError, connection, transaction

from apps.catalog.models import Attribute, AttributeChoice, Product, ProductType, Variant
from apps.catalog.selectors.filters import AttributeFilter, having
from apps.catalog.tasks import tell_changes
from apps.catalog.tests.factories import (
    AttributeChoiceFactory,
    AttributeFactory,
    CategoryFactory,
    ProductFactory,
    ProductTypeFactory,
    VariantFactory,
)
from apps.kernel.models import AuditEntry, OutboxEvent

pytestmark = pytest.mark.django_db
PRODUCTS, TYPES, ATTRIBUTES = "/api/v1/products", "/api/v1/product-types", "/api/v1/attributes"
PRICE = {"amount": "10.00", "currency": "USD"}


@pytest.fixture
def shirts():
    """A type with an attribute of every kind, and two options."""
    colour = AttributeFactory(code="colour", kind="choice")
    care = AttributeFactory(code="care", kind="multi_choice")
    for attribute, codes in ((colour, ("red", "blue")), (care, ("wash", "iron", "bleach"))):
        for position, code in enumerate(codes):
            AttributeChoiceFactory(attribute=attribute, code=code, position=position)
    plain = [
        AttributeFactory(code=code, kind=kind, unit=unit)
        for code, kind, unit in (
            ("cloth", "text", ""),
            ("length", "number", "cm"),
            ("organic", "boolean", ""),
            ("since", "date", ""),
        )
    ]
    return ProductTypeFactory(
        name="Shirts", slug="shirts", options=["size"], attributes=[colour, care, *plain]
    )


WORN = {
    "colour": "red",
    "care": ["iron", "wash"],
    "cloth": " linen ",
    "length": 72.5,
    "organic": True,
    "since": "2026-02-28",
}


def shirt(**changes):
    return {
        "name": "Shirt",
        "category": CategoryFactory().slug,
        "status": "published",
        "type": "shirts",
        "attributes": WORN,
        "variants": [{"sku": "S", "price": PRICE, "options": {"size": "S"}}],
        **changes,
    }


def codes(response):
    assert response.status_code == 200, response.content
    return [product["name"] for product in response.json()["results"]]


def assert_problem(response, status, code, **facts):
    assert response.status_code == status, response.content
    assert response.json()["code"] == code
    assert facts.items() <= response.json().get("facts", {}).items()


def test_a_product_tells_its_attributes_with_names_units_and_labels(staff, visitor, shirts):
    created = staff.post(PRODUCTS, shirt())

    assert created.status_code == 201, created.content
    document = visitor.get(f"{PRODUCTS}/{created.json()['id']}").json()
    assert document["type"] == {"id": str(shirts.pk), "slug": "shirts", "name": "Shirts"}
    assert [(a["code"], a["value"], a["label"]) for a in document["attributes"]] == [
        ("colour", "red", "Red"),
        ("care", ["wash", "iron"], "Wash, Iron"),
        ("cloth", "linen", None),
        ("length", 72.5, None),
        ("organic", True, None),
        ("since", "2026-02-28", None),
    ]
    assert document["attributes"][3] == {
        "code": "length",
        "name": "Length",
        "kind": "number",
        "unit": "cm",
        "value": 72.5,
        "label": None,
    }


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("colour", "green"),
        ("colour", ["red"]),
        ("colour", None),
        ("care", "wash"),
        ("care", []),
        ("care", ["wash", 1]),
        ("care", ["wash", "starch"]),
        ("cloth", " "),
        ("cloth", 7),
        ("cloth", "x" * 501),
        ("length", "72"),
        ("length", True),
        ("length", 10**13),
        ("organic", "true"),
        ("organic", 1),
        ("since", "2026-02-30"),
        ("since", "20260228"),
        ("since", {"year": 2026}),
        ("weight", 1),
    ],
)
def test_a_value_that_does_not_fit_is_named_and_changes_nothing(staff, shirts, code, value):
    response = staff.post(PRODUCTS, shirt(attributes={**WORN, code: value}))

    if value is None:
        assert response.status_code == 400
    else:
        assert_problem(response, 422, "unfit_attribute", attribute=code)
    assert not Product.objects.exists()
    assert not OutboxEvent.objects.exists()


def test_a_published_product_has_what_its_type_requires_a_draft_need_not(staff, shirts):
    shirts.type_attributes.filter(attribute__code="cloth").update(is_required=True)
    bare = shirt(attributes={"colour": "red"}, status="draft")

    draft = staff.post(PRODUCTS, bare)
    published = staff.patch(f"{PRODUCTS}/{draft.json()['id']}", {"status": "published"})

    assert draft.status_code == 201
    assert_problem(published, 422, "attribute_missing", attribute="cloth")


def test_products_without_a_type_have_any_options_and_no_attributes(staff):
    free = shirt(type=None, attributes={})
    assert staff.post(PRODUCTS, free).status_code == 201
    assert_problem(staff.post(PRODUCTS, shirt(type=None)), 422, "unfit_attribute")
    assert_problem(staff.post(PRODUCTS, shirt(type="hats")), 422, "unknown_product_type")
    with pytest.raises(IntegrityError), transaction.atomic():
        Product.objects.update(attributes={"colour": "red"})
    with pytest.raises(IntegrityError), transaction.atomic():
        Product.objects.update(attributes=["red"])


@pytest.mark.parametrize("options", [{}, {"colour": "red"}, {"size": "S", "colour": "red"}])
def test_a_variant_names_exactly_the_options_of_the_type(staff, shirts, options):
    variants = [{"sku": "S", "price": PRICE, "options": options}]

    assert_problem(staff.post(PRODUCTS, shirt(variants=variants)), 422, "unfit_options", sku="S")


def test_no_two_variants_for_sale_have_the_same_options(staff, shirts):
    def sized(**sizes):
        return [{"sku": s, "price": PRICE, "options": {"size": o}} for s, o in sizes.items()]

    assert_problem(
        staff.post(PRODUCTS, shirt(variants=sized(A="S", B="S"))), 422, "unfit_options", sku="B"
    )
    created = staff.post(PRODUCTS, shirt(variants=sized(A="S", B="M"))).json()
    swapped = staff.patch(f"{PRODUCTS}/{created['id']}", {"variants": sized(A="M", B="S")})

    assert [v["options"]["size"] for v in swapped.json()["variants"]] == ["M", "S"]
    with pytest.raises(IntegrityError), transaction.atomic():
        Variant.objects.update(options={"size": "L"})


def test_lists_are_filtered_by_attributes(staff, visitor, shirts, django_assert_max_num_queries):
    for name, values in (
        ("a", {"colour": "red", "length": 70, "organic": True, "since": "2026-01-01"}),
        ("b", {"colour": "blue", "length": 80, "organic": False, "care": ["wash", "iron"]}),
        ("c", {"cloth": "linen", "length": 90.5, "since": "2026-03-01"}),
    ):
        ProductFactory(name=name, type=shirts, attributes=values)
    ProductFactory(name="d")

    def found(**filters):
        query = {f"filter[attributes.{name}": value for name, value in filters.items()}
        return codes(visitor.get(PRODUCTS, {"sort": "name", **query}))

    assert found(**{"colour]": "red"}) == ["a"]
    assert found(**{"colour]": "red,blue"}) == ["a", "b"]
    assert found(**{"care]": "iron"}) == ["b"]
    assert found(**{"cloth]": "linen"}) == ["c"]
    assert found(**{"organic]": "false"}) == ["b"]
    assert found(**{"length]": "70,90.50"}) == ["a", "c"]
    assert found(**{"length][gte]": "75"}) == ["b", "c"]
    assert found(**{"length][gte]": "75", "length][lte]": "85"}) == ["b"]
    assert found(**{"since][lte]": "2026-01-31"}) == ["a"]
    assert found(**{"colour]": "red", "length][gte]": "75"}) == []
    query = {"filter[attributes.colour]": "red", "expand": "attributes,tags,breadcrumbs"}
    with django_assert_max_num_queries(1):  # what can be filtered by is known
        product = visitor.get(PRODUCTS, query).json()["results"][0]
    assert product["type"]["slug"] == "shirts"
    assert {a["code"] for a in product["attributes"]} == {"colour", "length", "organic", "since"}


@pytest.mark.parametrize(
    "query",
    [
        {"filter[attributes.nothing]": "x"},
        {"filter[attributes.secret]": "x"},
        {"filter[attributes.Colour]": "x"},
        {"filter[attributes.colour][gte]": "x"},
        {"filter[attributes.length]": "long"},
        {"filter[attributes.length]": "nan"},
        {"filter[attributes.length][gte]": "1,2"},
        {"filter[attributes.length][lte]": "inf"},
        {"filter[attributes.length][max]": "1"},
        {"filter[attributes.organic]": "yes"},
        {"filter[attributes.since]": "tomorrow"},
        {"filter[attributes.since][gte]": ""},
        {"filter[attributes.colour]": "x" * 10_000},
        {f"filter[attributes.a{n}]": "x" for n in range(21)},
        {"filter[attributes.colour": "red"},
    ],
    ids=str,
)
def test_a_filter_that_makes_no_sense_is_a_bad_request(visitor, shirts, query):
    AttributeFactory(code="secret", is_filterable=False)

    assert_problem(visitor.get(PRODUCTS, query), 400, "validation_failed")


def test_an_attribute_is_found_by_lists_as_soon_as_it_is_there(visitor):
    query = {"filter[attributes.colour]": "red"}
    assert visitor.get(PRODUCTS, query).status_code == 400

    AttributeFactory(code="colour")

    assert codes(visitor.get(PRODUCTS, query)) == []


def test_a_filter_by_a_value_finds_its_place_in_the_index(shirts):
    with transaction.atomic():
        connection.cursor().execute("SET LOCAL enable_seqscan = off")
        plan = Product.objects.filter(
            having(AttributeFilter("colour", "choice", ["red"]))
        ).explain()

    assert "product_by_attributes" in plan


def test_types_are_made_read_changed_and_removed(staff, visitor):
    staff.post(ATTRIBUTES, {"code": "cloth", "name": "Cloth", "kind": "text"})
    body = {
        "name": "Shirts",
        "options": ["size"],
        "attributes": [{"code": "cloth", "is_required": True}],
    }

    created = staff.post(TYPES, body)

    assert created.status_code == 201, created.content
    document = created.json()
    assert document == {
        "id": document["id"],
        "slug": "shirts",
        "name": "Shirts",
        "options": ["size"],
        "attributes": [
            {"code": "cloth", "name": "Cloth", "kind": "text", "unit": "", "is_required": True}
        ],
        "version": 1,
    }
    address = f"{TYPES}/{document['id']}"
    assert visitor.get(f"{TYPES}/shirts").json() == document
    assert visitor.get(TYPES).json()["results"] == [document]
    changed = staff.patch(address, {"name": "Tops"}, HTTP_IF_MATCH=created["ETag"])
    assert (changed.json()["name"], changed.json()["version"]) == ("Tops", 2)
    assert len(changed.json()["attributes"]) == 1
    stale = staff.patch(address, {"name": "Old"}, HTTP_IF_MATCH=created["ETag"])
    assert_problem(stale, 412, "version_mismatch")
    assert staff.delete(address, HTTP_IF_MATCH=created["ETag"]).status_code == 412
    assert staff.delete(address).status_code == 204
    assert visitor.get(address).status_code == 404
    assert AuditEntry.objects.filter(action__startswith="catalog.product_type").count() == 3


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": ""}, 400, "validation_failed"),
        ({"name": "x", "options": ["a", "a"]}, 400, "validation_failed"),
        ({"name": "x", "options": "a"}, 400, "validation_failed"),
        ({"name": "x", "attributes": [{}]}, 400, "validation_failed"),
        ({"name": "x", "attributes": [{"code": "none"}]}, 422, "unfit_attribute"),
        ({"name": "x", "slug": "shirts"}, 409, "slug_taken"),
        ({"name": "x", "attributes": [{"code": "care"}, {"code": "care"}]}, 422, "unfit_attribute"),
    ],
    ids=str,
)
def test_a_type_that_makes_no_sense_is_refused(staff, shirts, body, status, code):
    assert_problem(staff.post(TYPES, body), status, code)
    assert ProductType.objects.count() == 1


def test_a_type_does_not_change_under_its_products(staff, shirts):
    created = staff.post(PRODUCTS, shirt()).json()
    address = f"{TYPES}/{shirts.pk}"
    every = [{"code": code} for code in WORN]
    OutboxEvent.objects.all().delete()

    for body in (
        {"options": ["size", "fit"]},
        {"options": []},
        {"attributes": every[1:]},
    ):
        assert_problem(staff.patch(address, body), 409, "type_in_use")
    assert_problem(staff.delete(address), 409, "type_in_use")
    AttributeFactory(code="fit")
    required = staff.patch(address, {"attributes": [*every, {"code": "fit", "is_required": True}]})
    assert_problem(required, 409, "type_in_use")
    assert not OutboxEvent.objects.exists()

    more = staff.patch(address, {"attributes": [*every[::-1], {"code": "fit"}]})

    assert more.status_code == 200, more.content
    tell_changes()
    event = OutboxEvent.objects.get()
    assert event.payload == {"product_id": created["id"], "version": 2}
    document = staff.get(f"{PRODUCTS}/{created['id']}").json()
    assert [a["code"] for a in document["attributes"]] == list(WORN)[::-1]


def test_attributes_are_made_read_changed_and_removed(staff, visitor):
    created = staff.post(ATTRIBUTES, {"code": "size", "name": "Size", "kind": "choice"})
    address = f"{ATTRIBUTES}/{created.json()['id']}"
    values = f"{address}/values"

    large = staff.post(values, {"name": "Very large", "position": 1})
    small = staff.post(values, {"name": "Small", "code": "s"})

    assert (large.status_code, small.status_code) == (201, 201), large.content
    assert [v["code"] for v in visitor.get(values).json()["results"]] == ["s", "very-large"]
    assert_problem(staff.post(values, {"name": "S", "code": "s"}), 409, "code_taken")
    one = f"{values}/{small.json()['id']}"
    assert staff.patch(one, {"name": "Tiny", "position": 9}).json()["name"] == "Tiny"
    assert staff.patch(address, {"is_filterable": True}).json()["is_filterable"] is True
    assert [v["name"] for v in visitor.get(address).json()["choices"]] == ["Very large", "Tiny"]
    assert visitor.get(ATTRIBUTES).json()["results"] == [visitor.get(address).json()]
    assert staff.delete(one).status_code == 204
    assert staff.delete(one).status_code == 404
    assert staff.patch(one, {"name": "x"}).status_code == 404
    assert staff.delete(address).status_code == 204
    for response in (visitor.get(address), staff.patch(address, {}), staff.delete(address)):
        assert_problem(response, 404, "unknown_attribute")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"code": "Colour", "name": "x", "kind": "text"}, 400, "validation_failed"),
        ({"code": "a" * 41, "name": "x", "kind": "text"}, 400, "validation_failed"),
        ({"code": "a", "name": "x", "kind": "colour"}, 400, "validation_failed"),
        ({"code": "a", "name": "x", "kind": "text", "unit": "cm"}, 422, "unfit_definition"),
        ({"code": "colour", "name": "x", "kind": "text"}, 409, "code_taken"),
    ],
    ids=str,
)
def test_an_attribute_that_makes_no_sense_is_refused(staff, shirts, body, status, code):
    assert_problem(staff.post(ATTRIBUTES, body), status, code)
    assert Attribute.objects.count() == 6


def test_kind_and_code_of_an_attribute_are_for_good(staff, shirts):
    colour = Attribute.objects.get(code="colour")
    for body in ({"code": "color"}, {"kind": "text"}):
        assert_problem(staff.patch(f"{ATTRIBUTES}/{colour.pk}", body), 400, "validation_failed")
    assert_problem(
        staff.patch(f"{ATTRIBUTES}/{colour.pk}", {"unit": "nm"}), 422, "unfit_definition"
    )


def test_what_products_name_is_not_taken_away(staff, shirts):
    created = staff.post(PRODUCTS, shirt()).json()
    OutboxEvent.objects.all().delete()

    for code in ("red", "wash"):
        choice = AttributeChoice.objects.get(code=code)
        address = f"{ATTRIBUTES}/{choice.attribute_id}"
        assert_problem(staff.delete(f"{address}/values/{choice.pk}"), 409, "attribute_in_use")
        assert_problem(staff.delete(address), 409, "attribute_in_use")
    free = AttributeChoice.objects.get(code="blue")
    assert staff.delete(f"{ATTRIBUTES}/{free.attribute_id}/values/{free.pk}").status_code == 204
    assert not OutboxEvent.objects.exists()

    red = AttributeChoice.objects.get(code="red")
    staff.patch(f"{ATTRIBUTES}/{red.attribute_id}/values/{red.pk}", {"name": "Crimson"})
    tell_changes()

    event = OutboxEvent.objects.get()
    assert event.payload == {"product_id": created["id"], "version": 2}
    assert staff.get(f"{PRODUCTS}/{created['id']}").json()["attributes"][0]["label"] == "Crimson"


def test_only_attributes_to_choose_from_have_choices(staff):
    text = AttributeFactory()

    response = staff.post(f"{ATTRIBUTES}/{text.pk}/values", {"name": "x"})

    assert_problem(response, 422, "unfit_definition")


def test_one_product_with_everything_costs_one_statement(
    visitor, shirts, django_assert_num_queries
):
    product = VariantFactory(product__type=shirts, product__attributes={"colour": "red"}).product

    with django_assert_num_queries(1):
        document = visitor.get(f"{PRODUCTS}/{product.slug}").json()

    assert document["attributes"][0]["label"] == "Red"
    assert document["breadcrumbs"] == [document["category"]]
    assert (document["tags"], document["seo_title"], document["seo_description"]) == ([], "", "")
