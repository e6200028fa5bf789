"""Before and after every view."""

import re

import pytest
from django.test import Client

from apps.kernel.trail import request_id


@pytest.mark.parametrize("given", ["abcd1234", "0198c2d5-0000-7000-8000-000000000001", "a" * 128])
def test_a_callers_request_id_comes_back(client: Client, given: str) -> None:
    answer = client.get("/api/v1/errors", headers={"X-Request-Id": given})

    assert answer["X-Request-Id"] == given


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 129, "with space", "a\r\nSet-Cookie: x=1", "ключ-ключ", "<script>"]
)
def test_an_odd_request_id_is_replaced(client: Client, given: str) -> None:
    answer = client.get("/api/v1/errors", headers={"X-Request-Id": given})

    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-Id"])


def test_without_a_request_id_each_request_gets_its_own(client: Client) -> None:
    made = {client.get("/api/v1/errors")["X-Request-Id"] for _ in range(5)}

    assert len(made) == 5
    assert request_id() == ""


def test_a_problem_names_the_request_it_answers(client: Client) -> None:
    answer = client.get("/nothing", headers={"X-Request-Id": "abc-12345"})

    assert answer.json()["request_id"] == "abc-12345"


def test_an_answer_of_the_api_is_private_unless_its_view_says_otherwise(client: Client) -> None:
    assert client.get("/api/v1/errors")["Cache-Control"] == "private, no-store"
    assert client.get("/api/v1/nothing")["Cache-Control"] == "private, no-store"


@pytest.mark.django_db
def test_a_view_may_declare_its_answer_public(client: Client) -> None:
    assert "no-store" not in client.get("/api/v1/products")["Cache-Control"]


def test_a_large_body_elsewhere_is_not_the_guards_business(client: Client) -> None:
    answer = client.post("/nothing", b"x" * (1024 * 1024 + 1), content_type="text/plain")

    assert answer.status_code == 404


def test_other_origins_may_not_read_the_api(client: Client) -> None:
    answer = client.get("/api/v1/errors", headers={"Origin": "https://evil.example.com"})

    assert "Access-Control-Allow-Origin" not in answer
