"""What everybody gets alike is worked out once in a moment; what depends on who asks never is."""

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries

from apps.catalog.tests.factories import VariantFactory
from apps.users.tests.factories import UserFactory, access_token_for
from ecommerce import kept_answers
from ecommerce.kept_answers import MOST_BYTES

PRODUCTS = "/api/v1/products"


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(kept_answers, "time", clock)
    return clock


@pytest.fixture
def client(settings, clock) -> Client:
    settings.ANSWERS_KEPT_SECONDS = 2
    return Client()


@pytest.mark.django_db
def test_a_second_reader_within_the_moment_costs_no_statement(
    client, clock, django_assert_num_queries: DjangoAssertNumQueries
):
    VariantFactory()
    first = client.get(PRODUCTS)
    clock.now += 1.9
    with django_assert_num_queries(0):
        second = client.get(PRODUCTS)
    assert second.content == first.content
    assert second["ETag"] == first["ETag"]
    assert second["Age"] == "1"
    assert second["Cache-Control"] == first["Cache-Control"]
    assert second["X-Request-Id"] != first["X-Request-Id"]
    assert "RateLimit" in first
    assert "RateLimit" not in second, "it costs less than counting it"
    assert second.resolver_match.view_name == "products"


@pytest.mark.django_db
def test_after_the_moment_the_answer_is_worked_out_anew(client, clock):
    VariantFactory()
    client.get(PRODUCTS)
    VariantFactory()
    clock.now += 2
    assert len(client.get(PRODUCTS).json()["results"]) == 2


@pytest.mark.django_db
def test_who_has_it_already_is_told_so(client, django_assert_num_queries: DjangoAssertNumQueries):
    VariantFactory()
    etag = client.get(PRODUCTS)["ETag"]
    with django_assert_num_queries(0):
        again = client.get(PRODUCTS, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.django_db
def test_an_answer_that_is_still_valid_is_kept_for_another_moment(
    client, clock, django_assert_num_queries: DjangoAssertNumQueries
):
    VariantFactory()
    first = client.get(PRODUCTS)
    has_it = {"If-None-Match": first["ETag"]}
    clock.now += 2
    assert client.get(PRODUCTS, headers=has_it).status_code == 304
    with django_assert_num_queries(0):
        assert client.get(PRODUCTS, headers=has_it).status_code == 304
        assert client.get(PRODUCTS).content == first.content

    VariantFactory()
    clock.now += 2
    changed = client.get(PRODUCTS, headers=has_it)
    assert (changed.status_code, len(changed.json()["results"])) == (200, 2)
    assert client.get(PRODUCTS).content == changed.content


@pytest.mark.django_db
def test_whoever_says_who_they_are_is_asked_for_themselves(client):
    VariantFactory()
    client.get(PRODUCTS)
    VariantFactory()
    bearer = {"Authorization": f"Bearer {access_token_for(UserFactory())}"}
    assert len(client.get(PRODUCTS, headers=bearer).json()["results"]) == 2
    assert len(client.get(PRODUCTS).json()["results"]) == 1, "and leaves what others get alone"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "status"), [("/api/v1/products/nothing", 404), ("/api/v1/products?x=1", 400)]
)
def test_a_refusal_is_not_kept(client, address, status):
    assert client.get(address).status_code == status
    assert "Age" not in client.get(address)


@pytest.mark.django_db
def test_other_addresses_and_hosts_are_other_answers(client):
    VariantFactory()
    VariantFactory()
    whole = client.get(PRODUCTS).json()
    assert len(whole["results"]) == 2
    first = client.get(f"{PRODUCTS}?limit=1").json()
    assert len(first["results"]) == 1
    other = client.get(f"{PRODUCTS}?limit=1", headers={"Host": "shop.example"}).json()
    assert first["next"].startswith("http://testserver/")
    assert other["next"].startswith("http://shop.example/")


def view(counter: list[int], **headers: str):
    def answer(request: HttpRequest) -> HttpResponse:
        counter.append(1)
        size = int(request.GET.get("size", "1"))
        return HttpResponse(b"x" * size, headers=headers)

    return answer


def asked_twice(settings, clock, request: HttpRequest, other: HttpRequest, **headers: str) -> int:
    settings.ANSWERS_KEPT_SECONDS = 2
    worked_out: list[int] = []
    middleware = kept_answers.kept_answers(view(worked_out, **headers))
    middleware(request)
    middleware(other)
    return len(worked_out)


@pytest.mark.parametrize(
    ("headers", "times"),
    [
        ({"Cache-Control": "public, max-age=30"}, 1),
        ({"Cache-Control": "private"}, 2),
        ({"Cache-Control": "no-store"}, 2),
        ({}, 2),
    ],
    ids=["public", "private", "no-store", "nothing said"],
)
def test_only_what_is_public_is_kept(settings, clock, rf, headers, times):
    request = rf.get("/api/v1/x")
    assert asked_twice(settings, clock, request, request, **headers) == times


def test_an_answer_that_varies_is_for_those_who_ask_alike(settings, clock, rf: RequestFactory):
    says = {"Cache-Control": "public", "Vary": "Authorization, Accept-Language"}
    english, german = (
        rf.get("/api/v1/x", headers={"Accept-Language": language}) for language in ("en", "de")
    )
    assert asked_twice(settings, clock, english, german, **says) == 2
    assert asked_twice(settings, clock, german, german, **says) == 1


@pytest.mark.parametrize("method", ["post", "head", "options", "put"])
def test_other_methods_are_never_answered_from_it(settings, clock, rf, method):
    request = getattr(rf, method)("/api/v1/x")
    assert asked_twice(settings, clock, request, request, **{"Cache-Control": "public"}) == 2


def test_pages_outside_the_api_are_not_kept(settings, clock, rf):
    request = rf.get("/admin/")
    assert asked_twice(settings, clock, request, request, **{"Cache-Control": "public"}) == 2


def test_it_never_holds_much_more_than_its_bound(settings, clock, rf):
    settings.ANSWERS_KEPT_SECONDS = 2
    worked_out: list[int] = []
    answer = kept_answers.kept_answers(view(worked_out, **{"Cache-Control": "public"}))
    for number in range(3):
        answer(rf.get("/api/v1/x", {"size": MOST_BYTES // 2 + 1, "number": number}))
    answer(rf.get("/api/v1/x", {"size": MOST_BYTES // 2 + 1, "number": 0}))
    assert len(worked_out) == 4, "the first one was thrown away for the third"


def test_a_store_that_keeps_nothing_has_no_such_step(settings):
    settings.ANSWERS_KEPT_SECONDS = 0
    with pytest.raises(MiddlewareNotUsed):
        kept_answers.kept_answers(lambda request: HttpResponse())
