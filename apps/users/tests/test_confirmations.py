"""Links that are mailed: to open an account, to set a new password, to use another address."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.db.models import F
from django.test import Client
from rest_framework.test import APIClient

from apps.kernel.models import AuditEntry, Mail
from apps.kernel.tests.mails import mails_to
from apps.users import tasks
from apps.users.models import Confirmation, Session, User
from apps.users.services import attempts, passwords
from apps.users.tests.factories import (
    PASSWORD,
    SessionFactory,
    StaffFactory,
    UserFactory,
    client_of,
    enter,
    mailed_token,
)

pytestmark = pytest.mark.django_db

API, ADA = "/api/v1/", "ada@example.com"
ANOTHER = "another long password"


@pytest.fixture
def api() -> APIClient:
    return APIClient()


def register(api: APIClient, *, password: str = PASSWORD, email: str = ADA) -> Any:
    return api.post(f"{API}auth/register", {"email": email, "password": password})


def verify(api: APIClient, token: str, *, password: str = PASSWORD) -> Any:
    return api.post(f"{API}auth/verify-email", {"token": token, "password": password})


def reset(api: APIClient, token: str, *, password: str = ANOTHER) -> Any:
    body = {"token": token, "password": password}
    return api.post(f"{API}auth/password-reset/confirm", body)


def asked_reset(api: APIClient, email: str) -> str:
    assert api.post(f"{API}auth/password-reset", {"email": email}).status_code == 202
    return mailed_token(email)


def change_email(client: APIClient, email: str, *, password: str = PASSWORD) -> Any:
    body = {"email": email, "current_password": password}
    return client.post(f"{API}users/me/email", body)


def follow(api: APIClient, token: str) -> Any:
    return api.post(f"{API}auth/email-change/confirm", {"token": token})


def log_in(api: APIClient, email: str, *, password: str) -> Any:
    return api.post(f"{API}auth/login", {"email": email, "password": password})


def refused(response: Any) -> bool:
    return (response.status_code, response.json()["code"]) == (422, "invalid_confirmation")


def subjects(address: str) -> list[str]:
    return [str(message.subject) for message in mails_to(address)]


def wait(**time: float) -> None:
    Confirmation.objects.update(expires_at=F("expires_at") - timedelta(**time))


# Tokens


def test_a_token_is_stored_as_its_sha256_and_forgotten_with_the_mail(api: APIClient) -> None:
    register(api)

    token = mailed_token(ADA)

    assert len(token) == 43  # 256 bits
    row = Confirmation.objects.values().get()
    assert token not in str(row)
    assert Mail.objects.get().context == {}
    verify(api, token)
    assert not Confirmation.objects.exists()


def test_a_link_leads_to_the_public_address_whatever_the_host_and_hides_its_token(
    api: APIClient, settings: Any
) -> None:
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://shop.example.com", ["*"]

    api.post(
        f"{API}auth/register",
        {"email": ADA, "password": PASSWORD},
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )

    [message] = mails_to(ADA)
    for text in (str(message.body), str(message.alternatives[0][0])):
        assert "https://shop.example.com/account/confirm#register=" in text
        assert "evil" not in text


@pytest.mark.parametrize("purpose", ["register", "reset_password", "change_email"])
def test_a_token_is_good_for_ten_minutes_by_the_databases_clock(
    api: APIClient, purpose: str
) -> None:
    user = UserFactory.create()
    match purpose:
        case "register":
            register(api)
            token, use = mailed_token(ADA), verify
        case "reset_password":
            token, use = asked_reset(api, user.email), reset
        case _:
            change_email(client_of(user), ADA)
            token, use = mailed_token(ADA), follow  # type: ignore[assignment]

    wait(minutes=10)
    assert refused(use(api, token))

    wait(minutes=-10, seconds=1)
    assert use(api, token).status_code in {201, 204}
    assert refused(use(api, token))


@pytest.mark.parametrize("token", ["x", "", "ü" * 43, "' OR 1=1 --", "x" * 101])
def test_a_token_of_ones_own_making_opens_nothing(api: APIClient, token: str) -> None:
    for use in (verify, reset, follow):
        assert use(api, token).status_code in {400, 422}


def test_a_token_is_good_for_what_it_was_mailed_for_only(api: APIClient) -> None:
    user = UserFactory.create()
    token = asked_reset(api, user.email)

    assert refused(verify(api, token))
    assert refused(follow(api, token))
    assert reset(api, token).status_code == 204


def test_a_newer_token_is_the_only_one(api: APIClient) -> None:
    user = UserFactory.create()
    register(api)
    first = mailed_token(ADA)
    register(api)
    second = mailed_token(ADA)
    old, new = asked_reset(api, user.email), asked_reset(api, user.email)

    assert refused(verify(api, first))
    assert refused(reset(api, old))
    assert verify(api, second).status_code == 201
    assert reset(api, new).status_code == 204


def test_what_nobody_confirms_is_forgotten(api: APIClient) -> None:
    register(api)
    wait(minutes=11)
    register(api, email="eve@example.com")

    tasks.forget_old_records()

    assert Confirmation.objects.get().email == "eve@example.com"


# Registering


def test_registering_opens_nothing_before_the_mail_is_answered(api: APIClient) -> None:
    register(api)

    assert not User.objects.exists()
    assert log_in(api, ADA, password=PASSWORD).status_code == 401


def test_who_registers_the_address_of_another_has_no_password_on_their_account(
    api: APIClient,
) -> None:
    register(api, password="the attacker's own words")
    planted = mailed_token(ADA)

    # The owner of the address follows the link in good faith, with a password of their own.
    assert verify(api, planted, password=PASSWORD).json()["code"] == "wrong_password"
    assert not User.objects.exists()
    # And registers: only this registration's password counts from now on.
    register(api)
    verify(api, mailed_token(ADA))

    assert log_in(api, ADA, password="the attacker's own words").status_code == 401
    assert log_in(api, ADA, password=PASSWORD).status_code == 200


def test_the_password_of_a_registration_cannot_be_guessed_without_end(
    api: APIClient, settings: Any
) -> None:
    register(api)
    token = mailed_token(ADA)

    answers = [
        verify(api, token, password="wrong").status_code
        for _ in range(settings.LOGIN_ATTEMPTS_PER_ACCOUNT + 1)
    ]

    assert answers == [422] * settings.LOGIN_ATTEMPTS_PER_ACCOUNT + [429]


def test_who_has_an_account_is_told_by_mail_and_nobody_else_is(api: APIClient) -> None:
    UserFactory.create(email=ADA)

    response = register(api, email="ADA@example.com")

    assert response.status_code == 202
    assert subjects(ADA) == ["You have an account already"]
    assert "/account/confirm" not in str(mails_to(ADA)[0].body)


def test_an_account_that_was_opened_meanwhile_wins(api: APIClient) -> None:
    register(api)
    token = mailed_token(ADA)
    UserFactory.create(email=ADA, first_name="First")

    assert refused(verify(api, token))
    assert User.objects.get().first_name == "First"


def test_opening_an_account_is_recorded(api: APIClient) -> None:
    register(api)
    verify(api, mailed_token(ADA))

    entry = AuditEntry.objects.get(action="users.account_opened")
    assert entry.about == str(entry.actor_id) == str(User.objects.get().pk)


# Resetting a password


def test_a_forgotten_password_is_set_anew_and_opens_no_session(api: APIClient) -> None:
    user = UserFactory.create(email=ADA)
    stolen = client_of(user)

    response = reset(api, asked_reset(api, ADA))

    assert (response.status_code, response.content) == (204, b"")
    assert stolen.get(f"{API}users/me").status_code == 401
    assert not Session.objects.filter(revoked_at=None).exists()
    assert log_in(api, ADA, password=PASSWORD).status_code == 401
    assert log_in(api, ADA, password=ANOTHER).status_code == 200
    assert subjects(ADA) == ["Set a new password", "Your password was changed"]


def test_a_bad_new_password_leaves_the_token_good(api: APIClient) -> None:
    UserFactory.create(email="ada.lovelace@example.com")
    token = asked_reset(api, "ada.lovelace@example.com")

    for bad in ("short", "basketball", "ada.lovelace@example"):
        assert reset(api, token, password=bad).status_code == 400
    assert reset(api, token).status_code == 204


@pytest.mark.parametrize("change", ["password", "email", "is_active"])
def test_a_reset_is_void_once_the_account_has_changed(api: APIClient, change: str) -> None:
    user = UserFactory.create(email=ADA)
    token = asked_reset(api, ADA)
    match change:
        case "password":
            passwords.change_password(user_id=user.pk, password="yet another password")
        case "email":
            User.objects.update(email="new@example.com")
        case _:
            User.objects.update(is_active=False)

    assert refused(reset(api, token))


def test_an_account_that_is_switched_off_gets_no_reset(api: APIClient) -> None:
    UserFactory.create(email=ADA, is_active=False)

    for email in (ADA, "nobody@example.com"):
        assert api.post(f"{API}auth/password-reset", {"email": email}).status_code == 202
        assert subjects(email) == ["There is no account with this address"]
    assert not Confirmation.objects.exists()


# One's own password


def test_a_changed_password_ends_the_other_sessions_and_not_this_one(me: User) -> None:
    here, there = client_of(me), client_of(me)

    response = here.post(
        f"{API}users/me/password", {"current_password": PASSWORD, "password": ANOTHER}
    )

    assert response.status_code == 204
    assert here.get(f"{API}users/me").status_code == 200
    assert there.get(f"{API}users/me").status_code == 401
    assert log_in(APIClient(), me.email, password=ANOTHER).status_code == 200
    assert subjects(me.email) == ["Your password was changed"]
    assert AuditEntry.objects.get(action="users.password_changed").actor_id == me.pk


PROTECTED = {
    "password": {"password": ANOTHER},
    "email": {"email": "new@example.com"},
    "deactivate": {},
}


@pytest.mark.parametrize("path", sorted(PROTECTED))
def test_a_wrong_current_password_changes_nothing_and_counts_as_a_failed_login(
    me: User, client_me: APIClient, path: str, settings: Any
) -> None:
    body = PROTECTED[path] | {"current_password": "wrong"}

    for _ in range(settings.LOGIN_ATTEMPTS_PER_ACCOUNT):
        response = client_me.post(f"{API}users/me/{path}", body)
        assert (response.status_code, response.json()["code"]) == (422, "wrong_password")
    response = client_me.post(f"{API}users/me/{path}", body | {"current_password": PASSWORD})

    assert response.status_code == 429
    assert log_in(APIClient(), me.email, password=PASSWORD).status_code == 429
    me.refresh_from_db()
    assert me.version == 1
    assert not Mail.objects.exists()


def test_a_right_current_password_does_not_use_up_the_limit(me: User, settings: Any) -> None:
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 2

    for _ in range(4):
        passwords.prove(email=me.email, password=PASSWORD, encoded=me.password, ip="192.0.2.1")


# Another address


def test_an_account_moves_when_the_new_address_answers(me: User, client_me: APIClient) -> None:
    old = me.email

    assert change_email(client_me, "New@Example.com").status_code == 202
    assert subjects(old) == ["Another address was asked for"]
    me.refresh_from_db()
    assert me.email == old
    assert follow(APIClient(), mailed_token("new@example.com")).status_code == 204

    me.refresh_from_db()
    assert me.email == "new@example.com"
    assert client_me.get(f"{API}users/me").status_code == 401
    assert {each.revoked_reason for each in Session.objects.all()} == {"email_changed"}
    assert subjects(old)[1:] == ["Your address was changed"]
    assert log_in(APIClient(), "new@example.com", password=PASSWORD).status_code == 200


def test_a_password_changed_while_it_is_proven_moves_no_account(
    me: User, client_me: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*args: Any) -> bool:
        proven = check_password(*args)
        passwords.change_password(user_id=me.pk, password=ANOTHER)
        return proven

    monkeypatch.setattr("apps.users.services.passwords.check_password", slow)

    response = change_email(client_me, ADA)

    assert (response.status_code, response.json()["code"]) == (422, "wrong_password")
    assert not Confirmation.objects.exists()
    assert subjects(ADA) == []


def test_an_address_that_is_taken_is_told_to_its_owner_only(me: User, client_me: APIClient) -> None:
    UserFactory.create(email=ADA)

    taken, free = change_email(client_me, ADA), change_email(client_me, "free@example.com")

    assert (taken.status_code, taken.content) == (free.status_code, free.content)
    assert subjects(ADA) == ["You have an account already"]
    assert "/account/confirm" not in str(mails_to(ADA)[0].body)
    assert subjects("free@example.com") == ["Confirm your new address"]


def test_an_address_that_is_taken_meanwhile_stays_with_who_took_it(
    me: User, client_me: APIClient
) -> None:
    change_email(client_me, ADA)
    token = mailed_token(ADA)
    UserFactory.create(email=ADA)

    assert refused(follow(APIClient(), token))
    assert client_me.get(f"{API}users/me").status_code == 200


def test_what_was_mailed_to_the_old_address_is_void_after_the_move(
    me: User, client_me: APIClient
) -> None:
    old_reset = asked_reset(APIClient(), me.email)
    change_email(client_me, ADA)
    follow(APIClient(), mailed_token(ADA))

    assert refused(reset(APIClient(), old_reset))


def test_an_address_that_staff_change_voids_what_was_mailed_and_ends_the_sessions() -> None:
    boss = enter(Client(), StaffFactory.create(is_superuser=True))
    user = UserFactory.create()
    session = SessionFactory.create(user=user)
    passwords.request_password_reset(email=user.email, ip=None)
    page = boss.get(f"/admin/users/user/{user.pk}/change/")
    form = page.context["adminform"].form
    data = {name: value for name in form.fields if (value := form[name].value())}
    for inline in page.context["inline_admin_formsets"]:
        for field in inline.formset.management_form:
            data[field.html_name] = field.value()
    for name in ("is_staff", "is_superuser", "groups", "user_permissions"):
        data.pop(name, None)

    boss.post(f"/admin/users/user/{user.pk}/change/", {**data, "is_active": "on", "email": ADA})

    assert User.objects.get(pk=user.pk).email == ADA
    assert not Confirmation.objects.exists()
    session.refresh_from_db()
    assert session.revoked_reason == "email_changed"
    assert subjects(user.email)[1:] == ["Your address was changed"]


# The end


def test_a_closed_account_is_out_until_staff_switch_it_on(me: User, client_me: APIClient) -> None:
    body = {"current_password": PASSWORD}

    assert client_me.post(f"{API}users/me/deactivate", body).status_code == 204

    assert client_me.get(f"{API}users/me").status_code == 401
    assert log_in(APIClient(), me.email, password=PASSWORD).status_code == 401
    assert subjects(me.email) == ["Your account was closed"]
    assert {each.revoked_reason for each in Session.objects.all()} == {"deactivated"}
    assert AuditEntry.objects.filter(action="users.account_deactivated").count() == 1
    User.objects.update(is_active=True)
    assert log_in(APIClient(), me.email, password=PASSWORD).status_code == 200


def test_staff_do_not_close_their_account_here(db: None) -> None:
    client = client_of(StaffFactory.create())

    response = client.post(f"{API}users/me/deactivate", {"current_password": PASSWORD})

    assert (response.status_code, response.json()["code"]) == (409, "staff_account")
    assert client.get(f"{API}users/me").status_code == 200


# Limits


def test_mails_are_limited_for_an_address_and_from_a_network(settings: Any) -> None:
    settings.MAILS_PER_ADDRESS, settings.MAILS_PER_NETWORK = 2, 3

    def ask(email: str, ip: str) -> int:
        try:
            passwords.request_password_reset(email=email, ip=ip)
        except attempts.TooManyMails as refusal:
            return int(str(refusal.facts["retry_after"]))
        return 0

    assert [ask(ADA, f"192.0.2.{n}") for n in range(2)] == [0, 0]
    assert 3590 < ask(ADA, "192.0.2.9") <= 3600
    assert [ask(f"{n}@example.com", "2001:db8::1") for n in range(3)] == [0, 0, 0]
    assert 3590 < ask("4@example.com", "2001:db8::2") <= 3600
    assert ask("4@example.com", "2001:db8:0:1::1") == 0


def test_a_refused_mail_says_when_to_come_again(api: APIClient, settings: Any) -> None:
    settings.MAILS_PER_ADDRESS = 1
    register(api)

    response = register(api)

    assert (response.status_code, response.json()["code"]) == (429, "too_many_mails")
    assert 3590 < int(response["Retry-After"]) <= 3600
