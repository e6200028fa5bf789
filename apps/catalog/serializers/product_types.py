"""The documents of product types and attributes."""

from typing import Any

from rest_framework import serializers

from apps.kernel.pagination import Page


class ChoiceDocument(serializers.Serializer[Any]):
    """A value that an attribute may have; products name its code."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    position = serializers.IntegerField()


class ChoiceList(serializers.Serializer[Any]):
    """All choices of an attribute."""

    results = ChoiceDocument(many=True)


class AttributeDocument(serializers.Serializer[Any]):
    """Something that can be told of products."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    unit = serializers.CharField(allow_blank=True)
    is_filterable = serializers.BooleanField()
    choices = ChoiceDocument(many=True)


class AttributePage(Page):
    """A page of attributes."""

    results = AttributeDocument(many=True)


class TypeAttributeDocument(serializers.Serializer[Any]):
    """An attribute of a product type."""

    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    unit = serializers.CharField(allow_blank=True)
    is_required = serializers.BooleanField()


class TypeDocument(serializers.Serializer[Any]):
    """What products of a type have in common."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    options = serializers.ListField(child=serializers.CharField())
    attributes = TypeAttributeDocument(many=True)
    version = serializers.IntegerField()


class TypePage(Page):
    """A page of product types."""

    results = TypeDocument(many=True)
