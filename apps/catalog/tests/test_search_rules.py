"""What staff tell the search, and what they learn from it."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_redis import get_redis_connection

from apps.catalog.models import SearchBoost, SearchCount, SearchRedirect, SearchSynonym
from apps.catalog.search.engine import SearchQuery
from apps.catalog.search.postgresql import PostgreSQL
from apps.catalog.services import search_counts
from apps.catalog.services.search_counts import count_search, keep_counts
from apps.catalog.services.search_index import refresh
from apps.catalog.tests.factories import (
    ProductFactory,
    SearchRedirectFactory,
    SearchSynonymFactory,
    VariantFactory,
)
from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry
from apps.kernel.tests.threads import at_once

pytestmark = pytest.mark.django_db
SYNONYMS, BOOSTS, REDIRECTS, ANALYTICS = (
    f"/api/v1/search/{noun}" for noun in ("synonyms", "boosts", "redirects", "analytics")
)


@pytest.fixture
def sofa():
    product = ProductFactory.create(name="Leather Sofa", slug="sofa")
    VariantFactory(product=product, stock=50)
    refresh(product_ids=[product.pk])
    return product


@pytest.fixture
def _nothing_counted():
    get_redis_connection("default").delete(search_counts.TIMES, search_counts.RESULTS)


def found(visitor, text):
    response = visitor.get("/api/v1/search", {"q": text})
    assert response.status_code == 200, response.content
    return [product["slug"] for product in response.json()["results"]]


def code(response, status):
    assert response.status_code == status, response.content
    return response.json()["code"]


def test_a_synonym_counts_from_the_next_search_on(visitor, staff, sofa):
    assert found(visitor, "couches") == []

    response = staff.post(SYNONYMS, {"terms": ["Couch", "sofa"]}, format="json")

    assert response.status_code == 201, response.content
    document = response.json()
    assert (document["terms"], document["two_way"]) == (["Couch", "sofa"], True)
    assert staff.get(response["Location"]).json() == document
    assert found(visitor, "couches") == ["sofa"]

    staff.delete(response["Location"])

    assert found(visitor, "couches") == []
    assert staff.get(response["Location"]).status_code == 404


def test_a_one_way_synonym_does_not_count_back(visitor, staff, sofa):
    lamp = ProductFactory.create(name="Floor Lamp", slug="lamp")
    VariantFactory(product=lamp, stock=5)
    refresh(product_ids=[lamp.pk])
    body = {"terms": ["furnishing", "sofa", "lamp"], "two_way": False}
    synonym = staff.post(SYNONYMS, body, format="json").json()

    assert set(found(visitor, "furnishing")) == {"sofa", "lamp"}
    assert found(visitor, "sofa") == ["sofa"]

    staff.patch(f"{SYNONYMS}/{synonym['id']}", {"two_way": True}, format="json")

    assert set(found(visitor, "sofa")) == {"sofa", "lamp"}


@pytest.mark.parametrize(
    "body",
    [
        {"terms": ["one"]},
        {"terms": []},
        {"terms": "couch"},
        {"terms": ["a", "b"], "two_way": "yes"},
        {"terms": ["x" * 101, "b"]},
        {"terms": ["a", 7]},
        {},
    ],
    ids=["one", "none", "text", "flag", "long", "number", "empty"],
)
def test_what_is_no_synonym_is_refused(staff, body):
    assert code(staff.post(SYNONYMS, body, format="json"), 400) == "validation_failed"
    assert not SearchSynonym.objects.exists()


def test_terms_and_queries_need_a_word(staff):
    terms = {"terms": ["couch", "the ?!"]}
    assert code(staff.post(SYNONYMS, terms, format="json"), 422) == "no_words"
    redirect = {"query": "?!", "path": "/help"}
    assert code(staff.post(REDIRECTS, redirect, format="json"), 422) == "no_words"


def test_a_boost_is_kept_by_how_its_query_is_found(staff, sofa):
    response = staff.post(
        BOOSTS,
        {"query": "  Café-SOFA! ", "product_id": str(sofa.pk), "pinned": True},
        format="json",
    )

    assert response.status_code == 201, response.content
    assert response.json()["query"] == "cafe sofa"
    assert SearchBoost.objects.get().pinned


@pytest.mark.parametrize(
    "body",
    [{}, {"brand_id": None}, {"pinned": True}],
    ids=["nothing", "null", "pinned-nothing"],
)
def test_a_boost_is_of_one_thing(staff, sofa, body):
    assert code(staff.post(BOOSTS, body, format="json"), 422) == "not_a_search_rule"

    both = {"product_id": str(sofa.pk), "category_id": str(sofa.category_id)}
    assert code(staff.post(BOOSTS, both, format="json"), 422) == "not_a_search_rule"
    nothing = {"product_id": str(new_id())}
    assert code(staff.post(BOOSTS, nothing, format="json"), 422) == "not_a_search_rule"
    unbound = {"product_id": str(sofa.pk), "pinned": True}
    assert code(staff.post(BOOSTS, unbound, format="json"), 422) == "not_a_search_rule"
    assert not SearchBoost.objects.exists()


def test_a_redirect_is_one_per_query_and_stays_in_the_store(visitor, staff):
    body = {"query": "Returns?", "path": "/help/returns"}
    assert staff.post(REDIRECTS, body, format="json").status_code == 201
    assert visitor.get("/api/v1/search", {"q": "RETURNS"}).json()["redirect"] == "/help/returns"
    assert code(staff.post(REDIRECTS, body, format="json"), 409) == "redirect_taken"

    for path in ("https://evil.example", "//evil.example", "/\\evil.example", "help", "/a b"):
        body = {"query": "other", "path": path}
        assert code(staff.post(REDIRECTS, body, format="json"), 400) == "validation_failed"


@pytest.mark.django_db(transaction=True)
def test_of_two_redirects_for_one_query_at_once_one_is_kept(staff):
    def add():
        return staff.post(REDIRECTS, {"query": "returns", "path": "/a"}, format="json").status_code

    assert sorted(at_once(add, add)) == [201, 409]
    assert SearchRedirect.objects.count() == 1


def test_changes_of_rules_are_recorded(staff):
    synonym = SearchSynonymFactory()
    staff.patch(f"{SYNONYMS}/{synonym.pk}", {"terms": ["a1", "b1"]}, format="json")
    staff.delete(f"{SYNONYMS}/{synonym.pk}")

    actions = AuditEntry.objects.filter(about=str(synonym.pk)).order_by("id")
    assert [entry.action for entry in actions] == [
        "catalog.searchsynonym_changed",
        "catalog.searchsynonym_deleted",
    ]


@pytest.mark.parametrize("rules", [1, 4])
def test_lists_of_rules_cost_one_statement(staff, rules, django_assert_num_queries):
    for _ in range(rules):
        SearchRedirectFactory()

    with django_assert_num_queries(1):
        assert len(staff.get(REDIRECTS).json()["results"]) == rules


def test_a_search_costs_no_more_statements_with_rules(sofa, django_assert_num_queries):
    SearchSynonymFactory(terms=["couch", "sofa"], stems=["couch", "sofa"])
    SearchBoost.objects.create(product=sofa, weight=3)
    SearchRedirectFactory(query="couch")

    with django_assert_num_queries(2):
        hits = PostgreSQL().search(SearchQuery(text="couch"))

    assert (hits.total, hits.redirect) == (1, "/help")


@pytest.mark.usefixtures("_nothing_counted")
def test_searches_are_counted_by_query_and_day(visitor, staff, sofa):
    for text in ("sofa", " SOFA ", "sofa", "Sofa", "sofa", *["throne"] * 6, "chair"):
        visitor.get("/api/v1/search", {"q": text})
    keep_counts()
    keep_counts()

    assert set(SearchCount.objects.values_list("query", "times", "results")) == {
        ("sofa", 5, 1),
        ("throne", 6, 0),
        ("chair", 1, 0),
    }
    assert staff.get(ANALYTICS).json() == {
        "searches": 12,
        "top": [
            {"query": "throne", "times": 6, "results": 0},
            {"query": "sofa", "times": 5, "results": 1},
        ],
        "without_results": [{"query": "throne", "times": 6, "results": 0}],
    }
    suggested = visitor.get("/api/v1/search/suggestions", {"q": "SO"}).json()
    assert suggested["queries"] == ["sofa"]


@pytest.mark.usefixtures("_nothing_counted")
def test_what_could_be_personal_is_not_counted():
    for text in (
        "robin@example.com",
        "+1 555 010 9999",
        "4242 4242 4242 4242",
        "x" * 101,
        " ",
    ):
        count_search(text=text, results=0)
    count_search(text="16 oz 12 pack", results=3)
    keep_counts()

    assert list(SearchCount.objects.values_list("query", flat=True)) == ["16 oz 12 pack"]


@pytest.mark.usefixtures("_nothing_counted")
def test_counts_are_forgotten_after_ninety_days():
    today = timezone.now().date()
    for age in (89, 91):
        SearchCount.objects.create(
            day=today - timedelta(days=age), query="sofa", times=1, results=1
        )

    keep_counts()

    assert SearchCount.objects.get().day == today - timedelta(days=89)


def test_searching_goes_on_while_redis_is_away(visitor, sofa, settings, monkeypatch):
    monkeypatch.setattr(search_counts, "_away_until", 0.0)
    monkeypatch.setattr(search_counts, "_redis", _nobody)

    assert found(visitor, "sofa") == ["sofa"]


def _nobody():
    import redis

    return redis.Redis(port=1, socket_connect_timeout=0.1)
