"""Cookies belong to the back office; no other site can use or plant them (ASVS 5.0 V3.3, V3.5)."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from apps.users.tests.factories import StaffFactory, enter
from ecommerce.local.environment import production_like_environment

NOWHERE = "00000000-0000-7000-8000-000000000000"
COOKIES_OF_A_DEPLOYMENT = """
import json
from django.conf import settings
names = [f"{kind}_COOKIE_{what}" for kind in ("SESSION", "CSRF")
         for what in ("NAME", "SECURE", "HTTPONLY", "SAMESITE", "DOMAIN", "PATH")]
print(json.dumps({name: getattr(settings, name) for name in names}))
"""


def test_a_deployment_binds_its_cookies_to_its_host() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COOKIES_OF_A_DEPLOYMENT],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"]} | production_like_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert json.loads(done.stdout) == {
        "SESSION_COOKIE_NAME": "__Host-sessionid",
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_DOMAIN": None,
        "SESSION_COOKIE_PATH": "/",
        "CSRF_COOKIE_NAME": "__Host-csrftoken",
        "CSRF_COOKIE_SECURE": True,
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Strict",
        "CSRF_COOKIE_DOMAIN": None,
        "CSRF_COOKIE_PATH": "/",
    }


@pytest.mark.django_db
def test_a_form_of_another_site_does_not_log_anybody_in() -> None:
    browser = Client(enforce_csrf_checks=True)

    answer = browser.post("/admin/login/", {"username": "a@example.com", "password": "whatever"})

    assert answer.status_code == 403
    assert "sessionid" not in answer.cookies


@pytest.mark.django_db
def test_the_cookie_of_the_back_office_opens_nothing_in_the_api() -> None:
    browser = Client()
    enter(browser, StaffFactory.create(is_superuser=True))

    assert browser.get("/api/v1/users/me").status_code == 401
    assert browser.get("/api/v1/audit-log").status_code == 401
    assert browser.post("/api/v1/auth/logout-all").status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize(
    "media_type", ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]
)
def test_what_a_form_can_send_changes_nothing_in_the_api(media_type: str) -> None:
    """A browser sends these three across sites without asking (the Fetch standard, "simple")."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    asked = 0
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            if method not in {"post", "put", "patch"} or "requestBody" not in operation:
                continue
            url = path.format_map(dict.fromkeys(_names_in(operation), NOWHERE))
            body = b"refresh=x&email=a%40example.com&password=whatever"
            answer = Client().generic(method.upper(), url, body, media_type)
            asked += 1
            assert answer.status_code in {400, 401, 403, 404, 415}, (method, path, answer.content)
            assert not answer.cookies
    assert asked > 10
    for way_in in ("login", "refresh", "register"):
        answer = Client().post(f"/api/v1/auth/{way_in}", b"refresh=x", content_type=media_type)
        assert answer.status_code == 415


def _names_in(operation: dict) -> list[str]:
    return [
        parameter["name"]
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "path"
    ]
