"""The form of every refusal."""

import io
import json
import logging
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    TooMany,
    Unproven,
    VersionMismatch,
)
from ecommerce.problems import CODES, STATUS
from ecommerce.urls import handler400, handler403, handler404, handler500

SECRET = "canary-6f1d"

__all__ = ["handler400", "handler403", "handler404", "handler500"]


class Refusing(APIView):
    """Raises the kind of refusal that the path names."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request: Request, kind: str) -> Response:
        kinds = {kind.__name__: kind for kind in STATUS}
        raise kinds[kind]("A sentence.", left=3, retry_after=7)


def bug(request: HttpRequest) -> HttpResponse:
    raise RuntimeError(SECRET)


def forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied(SECRET)


urlpatterns = [
    path("api/v1/bug", bug),
    path("api/v1/forbidden", forbidden),
    path("api/v1/refuse/<str:kind>", Refusing.as_view()),
    path("", include("ecommerce.urls")),
]


def problem_of(answer: Any, status: int) -> dict[str, Any]:
    """Assert that the answer is a problem of this status, and return it."""
    assert answer.status_code == status, answer.content[:300]
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.content)
    assert set(body) - {"facts"} == {
        "type", "title", "status", "detail", "instance", "code", "request_id", "errors",
    }  # fmt: skip
    assert body["status"] == status
    assert body["type"] == f"{settings.PUBLIC_URL}/api/v1/errors/{body['code']}"
    assert body["request_id"] == answer["X-Request-Id"]
    return body


def raw(
    body: bytes, *, length: str | None = None, path: str = "/api/v1/auth/login", **environ: str
) -> tuple[int, dict[str, str], bytes]:
    """Send bytes through WSGI with whatever headers are said, true or not.

    Like every request outside of Django's test client it looks after old connections, so its test
    needs the database.
    """
    answered: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        answered.update(status=int(status[:3]), headers=dict(headers))

    request = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        **environ,
    }
    if length is not None:
        request["CONTENT_LENGTH"] = length
    application: Any = WSGIHandler()
    answer = application(request, start_response)
    content = b"".join(answer)
    answer.close()
    return answered["status"], answered["headers"], content


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (NotFound, 404),
        (Invalid, 422),
        (Conflict, 409),
        (VersionMismatch, 412),
        (Forbidden, 403),
        (Unproven, 401),
        (TooMany, 429),
    ],
)
@pytest.mark.urls(__name__)
def test_each_kind_of_refusal_has_its_status(
    client: Client, kind: type[DomainError], status: int
) -> None:
    answer = client.get(f"/api/v1/refuse/{kind.__name__}")

    problem = problem_of(answer, status)
    assert (problem["code"], problem["detail"]) == (kind.code, "A sentence.")
    assert problem["facts"] == {"left": 3}
    assert answer["Retry-After"] == "7"
    assert ("WWW-Authenticate" in answer) is (status == 401)


def test_a_path_that_leads_nowhere_is_not_found(client: Client) -> None:
    for path_ in ("/api/v1/nothing", "/nothing", "/api/v1/products/", "/api/v2/products"):
        problem = problem_of(client.get(path_), 404)
        assert (problem["code"], problem["instance"]) == ("not_found", path_)


def test_a_method_that_a_resource_lacks_is_not_allowed(client: Client) -> None:
    answer = client.delete("/api/v1/errors")

    assert problem_of(answer, 405)["code"] == "method_not_allowed"
    assert "GET" in answer["Allow"]


def test_who_cannot_read_json_is_told_so_in_json(client: Client) -> None:
    answer = client.get("/api/v1/errors", headers={"Accept": "text/html"})

    assert problem_of(answer, 406)["code"] == "not_acceptable"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "nonsense"])
def test_a_body_that_is_not_json_is_of_an_unsupported_type(client: Client, kind: str) -> None:
    answer = client.post("/api/v1/auth/login", b"email=x", content_type=kind)

    assert problem_of(answer, 415)["code"] == "unsupported_media_type"


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"email": NaN}', b'{"a": "\\u0000"}'])
def test_a_malformed_body_is_refused(client: Client, body: bytes) -> None:
    answer = client.post("/api/v1/auth/login", body, content_type="application/json")

    assert problem_of(answer, 400)["code"] == "malformed_body"


def test_a_wrong_document_is_refused_field_by_field(client: Client) -> None:
    body = {"email": 1, "passwort": "x", "a/b~c": 1}

    answer = client.post("/api/v1/auth/login", body, content_type="application/json")

    problem = problem_of(answer, 400)
    assert problem["code"] == "validation_failed"
    assert {(entry["pointer"], entry["code"]) for entry in problem["errors"]} == {
        ("/passwort", "unknown_field"),
        ("/a~1b~0c", "unknown_field"),
    }


def test_an_unknown_query_parameter_is_refused(client: Client) -> None:
    problem = problem_of(client.get("/api/v1/products?colour=red"), 400)

    assert problem["errors"] == [
        {"pointer": "/colour", "code": "unknown_field", "detail": "There is no such field."}
    ]


TOO_SHORT = "01990000-0000-7000-8000-00000000000"


@pytest.mark.parametrize("text", ["1", "current-one", TOO_SHORT, "..", "%27"])
def test_a_malformed_id_in_a_path_is_refused(client: Client, text: str) -> None:
    answer = client.get(f"/api/v1/carts/{text}/items/{text}")

    assert problem_of(answer, 400)["code"] == "malformed_id"


@pytest.mark.parametrize("url", ["/api/v1/products/a%00b", "/api/v1/errors/%00", "/api/v1/%00"])
def test_nul_in_a_path_is_refused(client: Client, url: str) -> None:
    assert problem_of(client.get(url), 400)["code"] == "nul_character"


@pytest.mark.parametrize("query", ["limit=%00", "after=a%00", "%00=1", "a=%00%00"])
def test_nul_in_a_query_is_refused(client: Client, query: str) -> None:
    assert problem_of(client.get(f"/api/v1/products?{query}"), 400)["code"] == "nul_character"


@pytest.mark.parametrize("query", ["limit=%ff", "after=%f0%28%8c%bc", "%=%", "limit=%ud800"])
def test_a_query_that_is_no_utf_8_is_refused_not_a_bug(client: Client, query: str) -> None:
    problem_of(client.get(f"/api/v1/products?{query}"), 400)


@pytest.mark.django_db
def test_a_host_that_is_not_ours_is_refused(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["shop.example.com"]

    for host in ("evil.example.com", "shop.example.com:x", "a b", "-"):
        answer = client.get("/api/v1/errors", headers={"Host": host})
        assert problem_of(answer, 400)["code"] == "malformed_request"


@pytest.mark.django_db
def test_a_body_beyond_the_limit_is_refused_by_its_length_alone() -> None:
    status, headers, content = raw(b"{}", length=str(settings.API_BODY_LIMIT_BYTES + 1))

    assert (status, json.loads(content)["code"]) == (413, "body_too_large")
    assert headers["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
@pytest.mark.parametrize("length", ["-1", "+1", "1 ", "1e3", "0x10", "²", "9" * 5000, "1,2", "x"])
def test_a_length_that_is_no_length_is_refused(length: str) -> None:
    status, _, content = raw(b"{}", length=length)

    assert (status, json.loads(content)["code"]) == (413, "body_too_large")


@pytest.mark.django_db
def test_a_body_without_a_length_is_refused_and_not_taken_for_an_empty_one(client: Client) -> None:
    answer = client.post("/api/v1/carts", headers={"Transfer-Encoding": "chunked"})

    assert problem_of(answer, 411)["code"] == "length_required"


@pytest.mark.django_db
def test_a_body_that_is_longer_than_it_says_is_read_as_far_as_it_says() -> None:
    body = b'{"a": "' + b"x" * 2 * settings.API_BODY_LIMIT_BYTES + b'"}'

    status, _, content = raw(body, length="10")

    assert (status, json.loads(content)["code"]) == (400, "malformed_body")


@pytest.mark.django_db
def test_a_body_that_is_shorter_than_it_says_is_malformed() -> None:
    status, _, content = raw(b'{"email": ', length="500")

    assert (status, json.loads(content)["code"]) == (400, "malformed_body")


@pytest.mark.django_db
def test_a_body_without_a_length_is_no_body() -> None:
    status, _, content = raw(b'{"email": "x"}', length=None)

    assert status == 400
    assert json.loads(content)["code"] in {"malformed_body", "validation_failed"}


@pytest.mark.usefixtures("database_away")
def test_without_the_database_the_store_is_busy_and_says_when_to_come_again(
    client: Client,
) -> None:
    answer = client.get("/api/v1/products")

    assert problem_of(answer, 503)["code"] == "busy"
    assert answer["Retry-After"] == "1"


@pytest.mark.urls(__name__)
def test_a_bug_tells_nothing_about_itself(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.raise_request_exception = False

    with caplog.at_level(logging.ERROR):
        answer = client.get("/api/v1/bug")

    assert problem_of(answer, 500)["code"] == "internal_error"
    assert SECRET.encode() not in answer.content
    assert b"Traceback" not in answer.content
    assert SECRET in caplog.text


@pytest.mark.urls(__name__)
def test_a_refusal_of_djangos_own_is_a_problem_without_its_reason(client: Client) -> None:
    answer = client.get("/api/v1/forbidden")

    assert problem_of(answer, 403)["code"] == "permission_denied"
    assert SECRET.encode() not in answer.content


def test_the_catalogue_lists_every_code_once_with_its_meaning(client: Client) -> None:
    entries = client.get("/api/v1/errors").json()["results"]
    codes = [entry["code"] for entry in entries]

    assert codes == sorted(set(codes))
    assert set(CODES) | {kind.code for kind in STATUS} <= set(codes)
    assert {"idempotency_key_reused", "out_of_stock", "invalid_confirmation"} <= set(codes)
    for entry in entries:
        assert entry["title"]
        assert entry["detail"]
        assert 400 <= entry["status"] <= 599


def test_every_code_has_a_page_and_others_have_none(client: Client) -> None:
    for entry in client.get("/api/v1/errors").json()["results"]:
        answer = client.get(f"/api/v1/errors/{entry['code']}")
        assert (answer.status_code, answer.json()) == (200, entry)

    assert problem_of(client.get("/api/v1/errors/no_such_code"), 404)["code"] == "not_found"
