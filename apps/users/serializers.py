"""The documents that several users views take or give."""

from typing import Any

from rest_framework import serializers

from apps.kernel.serializers import StrictCharField
from apps.users.models import User, is_ascii


class EmailField(serializers.EmailField):
    """An address as it may log in. It is stored in lower case."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, **options)
        self.validators.append(is_ascii)


class NameField(StrictCharField):
    """A name of a person; people without one leave it empty."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=100, allow_blank=True, **options)


class PasswordField(StrictCharField):
    """A password, taken as it is: no trimming, no truncation."""

    def __init__(self) -> None:
        super().__init__(max_length=128, trim_whitespace=False, style={"input_type": "password"})


class RefreshTokenField(StrictCharField):
    """An opaque refresh token."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=100, trim_whitespace=False, **options)


class Tokens(serializers.Serializer[Any]):
    """What a client needs to act for a person: five minutes of access, and the way to more."""

    access = serializers.CharField(help_text="A JWT for `Authorization: Bearer`.")
    refresh = serializers.CharField(help_text="Opaque, good for one use.")
    token_type = serializers.ChoiceField(choices=["Bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds until the access token ends.")


class Profile(serializers.Serializer[Any]):
    """A person, as they see themselves."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    created_at = serializers.DateTimeField()
    version = serializers.IntegerField()


def profile_of(user: User) -> dict[str, object]:
    """Return the document `Profile` of a person."""
    return {
        "id": user.pk,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "created_at": user.date_joined,
        "version": user.version,
    }
