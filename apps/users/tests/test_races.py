"""What holds when many come at the same moment."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.kernel.models import AuditEntry, OutboxEvent
from apps.kernel.tests.mails import mails_to
from apps.users.models import (
    ApiKey,
    Confirmation,
    LoginAttempts,
    RefreshToken,
    Role,
    Session,
    User,
)
from apps.users.services import (
    accounts,
    api_keys,
    attempts,
    confirmations,
    emails,
    passwords,
    profiles,
    roles,
    sessions,
)
from apps.users.tests.factories import (
    PASSWORD,
    ApiKeyFactory,
    RoleFactory,
    SessionFactory,
    StaffFactory,
    UserFactory,
    mailed_token,
)
from apps.users.tests.test_address_book import wait_until_somebody_waits

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(number, call):
    """Call `number` times at the same moment; return results and refusals."""
    gate = Barrier(number)

    def one(index):
        try:
            connection.ensure_connection()
            gate.wait(timeout=30)
            return call(index)
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def log_in(user, password=PASSWORD, ip="192.0.2.1"):
    return sessions.log_in(email=user.email, password=password, ip=ip, user_agent="test")


def test_eight_refreshes_of_one_token_get_one_successor_twenty_rounds_long():
    opened = log_in(UserFactory())

    for used in range(1, 21):
        answers = at_once(8, lambda _, t=opened.refresh_token: sessions.rotate(refresh_token=t))

        assert set(answers) == {answers[0]}
        assert isinstance(answers[0], sessions.OpenSession)
        assert RefreshToken.objects.count() == used + 1
        assert RefreshToken.objects.filter(used_at__isnull=False).count() == used
        opened = answers[0]
    assert not OutboxEvent.objects.exists()


def test_eight_replays_after_the_grace_end_the_session_and_tell_it_once():
    opened = log_in(UserFactory())
    newest = sessions.rotate(refresh_token=opened.refresh_token)
    RefreshToken.objects.update(used_at=F("used_at") - 2 * sessions.GRACE)

    answers = at_once(8, lambda _: sessions.rotate(refresh_token=opened.refresh_token))

    assert Counter(type(answer) for answer in answers) == {sessions.InvalidRefreshToken: 8}
    assert Session.objects.get().revoked_reason == "token_reused"
    assert OutboxEvent.objects.count() == 1
    with pytest.raises(sessions.InvalidRefreshToken):
        sessions.rotate(refresh_token=newest.refresh_token)


def test_a_logout_during_refreshes_leaves_nothing_alive():
    for _ in range(10):
        opened = log_in(UserFactory())
        session = Session.objects.get(pk=opened.session_id)

        def refresh_or_leave(index, opened=opened, session=session):
            if index == 0:
                return sessions.log_out(session=session)
            return sessions.rotate(refresh_token=opened.refresh_token)

        answers = at_once(4, refresh_or_leave)

        for answer in answers:
            assert answer is None or isinstance(
                answer, sessions.OpenSession | sessions.InvalidRefreshToken
            )
            if isinstance(answer, sessions.OpenSession):
                with pytest.raises(sessions.InvalidRefreshToken):
                    sessions.rotate(refresh_token=answer.refresh_token)
        assert not Session.objects.filter(revoked_at=None).exists()


def test_thirty_two_registrations_of_one_address_leave_one_link_and_as_many_mails_as_allowed(
    settings,
):
    answers = at_once(
        32,
        lambda n: accounts.register(
            email="ada@example.com" if n % 2 else "ADA@example.com", password=PASSWORD, ip=None
        ),
    )

    assert Counter(type(answer) for answer in answers) == {
        type(None): settings.MAILS_PER_ADDRESS,
        attempts.TooManyMails: 32 - settings.MAILS_PER_ADDRESS,
    }
    assert len(mails_to("ada@example.com")) == settings.MAILS_PER_ADDRESS
    assert Confirmation.objects.count() == 1
    accounts.open_account(token=mailed_token("ada@example.com"), password=PASSWORD, ip=None)


@pytest.mark.parametrize("purpose", ["register", "reset_password", "change_email"])
def test_of_twenty_who_use_one_token_one_succeeds(purpose):
    user = UserFactory()
    match purpose:
        case "register":
            accounts.register(email="ada@example.com", password=PASSWORD, ip=None)
            token = mailed_token("ada@example.com")

            def use(_):
                return accounts.open_account(token=token, password=PASSWORD, ip=None)
        case "reset_password":
            passwords.request_password_reset(email=user.email, ip=None)
            token = mailed_token(user.email)

            def use(n):
                passwords.reset_password(token=token, password=f"another long password {n}")
        case _:
            emails.request_email_change(
                user=user, email="new@example.com", current_password=PASSWORD, ip=None
            )
            token = mailed_token("new@example.com")

            def use(_):
                emails.confirm_email_change(token=token)

    answers = at_once(20, use)

    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert {type(answer) for answer in refused} <= {
        confirmations.InvalidConfirmation,
        attempts.TooManyAttempts,
    }
    assert len(refused) == 19
    assert not Confirmation.objects.exists()


def test_who_moves_an_account_waits_for_who_changes_it_without_a_deadlock():
    user = UserFactory()
    emails.request_email_change(
        user=user, email="new@example.com", current_password=PASSWORD, ip=None
    )
    token = mailed_token("new@example.com")

    def move():
        try:
            emails.confirm_email_change(token=token)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=user.pk)
            moved = pool.submit(move)
            wait_until_somebody_waits()
            confirmations.void(user_id=user.pk)
        with pytest.raises(confirmations.InvalidConfirmation):
            moved.result(timeout=10)


def test_of_two_who_change_one_password_at_once_one_does():
    user = UserFactory()
    mine = SessionFactory(user=user)

    answers = at_once(
        2,
        lambda n: passwords.change_own_password(
            user=user,
            session=mine,
            current_password=PASSWORD,
            password=f"another long password {n}",
            ip=None,
        ),
    )

    assert Counter(type(answer) for answer in answers) == {
        type(None): 1,
        passwords.WrongPassword: 1,
    }


@pytest.mark.parametrize("limit", ["ACCOUNT", "ADDRESS", "MINUTE"])
def test_of_sixty_four_wrong_logins_exactly_as_many_are_decided_as_the_limit_says(settings, limit):
    setattr(settings, f"LOGIN_ATTEMPTS_PER_{limit}", 9)
    users = [UserFactory() for _ in range(64)]

    def guess(n):
        return sessions.log_in(
            email=users[0 if limit == "ACCOUNT" else n].email,
            password="wrong",
            ip="192.0.2.1" if limit == "ADDRESS" else f"192.0.2.{n}",
            user_agent="test",
        )

    assert Counter(type(answer) for answer in at_once(64, guess)) == {
        sessions.InvalidCredentials: 9,
        attempts.TooManyAttempts: 55,
    }


def test_of_sixty_four_wrong_logins_at_home_and_elsewhere_each_limit_is_exact(settings):
    user = UserFactory()
    log_in(user)

    def guess(n):
        ip = "192.0.2.1" if n % 2 else f"198.51.100.{n}"
        return sessions.log_in(email=user.email, password="wrong", ip=ip, user_agent="test")

    assert Counter(type(answer) for answer in at_once(64, guess)) == {
        sessions.InvalidCredentials: 2 * settings.LOGIN_ATTEMPTS_PER_ACCOUNT,
        attempts.TooManyAttempts: 64 - 2 * settings.LOGIN_ATTEMPTS_PER_ACCOUNT,
    }


def test_right_and_wrong_logins_of_several_accounts_neither_deadlock_nor_miscount(settings):
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = settings.LOGIN_ATTEMPTS_PER_ADDRESS = 1000
    users = [UserFactory() for _ in range(4)]

    answers = at_once(
        32, lambda n: log_in(users[n % 4], password=PASSWORD if n % 8 < 4 else "wrong", ip=None)
    )

    assert Counter(type(answer) for answer in answers) == {
        sessions.OpenSession: 16,
        sessions.InvalidCredentials: 16,
    }
    assert LoginAttempts.objects.get(key="network:none").failures == 16
    assert LoginAttempts.objects.get(key=attempts.STORE).failures == 16


def test_of_many_first_attempts_in_a_new_window_none_is_lost():
    user = UserFactory()
    with pytest.raises(sessions.InvalidCredentials):
        log_in(user, password="wrong")
    LoginAttempts.objects.update(failures=999, window_ends_at=Now())

    answers = at_once(16, lambda _: log_in(user, password="wrong"))

    assert Counter(type(answer) for answer in answers) == {
        sessions.InvalidCredentials: 10,
        attempts.TooManyAttempts: 6,
    }


def test_profiles_replaced_at_once_from_one_version_change_it_once():
    user = UserFactory()

    answers = at_once(
        8,
        lambda n: profiles.change_profile(
            user_id=user.pk, first_name=str(n), last_name="", expected_version=1
        ),
    )

    assert Counter(type(answer).__name__ for answer in answers) == {"User": 1, "VersionMismatch": 7}
    user.refresh_from_db()
    assert user.version == 2


def test_of_administrators_who_all_leave_at_once_one_stays():
    bosses = [StaffFactory(is_superuser=True).pk for _ in range(4)]

    for _ in range(10):
        answers = at_once(4, lambda n: User.objects.filter(pk=bosses[n]).update(is_active=False))

        assert Counter(type(answer) for answer in answers) == {int: 3, IntegrityError: 1}
        assert User.objects.filter(is_active=True).count() == 1
        User.objects.update(is_active=True)


def test_a_role_that_is_removed_while_it_is_given_is_one_or_the_other():
    boss = roles.Granter(frozenset(), is_superuser=True)
    for _ in range(10):
        role, person = RoleFactory(), UserFactory()

        def give_or_remove(n, role=role, person=person):
            if n:
                return roles.assign_roles(by=boss, user_id=person.pk, keys=[role.key])
            return roles.remove_role(by=boss, key=role.key)

        removed, given = at_once(2, give_or_remove)

        if isinstance(given, User):
            assert isinstance(removed, roles.RoleInUse)
            assert Role.objects.filter(user=person).get() == role
        else:
            assert isinstance(given, roles.NoSuchRole)
            assert removed is None
            assert not Role.objects.filter(pk=role.pk).exists()


def test_roles_changed_at_once_from_one_version_change_once():
    boss, role = roles.Granter(frozenset(), is_superuser=True), RoleFactory()

    answers = at_once(
        8,
        lambda n: roles.change_role(by=boss, key=role.key, expected_version=1, name=f"Name {n}"),
    )

    assert Counter(type(answer).__name__ for answer in answers) == {"Role": 1, "VersionMismatch": 7}


def test_of_eight_rotations_at_once_one_succeeds_and_the_first_secret_stays_good():
    secret = ApiKeyFactory.secret_of()
    key = ApiKey.objects.get()

    answers = at_once(
        8,
        lambda _: api_keys.rotate_key(
            owner_id=key.owner_id, key_id=key.pk, overlap=timedelta(hours=1)
        ),
    )

    assert Counter(type(answer) for answer in answers) == {
        api_keys.IssuedKey: 1,
        api_keys.RotationUnderWay: 7,
    }
    [issued] = [answer for answer in answers if isinstance(answer, api_keys.IssuedKey)]
    for good in (secret, issued.secret):
        assert api_keys.holder_of(secret=good, ip=None).pk == key.owner_id


def test_a_key_revoked_while_it_is_rotated_and_used_is_dead_afterwards():
    for _ in range(10):
        secret = ApiKeyFactory.secret_of()
        key = ApiKey.objects.latest("id")

        def act(n, key=key, secret=secret):
            if n % 3 == 0:
                return api_keys.revoke_key(key_id=key.pk)
            if n % 3 == 1:
                return api_keys.rotate_key(
                    owner_id=key.owner_id, key_id=key.pk, overlap=timedelta(hours=1)
                )
            return api_keys.holder_of(secret=secret, ip=None)

        answers = at_once(6, act)

        secrets = [secret, *(a.secret for a in answers if isinstance(a, api_keys.IssuedKey))]
        for each in secrets:
            with pytest.raises(api_keys.InvalidApiKey):
                api_keys.holder_of(secret=each, ip=None)
        refusals = {type(answer) for answer in answers if isinstance(answer, Exception)}
        assert refusals <= {
            api_keys.ApiKeyRevoked,
            api_keys.InvalidApiKey,
            api_keys.RotationUnderWay,
        }
        assert (
            AuditEntry.objects.filter(action="users.api_key_revoked", about=str(key.pk)).count()
            == 1
        )
