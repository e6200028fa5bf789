"""The documents of categories."""

from typing import Any

from rest_framework import serializers


class CategoryBrief(serializers.Serializer[Any]):
    """Where a product stands."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()


class CategoryNode(CategoryBrief):
    """A category, the number of published products in and below it, and its children."""

    product_count = serializers.IntegerField()
    children = serializers.ListField(
        child=serializers.DictField(), help_text="Categories of the same form."
    )


class CategoryTree(serializers.Serializer[Any]):
    """All categories."""

    results = CategoryNode(many=True)
