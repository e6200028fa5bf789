"""The documents that several users views take or give."""

from typing import Any
from uuid import UUID

import phonenumbers
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers

from apps.kernel.addresses import Address
from apps.kernel.serializers import StrictBooleanField, StrictCharField
from apps.users.models import Address as KeptAddress
from apps.users.models import User, is_ascii, picture_name
from apps.users.services import challenges
from apps.users.services.avatars import SIDES
from apps.users.services.sessions import OpenSession
from apps.users.tokens import LIFETIME, access_token
from apps.users.uploads import address_of


class EmailField(serializers.EmailField):
    """An address as it may log in. It is stored in lower case."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, **options)
        self.validators.append(is_ascii)


class NameField(StrictCharField):
    """A name of a person; people without one leave it empty."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=100, allow_blank=True, **options)


class PhoneField(StrictCharField):
    """A telephone number with its country's code. Given back in the form of E.164."""

    default_error_messages = {"invalid_phone": "This is no telephone number in the world."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, allow_blank=True, **options)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not text:
            return text
        try:
            number = phonenumbers.parse(text, None)
        except phonenumbers.NumberParseException:
            self.fail("invalid_phone")
        if not phonenumbers.is_valid_number(number):
            self.fail("invalid_phone")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class LocaleField(StrictCharField):
    """A language tag (BCP 47) of those that the store speaks, or nothing."""

    default_error_messages = {"unsupported_locale": "The store speaks: {supported}."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=35, allow_blank=True, **options)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        spoken: dict[str, str] = {tag.lower(): tag for tag in settings.STORE_LOCALES}
        if text and text.lower() not in spoken:
            self.fail("unsupported_locale", supported=", ".join(settings.STORE_LOCALES))
        return spoken.get(text.lower(), "")


class PasswordField(StrictCharField):
    """A password, taken as it is: no trimming, no truncation."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=128,
            trim_whitespace=False,
            style={"input_type": "password"},
            **options,
        )


class CodeField(StrictCharField):
    """A code of the authenticator app, or a recovery code."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, **options)


class RefreshTokenField(StrictCharField):
    """An opaque refresh token."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=100, trim_whitespace=False, **options)


class MailedTokenField(StrictCharField):
    """A token that came by mail."""

    def __init__(self) -> None:
        super().__init__(max_length=100, trim_whitespace=False)


def require_good_password(password: str, person: User | None) -> None:
    """Raises ValidationError, at the field `password`, when a new password is a bad one."""
    try:
        validate_password(password, person)
    except DjangoValidationError as refusal:
        details = serializers.as_serializer_error(refusal)["non_field_errors"]
        raise serializers.ValidationError({"password": details}) from refusal


class Notice(serializers.Serializer[Any]):
    """A word for people."""

    detail = serializers.CharField()


class Tokens(serializers.Serializer[Any]):
    """What a client needs to act for a person: five minutes of access, and the way to more."""

    access = serializers.CharField(help_text="A JWT for `Authorization: Bearer`.")
    refresh = serializers.CharField(help_text="Opaque, good for one use.")
    token_type = serializers.ChoiceField(choices=["Bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds until the access token ends.")


class ChallengeDocument(serializers.Serializer[Any]):
    """The password was right; a code of the second factor has to follow (`/auth/two-factor`)."""

    two_factor_required = serializers.BooleanField()
    challenge = serializers.CharField(help_text="Opaque, good for one session.")
    expires_in = serializers.IntegerField(help_text="Seconds until the challenge is over.")


def tokens_of(opened: OpenSession) -> dict[str, object]:
    """Return the document `Tokens` of a session."""
    return {
        "access": access_token(user_id=opened.user_id, session_id=opened.session_id),
        "refresh": opened.refresh_token,
        "token_type": "Bearer",
        "expires_in": int(LIFETIME.total_seconds()),
    }


def challenge_of(challenge: challenges.Challenge) -> dict[str, object]:
    """Return the document `ChallengeDocument`."""
    return {
        "two_factor_required": True,
        "challenge": challenge.token,
        "expires_in": int(challenges.LIFETIME.total_seconds()),
    }


class AvatarPictures(serializers.Serializer[Any]):
    """Where the pictures are for five minutes: squares, WebP."""

    small = serializers.URLField(help_text="128 pixels wide.")
    large = serializers.URLField(help_text="512 pixels wide.")


def pictures_of(avatar_id: UUID | None) -> dict[str, str] | None:
    """Return the document `AvatarPictures`."""
    if avatar_id is None:
        return None
    return {size: address_of(picture_name(avatar_id, side)) for size, side in SIDES.items()}


class Profile(serializers.Serializer[Any]):
    """A person, as they see themselves."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    phone = serializers.CharField()
    locale = serializers.CharField()
    avatar = AvatarPictures(allow_null=True)
    created_at = serializers.DateTimeField()
    version = serializers.IntegerField()


def profile_of(user: User) -> dict[str, object]:
    """Return the document `Profile` of a person."""
    return {
        "id": user.pk,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "phone": user.phone,
        "locale": user.locale,
        "avatar": pictures_of(user.avatar_id),
        "created_at": user.date_joined,
        "version": user.version,
    }


class BookAddress(Address):
    """An address of the book, with what it is the default for."""

    default_shipping = StrictBooleanField(required=False)
    default_billing = StrictBooleanField(required=False)


class BookAddressDocument(BookAddress):
    """An address of the book as it is kept."""

    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


BOOK_COLUMNS = tuple(BookAddressDocument().fields)


def book_address_of(address: KeptAddress) -> dict[str, object]:
    """Return the document `BookAddressDocument` of an address."""
    return {name: getattr(address, name) for name in BOOK_COLUMNS}
