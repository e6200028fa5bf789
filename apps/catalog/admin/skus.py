"""Variants in forms of the back office."""

from typing import Any
from uuid import UUID

from django import forms

from apps.catalog.models import Variant


class SkuField(forms.ModelChoiceField):
    """A variant, shown and typed as its SKU."""

    widget = forms.TextInput

    def __init__(self, **options: Any) -> None:
        super().__init__(Variant.objects.all(), label="SKU", to_field_name="sku", **options)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, UUID):
            return Variant.objects.values_list("sku", flat=True).get(pk=value)
        return super().prepare_value(value)
