"""The keys of access tokens change, and nobody valid is refused."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.test import Client

from apps.kernel.models import AuditEntry
from apps.users import tokens
from apps.users.models import SigningKey
from apps.users.selectors import signing_keys as selectors
from apps.users.selectors.signing_keys import Keys
from apps.users.services import signing_keys
from apps.users.tests.factories import SessionFactory, UserFactory, access_token_for
from apps.users.tests.test_races import at_once

pytestmark = pytest.mark.django_db
JWKS = "/.well-known/jwks.json"
ME = "/api/v1/users/me"


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    """The process's keyring is of this test alone."""
    monkeypatch.setattr(tokens.keys, "remembered_for", selectors.REMEMBERED_FOR)
    tokens.keys.forget()
    yield
    tokens.keys.forget()


def later(seconds):
    """Let time go by, for the keys and for what the process remembers of them."""
    ago = timedelta(seconds=seconds)
    SigningKey.objects.update(
        published_at=F("published_at") - ago,
        signs_from=F("signs_from") - ago,
        retired_at=F("retired_at") - ago,
    )
    tokens.keys.forget()


def published():
    return {key["kid"] for key in Client().get(JWKS).json()["keys"]}


def kid_of(token):
    return jwt.get_unverified_header(token)["kid"]


def status_of(token):
    return Client().get(ME, headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_store_begins_with_the_key_of_its_environment():
    answer = Client().get(JWKS)

    [key] = answer.json()["keys"]
    assert key["kid"] == tokens.FIRST_KID
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert answer["Cache-Control"] == "public, max-age=300"
    token = access_token_for(UserFactory())
    options = {"audience": "storefront", "algorithms": ["ES256"]}
    assert jwt.decode(token, jwt.PyJWK(key), **options)["sub"]


def test_a_new_key_is_published_then_signs_and_the_former_ends_after_its_tokens():
    old = access_token_for(UserFactory())

    new_kid = signing_keys.rotate().kid

    tokens.keys.forget()
    assert published() == {tokens.FIRST_KID, new_kid}
    assert kid_of(access_token_for(UserFactory())) == tokens.FIRST_KID
    later(signing_keys.WAIT.total_seconds())
    new = access_token_for(UserFactory())
    assert kid_of(new) == new_kid
    assert (status_of(old), status_of(new)) == (200, 200)
    later(tokens.LIFETIME.total_seconds())
    assert (status_of(old), status_of(new)) == (200, 200)
    later(21)
    assert (status_of(old), status_of(new)) == (401, 200)
    assert published() == {new_kid}


def test_the_key_is_published_longer_than_anybody_remembers_the_ones_before():
    assert signing_keys.WAIT > signing_keys.JWKS_MAX_AGE
    assert signing_keys.WAIT > selectors.REMEMBERED_FOR


def test_a_compromised_key_ends_when_the_next_one_signs():
    old = access_token_for(UserFactory())
    signing_keys.rotate()

    last = signing_keys.rotate(wait=timedelta(seconds=20), compromised=True)

    ends = SigningKey.objects.exclude(pk=last.kid).values_list("retired_at", flat=True)
    assert set(ends) == {last.signs_from}
    later(21)
    assert status_of(old) == 401
    assert published() == {last.kid}
    assert status_of(access_token_for(UserFactory())) == 200


def test_a_second_rotation_waits_for_the_first():
    signing_keys.rotate()

    with pytest.raises(signing_keys.RotationUnderWay):
        signing_keys.rotate()

    later(signing_keys.WAIT.total_seconds())
    signing_keys.rotate()
    assert SigningKey.objects.count() == 3


def test_a_wait_that_would_refuse_somebody_is_refused():
    with pytest.raises(signing_keys.TooShortWait):
        signing_keys.rotate(wait=timedelta(seconds=19))


def test_private_keys_are_encrypted_and_survive_a_new_secret_key(settings):
    kid = signing_keys.rotate().kid
    later(signing_keys.WAIT.total_seconds())
    stored = bytes(SigningKey.objects.get(pk=kid).private_key)
    assert b"PRIVATE KEY" not in stored

    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    tokens.keys.forget()
    assert kid_of(access_token_for(UserFactory())) == kid
    call_command("reencrypt_secrets", stdout=StringIO())
    settings.SECRET_KEY_FALLBACKS = []
    tokens.keys.forget()
    assert kid_of(access_token_for(UserFactory())) == kid

    settings.SECRET_KEY = "a third one"
    with pytest.raises(CommandError, match="2 are under a key that is not"):
        call_command("reencrypt_secrets", stdout=StringIO())


def test_a_process_with_the_former_secret_key_goes_on_with_the_former_signing_key(settings):
    signing_keys.rotate()
    settings.SECRET_KEY, before = "another", settings.SECRET_KEY
    settings.SECRET_KEY_FALLBACKS = [before]
    later(signing_keys.WAIT.total_seconds())
    newest = signing_keys.rotate(wait=timedelta(seconds=20)).kid
    later(21)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = before, []
    tokens.keys.forget()

    token = access_token_for(UserFactory())

    assert kid_of(token) != newest
    assert status_of(token) == 200


def test_keys_are_read_once_in_ten_seconds(django_assert_num_queries, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(selectors.time, "monotonic", lambda: clock[0])
    tokens.keys.forget()
    token = access_token_for(UserFactory())

    for seconds, statements in ((0, 1), (10, 1), (10.5, 2), (11, 1)):
        clock[0] = 1000 + seconds
        with django_assert_num_queries(statements):
            assert status_of(token) == 200


def test_an_unknown_key_costs_no_statement(django_assert_num_queries):
    session = SessionFactory()
    access_token_for(UserFactory())
    claims = {"sub": str(session.user_id), "sid": str(session.pk)}
    headers = {"typ": "at+jwt", "kid": str(uuid4())}
    key = generate_private_key(SECP256R1())

    with django_assert_num_queries(0):
        assert status_of(jwt.encode(claims, key, algorithm="ES256", headers=headers)) == 401


def test_keys_retired_a_day_ago_are_deleted():
    signing_keys.rotate()
    later(signing_keys.WAIT.total_seconds() + 320)
    assert signing_keys.forget_retired_keys() == 0

    later(24 * 60 * 60 + 1)

    assert signing_keys.forget_retired_keys() == 1
    assert SigningKey.objects.count() == 1


def test_the_command_says_what_happens_when_and_the_audit_log_keeps_it():
    told = StringIO()

    call_command("rotate_signing_key", stdout=told)

    newest = SigningKey.objects.get(retired_at=None)
    assert f"{newest.signs_from:%H:%M:%S}" in told.getvalue()
    entry = AuditEntry.objects.get(action="users.signing_key_rotated")
    assert entry.about == newest.kid
    with pytest.raises(CommandError, match="does not sign yet"):
        call_command("rotate_signing_key", stdout=told)


def test_two_keys_without_an_end_cannot_be():
    signing_keys.rotate()
    row = SigningKey.objects.get(retired_at=None)
    row.kid = "another"

    with pytest.raises(IntegrityError, match="signing_key_one_has_no_end"), transaction.atomic():
        row.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
def test_of_several_rotations_at_once_one_happens():
    answers = at_once(8, lambda _: signing_keys.rotate())

    assert sorted(type(answer).__name__ for answer in answers) == (
        ["Rotation", *["RotationUnderWay"] * 7]
    )
    assert SigningKey.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_under_load_two_processes_rotate_twice_and_refuse_nobody(monkeypatch):
    """In fast motion: each process has its own idea of the keys, and reads the other's tokens."""
    life, newest, kids, refusals, stop = 0.5, {}, set(), [], threading.Event()
    remembered_for = timedelta(seconds=0.1)
    monkeypatch.setattr(signing_keys, "REMEMBERED_FOR", remembered_for)
    lifetime = {"ACCESS_TOKEN_LIFETIME": timedelta(seconds=life)}
    monkeypatch.setattr(signing_keys.settings, "SIMPLE_JWT", settings.SIMPLE_JWT | lifetime)
    session = SessionFactory()

    def process(name):
        own = Keys(remembered_for=remembered_for)
        backend = tokens.TypedTokenBackend(
            "ES256", keys=own, audience="storefront", issuer=settings.PUBLIC_URL
        )
        claims = tokens.StoreAccessToken()
        claims["sub"], claims["sid"] = str(session.user_id), str(session.pk)
        issued = []
        try:
            while not stop.is_set():
                newest[name] = backend.encode(claims.payload)
                kids.add(kid_of(newest[name]))
                issued.append((time.monotonic(), newest[name]))
                issued = [each for each in issued if each[0] > time.monotonic() - life]
                for token in (issued[0][1], *newest.values()):
                    backend.decode(token)
                time.sleep(0.005)
        except Exception as error:
            refusals.append(repr(error))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as processes:
        working = [processes.submit(process, name) for name in ("one", "two")]
        for _ in range(2):
            last = signing_keys.rotate(wait=timedelta(seconds=0.4))
            time.sleep(1.5)
        stop.set()
        for each in working:
            each.result()

    assert refusals == []
    assert len(kids) == 3
    assert set(selectors.read_keyring().public_keys) == {last.kid}
