"""No answer tells whether an address has an account: status, body and headers are the same."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.users.models import User
from apps.users.tests.factories import PASSWORD, UserFactory, client_of

pytestmark = pytest.mark.django_db

API = "/api/v1/"
KNOWN, DISABLED, UNKNOWN = "known@example.com", "disabled@example.com", "unknown@example.com"
Ask = Callable[[str], Any]


@pytest.fixture
def ways(me: User) -> dict[str, Ask]:
    """Every request that names an address somebody else may have."""
    UserFactory.create(email=KNOWN)
    UserFactory.create(email=DISABLED, is_active=False)
    api, mine = APIClient(), client_of(me)
    return {
        "register": lambda email: api.post(
            f"{API}auth/register", {"email": email, "password": PASSWORD}
        ),
        "log in": lambda email: api.post(
            f"{API}auth/login", {"email": email, "password": "not the password"}
        ),
        "reset": lambda email: api.post(f"{API}auth/password-reset", {"email": email}),
        "change": lambda email: mine.post(
            f"{API}users/me/email", {"email": email, "current_password": PASSWORD}
        ),
    }


def seen(response: Any) -> tuple[int, Any, dict[str, str]]:
    """Return what a client sees, without what differs between any two requests."""
    body = {name: text for name, text in response.json().items() if name != "request_id"}
    headers = {
        name: text
        for name, text in response.items()
        if name not in {"X-Request-Id", "Content-Length", "RateLimit"}
    }
    return response.status_code, body, headers


@pytest.mark.parametrize("way", ["register", "log in", "reset", "change"])
def test_known_disabled_and_unknown_addresses_get_the_same_answer(
    ways: dict[str, Ask], way: str
) -> None:
    ask = ways[way]

    first = seen(ask(KNOWN))

    assert first[0] in {202, 401}
    assert seen(ask(DISABLED)) == seen(ask(UNKNOWN)) == first


@pytest.mark.parametrize("way", ["register", "log in", "reset", "change"])
def test_they_are_refused_alike_when_they_ask_too_often(
    ways: dict[str, Ask], way: str, settings: Any
) -> None:
    settings.MAILS_PER_ADDRESS = settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 2
    ask = ways[way]

    answers = {email: [ask(email).status_code for _ in range(3)] for email in (KNOWN, UNKNOWN)}

    assert answers[KNOWN] == answers[UNKNOWN]
    assert answers[KNOWN][-1] == 429
