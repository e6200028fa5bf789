"""The documents of collections: what is shown, and the rules that staff write."""

from datetime import date
from typing import Any

from django.conf import settings
from rest_framework import serializers

from apps.catalog.selectors.stock import BANDS
from apps.kernel.money import Money, NotAnAmount
from apps.kernel.pagination import Page
from apps.kernel.serializers import StrictCharField, StrictIntegerField, StrictSerializer

LARGEST_PRICE = 10**12


class Bounds(StrictSerializer):
    """Decimal amounts of the store's currency, both included."""

    gte = StrictCharField(max_length=20, required=False)
    lte = StrictCharField(max_length=20, required=False)

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        if not attrs:
            raise serializers.ValidationError("Give gte, lte or both.")
        for side, amount in attrs.items():
            try:
                minor = Money.parse(amount, settings.STORE_CURRENCY).minor
            except NotAnAmount as error:
                raise serializers.ValidationError({side: ["This is no amount."]}) from error
            if not 0 <= minor <= LARGEST_PRICE:
                raise serializers.ValidationError({side: ["This is no price."]})
        return attrs


class AttributeBounds(StrictSerializer):
    """Values of an attribute, any of them, or bounds of a number or of a date (YYYY-MM-DD)."""

    code = StrictCharField(max_length=40)
    values = serializers.ListField(
        child=serializers.JSONField(), required=False, min_length=1, max_length=50
    )
    gte = serializers.JSONField(required=False)
    lte = serializers.JSONField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() & {"values", "gte", "lte"}:
            raise serializers.ValidationError("Give values, gte or lte.")
        for value in attrs.get("values", ()):
            if not isinstance(value, str | int | float) or len(str(value)) > 500:
                raise serializers.ValidationError({"values": ["A text, a number, or yes or no."]})
        for side in {"gte", "lte"} & attrs.keys():
            if not _is_a_bound(attrs[side]):
                raise serializers.ValidationError({side: ["A number or a date."]})
        return attrs


class RuleDraft(StrictSerializer):
    """One rule: exactly one of these. Categories, brands and tags by id or slug."""

    category = StrictCharField(max_length=160, required=False, help_text="With all below it.")
    brands = serializers.ListField(
        child=StrictCharField(max_length=160), required=False, min_length=1, max_length=50
    )
    tags = serializers.ListField(
        child=StrictCharField(max_length=80), required=False, min_length=1, max_length=50
    )
    price = Bounds(required=False)
    attribute = AttributeBounds(required=False)
    availability = serializers.ListField(
        child=serializers.ChoiceField(choices=list(BANDS)), required=False, min_length=1
    )
    new_since_days = StrictIntegerField(min_value=1, max_value=3650, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("A rule says exactly one thing.")
        return attrs


class CollectionDocument(serializers.Serializer[Any]):
    """A collection. What its rules name is told by id."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    seo_title = serializers.CharField(allow_blank=True)
    seo_description = serializers.CharField(allow_blank=True)
    kind = serializers.CharField()
    match = serializers.CharField()
    rules = serializers.ListField(child=serializers.DictField())
    version = serializers.IntegerField()


class CollectionPage(Page):
    """A page of collections."""

    results = CollectionDocument(many=True)


def _is_a_bound(value: object) -> bool:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value).isoformat() == value
        except ValueError:
            return False
    return isinstance(value, int | float) and not isinstance(value, bool)
