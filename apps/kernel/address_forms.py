"""Addresses in forms of the back office, held against the same rules as over the API."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from apps.kernel.countries import COUNTRIES
from apps.kernel.postal_rules import RULED, settled


class PlaceForm(forms.ModelForm):  # type: ignore[type-arg]  # it takes none at run time
    """What is said of an address is as its country's addresses are.

    What is not changed is not looked at, so that whatever was kept before can stay.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(RULED) & set(self.fields):
            self.fields[name].required = False  # the country decides

    def clean_country(self) -> str:
        country: str = self.cleaned_data["country"]
        if country and country not in COUNTRIES:
            raise ValidationError("This is no country code.", code="unknown_country")
        return country

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not data.get("country") or {*RULED, "country"}.isdisjoint(self.changed_data):
            return data
        said, faults = settled({name: data.get(name) or "" for name in (*RULED, "country")})
        for fault in faults:
            self.add_error(fault.field, ValidationError(fault.detail, code=fault.code))
        return data if faults else data | said
