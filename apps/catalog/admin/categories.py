"""The tree of categories in the back office."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.catalog.models import (
    Category,
)
from apps.catalog.services.categories import place_category
from apps.kernel.backoffice import Recorded, Told


class CategoryForm(forms.ModelForm):
    """A category and its place in the tree."""

    class Meta:
        model = Category
        fields = (
            "name",
            "slug",
            "parent",
            "position",
            "description",
            "seo_title",
            "seo_description",
        )

    def clean_parent(self) -> Category | None:
        parent: Category | None = self.cleaned_data["parent"]
        if parent is not None and f"/{self.instance.pk}/" in parent.path:
            raise ValidationError("A category cannot stand below itself.")
        return parent


@admin.register(Category)
class CategoryAdmin(Told, Recorded, admin.ModelAdmin):
    """The tree, in the order of its paths."""

    form = CategoryForm
    list_display = ("place", "slug", "position", "product_count")
    search_fields = ("name", "slug")
    autocomplete_fields = ("parent",)
    prepopulated_fields = {"slug": ("name",)}
    ordering = ("path",)

    @admin.display(description="name")
    def place(self, category: Category) -> str:
        """The name, the deeper the further to the right."""
        return "\N{NO-BREAK SPACE}" * 6 * (category.path.count("/") - 2) + category.name

    def save_model(self, request: HttpRequest, obj: Category, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        place_category(category=obj, parent=form.cleaned_data["parent"])
