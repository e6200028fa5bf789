"""What people see of their own sessions, and how they end them."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from apps.kernel.ids import new_id
from apps.users.models import Session
from apps.users.services import sessions
from apps.users.tests.factories import PASSWORD, SessionFactory, UserFactory
from apps.users.tokens import access_token

pytestmark = pytest.mark.django_db

SESSIONS, LOGOUT_ALL, ME = (
    "/api/v1/users/me/sessions",
    "/api/v1/auth/logout-all",
    "/api/v1/users/me",
)


@pytest.fixture
def api():
    return Client(raise_request_exception=False)


def log_in(user, device):
    return sessions.log_in(email=user.email, password=PASSWORD, ip="192.0.2.1", user_agent=device)


def bearer(opened):
    token = access_token(user_id=opened.user_id, session_id=opened.session_id)
    return {"Authorization": f"Bearer {token}"}


def status(api, opened):
    return api.get(ME, headers=bearer(opened)).status_code


def test_my_sessions_are_listed_newest_first_with_this_one_marked(api):
    ada = UserFactory()
    phone, laptop = log_in(ada, "phone"), log_in(ada, "laptop")
    log_in(UserFactory(), "stranger's")

    page = api.get(SESSIONS, headers=bearer(phone)).json()

    assert [(row["id"], row["user_agent"], row["current"]) for row in page["results"]] == [
        (str(laptop.session_id), "laptop", False),
        (str(phone.session_id), "phone", True),
    ]
    assert page["results"][0].keys() == {
        "id",
        "current",
        "user_agent",
        "ip",
        "created_at",
        "last_used_at",
        "expires_at",
    }
    assert page["results"][0]["ip"] == "192.0.2.1"
    assert page["next"] is page["previous"] is None


def test_sessions_that_are_over_are_not_listed(api, settings):
    ada = UserFactory()
    here = log_in(ada, "here")
    now = timezone.now()
    day = timedelta(days=1)
    SessionFactory(user=ada, revoked_at=now, revoked_reason=Session.End.LOGGED_OUT)
    SessionFactory(user=ada, created_at=now - 2 * day, expires_at=now - day)
    SessionFactory(user=ada, last_used_at=now - settings.SESSION_IDLE_LIFETIME - day)

    page = api.get(SESSIONS, headers=bearer(here)).json()

    assert [row["id"] for row in page["results"]] == [str(here.session_id)]


def test_listing_costs_two_statements_however_many_sessions(api, django_assert_num_queries):
    ada = UserFactory()
    here = log_in(ada, "here")
    SessionFactory.create_batch(30, user=ada)

    with django_assert_num_queries(2):
        page = api.get(SESSIONS, headers=bearer(here)).json()

    assert len(page["results"]) == 25
    rest = api.get(page["next"], headers=bearer(here)).json()
    assert len({UUID(row["id"]) for row in page["results"] + rest["results"]}) == 31


def test_ending_one_session_leaves_the_others_alone(api):
    ada = UserFactory()
    phone, laptop = log_in(ada, "phone"), log_in(ada, "laptop")

    response = api.delete(f"{SESSIONS}/{phone.session_id}", headers=bearer(laptop))

    assert (response.status_code, response.content) == (204, b"")
    assert (status(api, phone), status(api, laptop)) == (401, 200)
    with pytest.raises(sessions.InvalidRefreshToken):
        sessions.rotate(refresh_token=phone.refresh_token)


def test_a_session_that_is_over_unknown_or_a_strangers_is_not_found(api):
    ada, eve = UserFactory(), UserFactory()
    here, over, strangers = log_in(ada, "here"), log_in(ada, "over"), log_in(eve, "eve's")
    sessions.end_own(user_id=ada.pk, session_id=over.session_id)

    answers = [
        api.delete(f"{SESSIONS}/{session_id}", headers=bearer(here))
        for session_id in (over.session_id, strangers.session_id, new_id())
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {
        (404, "unknown_session")
    }
    assert status(api, strangers) == 200


def test_logging_out_everywhere_ends_all_my_sessions_and_nobody_elses(api):
    ada = UserFactory()
    phone, laptop, strangers = (
        log_in(ada, "phone"),
        log_in(ada, "laptop"),
        log_in(UserFactory(), ""),
    )

    response = api.post(LOGOUT_ALL, headers=bearer(laptop))

    assert (response.status_code, response.content) == (204, b"")
    assert [status(api, opened) for opened in (phone, laptop, strangers)] == [401, 401, 200]
    assert set(Session.objects.filter(user=ada).values_list("revoked_reason", flat=True)) == {
        "logged_out"
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", SESSIONS), ("DELETE", f"{SESSIONS}/{UUID(int=7)}"), ("POST", LOGOUT_ALL)],
)
def test_sessions_are_not_for_strangers(api, method, path):
    assert api.generic(method, path).status_code == 401
