"""The documents of categories."""

from typing import Any

from rest_framework import serializers


class CategoryBrief(serializers.Serializer[Any]):
    """Where a product stands."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()


class CategoryChild(CategoryBrief):
    """A category and the number of published products in and below it.

    The numbers are counted every half a minute.
    """

    product_count = serializers.IntegerField()


class CategoryNode(CategoryChild):
    """A category in the tree, or in the flat list."""

    children = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        help_text="Categories of the same form, in the tree.",
    )
    parent_id = serializers.UUIDField(
        allow_null=True, required=False, help_text="In the flat list."
    )
    depth = serializers.IntegerField(required=False, help_text="In the flat list; roots have 1.")


class CategoryTree(serializers.Serializer[Any]):
    """All categories."""

    results = CategoryNode(many=True)


class CategoryDocument(CategoryChild):
    """A category with everything."""

    description = serializers.CharField(allow_blank=True)
    seo_title = serializers.CharField(allow_blank=True)
    seo_description = serializers.CharField(allow_blank=True)
    position = serializers.IntegerField()
    parent = CategoryBrief(allow_null=True)
    breadcrumbs = CategoryBrief(many=True, help_text="From the root to the category itself.")
    children = CategoryChild(many=True)
    version = serializers.IntegerField()


def category_document(row: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a row of `selectors.categories.category_row`."""
    document = {name: value for name, value in row.items() if name != "below"}
    above = row["breadcrumbs"][:-1]
    return {**document, "parent": above[-1] if above else None, "children": row["below"]}
