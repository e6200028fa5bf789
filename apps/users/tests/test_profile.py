"""Telephone number and language of a profile, and changing parts of it."""

import pytest

from apps.users.tests.factories import UserFactory

pytestmark = pytest.mark.django_db
ME = "/api/v1/users/me"


def codes(response):
    return {(entry["pointer"], entry["code"]) for entry in response.json()["errors"]}


def test_changing_one_thing_leaves_the_others(client_me):
    response = client_me.patch(ME, {"phone": "+44 20 7123 4567"})

    assert response.status_code == 200
    assert response.json()["phone"] == "+442071234567"
    assert response.json()["first_name"] == "Ada"
    assert response.json()["version"] == 2
    assert response["ETag"].startswith('"2-')


def test_replacing_with_the_names_alone_keeps_phone_and_locale(client_me, me):
    client_me.patch(ME, {"phone": "+442071234567", "locale": "de"})

    response = client_me.put(ME, {"first_name": "Augusta", "last_name": "King"})

    assert response.status_code == 200
    me.refresh_from_db()
    assert (me.first_name, me.phone, me.locale) == ("Augusta", "+442071234567", "de")


def test_a_locale_is_given_back_as_the_store_writes_it(client_me):
    assert client_me.patch(ME, {"locale": "PT-br"}).json()["locale"] == "pt-BR"
    assert client_me.patch(ME, {"locale": ""}).json()["locale"] == ""


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"phone": "0170 1234567"}, {("/phone", "invalid_phone")}),
        ({"phone": "+49 12"}, {("/phone", "invalid_phone")}),
        ({"phone": "+44" + "2" * 40}, {("/phone", "invalid_phone")}),
        ({"phone": 442071234567}, {("/phone", "invalid")}),
        ({"locale": "tlh"}, {("/locale", "unsupported_locale")}),
        ({"locale": None}, {("/locale", "null")}),
        ({"email": "new@example.com"}, {("/email", "unknown_field")}),
        ({"is_staff": True}, {("/is_staff", "unknown_field")}),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_and_changes_nothing(
    client_me, me, document, expected
):
    response = client_me.patch(ME, document)

    assert (response.status_code, codes(response)) == (400, expected)
    me.refresh_from_db()
    assert me.version == 1


def test_a_change_of_an_older_version_is_refused(client_me):
    seen = client_me.get(ME)["ETag"]
    client_me.patch(ME, {"locale": "de"})

    response = client_me.patch(ME, {"locale": "fr"}, headers={"If-Match": seen})

    assert (response.status_code, response.json()["code"]) == (412, "version_mismatch")


def test_strangers_have_no_profile_to_change(client):
    UserFactory()

    assert client.patch(ME, "{}", content_type="application/json").status_code == 401
