"""What staff tell the search, and what it tells them."""

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from apps.catalog.models import SearchBoost, SearchRedirect, SearchSynonym
from apps.catalog.models.search_rules import PATH
from apps.kernel.pagination import Page
from apps.kernel.serializers import StrictBooleanField, StrictCharField, StrictSerializer

is_a_path = RegexValidator(PATH, "A path of this store begins with one slash.", code="path")


class SynonymDraft(StrictSerializer):
    """Words that mean the same; one-way, the first one also means the others."""

    terms = serializers.ListField(
        child=StrictCharField(max_length=100), min_length=2, max_length=20
    )
    two_way = StrictBooleanField(default=True)


class BoostDraft(StrictSerializer):
    """What comes further up (above 1) or down, for a query or for all. One of the three is set."""

    query = StrictCharField(max_length=200, allow_blank=True, default="")
    product_id = serializers.UUIDField(allow_null=True, default=None)
    category_id = serializers.UUIDField(allow_null=True, default=None)
    brand_id = serializers.UUIDField(allow_null=True, default=None)
    weight = serializers.FloatField(
        min_value=SearchBoost.LEAST, max_value=SearchBoost.MOST, default=1.0
    )
    pinned = StrictBooleanField(default=False)


class RedirectDraft(StrictSerializer):
    """A page of the store for whoever looks for exactly this."""

    query = StrictCharField(max_length=200)
    path = StrictCharField(max_length=500, validators=[is_a_path])


class SynonymDocument(serializers.Serializer[Any]):
    """A synonym."""

    id = serializers.UUIDField()
    terms = serializers.ListField(child=serializers.CharField())
    two_way = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class BoostDocument(serializers.Serializer[Any]):
    """A boost."""

    id = serializers.UUIDField()
    query = serializers.CharField(allow_blank=True)
    product_id = serializers.UUIDField(allow_null=True)
    category_id = serializers.UUIDField(allow_null=True)
    brand_id = serializers.UUIDField(allow_null=True)
    weight = serializers.FloatField()
    pinned = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class RedirectDocument(serializers.Serializer[Any]):
    """A redirect."""

    id = serializers.UUIDField()
    query = serializers.CharField()
    path = serializers.CharField()
    created_at = serializers.DateTimeField()


class SynonymPage(Page):
    """A page of synonyms."""

    results = SynonymDocument(many=True)


class BoostPage(Page):
    """A page of boosts."""

    results = BoostDocument(many=True)


class RedirectPage(Page):
    """A page of redirects."""

    results = RedirectDocument(many=True)


COLUMNS = {
    SearchSynonym: ("id", "terms", "two_way", "created_at"),
    SearchBoost: (
        *("id", "query", "product_id", "category_id", "brand_id"),
        *("weight", "pinned", "created_at"),
    ),
    SearchRedirect: ("id", "query", "path", "created_at"),
}


def rule_document(rule: SearchSynonym | SearchBoost | SearchRedirect) -> dict[str, Any]:
    """Return the document of a rule."""
    return {name: getattr(rule, name) for name in COLUMNS[type(rule)]}
