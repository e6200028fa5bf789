"""The rules for passwords, after OWASP ASVS 5.0, section V6.2; each test names its requirements."""

from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from rest_framework.test import APIClient

from apps.users.models import User
from apps.users.tests.factories import PASSWORD, UserFactory, client_of, mailed_token
from apps.users.validators import OwnWordsValidator


def faults(password: str, person: User | None = None) -> set[str]:
    try:
        validate_password(password, person)
    except ValidationError as refusal:
        return {str(error.code) for error in refusal.error_list}
    return set()


def test_ten_characters_are_enough_and_nine_are_not() -> None:
    """6.2.1 asks for 8 and recommends 15; 10 is what the store has asked for from the beginning."""
    assert faults("wqzjxkvbpl") == set()
    assert faults("wqzjxkvbp") == {"password_too_short"}


@pytest.mark.parametrize(
    "password", ["kumquatbrine", "KUMQUATBRINE", "905172846310", "¡¿…–†‡•!?;:·", "каштановый лес"]
)
def test_no_mixture_of_characters_is_asked_for(password: str) -> None:
    """6.2.5."""
    assert faults(password) == set()


@pytest.mark.parametrize(
    "password", ["basketball", "BasketBall", " basketball ", "1234567890", "qwertyuiop"]
)
def test_common_passwords_are_refused_in_any_case(password: str) -> None:
    """6.2.4 asks for the 3,000 most common; Django brings 20,000, in the image, asked offline."""
    assert "password_too_common" in faults(password)


@pytest.mark.parametrize("password", ["storefront123", "MyECOMMERCE!", "ecommercestorefront2026"])
def test_the_stores_own_words_do_not_make_a_password(password: str) -> None:
    """6.2.11: the words are the store's names and its address (ecommerce/settings/people.py)."""
    assert "password_too_easy" in faults(password)


def test_the_stores_own_words_may_be_part_of_a_long_one() -> None:
    """6.2.11."""
    assert faults("a storefront of many kumquats") == set()
    OwnWordsValidator(min_length=10, words=["www", "com"]).validate("comcomcomcom")


def test_a_password_like_the_persons_own_data_is_refused() -> None:
    """6.2.11."""
    person = UserFactory.build(email="ada.lovelace@example.com", first_name="Augusta")

    assert faults("ada.lovelace", person) == {"password_too_similar"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "password", ["  kumquat brine  ", "Kumquat‐Brine ﬁ ǅ é", "kumquat " * 15 + "12345678"]
)
def test_a_password_is_checked_as_it_came_to_its_128th_character(password: str) -> None:
    """6.2.8 and 6.2.9: no trimming, no change of case, no truncation, at least 64 characters."""
    user = UserFactory.create(password=None)
    user.set_password(password)
    user.save()

    def status(given: str) -> int:
        body = {"email": user.email, "password": given}
        return int(APIClient().post("/api/v1/auth/login", body).status_code)

    assert status(password) == 200
    assert status(password[:-1] + "x") == 401
    assert status(password[:-1]) == 401
    assert status(password.swapcase()) == 401


@pytest.mark.django_db
def test_changing_a_password_takes_the_current_one(me: User) -> None:
    """6.2.2 and 6.2.3."""
    client, path = client_of(me), "/api/v1/users/me/password"
    new = "kumquat brine 1852"

    assert client.post(path, {"password": new}).status_code == 400
    assert client.post(path, {"current_password": "x", "password": new}).status_code == 422
    assert client.post(path, {"current_password": PASSWORD, "password": new}).status_code == 204


@pytest.mark.django_db
def test_a_password_stays_good_however_old_it_is(me: User, settings: Any) -> None:
    """6.2.10: nobody has to change one now and then."""
    assert not [field.name for field in User._meta.get_fields() if "expire" in field.name]
    body = {"email": me.email, "password": PASSWORD}
    User.objects.update(date_joined="2001-01-01T00:00:00Z", last_login="2001-01-01T00:00:00Z")

    assert APIClient().post("/api/v1/auth/login", body).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["users/me/password", "auth/register", "auth/password-reset/confirm"]
)
def test_every_way_to_a_password_keeps_the_rules(me: User, path: str) -> None:
    """6.2.1, 6.2.4, 6.2.11: registering, changing, resetting."""
    body = {"password": "basketball"}
    match path:
        case "users/me/password":
            body["current_password"] = PASSWORD
        case "auth/register":
            body["email"] = "ada@example.com"
        case _:
            APIClient().post("/api/v1/auth/password-reset", {"email": me.email})
            body["token"] = mailed_token(me.email)

    response = client_of(me).post(f"/api/v1/{path}", body)

    assert response.status_code == 400
    assert [(each["pointer"], each["code"]) for each in response.json()["errors"]] == [
        ("/password", "password_too_common")
    ]
