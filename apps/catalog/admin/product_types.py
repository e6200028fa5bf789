"""Product types and attributes in the back office. Their services write and record them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from apps.catalog.models import (
    Attribute,
    AttributeChoice,
    ProductType,
    ProductTypeAttribute,
)
from apps.catalog.services.attributes import (
    add_attribute,
    add_choice,
    change_attribute,
    change_choice,
    remove_attribute,
    remove_choice,
)
from apps.catalog.services.product_types import (
    TypeAttribute,
    add_product_type,
    change_product_type,
    remove_product_type,
)
from apps.kernel.backoffice import Told


class ChoiceForm(forms.ModelForm):
    """A choice; products name its code, so that stays."""

    class Meta:
        model = AttributeChoice
        fields = ("name", "code", "position")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].disabled = not self.instance._state.adding


class Choices(admin.TabularInline):
    """The values to choose from."""

    model = AttributeChoice
    form = ChoiceForm
    extra = 0
    ordering = ("position", "code")

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(request.user.has_perm("catalog.view_attribute"))

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(request.user.has_perm("catalog.change_attribute"))

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return self.has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return self.has_change_permission(request)


@admin.register(Attribute)
class AttributeAdmin(Told, admin.ModelAdmin):
    """What can be told of products. Code and kind are for good."""

    inlines = (Choices,)
    list_display = ("name", "code", "kind", "unit", "is_filterable")
    search_fields = ("name", "code")
    ordering = ("name",)
    fields = ("name", "code", "kind", "unit", "is_filterable")

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> tuple[str, ...]:
        return ("code", "kind") if obj else ()

    def save_model(self, request: HttpRequest, obj: Attribute, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        said: Any = {name: form.cleaned_data[name] for name in ("name", "unit", "is_filterable")}
        if change:
            change_attribute(attribute_id=obj.pk, **said)
        else:
            obj.pk = add_attribute(code=obj.code, kind=obj.kind, **said).pk

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        attribute_id = form.instance.pk
        formset.save(commit=False)
        for choice in formset.deleted_objects:
            remove_choice(attribute_id=attribute_id, choice_id=choice.pk)
        for choice, _ in formset.changed_objects:
            change_choice(
                attribute_id=attribute_id,
                choice_id=choice.pk,
                name=choice.name,
                position=choice.position,
            )
        for choice in formset.new_objects:
            add_choice(
                attribute_id=attribute_id,
                name=choice.name,
                code=choice.code,
                position=choice.position,
            )

    def delete_model(self, request: HttpRequest, obj: Attribute) -> None:
        remove_attribute(attribute_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for attribute in queryset:
            self.delete_model(request, attribute)


class TypeAttributes(admin.TabularInline):
    """Which attributes products of the type have, in their order."""

    model = ProductTypeAttribute
    fields = ("attribute", "is_required", "position")
    autocomplete_fields = ("attribute",)
    extra = 0
    ordering = ("position",)

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(request.user.has_perm("catalog.view_producttype"))

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(request.user.has_perm("catalog.change_producttype"))

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return self.has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return self.has_change_permission(request)


@admin.register(ProductType)
class ProductTypeAdmin(Told, admin.ModelAdmin):
    """What products of a kind have in common."""

    inlines = (TypeAttributes,)
    list_display = ("name", "slug", "options", "version")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    ordering = ("name",)

    def save_model(self, request: HttpRequest, obj: ProductType, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        if not change:
            obj.pk = add_product_type(fields={"name": obj.name, "slug": obj.slug}).pk

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        formset.save(commit=False)
        rows = [
            row.instance
            for row in formset.forms
            if row.instance.attribute_id and row not in formset.deleted_forms
        ]
        change_product_type(
            type_id=form.instance.pk,
            fields={
                "name": form.cleaned_data["name"],
                "slug": form.cleaned_data["slug"],
                "options": form.cleaned_data["options"],
                "attributes": [
                    TypeAttribute(code=row.attribute.code, is_required=row.is_required)
                    for row in sorted(rows, key=lambda row: row.position)
                ],
            },
        )

    def delete_model(self, request: HttpRequest, obj: ProductType) -> None:
        remove_product_type(type_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for product_type in queryset:
            self.delete_model(request, product_type)
