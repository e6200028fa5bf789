"""What every answer tells the browser."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path, reverse

from apps.users.tests.factories import StaffFactory, enter
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
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["X-Request-Id"]


API = "default-src 'none'; frame-ancestors 'none'"
PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self';"
    " img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.mark.parametrize(("url", "status"), ANSWERS)
def test_every_answer_says_what_may_run_in_it(browser: Client, url: str, status: int) -> None:
    """ASVS 5.0 V3.4.3 and V3.4.6."""
    if url == "/api/v1/docs":
        expected = PAGE.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
    else:
        expected = API if url.startswith("/api/") else PAGE

    assert browser.get(url)["Content-Security-Policy"] == expected


FORBIDDEN = re.compile(
    r"""<script(?![^>]*\ssrc=)[^>]*>|<[^>]+\s(?:style|on[a-z]+)=[^>]*>|javascript:"""
)


def forbidden_in(page: str) -> list[str]:
    """Return what the policy of pages stops: programs and styles that stand in the page itself."""
    return FORBIDDEN.findall(page)


@pytest.mark.parametrize("url", ["/", "/admin/login/", "/api/v1/docs", "/nothing"])
def test_no_page_needs_what_its_policy_forbids(browser: Client, url: str) -> None:
    assert forbidden_in(browser.get(url).content.decode()) == []


def test_no_page_of_the_back_office_needs_what_its_policy_forbids(browser: Client) -> None:
    enter(browser, StaffFactory.create(is_superuser=True))

    pages = [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}")
        for model in admin.site._registry
        for page in ("changelist", "add")
    ]
    found = {url: forbidden_in(browser.get(url).content.decode()) for url in ["/admin/", *pages]}

    assert {url: parts for url, parts in found.items() if parts} == {}


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
