"""The documents of the places where goods lie."""

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from apps.kernel.addresses import Place
from apps.kernel.serializers import (
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)

is_a_code = RegexValidator(r"\A[a-z0-9]+(-[a-z0-9]+)*\Z", "Small letters, digits, hyphens.", "code")


class StockLocationDraft(StrictSerializer):
    """A new place. Its code stands on papers and does not change."""

    code = StrictCharField(max_length=40, validators=[is_a_code])
    name = StrictCharField(max_length=120)
    priority = StrictIntegerField(
        min_value=0, max_value=32_767, default=100, help_text="The lowest serves orders first."
    )
    address = Place(allow_null=True, default=None)


class StockLocationPatch(StrictSerializer):
    """What can be changed of a place."""

    name = StrictCharField(max_length=120, required=False)
    priority = StrictIntegerField(min_value=0, max_value=32_767, required=False)
    is_active = StrictBooleanField(required=False)
    address = Place(required=False, allow_null=True, help_text="Null takes it away.")


class StockLocationDocument(serializers.Serializer[Any]):
    """A place where goods lie. What lies at one that is not active is not for sale."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    priority = serializers.IntegerField()
    is_active = serializers.BooleanField()
    address = Place(allow_null=True)


class StockLocations(serializers.Serializer[Any]):
    """All places, in the order in which they serve orders."""

    results = StockLocationDocument(many=True)
