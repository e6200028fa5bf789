"""Collections in the back office."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from rest_framework.exceptions import ValidationError as UnfitDocument

from apps.catalog.models import Collection, CollectionProduct
from apps.catalog.serializers.collections import RuleDraft
from apps.catalog.services.collections import add_collection, change_collection, choose_products
from apps.kernel.backoffice import Told


class CollectionForm(forms.ModelForm):
    """What staff write about a collection; rules as the API takes them."""

    class Meta:
        model = Collection
        fields = (
            "name",
            "slug",
            "kind",
            "match",
            "rules",
            "description",
            "seo_title",
            "seo_description",
        )

    def clean_rules(self) -> Any:
        rules = RuleDraft(data=self.cleaned_data["rules"] or [], many=True)
        try:
            rules.is_valid(raise_exception=True)
        except UnfitDocument as refusal:
            raise ValidationError(str(refusal.detail)) from refusal
        return [dict(rule) for rule in rules.validated_data]


class Entries(admin.TabularInline):
    """The products of a collection by hand, in their order."""

    model = CollectionProduct
    fields = ("product", "position")
    autocomplete_fields = ("product",)
    extra = 0
    ordering = ("position",)

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(request.user.has_perm("catalog.view_collection"))

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(request.user.has_perm("catalog.change_collection"))

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return self.has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return self.has_change_permission(request)


@admin.register(Collection)
class CollectionAdmin(Told, admin.ModelAdmin):
    """Collections by name. Their services write and record them."""

    form = CollectionForm
    inlines = (Entries,)
    list_display = ("name", "slug", "kind", "version")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    ordering = ("name",)

    def save_model(self, request: HttpRequest, obj: Collection, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        if change:
            change_collection(collection_id=obj.pk, fields=form.cleaned_data)
        else:
            obj.pk = add_collection(fields=form.cleaned_data).pk

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        formset.save(commit=False)
        rows = [
            row.instance
            for row in formset.forms
            if row.instance.product_id and row not in formset.deleted_forms
        ]
        if formset.has_changed():
            choose_products(
                collection_id=form.instance.pk,
                products=[
                    str(row.product_id) for row in sorted(rows, key=lambda row: row.position)
                ],
            )
