"""The documents of brands and tags."""

from apps.catalog.serializers.categories import CategoryBrief
from apps.kernel.pagination import Page


class LabelDocument(CategoryBrief):
    """A brand or a tag."""


class LabelPage(Page):
    """A page of brands or tags."""

    results = LabelDocument(many=True)
