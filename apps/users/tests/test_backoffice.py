"""The door of the back office: nobody gets in by a password alone, and who is put out is out."""

import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry
from apps.users.models import LoginChallenge, SecondFactor, Session, User
from apps.users.services import people, second_factors, sessions
from apps.users.services.roles import granter
from apps.users.tests.factories import (
    PASSWORD,
    SecondFactorFactory,
    StaffFactory,
    UserFactory,
    access_token_for,
    client_of,
    code_of,
    enter,
)

pytestmark = pytest.mark.django_db
LOGIN, INDEX = "/admin/login/?next=/admin/users/user/", "/admin/"


@pytest.fixture
def boss(db):
    """Staff whose second factor is on."""
    user = StaffFactory(email="boss@example.com", is_superuser=True, has_second_factor=True)
    return SecondFactorFactory(user=user).user


def password_step(browser, email="boss@example.com", password=PASSWORD):
    return browser.post(LOGIN, {"username": email, "password": password})


def code_step(browser, code):
    return browser.post(LOGIN, {"code": code, "next": "/admin/users/user/"})


def is_in(browser):
    return browser.get(INDEX).status_code == 200


def office_urls():
    """Every address of the back office, with something in the place of each parameter."""

    def walk(patterns, prefix):
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            elif isinstance(pattern, URLPattern):
                yield route

    for route in walk(get_resolver().url_patterns, "/"):
        if route.startswith("/admin/"):
            plain = re.sub(r"<[^>]+>", str(new_id()), route.replace("<int:", "<"))
            yield re.sub(r"\(\?P.*$", "users/", plain.replace("^", "").replace("$", ""))


# Getting in


def test_staff_get_in_by_password_and_code_in_any_case_of_the_address(boss):
    browser = Client()

    asked = password_step(browser, "BOSS@example.com")
    assert asked.status_code == 200
    assert b'name="code"' in asked.content
    assert not is_in(browser)
    entered = code_step(browser, code_of(boss))

    assert (entered.status_code, entered["Location"]) == (302, "/admin/users/user/")
    assert is_in(browser)
    session = Session.objects.get()
    assert (session.user, session.second_factor) == (boss, True)
    entry = AuditEntry.objects.get(action="users.entered_by_code")
    assert (entry.actor_id, entry.about) == (boss.pk, str(session.pk))
    assert round((session.expires_at - session.created_at).total_seconds()) == 8 * 60 * 60


def test_a_recovery_code_opens_the_door_too(boss):
    browser = Client()
    [code, *_] = second_factors.renew_recovery_codes(user_id=boss.pk)
    password_step(browser)

    assert code_step(browser, code).status_code == 302
    assert is_in(browser)


def test_the_first_login_sets_a_second_factor_up():
    StaffFactory(email="boss@example.com")
    browser = Client()

    page = password_step(browser).content.decode()

    factor = SecondFactor.objects.get()
    assert factor.confirmed_at is None
    assert "<svg" in page
    assert "style=" not in page.partition("<svg")[2].partition("</svg>")[0]
    assert not is_in(browser)
    shown = code_step(browser, code_of(factor.user)).content.decode()
    assert len(re.findall(r"<code>[0-9a-z]{4}(?:-[0-9a-z]{4}){3}</code>", shown)) == 10
    assert is_in(browser)
    assert User.objects.get().has_second_factor is True


def test_a_wrong_first_code_sets_nothing_up_and_five_end_it():
    StaffFactory(email="boss@example.com")
    browser = Client()
    password_step(browser)

    answers = [code_step(browser, "x").content.decode() for _ in range(6)]

    assert all("not the code" in answer for answer in answers[:5])
    assert 'name="password"' in answers[5]
    assert not is_in(browser)
    assert User.objects.get().has_second_factor is False


@pytest.mark.parametrize("code", ["", "000000", "x" * 41])
def test_a_wrong_code_opens_nothing(boss, code):
    browser = Client()
    password_step(browser)

    assert code_step(browser, code).status_code == 200
    assert not is_in(browser)
    assert not Session.objects.exists()


def test_a_code_without_a_password_opens_nothing(boss):
    browser = Client()

    answer = code_step(browser, code_of(boss))

    assert b'name="password"' in answer.content
    assert not is_in(browser)


def test_a_login_half_way_is_over_after_five_minutes(boss):
    browser = Client()
    password_step(browser)
    LoginChallenge.objects.update(expires_at=Now())

    assert b"this challenge is over" in code_step(browser, code_of(boss)).content
    assert not is_in(browser)


def test_customers_and_strangers_are_told_the_same(boss):
    UserFactory(email="customer@example.com", password=User.objects.get(pk=boss.pk).password)
    pages = {
        re.sub(r'value="[^"]*"', "", password_step(Client(), email, password).content.decode())
        for email, password in (
            ("customer@example.com", PASSWORD),
            ("nobody@example.com", PASSWORD),
            ("boss@example.com", "wrong"),
        )
    }

    assert len(pages) == 1
    assert "E-mail address or password is wrong." in pages.pop()


def test_the_door_counts_with_the_api(boss):
    for _ in range(5):
        password_step(Client(), password="wrong")
        APIClient().post("/api/v1/auth/login", {"email": boss.email, "password": "wrong"})

    assert "Too many logins" in password_step(Client()).content.decode()


def test_the_way_back_is_inside_the_store(boss):
    browser = Client()
    password_step(browser)

    entered = browser.post(
        "/admin/login/", {"code": code_of(boss), "next": "https://elsewhere.example/"}
    )

    assert entered["Location"] == "/admin/"


# A password alone


def test_no_address_of_the_back_office_opens_by_a_password_alone(boss):
    browser, half = Client(), Client()
    browser.force_login(boss)
    password_step(half)
    urls = sorted(set(office_urls()) - {"/admin/login/", "/admin/logout/"})

    assert len(urls) > 80
    for url in urls:
        for somebody in (browser, half):
            for method in ("get", "post"):
                answer = getattr(somebody, method)(url)
                assert answer.status_code == 302, (method, url)
                assert answer["Location"].startswith("/admin/login/"), (method, url)
                assert answer.content == b""


def test_a_session_of_staff_without_a_second_factor_only_sets_one_up():
    staff = StaffFactory(permissions=["kernel.view_auditentry"])
    plain, proven = client_of(staff, second_factor=False), client_of(staff)

    refused = plain.get("/api/v1/audit-log")

    assert (refused.status_code, refused.json()["code"]) == (403, "two_factor_required")
    assert proven.get("/api/v1/audit-log").status_code == 200
    assert plain.get("/api/v1/users/me").status_code == 200
    assert plain.post("/api/v1/users/me/two-factor").status_code == 201


def test_authenticating_staff_costs_one_statement_as_ever(django_assert_num_queries):
    headers = {"Authorization": f"Bearer {access_token_for(StaffFactory())}"}

    with django_assert_num_queries(1):
        assert Client().get("/api/v1/users/me", headers=headers).status_code == 200


# Getting out


def office(boss):
    return enter(Client(), boss)


ENDS = {
    "logout everywhere": lambda boss: client_of(boss).post("/api/v1/auth/logout-all"),
    "ended by its owner": lambda boss: sessions.end_own(
        user_id=boss.pk, session_id=Session.objects.get().pk
    ),
    "revoked by staff": lambda boss: sessions.end_these(
        session_ids=[Session.objects.get().pk], reason=Session.End.REVOKED_BY_STAFF
    ),
    "another password": lambda boss: call_command("create_admin", email=boss.email, reset=True),
    "another second factor": lambda boss: second_factors.remove(user_id=boss.pk, session=None),
    "switched off": lambda boss: people.set_active(
        by=granter(StaffFactory.create(is_superuser=True)), user_id=boss.pk, active=False
    ),
    "deleted": lambda boss: [StaffFactory(is_superuser=True), boss.delete()],
    "no staff any more": lambda boss: [
        StaffFactory(is_superuser=True),
        User.objects.filter(pk=boss.pk).update(is_staff=False, is_superuser=False),
    ],
    "its time is over": lambda boss: Session.objects.update(
        created_at=F("created_at") - (F("expires_at") - F("created_at")) * 2,
        expires_at=Now(),
    ),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_who_is_put_out_is_out_on_the_next_page(boss, end, monkeypatch):
    monkeypatch.setenv("ADMIN_PASSWORD", "another long password")
    browser = office(boss)
    assert is_in(browser)

    end(boss)

    answer = browser.get(INDEX)
    assert (answer.status_code, answer["Location"][:13]) == (302, "/admin/login/")


def test_logging_out_ends_the_session_behind_the_cookie(boss):
    browser = office(boss)

    browser.post("/admin/logout/")

    assert Session.objects.get().revoked_reason == Session.End.LOGGED_OUT
    assert not is_in(browser)


def test_a_new_own_password_ends_all_sessions(boss):
    browser, api = office(boss), client_of(boss)

    browser.post(
        "/admin/password_change/",
        {
            "old_password": PASSWORD,
            "new_password1": "another long password",
            "new_password2": "another long password",
        },
    )

    assert User.objects.get().check_password("another long password")
    assert not is_in(browser)
    assert api.get("/api/v1/users/me").status_code == 401


def test_the_session_behind_the_cookie_is_in_the_list_of_mine(boss):
    office(boss)

    listed = client_of(boss).get("/api/v1/users/me/sessions").json()["results"]

    assert len(listed) == 2


# The command


def test_a_lost_second_factor_is_removed_by_an_operator(boss):
    browser = office(boss)

    call_command("second_factor", "remove", email="Boss@example.com")

    assert User.objects.get().has_second_factor is False
    assert not is_in(browser)
    with pytest.raises(CommandError, match="has no second factor"):
        call_command("second_factor", "remove", email="boss@example.com")


def test_codes_are_shown_on_this_machine_only(boss, settings, capsys):
    call_command("second_factor", "code", email="boss@example.com")
    assert capsys.readouterr().out.strip() in {code_of(boss), code_of(boss, steps=-1)}

    settings.PUBLIC_URL = "https://shop.example.com"
    with pytest.raises(CommandError, match="on this machine"):
        call_command("second_factor", "code", email="boss@example.com")


# Danger


def proven_long_ago(boss):
    browser = office(boss)
    Session.objects.update(proven_at=F("proven_at") - timedelta(minutes=11))
    return browser


@pytest.mark.parametrize(
    "page", ["user/{0}/change/", "user/{0}/password/", "user/add/", "role/add/"]
)
def test_what_changes_rights_asks_for_a_fresh_code(boss, page):
    browser, url = proven_long_ago(boss), f"/admin/users/{page.format(boss.pk)}"

    assert browser.get(url).status_code == 200
    asked = browser.post(url, {})
    assert (asked.status_code, asked["Location"].partition("?")[0]) == (302, "/admin/step-up/")
    assert browser.get(asked["Location"]).status_code == 200
    assert browser.post(asked["Location"], {"code": "000000x"}).status_code == 200
    proven = browser.post(asked["Location"], {"code": code_of(boss)})

    assert (proven.status_code, proven["Location"]) == (302, url)
    assert browser.post(url, {}).status_code != 302 or page == "user/{0}/change/"


def test_roles_are_given_over_the_api_after_a_fresh_proof_only(boss):
    api, person = client_of(boss), StaffFactory()
    Session.objects.update(proven_at=F("proven_at") - timedelta(minutes=11))
    path = f"/api/v1/users/{person.pk}/roles"

    assert api.get(path).status_code == 200
    refused = api.put(path, {"roles": []})
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_required")
    api.post("/api/v1/auth/step-up", {"code": code_of(boss)})

    assert api.put(path, {"roles": []}).status_code == 200
