"""The OpenAPI document and the API are the same."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

pytestmark = pytest.mark.long
PREFIXES = ("api/v1/", ".well-known/")
METHODS = {"get", "post", "put", "patch", "delete"}
# The document does not describe itself.
ABOUT_ITSELF = {"/api/v1/openapi.json", "/api/v1/docs"}
PROBLEM = "application/problem+json"

Operation = dict[str, Any]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return cast("dict[str, Any]", SchemaGenerator().get_schema(request=None, public=True))


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, Operation]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield path, method, operation


def routes(
    patterns: list[URLPattern | URLResolver], prefix: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route, pattern


def api_routes() -> set[tuple[str, str]]:
    """Return every path and method that the resolver leads to a view of the API."""
    found = set()
    for route, pattern in routes(get_resolver().url_patterns):
        if route.startswith(PREFIXES):
            path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
            view = cast("Any", pattern.callback).view_class
            found |= {(path, method) for method in METHODS if hasattr(view, method)}
    return {(path, method) for path, method in found if path not in ABOUT_ITSELF}


def test_every_route_is_described_and_every_description_has_a_route(
    schema: dict[str, Any],
) -> None:
    assert {(path, method) for path, method, _ in operations(schema)} == api_routes()


def test_the_document_is_made_without_a_warning() -> None:
    GENERATOR_STATS.reset()

    SchemaGenerator().get_schema(request=None, public=True)

    assert not GENERATOR_STATS, str(GENERATOR_STATS._warn_cache | GENERATOR_STATS._error_cache)


def test_the_document_is_valid_openapi(schema: dict[str, Any]) -> None:
    validate_schema(schema)

    assert schema["openapi"].startswith("3.")


def test_the_served_document_is_this_one(client: Client) -> None:
    answer = client.get("/api/v1/openapi.json")

    assert answer.status_code == 200
    assert set(answer.json()["paths"]) == {path for path, _ in api_routes()}


def test_operation_ids_are_unique_and_readable(schema: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(schema)]

    assert [name for name, count in Counter(ids).items() if count > 1] == []
    assert [name for name in ids if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []


def test_every_refusal_is_a_problem(schema: dict[str, Any]) -> None:
    other = [
        (path, method, status)
        for path, method, operation in operations(schema)
        for status, response in operation["responses"].items()
        if status >= "400" and set(response.get("content", ())) != {PROBLEM}
    ]

    assert other == []


def test_what_takes_input_says_how_it_refuses_it(schema: dict[str, Any]) -> None:
    for path, method, operation in operations(schema):
        wanted = {"400", "406", "503"}
        if "requestBody" in operation:
            wanted |= {"413", "415"}
        if any(scheme for scheme in operation.get("security", ())):
            wanted |= {"401"}
        if "{" in path:
            wanted |= {"404"}
        assert wanted <= set(operation["responses"]), (path, method)


def test_every_operation_says_in_words_what_it_is(schema: dict[str, Any]) -> None:
    silent = [
        operation["operationId"]
        for _, _, operation in operations(schema)
        if not operation.get("description") and not operation.get("summary")
    ]

    assert silent == []


def test_operations_that_want_a_key_say_so(schema: dict[str, Any]) -> None:
    keyed = {
        operation["operationId"]
        for _, _, operation in operations(schema)
        for parameter in operation.get("parameters", ())
        if parameter["name"] == "Idempotency-Key" and parameter["required"]
    }

    assert keyed == {
        *("carts_checkout", "order_payments_create", "order_cancellations_create"),
        "coupon_batches_create",
        "order_notes_create",
        "order_refunds_create",
        "order_reorders_create",
        "order_change_confirmations_create",
        *("order_returns_create", "return_inspections_create"),
        "store_credit_change",
        *("inventory_adjustments_create", "stock_counts_create", "stock_transfers_create"),
        *("stock_transfers_update", "stock_transfer_receipts_create", "products_bulk"),
    }


def test_the_documentation_page_loads_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/v1/docs").content.decode()

    assert re.findall(r'(?:src|href)="(https?:)?//', page) == []


def test_each_operation_says_that_it_is_limited(schema: dict[str, Any]) -> None:
    for path, method, operation in operations(schema):
        refusal = operation["responses"]["429"]
        assert list(refusal["content"]) == [PROBLEM], (path, method)
        assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= set(refusal["headers"])
        for answer in operation["responses"].values():
            assert {"RateLimit", "RateLimit-Policy"} <= set(answer["headers"])
