"""What every answer tells the browser."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from ecommerce.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500"]


def bug(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a bug")


urlpatterns = [path("api/v1/bug", bug), path("", include("ecommerce.urls"))]

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

ANSWERS = [
    ("/", 200),
    ("/admin/login/", 200),
    ("/nothing", 404),
    ("/api/v1/docs", 200),
    ("/api/v1/openapi.json", 200),
    ("/api/v1/errors", 200),
    ("/api/v1/products", 200),
    ("/api/v1/nothing", 404),
    ("/api/v1/users/me", 401),
    ("/api/v1/orders/x", 400),
    ("/api/v1/products?limit=%00", 400),
    ("/api/v1/bug", 500),
]


@pytest.fixture
def browser() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(("url", "status"), ANSWERS)
def test_every_answer_carries_the_headers_that_protect_it(
    browser: Client, url: str, status: int
) -> None:
    answer = browser.get(url)

    assert answer.status_code == status
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    # The documentation page lets its log-in window talk back.
    opener = "unsafe-none" if url == "/api/v1/docs" else "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == opener
    assert answer["X-Request-Id"]


def test_a_body_that_is_refused_by_its_length_is_answered_with_them_too(browser: Client) -> None:
    answer = browser.post("/api/v1/auth/login", b"x" * (1024 * 1024 + 1), "application/json")

    assert answer.status_code == 413
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    "url", ["/api/v1/users/me", "/api/v1/orders", "/api/v1/nothing", "/api/v1/products?limit=%00"]
)
def test_what_is_private_or_refused_is_never_stored(browser: Client, url: str) -> None:
    assert browser.get(url)["Cache-Control"] == "private, no-store"


def test_cookies_are_set_only_by_pages_that_have_forms(browser: Client) -> None:
    setting = {url for url, _ in ANSWERS if browser.get(url).cookies}

    assert setting <= {"/admin/login/", "/api/v1/docs"}


def test_over_https_the_browser_is_told_to_stay_there(browser: Client, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 31536000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    settings.SECURE_HSTS_PRELOAD = True

    for url in ("/", "/api/v1/errors", "/api/v1/nothing", "/api/v1/products?limit=%00"):
        answer = Client(raise_request_exception=False).get(url, secure=True)
        assert answer["Strict-Transport-Security"] == (
            "max-age=31536000; includeSubDomains; preload"
        )


def test_plain_http_is_led_to_https_where_the_store_has_it(browser: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True

    answer = browser.get("/api/v1/errors")

    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/api/v1/errors")
    assert browser.get("/health/live").status_code == 200
