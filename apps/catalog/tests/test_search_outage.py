"""A search cluster that is away, hangs or fails: everybody is answered, and in time."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from apps.catalog.search import index
from apps.catalog.search.breaker import Breaker
from apps.catalog.search.elasticsearch import Elasticsearch
from apps.catalog.search.engine import SearchQuery
from apps.catalog.search.engines import FAILURES, PLACES
from apps.catalog.search.fallback import Fallback
from apps.catalog.search.postgresql import PostgreSQL
from apps.catalog.services.indexing.rebuilding import reindex
from apps.catalog.services.search_index import refresh
from apps.catalog.tests.factories import ProductFactory, VariantFactory
from apps.kernel.tests.threads import at_once

pytestmark = pytest.mark.django_db
SEARCH = "/api/v1/search"


class Clock:
    """Time that passes when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(failures=3, rest=5, clock=clock)


def fail(breaker, times=1):
    for _ in range(times):
        breaker.failed(TimeoutError())


def test_the_breaker_opens_after_some_failures_in_a_row(breaker):
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)
    assert breaker.lets_through()

    fail(breaker)

    assert not breaker.lets_through()


def test_an_open_breaker_lets_one_try_at_a_time_until_one_succeeds(breaker, clock):
    fail(breaker, 3)
    clock.now = 4.9
    assert not breaker.lets_through()
    clock.now = 5
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]
    fail(breaker)
    clock.now = 9.9
    assert not breaker.lets_through()
    clock.now = 10
    assert breaker.lets_through()

    breaker.succeeded()

    assert [breaker.lets_through() for _ in range(3)] == [True] * 3


def test_of_many_callers_at_once_an_open_breaker_lets_one_through(breaker, clock):
    fail(breaker, 3)
    clock.now = 5

    assert sorted(at_once(*[breaker.lets_through] * 8)) == [False] * 7 + [True]


class Faulty(BaseHTTPRequestHandler):
    """Answers 503, or, when it should hang, nothing until the test is over."""

    hangs: threading.Event | None = None
    asked = 0

    def do_POST(self) -> None:
        type(self).asked += 1
        if self.hangs:
            self.hangs.wait(30)
        self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def faulty(*, hangs: bool = False) -> Iterator[tuple[str, type[Faulty]]]:
    """Give the address of a server that fails or hangs."""
    over = threading.Event()
    handler = type("Handler", (Faulty,), {"hangs": over if hangs else None, "asked": 0})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler
    finally:
        over.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def table():
    product = ProductFactory(name="Oak Table")
    VariantFactory(product=product, stock=9)
    refresh(product_ids=[product.pk])
    return product


def answered(client, **query):
    response = client.get(SEARCH, {"q": "oak", **query})
    assert response.status_code == 200, response.content
    assert [each["name"] for each in response.json()["results"]] == ["Oak Table"]
    assert response.json()["degraded"] == (response.get("X-Search-Degraded") == "true")
    return response["X-Search-Backend"], response.get("X-Search-Degraded")


def test_the_cluster_answers_where_there_is_one(visitor, table, search_cluster):
    reindex()

    assert answered(visitor) == ("elasticsearch", None)


@pytest.mark.parametrize("how", ["away", "failing", "hanging", "no-index"])
def test_postgresql_answers_in_the_place_of_a_cluster_that_does_not(
    visitor, table, settings, request, how
):
    if how == "away":
        settings.ELASTICSEARCH_URL = "http://127.0.0.1:1"
        assert answered(visitor) == ("postgresql", "true")
    elif how == "no-index":
        request.getfixturevalue("search_cluster")
        assert answered(visitor) == ("postgresql", "true")
    else:
        settings.ELASTICSEARCH_TIMEOUT_MS = 300
        with faulty(hangs=how == "hanging") as (settings.ELASTICSEARCH_URL, _):
            assert answered(visitor) == ("postgresql", "true")
            suggestions = visitor.get(f"{SEARCH}/suggestions", {"q": "oa"})
            assert suggestions["X-Search-Degraded"] == "true"


def test_a_cluster_that_keeps_failing_is_not_asked_any_more(visitor, table, settings):
    with faulty() as (settings.ELASTICSEARCH_URL, server):
        for limit in range(1, FAILURES + 6):
            assert answered(visitor, limit=limit) == ("postgresql", "true")

        assert server.asked == FAILURES


def test_a_cluster_that_hangs_costs_no_more_than_its_time(table, settings):
    settings.ELASTICSEARCH_TIMEOUT_MS = 300
    with faulty(hangs=True) as (settings.ELASTICSEARCH_URL, server):
        started = time.monotonic()
        with pytest.raises(index.UNAVAILABLE):
            Elasticsearch().search(SearchQuery(text="oak"))
        took = time.monotonic() - started

    assert server.asked == 1
    assert 0.3 <= took < 3  # the machine may be busy


class Slow:
    """Counts how many are at work in it at once."""

    def __init__(self) -> None:
        self.most = self.now = 0
        self.lock = threading.Lock()

    def search(self, query):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        threading.Event().wait(0.02)
        with self.lock:
            self.now -= 1
        return PostgreSQL().search(query)


@pytest.mark.django_db(transaction=True)
def test_a_fallback_does_not_flood_the_database(table, settings):
    settings.ELASTICSEARCH_URL, slow = "http://127.0.0.1:1", Slow()
    engine = Fallback(
        Elasticsearch(),
        slow,
        failures=index.UNAVAILABLE,
        breaker=Breaker(failures=1, rest=60),
        places=PLACES,
    )

    answers = at_once(*[lambda: engine.search(SearchQuery(text="oak"))] * 8)

    assert [answer.degraded for answer in answers] == [True] * 8
    assert slow.most == PLACES


def test_readiness_does_not_depend_on_the_cluster(visitor, settings):
    settings.ELASTICSEARCH_URL = "http://127.0.0.1:1"

    assert visitor.get("/health/ready").status_code == 200
