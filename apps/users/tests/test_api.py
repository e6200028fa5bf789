"""What the HTTP API promises about accounts, sessions and profiles."""

import json

import pytest
from django.test import Client

from apps.users.models import Session, User
from apps.users.tests.factories import (
    PASSWORD,
    UserFactory,
    access_token_for,
    mailed_token,
)

pytestmark = pytest.mark.django_db

REGISTER, LOGIN = "/api/v1/auth/register", "/api/v1/auth/login"
VERIFY = "/api/v1/auth/verify-email"
REFRESH, LOGOUT, ME = "/api/v1/auth/refresh", "/api/v1/auth/logout", "/api/v1/users/me"
PERSON = "/api/v1/users/{user_id}"
LOGOUT_ALL, SESSIONS = "/api/v1/auth/logout-all", "/api/v1/users/me/sessions"
TWO_FACTOR = "/api/v1/users/me/two-factor"


@pytest.fixture
def api():
    return Client(raise_request_exception=False)


def post(api, path, document, **headers):
    return api.post(path, json.dumps(document), content_type="application/json", headers=headers)


def put(api, path, document, **headers):
    return api.put(path, json.dumps(document), content_type="application/json", headers=headers)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def entries(response):
    return {(entry["pointer"], entry["code"]) for entry in response.json()["errors"]}


def registration(**changes):
    return {"email": "ada@example.com", "password": PASSWORD, **changes}


def register(api, **changes):
    """Register and open the account by the mail that comes."""
    asked = post(api, REGISTER, registration(**changes))
    assert asked.status_code == 202
    document = registration(**changes)
    token = mailed_token(document["email"].lower())
    return post(api, VERIFY, {"token": token, "password": document["password"]})


def test_an_account_opens_by_the_mail_and_the_password_of_its_registration(api):
    response = register(api, email="Ada@Example.COM", first_name="Ada")

    user = User.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": str(user.pk),
        "email": "ada@example.com",
        "first_name": "Ada",
        "last_name": "",
        "phone": "",
        "locale": "",
        "avatar": None,
        "created_at": user.date_joined.isoformat(),
        "version": 1,
    }
    assert response["Cache-Control"] == "private, no-store"
    assert not user.is_staff
    assert not user.is_superuser
    assert post(api, LOGIN, registration()).status_code == 200


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({}, {("/email", "required"), ("/password", "required")}),
        (registration(email="nobody"), {("/email", "invalid")}),
        (registration(email=7), {("/email", "invalid")}),
        (registration(email=["ada@example.com"]), {("/email", "invalid")}),
        (registration(email=None), {("/email", "null")}),
        (registration(email="ada@bücher.example"), {("/email", "not_ascii")}),
        (registration(email="a" * 250 + "@example.com"), {("/email", "max_length")}),
        (registration(password="Sh0rt!!"), {("/password", "password_too_short")}),
        (registration(password="basketball"), {("/password", "password_too_common")}),
        (registration(password="ada@example.com"), {("/password", "password_too_similar")}),
        (registration(password="x" * 129), {("/password", "max_length")}),
        (registration(password=1234567890), {("/password", "invalid")}),
        (registration(password=True), {("/password", "invalid")}),
        (registration(first_name="x" * 101), {("/first_name", "max_length")}),
        (registration(last_name={"a": 1}), {("/last_name", "invalid")}),
        (registration(is_staff=True), {("/is_staff", "unknown_field")}),
        (registration(is_superuser=True, id="x"), {
            ("/is_superuser", "unknown_field"),
            ("/id", "unknown_field"),
        }),
    ],
)  # fmt: skip
def test_a_faulty_registration_is_refused_at_the_place_of_the_fault(api, document, expected):
    response = post(api, REGISTER, document)

    assert (response.status_code, response.json()["code"]) == (400, "validation_failed")
    assert response["Content-Type"] == "application/problem+json"
    assert expected <= entries(response)
    assert not User.objects.exists()


@pytest.mark.parametrize("path", [REGISTER, LOGIN, REFRESH])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"text"', 400),
        (b'{"email": NaN}', 400),
        (b'{"email": "a\\u0000@example.com", "password": "x", "refresh": "x"}', 400),
        (b'{"email": "\\ud800", "password": "x", "refresh": "x"}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"password": "' + b"x" * 1024 * 1024 + b'"}', 413),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(api, path, body, status):
    response = api.post(path, body, content_type="application/json")

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", [REGISTER, LOGIN, REFRESH])
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_what_a_foreign_page_could_send_without_asking_is_refused(api, path, content_type):
    response = api.post(path, b"refresh=x", content_type=content_type)

    assert response.status_code == 415


def test_a_password_of_128_characters_counts_to_its_last(api):
    password = "correct horse " * 9 + "!z"
    assert len(password) == 128

    assert register(api, password=password).status_code == 201

    assert post(api, LOGIN, registration(password=password)).status_code == 200
    assert post(api, LOGIN, registration(password=password[:-1])).status_code == 401


def test_blanks_around_a_password_belong_to_it(api):
    register(api, password=f" {PASSWORD} ")

    assert post(api, LOGIN, registration()).status_code == 401
    assert post(api, LOGIN, registration(password=f" {PASSWORD} ")).status_code == 200


def test_logging_in_answers_tokens_that_work(api):
    user = UserFactory(email="ada@example.com")

    response = post(api, LOGIN, registration(email="Ada@example.com"), **{"User-Agent": "test"})

    tokens = response.json()
    assert response.status_code == 200
    assert response["Cache-Control"] == "private, no-store"
    assert set(tokens) == {"access", "refresh", "token_type", "expires_in"}
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 300)
    assert api.get(ME, headers=bearer(tokens["access"])).json()["id"] == str(user.pk)
    session = Session.objects.get()
    assert (session.user_agent, session.ip) == ("test", "127.0.0.1")


def test_a_failed_login_does_not_tell_whether_there_is_an_account(api):
    UserFactory(email="ada@example.com")
    UserFactory(email="gone@example.com", is_active=False)

    answers = [
        post(api, LOGIN, registration(password="wrong password")),
        post(api, LOGIN, registration(email="nobody@example.com")),
        post(api, LOGIN, registration(email="gone@example.com")),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
        assert answer["WWW-Authenticate"] == "Bearer"
    varying = ("request_id",)
    documents = [{k: v for k, v in a.json().items() if k not in varying} for a in answers]
    assert documents[0] == documents[1] == documents[2]
    names = [sorted(name for name, _ in answer.items()) for answer in answers]
    assert names[0] == names[1] == names[2]
    assert not Session.objects.exists()


def test_too_many_failures_have_to_wait_even_with_the_right_password(api, settings):
    settings.LOGIN_ATTEMPTS_PER_ACCOUNT = 3
    UserFactory(email="ada@example.com")
    for _ in range(3):
        assert post(api, LOGIN, registration(password="wrong password")).status_code == 401

    response = post(api, LOGIN, registration())

    assert (response.status_code, response.json()["code"]) == (429, "too_many_attempts")
    assert 890 <= int(response["Retry-After"]) <= 900
    assert response["RateLimit"].endswith(f'"too_many_attempts";r=0;t={response["Retry-After"]}')


def test_refreshing_answers_the_next_tokens(api):
    UserFactory(email="ada@example.com")
    first = post(api, LOGIN, registration()).json()

    second = post(api, REFRESH, {"refresh": first["refresh"]})

    assert second.status_code == 200
    assert second.json()["refresh"] != first["refresh"]
    assert api.get(ME, headers=bearer(second.json()["access"])).status_code == 200
    assert post(api, REFRESH, {"refresh": second.json()["refresh"]}).status_code == 200


@pytest.mark.parametrize("token", ["x", "ü" * 43, "a.b.c", "' OR 1=1 --"])
def test_an_unknown_refresh_token_is_refused(api, token):
    response = post(api, REFRESH, {"refresh": token})

    assert (response.status_code, response.json()["code"]) == (401, "invalid_refresh_token")


@pytest.mark.parametrize("document", [{}, {"refresh": 1}, {"refresh": "x" * 101}, {"refresh": ""}])
def test_a_malformed_refresh_is_a_validation_problem(api, document):
    response = post(api, REFRESH, document)

    assert (response.status_code, response.json()["code"]) == (400, "validation_failed")


def test_logging_out_ends_access_and_refresh_at_once(api):
    UserFactory(email="ada@example.com")
    tokens = post(api, LOGIN, registration()).json()

    response = api.generic("POST", LOGOUT, headers=bearer(tokens["access"]))

    assert (response.status_code, response.content) == (204, b"")
    assert api.get(ME, headers=bearer(tokens["access"])).status_code == 401
    assert post(api, REFRESH, {"refresh": tokens["refresh"]}).status_code == 401
    assert Session.objects.get().revoked_reason == "logged_out"


def test_logging_out_leaves_the_other_devices_alone(api):
    UserFactory(email="ada@example.com")
    phone, laptop = (post(api, LOGIN, registration()).json() for _ in range(2))

    post(api, LOGOUT, {"refresh": phone["refresh"]}, **bearer(phone["access"]))

    assert api.get(ME, headers=bearer(laptop["access"])).status_code == 200
    assert api.get(ME, headers=bearer(phone["access"])).status_code == 401


def test_logging_out_with_a_strangers_refresh_token_does_nothing_to_the_stranger(api):
    UserFactory(email="ada@example.com")
    UserFactory(email="eve@example.com")
    ada = post(api, LOGIN, registration()).json()
    eve = post(api, LOGIN, registration(email="eve@example.com")).json()

    post(api, LOGOUT, {"refresh": ada["refresh"]}, **bearer(eve["access"]))

    assert api.get(ME, headers=bearer(ada["access"])).status_code == 200
    assert api.get(ME, headers=bearer(eve["access"])).status_code == 401


def test_logging_out_needs_an_access_token(api):
    response = api.post(LOGOUT)

    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_profile_that_has_not_changed_is_not_sent_again(api):
    token = access_token_for(UserFactory())
    tag = api.get(ME, headers=bearer(token))["ETag"]

    response = api.get(ME, headers={**bearer(token), "If-None-Match": tag})

    assert response.status_code == 304


def test_replacing_the_profile_makes_a_new_version(api):
    token = access_token_for(UserFactory())
    before = api.get(ME, headers=bearer(token))

    names = {"first_name": "Grace", "last_name": ""}
    response = put(api, ME, names, **bearer(token), **{"If-Match": before["ETag"]})

    assert response.status_code == 200
    assert response.json() == {**before.json(), **names, "version": 2}
    assert response["ETag"] == api.get(ME, headers=bearer(token))["ETag"]


def test_replacing_an_older_version_of_the_profile_changes_nothing(api):
    user = UserFactory(version=2)
    token = access_token_for(user)

    names = {"first_name": "Grace", "last_name": ""}
    response = put(api, ME, names, **bearer(token), **{"If-Match": '"1"'})

    assert (response.status_code, response.json()["code"]) == (412, "version_mismatch")
    user.refresh_from_db()
    assert (user.first_name, user.version) == ("Robin", 2)


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"email": "new@example.com"}, "/email", "unknown_field"),
        ({"is_staff": True}, "/is_staff", "unknown_field"),
        ({"version": 7}, "/version", "unknown_field"),
        ({"last_name": None}, "/last_name", "null"),
        ({"last_name": 1}, "/last_name", "invalid"),
        ({"last_name": "x" * 101}, "/last_name", "max_length"),
    ],
)
def test_a_faulty_profile_changes_nothing(api, change, pointer, code):
    user = UserFactory()

    names = {"first_name": "Grace", "last_name": "Hopper", **change}
    response = put(api, ME, names, **bearer(access_token_for(user)))

    assert (response.status_code, response.json()["code"]) == (400, "validation_failed")
    assert (pointer, code) in entries(response)
    user.refresh_from_db()
    assert (user.first_name, user.version) == ("Robin", 1)


def test_replacing_half_a_profile_is_refused(api):
    response = put(api, ME, {"first_name": "Grace"}, **bearer(access_token_for(UserFactory())))

    assert entries(response) == {("/last_name", "required")}


@pytest.mark.parametrize("method", ["get", "put"])
def test_a_profile_is_not_for_strangers(api, method):
    response = getattr(api, method)(ME)

    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize("path", [REGISTER, LOGIN, REFRESH, LOGOUT])
def test_reading_changes_nothing(api, path):
    response = api.get(path, headers=bearer(access_token_for(UserFactory())))

    assert response.status_code == 405


def test_the_schema_describes_the_operations_and_the_bearer(api):
    schema = api.get("/api/v1/openapi.json").json()

    operations = {
        (path, method): operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if path.startswith(("/api/v1/auth/", "/api/v1/users/"))
        # Of the catalog: what people wait for and what they have written; of orders: their
        # credit, and what they bring back.
        and not path.startswith(
            (f"{ME}/alerts", f"{ME}/answers", f"{ME}/questions", f"{ME}/reviews")
        )
        and not path.endswith(("/store-credit", f"{ME}/returns"))
    }
    promised = {
        (REGISTER, "post"): {"202", "400", "413", "415", "429"},
        (VERIFY, "post"): {"201", "400", "413", "415", "422", "429"},
        ("/api/v1/auth/password-reset", "post"): {"202", "400", "413", "415", "429"},
        ("/api/v1/auth/password-reset/confirm", "post"): {"204", "400", "413", "415", "422"},
        ("/api/v1/auth/email-change/confirm", "post"): {"204", "400", "413", "415", "422"},
        (f"{ME}/password", "post"): {"204", "400", "401", "413", "415", "422", "429"},
        (f"{ME}/email", "post"): {"202", "400", "401", "413", "415", "422", "429"},
        (f"{ME}/deactivate", "post"): {"204", "400", "401", "409", "413", "415", "422", "429"},
        (LOGIN, "post"): {"200", "400", "401", "413", "415", "429"},
        (REFRESH, "post"): {"200", "400", "401", "413", "415"},
        ("/api/v1/auth/two-factor", "post"): {"200", "400", "401", "413", "415", "429"},
        ("/api/v1/auth/step-up", "post"): {"204", "400", "401", "413", "415", "422", "429"},
        (TWO_FACTOR, "get"): {"200", "401"},
        (TWO_FACTOR, "post"): {"201", "401", "403", "409"},
        (TWO_FACTOR, "delete"): {"204", "401", "403", "409"},
        (f"{TWO_FACTOR}/confirm", "post"): {"200", "400", "401", "403", "409", "422"},
        (f"{TWO_FACTOR}/recovery-codes", "post"): {"200", "401", "403", "409"},
        (LOGOUT, "post"): {"204", "400", "401", "413", "415"},
        (LOGOUT_ALL, "post"): {"204", "401"},
        (ME, "get"): {"200", "401"},
        (ME, "put"): {"200", "400", "401", "412", "413", "415"},
        (ME, "patch"): {"200", "400", "401", "412", "413", "415"},
        (f"{ME}/avatar", "get"): {"200", "401"},
        (f"{ME}/avatar", "post"): {"201", "400", "401", "413", "415"},
        (f"{ME}/avatar", "put"): {"202", "400", "401", "404", "413", "415"},
        (f"{ME}/avatar", "delete"): {"204", "401"},
        (f"{ME}/consents", "get"): {"200", "401"},
        (f"{ME}/consents", "put"): {"200", "400", "401", "413", "415"},
        (f"{ME}/addresses", "get"): {"200", "400", "401"},
        (f"{ME}/addresses", "post"): {"201", "400", "401", "409", "413", "415"},
        (f"{ME}/addresses/{{address_id}}", "get"): {"200", "401", "404"},
        (f"{ME}/addresses/{{address_id}}", "patch"): {"200", "400", "401", "404", "413", "415"},
        (f"{ME}/addresses/{{address_id}}", "delete"): {"204", "401", "404"},
        (SESSIONS, "get"): {"200", "400", "401"},
        (f"{SESSIONS}/{{session_id}}", "delete"): {"204", "400", "401", "404"},
        (PERSON, "get"): {"200", "401", "403", "404"},
        (PERSON, "patch"): {"200", "400", "401", "403", "404", "409", "412", "413", "415"},
        (f"{PERSON}/roles", "get"): {"200", "401", "403", "404"},
        (f"{PERSON}/roles", "put"): {"200", "400", "401", "403", "404", "409", "412", "422"},
        (f"{ME}/data-exports", "get"): {"200", "401"},
        (f"{ME}/data-exports", "post"): {"202", "400", "401", "403", "409", "413"},
        (f"{ME}/data-exports/{{export_id}}", "get"): {"200", "401", "404"},
        (f"{ME}/data-exports/{{export_id}}/archive", "get"): {"200", "401", "404"},
        (f"{ME}/erasure-requests", "get"): {"200", "401"},
        (f"{ME}/erasure-requests", "post"): {"202", "400", "401", "403", "409", "413"},
        (f"{ME}/erasure-requests/{{request_id}}", "delete"): {"204", "401", "404", "409"},
    }
    assert set(operations) == set(promised)
    for key, statuses in promised.items():
        assert statuses <= set(operations[key]["responses"])
    assert schema["components"]["securitySchemes"]["bearer"] == {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
    }
    assert operations[ME, "get"]["security"] == [{"bearer": []}]
    assert "application/problem+json" in operations[ME, "put"]["responses"]["412"]["content"]
