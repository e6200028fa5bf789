"""Keys with which programs act for a person: as far as scopes and the person's rights both go."""

import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry
from apps.users.models import ApiKey, User
from apps.users.services import api_keys
from apps.users.tests.factories import (
    ApiKeyFactory,
    StaffFactory,
    UserFactory,
    client_of,
    enter,
)

pytestmark = pytest.mark.django_db

KEYS, USERS, ME = "/api/v1/api-keys", "/api/v1/users", "/api/v1/users/me"
VIEW = "users.view_user"


def program(secret, scheme="Api-Key"):
    """Return a client that sends the secret."""
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"{scheme} {secret}")
    return client


def code(answer):
    return answer.status_code, answer.json()["code"]


def in_a_month():
    return (timezone.now() + timedelta(days=30)).isoformat()


@pytest.fixture
def owner():
    """Somebody who makes keys and looks people up."""
    return StaffFactory(permissions=["users.add_apikey", VIEW])


@pytest.fixture
def maker(owner):
    return client_of(owner)


@pytest.fixture
def secret(owner):
    return ApiKeyFactory.secret_of(owner=owner)


def test_a_key_is_made_and_its_secret_shown_once(maker, owner):
    wish = {"name": "Warehouse robot", "scopes": [VIEW], "expires_at": in_a_month()}

    answer = maker.post(KEYS, wish)

    assert answer.status_code == 201, answer.content
    document = answer.json()
    secret = document.pop("secret")
    assert re.fullmatch(r"eck_[0-9A-Za-z]{49}", secret)
    assert document["hint"] == secret[:8]
    key = ApiKey.objects.get()
    assert bytes(key.hash) == api_keys.hash_of(secret)
    assert maker.get(answer["Location"]).json() == document
    assert maker.get(KEYS).json()["results"] == [document]
    assert secret not in maker.get(KEYS).content.decode()
    assert program(secret).get(USERS).status_code == 200
    entry = AuditEntry.objects.get(action="users.api_key_created")
    assert (entry.about, entry.actor_id, entry.after["scopes"]) == (
        str(key.pk),
        owner.pk,
        [VIEW],
    )


@pytest.mark.parametrize("scheme", ["Api-Key", "api-key", "Bearer", "bearer"])
def test_a_key_is_sent_under_either_scheme(secret, scheme):
    answer = program(secret, scheme).get(USERS)

    assert answer.status_code == 200
    assert answer["RateLimit-Policy"].startswith('"api-keys"')


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"scopes": ["orders.refund_order"]}, (403, "beyond_your_rights")),
        ({"scopes": [VIEW, "users.fly"]}, (403, "beyond_your_rights")),
        ({"scopes": []}, (400, "validation_failed")),
        ({"expires_at": "2020-01-01T00:00:00Z"}, (422, "expiry_not_allowed")),
        ({"expires_at": "2999-01-01T00:00:00Z"}, (422, "expiry_not_allowed")),
        ({"expires_at": None}, (400, "validation_failed")),
        ({"networks": ["everywhere"]}, (400, "validation_failed")),
        ({"networks": ["192.0.2.1/24"]}, (400, "validation_failed")),
        ({"networks": ["fe80::1%eth0"]}, (400, "validation_failed")),
        ({"owner_id": str(new_id())}, (400, "validation_failed")),
    ],
    ids=lambda case: None,
)
def test_a_faulty_wish_makes_no_key(maker, changes, expected):
    wish = {"name": "Robot", "scopes": [VIEW], "expires_at": in_a_month(), **changes}

    assert code(maker.post(KEYS, wish)) == expected
    assert not ApiKey.objects.exists()


def test_a_superuser_makes_no_key_for_what_does_not_exist():
    boss = client_of(StaffFactory(is_superuser=True))

    answer = boss.post(KEYS, {"name": "x", "scopes": ["users.fly"], "expires_at": in_a_month()})

    assert code(answer) == (422, "unknown_permission")


def test_recognising_a_key_takes_one_statement_and_notes_its_use_once_a_minute(secret):
    client = program(secret)
    key = ApiKey.objects.filter(hint="")

    with CaptureQueriesContext(connection) as asked:
        client.get(USERS, {"limit": 0})
    assert len(asked) == 3  # the key, then what the owner may do
    first = key.get().last_used_at
    assert first is not None
    client.get(USERS)
    assert key.get().last_used_at == first
    key.update(last_used_at=Now() - timedelta(seconds=61))
    client.get(USERS)
    assert key.get().last_used_at > first


@pytest.mark.parametrize(
    "sent",
    ["", "eck_", "eck_short", "eck_" + "0" * 49, "eck_" + "é" * 49, "eck_" + "0" * 100_000, "x y"],
    ids=["empty", "prefix", "short", "checksum", "not ascii", "long", "two words"],
)
def test_what_is_no_key_costs_no_question(sent):
    with CaptureQueriesContext(connection) as asked:
        answer = program(sent).get(USERS)

    assert code(answer) == (401, "invalid_api_key")
    assert answer["WWW-Authenticate"] == "Bearer"
    assert len(asked) == 0


def test_one_wrong_character_is_seen_by_the_checksum(secret):
    wrong = secret[:10] + ("0" if secret[10] != "0" else "1") + secret[11:]

    with pytest.raises(api_keys.InvalidApiKey):
        api_keys.hash_of(wrong)


@pytest.mark.parametrize(
    "change",
    [
        lambda key: key.update(revoked_at=Now()),
        lambda key: key.update(
            issued_at=Now() - timedelta(days=2), expires_at=Now() - timedelta(seconds=1)
        ),
        lambda key: key.update(networks=["192.0.2.0/24", "2001:db8::/32"]),
        lambda key: User.objects.filter(api_keys__in=key).update(is_active=False),
        lambda key: key.delete(),
    ],
    ids=["revoked", "expired", "elsewhere", "owner is off", "deleted"],
)
def test_a_key_that_ended_is_nobody_at_once(secret, change):
    assert program(secret).get(USERS).status_code == 200

    change(ApiKey.objects.all())

    assert code(program(secret).get(USERS)) == (401, "invalid_api_key")


def test_a_key_works_from_its_networks(secret):
    ApiKey.objects.update(networks=["192.0.2.0/24", "127.0.0.0/8"])

    assert program(secret).get(USERS).status_code == 200


def test_a_key_reaches_no_further_than_its_scopes_nor_than_its_owner(owner):
    wide = program(ApiKeyFactory.secret_of(owner=owner, scopes=[VIEW, "users.view_role"]))
    narrow = program(ApiKeyFactory.secret_of(owner=owner, scopes=["users.add_apikey"]))

    assert wide.get(USERS).status_code == 200
    assert code(narrow.get(USERS)) == (403, "permission_denied")
    owner.user_permissions.clear()
    assert code(wide.get(USERS)) == (403, "permission_denied")


def test_a_superusers_key_has_its_scopes_alone():
    boss = StaffFactory(is_superuser=True)
    client = program(ApiKeyFactory.secret_of(owner=boss))

    assert client.get(USERS).status_code == 200
    assert code(client.get("/api/v1/audit-log")) == (403, "permission_denied")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ME),
        ("patch", ME),
        ("get", f"{ME}/sessions"),
        ("get", f"{ME}/addresses"),
        ("post", "/api/v1/auth/logout-all"),
        ("get", KEYS),
        ("post", KEYS),
        ("get", "/api/v1/roles"),
        ("post", "/api/v1/roles"),
        ("post", "/api/v1/carts"),
        ("get", "/api/v1/carts/current"),
    ],
)
def test_a_key_opens_nothing_that_is_for_people(method, path):
    boss = StaffFactory(is_superuser=True)
    scopes = sorted(boss.get_all_permissions())

    answer = getattr(program(ApiKeyFactory.secret_of(owner=boss, scopes=scopes)), method)(path, {})

    assert code(answer) == (403, "not_for_api_keys")


def test_a_key_is_nobodys_customer():
    boss = StaffFactory(is_superuser=True)
    client = program(ApiKeyFactory.secret_of(owner=boss))

    assert code(client.get("/api/v1/orders")) == (403, "permission_denied")
    seer = program(ApiKeyFactory.secret_of(owner=boss, scopes=["orders.view_order"]))
    assert seer.get("/api/v1/orders").status_code == 200


def test_what_is_dangerous_takes_a_person_who_proves_it():
    boss, person = StaffFactory(is_superuser=True), UserFactory()
    client = program(ApiKeyFactory.secret_of(owner=boss, scopes=["users.deactivate_user"]))

    answer = client.patch(f"{USERS}/{person.pk}", {"is_active": False})

    assert code(answer) == (403, "step_up_required")
    person.refresh_from_db()
    assert person.is_active


def test_after_a_rotation_both_secrets_are_good_until_the_overlap_ends(maker, secret):
    key = ApiKey.objects.get()
    path = f"{KEYS}/{key.pk}/rotations"

    rotated = maker.post(path, {"overlap_seconds": 3600})

    assert rotated.status_code == 201, rotated.content
    second = rotated.json()["secret"]
    assert second != secret
    assert rotated.json()["id"] == str(key.pk)
    assert [program(each).get(USERS).status_code for each in (secret, second)] == [200, 200]
    assert code(maker.post(path, {})) == (409, "rotation_under_way")
    ApiKey.objects.update(previous_until=Now())
    assert [program(each).get(USERS).status_code for each in (secret, second)] == [401, 200]
    assert maker.post(path, {"overlap_seconds": 0}).status_code == 201
    assert program(second).get(USERS).status_code == 401


def test_the_audit_log_says_how_long_the_former_secret_stays_good(maker, secret):
    maker.post(f"{KEYS}/{ApiKey.objects.get().pk}/rotations", {})

    entry = AuditEntry.objects.get(action="users.api_key_rotated")
    assert entry.after == {"overlap_seconds": 24 * 60 * 60}


def test_a_key_that_ended_is_not_rotated_back_to_life(maker, secret):
    key = ApiKey.objects.get()
    ApiKey.objects.update(revoked_at=Now())

    answer = maker.post(f"{KEYS}/{key.pk}/rotations", {"expires_at": in_a_month()})

    assert code(answer) == (409, "api_key_ended")


def test_revoking_ends_all_secrets_and_may_be_repeated(maker, secret):
    key = ApiKey.objects.get()
    second = maker.post(f"{KEYS}/{key.pk}/rotations", {}).json()["secret"]

    assert [maker.delete(f"{KEYS}/{key.pk}").status_code for _ in range(2)] == [204, 204]

    assert [program(each).get(USERS).status_code for each in (secret, second)] == [401, 401]
    assert AuditEntry.objects.filter(action="users.api_key_revoked").count() == 1


def test_somebody_elses_key_does_not_exist_unless_one_may_see_it(maker):
    foreign = ApiKeyFactory()
    path = f"{KEYS}/{foreign.pk}"

    for answer in (
        maker.get(path),
        maker.delete(path),
        maker.post(f"{path}/rotations", {}),
        maker.get(f"{KEYS}/{new_id()}"),
    ):
        assert code(answer) == (404, "unknown_api_key")
    assert maker.get(KEYS).json()["results"] == []

    guard = client_of(
        StaffFactory(permissions=["users.add_apikey", "users.view_apikey", "users.revoke_apikey"])
    )
    assert guard.get(path).json()["owner_id"] == str(foreign.owner_id)
    assert code(guard.post(f"{path}/rotations", {})) == (403, "not_your_api_key")
    assert guard.delete(path).status_code == 204
    foreign.refresh_from_db()
    assert foreign.revoked_at is not None


def test_customers_and_other_staff_make_no_keys():
    for person in (UserFactory(), StaffFactory()):
        assert code(client_of(person).get(KEYS)) == (403, "permission_denied")


def test_the_back_office_shows_keys_and_revokes_them(client):
    key = ApiKeyFactory(name="Robot", hint="eck_AbCd")
    enter(client, StaffFactory(permissions=["users.view_apikey", "users.revoke_apikey"]))
    path = "/admin/users/apikey/"

    page = client.get(f"{path}{key.pk}/change/").content.decode()
    client.post(path, {"action": "revoke", "_selected_action": [str(key.pk)]})

    assert "eck_AbCd" in page
    assert bytes(key.hash).hex() not in page
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert client.get(f"{path}add/").status_code == 403


def test_the_command_makes_lists_and_revokes_keys(owner, capsys):
    call_command("apikeys", "create", owner=owner.email.upper(), name="Robot", scope=[VIEW])
    key_id, secret = capsys.readouterr().out.split()

    assert program(secret).get(USERS).status_code == 200
    call_command("apikeys", "list")
    assert f"{key_id} {secret[:8]}… until" in capsys.readouterr().out
    call_command("apikeys", "revoke", key_id)
    assert program(secret).get(USERS).status_code == 401
    call_command("apikeys", "list")
    assert key_id not in capsys.readouterr().out
    entry = AuditEntry.objects.get(action="users.api_key_revoked")
    assert entry.actor_kind == "system"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"owner": "nobody@example.com"}, "no account"),
        ({"scope": ["orders.refund_order"]}, "more rights"),
        ({"days": 400}, "within a year"),
        ({"network": ["192.0.2.1/24"]}, "no network"),
        ({"network": ["fe80::1%eth0"]}, "no network"),
    ],
    ids=["owner", "scope", "days", "network", "interface"],
)
def test_the_command_refuses_what_the_api_refuses(owner, arguments, words):
    wish = {"owner": owner.email, "name": "Robot", "scope": [VIEW], **arguments}

    with pytest.raises(CommandError, match=words):
        call_command("apikeys", "create", **wish)
    assert not ApiKey.objects.exists()


def test_the_database_keeps_no_key_without_an_end_or_a_scope():
    key = ApiKeyFactory()

    for change in ({"expires_at": F("issued_at") + timedelta(days=367)}, {"scopes": []}):
        with pytest.raises(IntegrityError, match="api_key_"), transaction.atomic():
            ApiKey.objects.filter(pk=key.pk).update(**change)
