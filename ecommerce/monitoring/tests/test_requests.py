"""What is counted of a request: by the route's name, never by anything that a caller invents."""

from collections.abc import Iterator

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from prometheus_client import REGISTRY

from ecommerce.monitoring.requests import DURATION_BOUNDS, measured


def count(**labels: str) -> float:
    return REGISTRY.get_sample_value("http_requests_total", labels) or 0.0


def label_sets() -> Iterator[dict[str, str]]:
    for metric in REGISTRY.collect():
        if metric.name.startswith("http_"):
            for sample in metric.samples:
                yield sample.labels


def test_a_request_is_counted_under_its_route_method_and_status(client: Client) -> None:
    before = count(route="error", method="GET", status="200")

    client.get("/api/v1/errors/busy")

    assert count(route="error", method="GET", status="200") == before + 1


def test_what_a_caller_invents_becomes_no_label(client: Client) -> None:
    client.get("/api/v1/no/such/place?email=robin@example.com")
    client.generic("BREW", "/api/v1/errors/tea-for-robin")

    known = [labels for labels in label_sets() if labels]
    assert not [labels for labels in known if "robin" in str(labels) or "BREW" in str(labels)]
    assert {"route": "unmatched", "method": "GET", "status": "404"} in known
    assert {"route": "error", "method": "other", "status": "405"} in known


def test_the_objectives_are_bounds_of_the_histogram() -> None:
    assert {0.1, 0.5, 1} <= set(DURATION_BOUNDS)


def test_a_request_that_breaks_off_is_no_longer_in_progress() -> None:
    def broken(request: HttpRequest) -> HttpResponse:
        raise SystemExit

    before = REGISTRY.get_sample_value("http_requests_in_progress")
    with pytest.raises(SystemExit):
        measured(broken)(RequestFactory().get("/"))

    assert REGISTRY.get_sample_value("http_requests_in_progress") == before
