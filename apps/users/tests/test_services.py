"""What the services promise about accounts, sessions, tokens and counters."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Lock

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, get_hasher
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.db.models import F

from apps.kernel.models import OutboxEvent
from apps.kernel.tasks import relay_outbox
from apps.kernel.tests.mails import mails_to
from apps.users import hashers, interface, tasks
from apps.users.models import LoginAttempts, RefreshToken, Session, User
from apps.users.services import passwords, sessions
from apps.users.tests.factories import PASSWORD, SessionFactory, UserFactory

pytestmark = pytest.mark.django_db


def log_in(user, password=PASSWORD, ip="192.0.2.1", user_agent="test"):
    return sessions.log_in(email=user.email, password=password, ip=ip, user_agent=user_agent)


def wait(**time):
    """Let time pass: everything that is stored gets older."""
    passed = timedelta(**time)
    Session.objects.update(
        **{
            name: F(name) - passed
            for name in ("created_at", "last_used_at", "expires_at", "revoked_at")
        }
    )
    RefreshToken.objects.update(
        **{name: F(name) - passed for name in ("created_at", "used_at", "expires_at")}
    )


def assert_over(token):
    with pytest.raises(sessions.InvalidRefreshToken):
        sessions.rotate(refresh_token=token)


# Logging in


def test_logging_in_costs_two_statements(django_assert_num_queries):
    user = UserFactory()

    with django_assert_num_queries(2):
        log_in(user)


def test_a_failed_login_costs_the_same_whatever_is_wrong(django_assert_num_queries):
    known, disabled, unknown = UserFactory(), UserFactory(is_active=False), UserFactory.build()

    for user, password in ((known, "wrong"), (disabled, PASSWORD), (unknown, PASSWORD)):
        with django_assert_num_queries(1), pytest.raises(sessions.InvalidCredentials):
            log_in(user, password=password)


def test_a_login_without_an_account_hashes_all_the_same(monkeypatch):
    user = UserFactory.build(email="nobody@example.com")
    hashed = []
    kind = type(get_hasher())
    for name in ("encode", "verify"):
        original = getattr(kind, name)
        monkeypatch.setattr(kind, name, lambda *args, o=original: hashed.append(1) or o(*args))

    with pytest.raises(sessions.InvalidCredentials):
        log_in(user)

    assert len(hashed) == 1


def test_only_hashes_of_tokens_are_stored():
    opened = log_in(UserFactory())

    digest = hashlib.sha256(opened.refresh_token.encode()).digest()
    assert [bytes(token.hash) for token in RefreshToken.objects.all()] == [digest]
    assert len(opened.refresh_token) == 43


def test_a_session_remembers_when_and_from_where(settings):
    opened = log_in(UserFactory(), ip="2001:db8::1", user_agent="Mo\0zilla" + "x" * 400)

    session = Session.objects.get()
    assert session.pk == opened.session_id
    assert session.expires_at - session.created_at == settings.SESSION_LIFETIME
    assert (session.ip, len(session.user_agent)) == ("2001:db8::1", 300)
    assert session.user.last_login is not None


def test_a_weaker_hash_is_renewed_by_the_login(django_assert_num_queries):
    class Weaker(hashers.Argon2idHasher):
        memory_cost = 64

    user = UserFactory()
    weak = Weaker().encode(PASSWORD, "saltsaltsaltsaltsaltsalt")
    User.objects.filter(pk=user.pk).update(password=weak)

    with django_assert_num_queries(3):
        log_in(user)

    user.refresh_from_db()
    assert user.password != weak
    with django_assert_num_queries(2):
        log_in(user)


def test_production_hashes_are_argon2id_of_the_asked_cost():
    encoded = hashers.Argon2idHasher().encode(PASSWORD, "salt" * 6)

    assert encoded.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_parallel_hashes_are_few(monkeypatch):
    running, most, lock = 0, 0, Lock()
    original = Argon2PasswordHasher.encode

    def counted(self, password, salt):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        try:
            return original(self, password, salt)
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(Argon2PasswordHasher, "encode", counted)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: hashers.Argon2idHasher().encode(PASSWORD, "salt" * 6), range(32)))

    assert 1 <= most <= hashers.HASHES_AT_ONCE


def test_a_password_changed_while_the_login_was_hashing_keeps_it_out(monkeypatch):
    user = UserFactory()
    original = sessions.check_password

    def slow(*args, **kwargs):
        proven = original(*args, **kwargs)
        passwords.change_password(user_id=user.pk, password="another long password")
        return proven

    monkeypatch.setattr(sessions, "check_password", slow)

    with pytest.raises(sessions.InvalidCredentials):
        log_in(user)

    assert not Session.objects.exists()


# Refreshing


def test_refreshing_costs_one_statement(django_assert_num_queries):
    opened = log_in(UserFactory())

    with django_assert_num_queries(1):
        sessions.rotate(refresh_token=opened.refresh_token)


def test_a_lost_answer_is_given_again_within_ten_seconds():
    opened = log_in(UserFactory())
    first = sessions.rotate(refresh_token=opened.refresh_token)
    wait(seconds=9)

    assert sessions.rotate(refresh_token=opened.refresh_token) == first
    assert RefreshToken.objects.count() == 2


def test_a_lost_answer_is_given_again_over_a_change_of_the_secret_key(settings):
    opened = log_in(UserFactory())
    first = sessions.rotate(refresh_token=opened.refresh_token)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next one"

    assert sessions.rotate(refresh_token=opened.refresh_token) == first


def test_a_lost_answer_is_not_given_again_once_the_session_has_ended():
    opened = log_in(UserFactory())
    sessions.rotate(refresh_token=opened.refresh_token)
    sessions.log_out(session=Session.objects.get())

    assert_over(opened.refresh_token)


def test_a_used_token_that_comes_again_later_ends_the_whole_session():
    user = UserFactory()
    opened = log_in(user)
    thief = sessions.rotate(refresh_token=opened.refresh_token)
    thief = sessions.rotate(refresh_token=thief.refresh_token)
    wait(seconds=11)

    assert_over(opened.refresh_token)

    assert_over(thief.refresh_token)
    assert Session.objects.get().revoked_reason == "token_reused"
    event = OutboxEvent.objects.get()
    assert (event.name, event.aggregate_id) == ("users.session_reuse_detected", opened.session_id)
    assert event.payload == {"session_id": str(opened.session_id), "user_id": str(user.pk)}


def test_a_person_is_told_that_a_login_may_have_been_copied():
    user = UserFactory()
    opened = log_in(user)
    sessions.rotate(refresh_token=opened.refresh_token)
    wait(seconds=11)
    assert_over(opened.refresh_token)

    for _ in range(2):
        relay_outbox()

    [message] = mails_to(user.email)
    assert message.subject == "One of your logins was ended"
    assert OutboxEvent.objects.get().done_at is not None


def test_reuse_is_told_once():
    opened = log_in(UserFactory())
    sessions.rotate(refresh_token=opened.refresh_token)
    wait(seconds=11)

    for _ in range(3):
        assert_over(opened.refresh_token)

    assert OutboxEvent.objects.count() == 1


def test_reuse_leaves_other_sessions_alone():
    user = UserFactory()
    opened, other = log_in(user), log_in(user)
    sessions.rotate(refresh_token=opened.refresh_token)
    wait(seconds=11)

    assert_over(opened.refresh_token)

    assert sessions.rotate(refresh_token=other.refresh_token).session_id == other.session_id


def test_a_session_that_rests_too_long_is_over(settings):
    opened = log_in(UserFactory())
    wait(seconds=settings.SESSION_IDLE_LIFETIME.total_seconds() + 1)

    assert_over(opened.refresh_token)
    assert not OutboxEvent.objects.exists()


def test_a_session_in_use_outlives_the_idle_time_but_not_its_own_end(settings):
    opened = log_in(UserFactory())
    for _ in range(29):
        wait(days=1)
        opened = sessions.rotate(refresh_token=opened.refresh_token)
    wait(hours=23)
    opened = sessions.rotate(refresh_token=opened.refresh_token)
    wait(hours=1, seconds=1)

    assert_over(opened.refresh_token)


@pytest.mark.parametrize("used", [False, True])
def test_a_disabled_account_refreshes_nothing(used):
    user = UserFactory()
    opened = log_in(user)
    if used:
        sessions.rotate(refresh_token=opened.refresh_token)
    User.objects.update(is_active=False)

    assert_over(opened.refresh_token)


def test_a_changed_password_ends_every_session():
    user = UserFactory()
    opened = [log_in(user) for _ in range(2)]

    passwords.change_password(user_id=user.pk, password="another long password")

    for one in opened:
        assert_over(one.refresh_token)
    assert {s.revoked_reason for s in Session.objects.all()} == {"password_changed"}
    assert log_in(user, password="another long password")


# Forgetting


def test_what_has_served_its_time_is_deleted():
    old, ended = log_in(UserFactory()), log_in(UserFactory())
    sessions.rotate(refresh_token=old.refresh_token)
    wait(days=61)
    LoginAttempts.objects.update(window_ends_at=F("window_ends_at") - timedelta(days=61))
    Session.objects.filter(pk=ended.session_id).update(expires_at=F("expires_at") + timedelta(2))
    young = log_in(UserFactory())

    tasks.forget_old_records()

    assert set(Session.objects.values_list("pk", flat=True)) == {ended.session_id, young.session_id}
    # The young one's account, its network, and the whole store.
    assert LoginAttempts.objects.count() == 3


# The database's own word


@pytest.mark.parametrize(
    ("constraint", "statement"),
    [
        ("user_email_is_lower_case", "UPDATE users_user SET email = 'A@example.com'"),
        ("session_ends_after_it_began", "UPDATE users_session SET expires_at = created_at"),
        ("session_is_revoked_for_a_reason", "UPDATE users_session SET revoked_at = now()"),
        ("session_is_revoked_for_a_reason", "UPDATE users_session SET revoked_reason = 'x'"),
        ("refresh_token_is_a_sha256", "UPDATE users_refreshtoken SET hash = 'short'"),
    ],
)
def test_the_database_refuses_what_cannot_be(constraint, statement):
    log_in(UserFactory())

    with pytest.raises(IntegrityError, match=constraint), connection.cursor() as cursor:
        cursor.execute(statement)


# Other apps, and the first admin


def test_contacts_come_by_id_in_one_statement(django_assert_num_queries):
    known, unknown = UserFactory(), UserFactory.build()

    with django_assert_num_queries(1):
        found = interface.contacts_of(user_ids=[known.pk, unknown.pk])

    assert found == {known.pk: interface.Contact(known.pk, known.email, "Robin", "Doe")}


def test_the_first_admin_is_created_once(monkeypatch, capsys):
    monkeypatch.setenv("ADMIN_PASSWORD", PASSWORD)
    call_command("create_admin", email="Boss@example.com")
    monkeypatch.setenv("ADMIN_PASSWORD", "another long password")

    call_command("create_admin", email="boss@example.com")

    admin = User.objects.get()
    assert (admin.email, admin.is_staff, admin.is_superuser) == ("boss@example.com", True, True)
    assert admin.check_password(PASSWORD)
    assert capsys.readouterr().out.splitlines() == [
        "Admin Boss@example.com: created.",
        "Admin boss@example.com: unchanged.",
    ]


def test_resetting_the_admin_sets_password_and_rights_and_ends_sessions(monkeypatch):
    user = UserFactory(email="boss@example.com", is_active=False)
    SessionFactory(user=user)
    monkeypatch.setenv("ADMIN_PASSWORD", "another long password")

    call_command("create_admin", email="boss@example.com", reset=True)

    user.refresh_from_db()
    assert user.is_active
    assert user.is_superuser
    assert user.check_password("another long password")
    assert Session.objects.get().revoked_reason == "password_changed"


@pytest.mark.parametrize(("password", "email"), [("", "boss@example.com"), ("x", "boss")])
def test_an_admin_without_password_or_address_is_refused(monkeypatch, password, email):
    monkeypatch.setenv("ADMIN_PASSWORD", password)

    with pytest.raises(CommandError):
        call_command("create_admin", email=email)

    assert not User.objects.exists()
