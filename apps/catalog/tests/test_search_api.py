"""What the search promises over HTTP; what engines find is in test_search_engines.py."""

import pytest

from apps.catalog.services.search_index import refresh
from apps.catalog.tests.factories import (
    BrandFactory,
    CategoryFactory,
    ProductFactory,
    VariantFactory,
)

pytestmark = pytest.mark.django_db
SEARCH, SUGGESTIONS = "/api/v1/search", "/api/v1/search/suggestions"


@pytest.fixture
def tables():
    """Three tables to find."""
    category = CategoryFactory(name="Tables", slug="tables")
    brand = BrandFactory(name="Holz", slug="holz")
    products = [
        ProductFactory(
            name=f"{wood} Table",
            slug=f"{wood.lower()}-table",
            category=category,
            brand=brand,
            price_from_minor=price,
        )
        for wood, price in (("Oak", 24900), ("Elm", 19900), ("Ash", 9900))
    ]
    for product in products:
        VariantFactory(product=product, options={"size": "Large"}, stock=50)
    refresh(product_ids=[product.pk for product in products])
    return products


def names(response):
    assert response.status_code == 200, response.content
    return [product["name"] for product in response.json()["results"]]


def problem(response, status=400):
    assert response.status_code == status, response.content
    document = response.json()
    return document["code"], [(e["pointer"], e["code"]) for e in document.get("errors", [])]


def test_a_page_of_hits_has_the_documented_form(visitor, tables):
    page = visitor.get(SEARCH, {"q": "oak tabel"}).json()

    [result] = page.pop("results")
    assert result["name"] == "Oak Table"
    assert result["price"] == {"amount": "249.00", "currency": "USD"}
    assert "version" not in result
    assert page == {
        "next": None,
        "previous": None,
        "total": 1,
        "total_is_capped": False,
        "facets": {
            "categories": [{"value": "tables", "label": "Tables", "count": 1}],
            "brands": [{"value": "holz", "label": "Holz", "count": 1}],
            "availability": [{"value": "in_stock", "label": "in_stock", "count": 1}],
            "prices": [
                {
                    "minimum": {"amount": "200.00", "currency": "USD"},
                    "below": {"amount": "500.00", "currency": "USD"},
                    "count": 1,
                }
            ],
            "attributes": {"size": [{"value": "Large", "label": "Large", "count": 1}]},
        },
        "did_you_mean": "oak table",
        "redirect": None,
        "degraded": False,
    }


def test_an_answer_says_who_gave_it_and_may_be_kept_by_caches(visitor, customer, tables):
    response = visitor.get(SEARCH, {"q": "oak"})

    assert response["X-Search-Backend"] == "postgresql"
    assert response["Cache-Control"] == "public, max-age=30"
    assert "Authorization" in response["Vary"]
    assert "public" not in customer.get(SEARCH, {"q": "oak"})["Cache-Control"]


def test_filters_and_order_are_those_of_the_product_list(visitor, tables):
    def ask(**parameters):
        return names(visitor.get(SEARCH, {"q": "table", **parameters}))

    assert ask(sort="price") == ["Ash Table", "Elm Table", "Oak Table"]
    assert ask(sort="-price", **{"filter[price][lte]": "199.00"}) == ["Elm Table", "Ash Table"]
    assert ask(**{"filter[category]": "chairs"}) == []
    assert len(ask(**{"filter[category]": str(tables[0].category_id)})) == 3
    assert len(ask(**{"filter[brand]": "holz,metall"})) == 3
    assert ask(**{"filter[availability]": "out_of_stock,low_stock"}) == []
    assert len(ask(**{"filter[attribute][size]": "Small,Large"})) == 3
    assert ask(**{"filter[attribute][size]": "Small"}) == []


def test_pages_lead_to_each_other(visitor, tables):
    first = visitor.get(SEARCH, {"q": "table", "limit": 2, "sort": "name"}).json()
    second = visitor.get(first["next"]).json()

    assert [p["name"] for p in first["results"]] == ["Ash Table", "Elm Table"]
    assert [p["name"] for p in second["results"]] == ["Oak Table"]
    assert first["previous"] is None
    assert second["next"] is None
    assert names(visitor.get(second["previous"])) == ["Ash Table", "Elm Table"]


@pytest.mark.parametrize(
    "parameters, found",
    [
        ({"q": "x" * 201}, ("query_too_long", [])),
        ({"q": "x" * 10_000}, ("query_too_long", [])),
        ({"q": "x", "sort": "popular"}, ("validation_failed", [("/sort", "invalid_choice")])),
        ({"q": "x", "limit": 101}, ("validation_failed", [("/limit", "max_value")])),
        ({"q": "x", "after": "%"}, ("validation_failed", [("/after", "cursor")])),
        ({"q": "x", "after": "OTk5OTk"}, ("validation_failed", [("/after", "cursor")])),
        ({"q": "x", "page": "2"}, ("validation_failed", [("/page", "unknown_field")])),
        (
            {"q": "x", "filter[attribute][]": "2"},
            ("validation_failed", [("/filter[attribute][]", "unknown_field")]),
        ),
    ],
    ids=[
        "201-characters",
        "10-kB",
        "sort",
        "limit",
        "cursor",
        "cursor-beyond",
        "unknown",
        "no-attribute",
    ],
)
def test_what_cannot_be_asked_is_a_bad_request(visitor, parameters, found):
    assert problem(visitor.get(SEARCH, parameters)) == found


def test_a_query_without_words_finds_nothing(visitor, tables):
    for asked in ({}, *({"q": text} for text in ("", " ", "?!", "😀", "\u202e"))):
        page = visitor.get(SEARCH, asked).json()

        assert (page["results"], page["total"], page["did_you_mean"]) == ([], 0, None)


def test_the_last_page_ends_where_hits_are_no_longer_ranked(visitor, tables):
    response = visitor.get(SEARCH, {"q": "table", "after": "OTk5", "limit": 25})

    assert names(response) == []


@pytest.mark.parametrize("limit", [1, 3])
def test_a_search_costs_three_statements(visitor, tables, limit, django_assert_num_queries):
    with django_assert_num_queries(3):
        visitor.get(
            SEARCH,
            {"q": "tabel", "limit": limit, "filter[brand]": "holz", "filter[price][gte]": "1.00"},
        )


def test_suggestions_have_the_documented_form_and_cost_two_statements(
    visitor, tables, django_assert_num_queries
):
    with django_assert_num_queries(2):
        response = visitor.get(SUGGESTIONS, {"q": "tab", "limit": 2})

    document = response.json()
    assert [set(each) for each in document["products"]] == [{"id", "slug", "name"}] * 2
    assert document["categories"] == [
        {"id": str(tables[0].category_id), "slug": "tables", "name": "Tables"}
    ]
    assert (document["brands"], document["queries"], document["degraded"]) == ([], [], False)
    assert response["X-Search-Backend"] == "postgresql"
    assert problem(visitor.get(SUGGESTIONS, {"q": "x" * 201}))[0] == "query_too_long"
