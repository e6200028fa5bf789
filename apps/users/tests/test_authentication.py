"""Which access tokens are believed, and what asking costs."""

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client

from apps.users.models import Session
from apps.users.selectors.signing_keys import first_key
from apps.users.tests.factories import SessionFactory, UserFactory, access_token_for
from apps.users.tokens import FIRST_KID, access_token

pytestmark = pytest.mark.django_db

ME = "/api/v1/users/me"
KEY = settings.SIMPLE_JWT["SIGNING_KEY"]
PUBLIC_KEY = first_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
OTHER_KEY = generate_private_key(SECP256R1())
HEADER = {"typ": "at+jwt", "kid": FIRST_KID}


@pytest.fixture
def session():
    return SessionFactory()


def ask(header):
    return Client(raise_request_exception=False).get(ME, headers={"Authorization": header})


def claims(session, **changes):
    now = int(time.time())
    own = {
        "iss": settings.SIMPLE_JWT["ISSUER"],
        "aud": settings.SIMPLE_JWT["AUDIENCE"],
        "sub": str(session.user_id),
        "sid": str(session.pk),
        "jti": "1",
        "iat": now,
        "exp": now + 300,
        "token_type": "access",
        **changes,
    }
    return {name: value for name, value in own.items() if value is not None}


def signed(payload, key=KEY, algorithm="ES256", **header):
    return jwt.encode(payload, key, algorithm=algorithm, headers={**HEADER, **header})


def part(document):
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def renamed(token, algorithm):
    return ".".join((part({"alg": algorithm, **HEADER}), *token.split(".")[1:]))


def with_kid(token, kid):
    return ".".join((part({"alg": "ES256", **HEADER, "kid": kid}), *token.split(".")[1:]))


def without_kid(token):
    return ".".join((part({"alg": "ES256", "typ": "at+jwt"}), *token.split(".")[1:]))


def hmac_signed_with_the_public_key(session):
    text = f"{part({'alg': 'HS256', **HEADER})}.{part(claims(session))}"
    mac = hmac.new(PUBLIC_KEY, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def assert_refused(response):
    assert (response.status_code, response.json()["code"]) == (401, "authentication_failed")
    assert response["WWW-Authenticate"] == "Bearer"
    assert response["Content-Type"] == "application/problem+json"


def test_our_own_token_is_believed(session):
    assert ask(f"Bearer {signed(claims(session))}").status_code == 200


def test_the_scheme_is_known_in_any_case(session):
    assert ask(f"bearer {signed(claims(session))}").status_code == 200


def test_a_token_of_the_release_before_names_no_key_and_is_believed(session):
    token = jwt.encode(claims(session), KEY, algorithm="ES256", headers={"typ": "at+jwt"})

    assert ask(f"Bearer {token}").status_code == 200


def test_an_issued_token_carries_the_agreed_claims_and_no_more(session):
    token = access_token(user_id=session.user_id, session_id=session.pk)

    decoded = jwt.decode_complete(
        token, PUBLIC_KEY, ["ES256"], audience="storefront", issuer=settings.PUBLIC_URL
    )
    payload = decoded["payload"]
    assert decoded["header"] == {"alg": "ES256", "typ": "at+jwt", "kid": FIRST_KID}
    assert set(payload) == {"iss", "aud", "sub", "sid", "jti", "iat", "exp", "token_type"}
    assert (payload["sub"], payload["sid"]) == (str(session.user_id), str(session.pk))
    assert payload["exp"] - payload["iat"] == 300


def test_authenticating_costs_one_statement(django_assert_num_queries):
    token = access_token_for(UserFactory())

    with django_assert_num_queries(1):
        assert ask(f"Bearer {token}").status_code == 200


FORGERIES = {
    "no algorithm": lambda s: f"{part({'alg': 'none', **HEADER})}.{part(claims(s))}.",
    "no algorithm, in capitals": lambda s: f"{part({'alg': 'NONE', **HEADER})}.{part(claims(s))}.",
    "no algorithm named": lambda s: f"{part(HEADER)}.{part(claims(s))}.",
    "HS256 with the public key": hmac_signed_with_the_public_key,
    "another key": lambda s: signed(claims(s), OTHER_KEY),
    "another algorithm's name": lambda s: renamed(signed(claims(s)), "ES384"),
    "our key under HS256's name": lambda s: renamed(signed(claims(s)), "HS256"),
    "unknown crit": lambda s: signed(claims(s), crit=["x-unknown"], **{"x-unknown": 1}),
    "own key inside": lambda s: signed(claims(s), OTHER_KEY, jwk={"kty": "EC"}),
    "own key elsewhere": lambda s: signed(claims(s), OTHER_KEY, jku="http://127.0.0.1:9/"),
    "own certificate elsewhere": lambda s: signed(claims(s), OTHER_KEY, x5u="http://127.0.0.1:9/"),
    "unknown kid": lambda s: signed(claims(s), kid="x" * 43),
    "empty kid": lambda s: signed(claims(s), kid=""),
    "kid traversal": lambda s: signed(claims(s), kid="../../../../dev/null"),
    "kid address": lambda s: signed(claims(s), kid="http://127.0.0.1:9/"),
    "kid SQL": lambda s: signed(claims(s), kid=f"{FIRST_KID}' OR 1=1 --"),
    "kid with NUL": lambda s: signed(claims(s), kid=f"{FIRST_KID}\0"),
    "kid list": lambda s: with_kid(signed(claims(s)), [FIRST_KID]),
    "kid object": lambda s: with_kid(signed(claims(s)), {"kid": FIRST_KID}),
    "kid number": lambda s: with_kid(signed(claims(s)), 7),
    "no kid, another key": lambda s: without_kid(signed(claims(s), OTHER_KEY)),
    "plain JWT type": lambda s: signed(claims(s), typ="JWT"),
    "expired": lambda s: signed(claims(s, exp=int(time.time()) - 1)),
    "never expires": lambda s: signed(claims(s, exp=None)),
    "expires in text": lambda s: signed(claims(s, exp="tomorrow")),
    "expires beyond time": lambda s: signed(claims(s, exp=10**30)),
    "not yet valid": lambda s: signed(claims(s, nbf=int(time.time()) + 60)),
    "issued in the future": lambda s: signed(claims(s, iat=int(time.time()) + 600)),
    "another issuer": lambda s: signed(claims(s, iss="https://elsewhere.example")),
    "no issuer": lambda s: signed(claims(s, iss=None)),
    "another audience": lambda s: signed(claims(s, aud="backoffice")),
    "no audience": lambda s: signed(claims(s, aud=None)),
    "simplejwt's refresh token": lambda s: signed(claims(s, token_type="refresh")),
    "no token type": lambda s: signed(claims(s, token_type=None)),
    "no id": lambda s: signed(claims(s, jti=None)),
    "no session": lambda s: signed(claims(s, sid=None)),
    "unknown session": lambda s: signed(claims(s, sid=str(uuid4()))),
    "garbage session": lambda s: signed(claims(s, sid="x' OR 1=1 --")),
    "NUL in the session": lambda s: signed(claims(s, sid="\0")),
    "numeric session": lambda s: signed(claims(s, sid=7)),
    "session list": lambda s: signed(claims(s, sid=[str(s.pk)])),
    "no subject": lambda s: signed(claims(s, sub=None)),
    "garbage subject": lambda s: signed(claims(s, sub="root")),
    "subject object": lambda s: signed(claims(s, sub={"id": str(s.user_id)})),
    "somebody else's session": lambda s: signed(claims(s, sub=str(UserFactory.create().pk))),
    "claims in a list": lambda s: f"{part({'alg': 'ES256', **HEADER})}.{part([1])}.AA",
    "empty": lambda s: "",
    "one part": lambda s: "token",
    "dots": lambda s: "..",
    "two tokens": lambda s: f"{signed(claims(s))} {signed(claims(s))}",
    "NUL bytes": lambda s: signed(claims(s)) + "\0",
    "cut off": lambda s: signed(claims(s))[:-4],
    "1 MB": lambda s: "a" * 1024 * 1024,
    "1 MB of claims": lambda s: signed(claims(s, padding="x" * 1024 * 1024)),
    "not ASCII": lambda s: "tökén",
    "half a character": lambda s: "\xff\xfe",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
def test_any_other_token_is_refused(session, forgery):
    assert_refused(ask(f"Bearer {forgery(session)}"))


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Token x", "\0", "ü", ","])
def test_any_other_kind_of_authorization_is_refused(header):
    assert_refused(ask(header))


def test_a_refresh_token_gives_no_access(session):
    assert_refused(ask("Bearer k2Fm8sQ1h3vYw0Zr5tUu7xXzA9bCdEfGhIjKlMnOpQs"))


def test_without_the_header_nobody_asks():
    response = Client().get(ME)

    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_a_disabled_account_is_out_at_once(session):
    token = signed(claims(session))
    session.user.is_active = False
    session.user.save()

    assert_refused(ask(f"Bearer {token}"))


def test_a_deleted_account_is_refused_without_an_error(session):
    token = signed(claims(session))
    session.user.delete()

    assert_refused(ask(f"Bearer {token}"))


def test_a_revoked_session_is_out_at_once(session):
    token = signed(claims(session))
    Session.objects.update(revoked_at=Now(), revoked_reason=Session.End.REVOKED_BY_STAFF)

    assert_refused(ask(f"Bearer {token}"))


def test_a_session_ends_however_fresh_the_token(session):
    token = signed(claims(session))
    Session.objects.update(
        created_at=F("created_at") - timedelta(days=1),
        expires_at=F("expires_at") - timedelta(days=1),
    )

    assert_refused(ask(f"Bearer {token}"))
