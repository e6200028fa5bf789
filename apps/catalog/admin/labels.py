"""Brands and tags in the back office. Their services write them, and record what they did."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from apps.catalog.models import Brand, Tag
from apps.catalog.services.labels import Label, add_label, change_label, remove_label
from apps.kernel.backoffice import Told


class LabelAdmin(Told, admin.ModelAdmin):
    """Names by the alphabet; one that products have is not deleted."""

    list_display = ("name", "slug")
    search_fields = ("name", "slug")
    prepopulated_fields: ClassVar[Any] = {"slug": ("name",)}
    ordering = ("name",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        kind: Label = self.model
        if change:
            change_label(kind=kind, label_id=obj.pk, name=obj.name, slug=obj.slug)
        else:
            obj.pk = add_label(kind=kind, name=obj.name, slug=obj.slug)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        remove_label(kind=self.model, label_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for label in queryset:
            self.delete_model(request, label)


@admin.register(Brand)
class BrandAdmin(LabelAdmin):
    """Who makes products."""


@admin.register(Tag)
class TagAdmin(LabelAdmin):
    """Words for products."""
