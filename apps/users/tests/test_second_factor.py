"""A second factor: set up, asked for, never worth more than once, and shown again before danger."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest
from django.core.management import call_command
from django.db import connections, transaction
from django.db.models import F
from django.db.models.functions import Now
from rest_framework.test import APIClient

from apps.kernel.encryption import decrypted
from apps.kernel.models import AuditEntry
from apps.users.models import (
    LoginAttempts,
    LoginChallenge,
    RecoveryCode,
    SecondFactor,
    Session,
)
from apps.users.services import attempts, codes, passwords, proofs, second_factors, sessions
from apps.users.tests.factories import (
    PASSWORD,
    SecondFactorFactory,
    SessionFactory,
    UserFactory,
    client_of,
    code_of,
)
from apps.users.tests.test_address_book import wait_until_somebody_waits
from apps.users.tests.test_races import at_once

pytestmark = pytest.mark.django_db
MINE, LOGIN = "/api/v1/users/me/two-factor", "/api/v1/auth/login"
ANSWER, STEP_UP, ME = "/api/v1/auth/two-factor", "/api/v1/auth/step-up", "/api/v1/users/me"


@pytest.fixture
def guarded(db):
    """Somebody whose second factor is on."""
    return SecondFactorFactory().user


def refusal(response):
    return response.status_code, response.json()["code"]


def log_in(user, password=PASSWORD):
    return APIClient().post(LOGIN, {"email": user.email, "password": password})


def challenge_for(user):
    return log_in(user).json()["challenge"]


def answer(challenge, code):
    return APIClient().post(ANSWER, {"challenge": challenge, "code": code})


def wrong(user):
    right = {code_of(user, steps=steps) for steps in (-1, 0, 1)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in right)


# Setting up


def test_a_factor_is_on_once_its_first_code_has_come(client_me, me):
    begun = client_me.post(MINE)

    assert begun.status_code == 201
    secret = begun.json()["secret"]
    assert pyotp.parse_uri(begun.json()["uri"]).secret == secret
    assert client_me.get(MINE).json()["enabled"] is False
    assert "access" in log_in(me).json()
    confirmed = client_me.post(f"{MINE}/confirm", {"code": pyotp.TOTP(secret).now()})
    assert confirmed.status_code == 200
    assert len(set(confirmed.json()["recovery_codes"])) == 10
    state = client_me.get(MINE).json()
    assert (state["enabled"], state["recovery_codes_left"]) == (True, 10)
    assert log_in(me).json()["two_factor_required"] is True
    assert AuditEntry.objects.filter(action="users.second_factor_set").count() == 1


def test_the_secret_is_encrypted_and_recovery_codes_are_hashed(client_me, me):
    secret = client_me.post(MINE).json()["secret"]
    shown = client_me.post(f"{MINE}/confirm", {"code": pyotp.TOTP(secret).now()}).json()

    stored = bytes(SecondFactor.objects.get(user=me).secret)
    assert secret.encode() not in stored
    assert decrypted(stored) == secret.encode()
    hashes = {bytes(row.hash) for row in RecoveryCode.objects.all()}
    assert hashes == {codes.hash_of(code) for code in shown["recovery_codes"]}


def test_a_wrong_first_code_turns_nothing_on(client_me, me):
    client_me.post(MINE)

    assert refusal(client_me.post(f"{MINE}/confirm", {"code": wrong(me)})) == (422, "wrong_code")

    assert client_me.get(MINE).json()["enabled"] is False


def test_a_secret_that_was_begun_before_is_replaced(client_me, me):
    first = client_me.post(MINE).json()["secret"]
    second = client_me.post(MINE).json()["secret"]

    assert first != second
    code = pyotp.TOTP(first).now()
    if code not in {code_of(me, steps=steps) for steps in (-1, 0, 1)}:
        assert refusal(client_me.post(f"{MINE}/confirm", {"code": code})) == (422, "wrong_code")


def test_setting_up_ends_the_other_sessions(client_me, me):
    other = SessionFactory(user=me)
    secret = client_me.post(MINE).json()["secret"]
    client_me.post(f"{MINE}/confirm", {"code": pyotp.TOTP(secret).now()})

    other.refresh_from_db()
    assert other.revoked_reason == Session.End.FACTOR_CHANGED
    assert client_me.get(ME).status_code == 200
    assert Session.objects.get(user=me, revoked_at=None).second_factor is True


def test_a_factor_that_is_on_is_not_set_up_again(guarded):
    client = client_of(guarded)

    assert refusal(client.post(MINE)) == (409, "second_factor_is_on")
    code = {"code": code_of(guarded)}
    assert refusal(client.post(f"{MINE}/confirm", code)) == (409, "no_second_factor")


def test_a_factor_is_taken_away_with_its_codes_and_the_other_sessions(guarded):
    client, other = client_of(guarded, second_factor=True), SessionFactory(user=guarded)
    client.post(f"{MINE}/recovery-codes")

    assert client.delete(MINE).status_code == 204

    assert "access" in log_in(guarded).json()
    assert not RecoveryCode.objects.exists()
    other.refresh_from_db()
    assert other.revoked_reason == Session.End.FACTOR_CHANGED
    assert refusal(client.delete(MINE)) == (409, "no_second_factor")
    assert AuditEntry.objects.filter(action="users.second_factor_removed").count() == 1


def test_new_recovery_codes_replace_the_old_ones(guarded):
    client = client_of(guarded)
    [old, *_] = client.post(f"{MINE}/recovery-codes").json()["recovery_codes"]
    [new, *_] = client.post(f"{MINE}/recovery-codes").json()["recovery_codes"]

    assert refusal(answer(challenge_for(guarded), old)) == (401, "invalid_code")
    assert answer(challenge_for(guarded), new).status_code == 200
    assert client.get(MINE).json()["recovery_codes_left"] == 9


def test_secrets_survive_a_new_secret_key(guarded, settings):
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    call_command("reencrypt_secrets")
    settings.SECRET_KEY_FALLBACKS = []

    assert answer(challenge_for(guarded), code_of(guarded)).status_code == 200


def test_recovery_codes_still_open_what_no_key_decrypts(guarded, settings):
    [code, *_] = second_factors.renew_recovery_codes(user_id=guarded.pk)
    app_code = code_of(guarded)
    settings.SECRET_KEY = "lost"

    assert refusal(answer(challenge_for(guarded), app_code)) == (401, "invalid_code")
    assert answer(challenge_for(guarded), code).status_code == 200


# Logging in


def test_a_login_needs_password_and_code(guarded):
    asked = log_in(guarded)

    assert asked.status_code == 200
    assert set(asked.json()) == {"two_factor_required", "challenge", "expires_in"}
    assert asked.json()["expires_in"] == 300
    assert not Session.objects.exists()
    tokens = answer(asked.json()["challenge"], code_of(guarded))
    assert tokens.status_code == 200
    assert set(tokens.json()) == {"access", "refresh", "token_type", "expires_in"}
    session = Session.objects.get()
    assert session.second_factor is True
    assert not LoginChallenge.objects.exists()
    headers = {"Authorization": f"Bearer {tokens.json()['access']}"}
    assert APIClient().get(ME, headers=headers).status_code == 200


def test_a_wrong_password_tells_nothing_of_the_factor(guarded):
    plain = UserFactory()
    answers = [log_in(user, "wrong") for user in (guarded, plain)]

    bodies = [{**each.json(), "request_id": ""} for each in answers]
    assert bodies[0] == bodies[1]
    assert refusal(answers[0]) == (401, "invalid_credentials")


def test_a_challenge_is_worth_nothing_elsewhere(guarded):
    challenge = challenge_for(guarded)
    headers = {"Authorization": f"Bearer {challenge}"}

    assert refusal(APIClient().get(ME, headers=headers)) == (401, "authentication_failed")
    refreshed = APIClient().post("/api/v1/auth/refresh", {"refresh": challenge})
    assert refusal(refreshed) == (401, "invalid_refresh_token")
    assert not Session.objects.exists()


def test_a_challenge_opens_one_session(guarded):
    challenge = challenge_for(guarded)
    assert answer(challenge, code_of(guarded)).status_code == 200

    again = answer(challenge, code_of(guarded, steps=1))

    assert refusal(again) == (401, "invalid_challenge")


def test_a_challenge_is_of_one_account(guarded):
    other = SecondFactorFactory().user

    assert refusal(answer(challenge_for(guarded), code_of(other))) == (401, "invalid_code")
    assert not Session.objects.exists()


def test_a_challenge_is_over_after_five_minutes(guarded):
    challenge = challenge_for(guarded)
    LoginChallenge.objects.update(expires_at=Now())

    assert refusal(answer(challenge, code_of(guarded))) == (401, "invalid_challenge")


def test_a_challenge_is_over_after_five_wrong_codes(guarded):
    challenge = challenge_for(guarded)
    for _ in range(5):
        assert refusal(answer(challenge, wrong(guarded))) == (401, "invalid_code")

    assert refusal(answer(challenge, code_of(guarded))) == (401, "invalid_challenge")


@pytest.mark.parametrize("change", ["password", "logout everywhere", "disabled"])
def test_a_challenge_is_over_when_the_account_changes(guarded, change):
    challenge = challenge_for(guarded)
    match change:
        case "password":
            passwords.change_password(user_id=guarded.pk, password="a fresh password")
        case "logout everywhere":
            sessions.end_all(user_id=guarded.pk, reason=Session.End.LOGGED_OUT)
        case "disabled":
            guarded.is_active = False
            guarded.save()

    assert refusal(answer(challenge, code_of(guarded))) == (401, "invalid_challenge")
    assert not Session.objects.exists()


def test_a_factor_that_is_taken_away_takes_its_challenges_along(guarded):
    challenge, code = challenge_for(guarded), code_of(guarded)
    second_factors.remove(user_id=guarded.pk, session=None)

    assert refusal(answer(challenge, code)) == (401, "invalid_challenge")


def test_a_code_works_once(guarded):
    code = code_of(guarded)
    assert answer(challenge_for(guarded), code).status_code == 200

    assert refusal(answer(challenge_for(guarded), code)) == (401, "invalid_code")
    assert answer(challenge_for(guarded), code_of(guarded, steps=1)).status_code == 200
    assert refusal(answer(challenge_for(guarded), code_of(guarded))) == (401, "invalid_code")


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
def test_clocks_may_differ_by_half_a_minute(guarded, monkeypatch, steps, status):
    now = codes.time.time() // 30 * 30 + 15
    monkeypatch.setattr(codes.time, "time", lambda: now)
    secret = decrypted(SecondFactor.objects.get().secret).decode()

    shown = pyotp.TOTP(secret).at(now + 30 * steps)

    assert answer(challenge_for(guarded), shown).status_code == status


def test_a_recovery_code_works_once_in_any_spelling(guarded):
    [code, *_] = second_factors.renew_recovery_codes(user_id=guarded.pk)
    spelt = code.replace("-", " ").upper()

    assert answer(challenge_for(guarded), spelt).status_code == 200
    assert refusal(answer(challenge_for(guarded), code)) == (401, "invalid_code")


@pytest.mark.parametrize(
    "code", ["", "x", "12345", "1234567", "١٢٣٤٥٦", "' OR 1=1", "0" * 41, None, 123456]
)
def test_garbage_is_no_code(guarded, code):
    response = answer(challenge_for(guarded), code)

    assert response.status_code in {400, 401}
    assert not Session.objects.exists()


@pytest.mark.parametrize("challenge", ["x", "ü", "' OR 1=1", "a" * 100])
def test_garbage_is_no_challenge(guarded, challenge):
    assert refusal(answer(challenge, code_of(guarded))) == (401, "invalid_challenge")


def test_a_known_password_gives_no_more_guesses_than_an_unknown_one(guarded, settings):
    """Right passwords and wrong codes share one counter, so that 10 guesses are all there are."""
    decided = 0
    for _ in range(12):
        asked = log_in(guarded)
        if asked.status_code == 429:
            break
        guessed = answer(asked.json()["challenge"], wrong(guarded))
        if guessed.status_code == 429:
            break
        decided += 1

    assert decided == settings.LOGIN_ATTEMPTS_PER_ACCOUNT // 2
    assert refusal(log_in(guarded)) == (429, "too_many_attempts")


def test_after_a_hundred_wrong_codes_only_a_recovery_code_helps(guarded, settings):
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 1000
    [code, *_] = second_factors.renew_recovery_codes(user_id=guarded.pk)
    SecondFactor.objects.update(wrong_codes=99)
    challenge = challenge_for(guarded)
    assert refusal(answer(challenge, wrong(guarded))) == (401, "invalid_code")

    assert refusal(answer(challenge, code_of(guarded))) == (401, "invalid_code")
    assert answer(challenge, code).status_code == 200
    assert answer(challenge_for(guarded), code_of(guarded)).status_code == 200


def test_a_right_code_takes_the_attempts_back(guarded):
    for _ in range(3):
        answer(challenge_for(guarded), wrong(guarded))

    assert answer(challenge_for(guarded), code_of(guarded)).status_code == 200

    failures = dict(LoginAttempts.objects.values_list("key", "failures"))
    assert [count for key, count in failures.items() if key.startswith("account")] == [0]
    assert [count for key, count in failures.items() if key.startswith("network")] == [3]


def test_without_a_factor_a_login_costs_two_statements(django_assert_num_queries):
    user = UserFactory()

    with django_assert_num_queries(2):
        sessions.log_in(email=user.email, password=PASSWORD, ip=None, user_agent="")


# Stepping up


def dangerous(client):
    return client.post(MINE)


def let_the_proof_age():
    Session.objects.update(proven_at=F("proven_at") - timedelta(minutes=11))


def test_what_is_dangerous_needs_a_fresh_proof(client_me):
    let_the_proof_age()

    assert refusal(dangerous(client_me)) == (403, "step_up_required")

    assert client_me.post(STEP_UP, {"password": PASSWORD}).status_code == 204
    assert dangerous(client_me).status_code == 201
    assert AuditEntry.objects.filter(action="users.stepped_up").count() == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", MINE),
        ("delete", MINE),
        ("post", f"{MINE}/confirm"),
        ("post", f"{MINE}/recovery-codes"),
    ],
)
def test_every_change_of_the_factor_is_dangerous(guarded, method, path):
    client = client_of(guarded, second_factor=True)
    let_the_proof_age()

    assert refusal(getattr(client, method)(path)) == (403, "step_up_required")
    assert client.get(MINE).status_code == 200


def test_a_wrong_password_proves_nothing(client_me):
    let_the_proof_age()

    assert refusal(client_me.post(STEP_UP, {"password": "wrong"})) == (422, "wrong_proof")
    assert refusal(client_me.post(STEP_UP, {})) == (422, "wrong_proof")
    assert refusal(dangerous(client_me)) == (403, "step_up_required")


def test_with_a_factor_only_a_code_proves(guarded):
    client = client_of(guarded)
    let_the_proof_age()

    assert refusal(client.post(STEP_UP, {"password": PASSWORD})) == (422, "wrong_proof")

    assert client.post(STEP_UP, {"code": code_of(guarded)}).status_code == 204
    session = Session.objects.get()
    assert session.second_factor is True
    assert client.post(f"{MINE}/recovery-codes").status_code == 200


def test_proofs_are_limited_like_logins(client_me):
    for _ in range(10):
        client_me.post(STEP_UP, {"password": "wrong"})

    assert refusal(client_me.post(STEP_UP, {"password": PASSWORD})) == (429, "too_many_attempts")


# Under contention


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_who_bring_one_code_one_gets_in(settings):
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 100
    user = SecondFactorFactory().user
    challenges, code = [challenge_for(user) for _ in range(16)], code_of(user)

    def bring(n):
        return proofs.answer_challenge(
            challenge=challenges[n], code=code, ip="192.0.2.1", user_agent=""
        )

    answers = at_once(16, bring)

    assert Counter(type(each) for each in answers) == {
        sessions.OpenSession: 1,
        proofs.InvalidCode: 15,
    }


@pytest.mark.django_db(transaction=True)
def test_of_sixteen_who_bring_one_recovery_code_one_gets_in(settings):
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 100
    user = SecondFactorFactory().user
    [code, *_] = second_factors.renew_recovery_codes(user_id=user.pk)

    answers = at_once(16, lambda _: codes.spend(user_id=user.pk, code=code))

    assert Counter(answers) == {True: 1, False: 15}


@pytest.mark.django_db(transaction=True)
def test_of_thirty_two_wrong_codes_for_one_challenge_five_are_looked_at():
    user = SecondFactorFactory().user
    challenge, code = challenge_for(user), wrong(user)

    answers = at_once(
        32,
        lambda _: proofs.answer_challenge(challenge=challenge, code=code, ip=None, user_agent=""),
    )

    assert Counter(type(each) for each in answers) == {
        proofs.InvalidCode: 5,
        proofs.InvalidChallenge: 27,
    }


@pytest.mark.django_db(transaction=True)
def test_of_sixty_four_wrong_codes_for_many_challenges_the_accounts_limit_is_looked_at(settings):
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 1000
    user = SecondFactorFactory().user
    challenges, code = [challenge_for(user) for _ in range(64)], wrong(user)
    LoginAttempts.objects.all().delete()
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 10

    def guess(n):
        return proofs.answer_challenge(
            challenge=challenges[n], code=code, ip=f"192.0.2.{n}", user_agent=""
        )

    assert Counter(type(each) for each in at_once(64, guess)) == {
        proofs.InvalidCode: 10,
        attempts.TooManyAttempts: 54,
    }


@pytest.mark.django_db(transaction=True)
def test_a_login_by_password_alone_does_not_slip_past_a_factor_that_is_just_set():
    for _ in range(5):
        user = UserFactory()
        enrolment = second_factors.begin(user_id=user.pk, email=user.email)
        session = SessionFactory(user=user)

        def set_or_enter(n, user=user, enrolment=enrolment, session=session):
            if n == 0:
                code = pyotp.TOTP(enrolment.secret).now()
                return second_factors.confirm(user_id=user.pk, code=code, session=session)
            return sessions.log_in(email=user.email, password=PASSWORD, ip=None, user_agent="")

        at_once(4, set_or_enter)

        inside = Session.objects.filter(user=user, revoked_at=None)
        assert [each.pk for each in inside if not each.second_factor] == []


@pytest.mark.django_db(transaction=True)
def test_a_password_that_is_being_changed_asks_for_no_code():
    user = SecondFactorFactory().user

    def log_in_late():
        try:
            return sessions.log_in(email=user.email, password=PASSWORD, ip=None, user_agent="")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            passwords.change_password(user_id=user.pk, password="another long password")
            answer = pool.submit(log_in_late)
            wait_until_somebody_waits()
        with pytest.raises(sessions.InvalidCredentials):
            answer.result(timeout=10)

    assert not LoginChallenge.objects.exists()
