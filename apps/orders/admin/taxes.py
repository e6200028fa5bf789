"""Taxes in the back office, through the services, which refuse and record."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.kernel.backoffice import Told
from apps.kernel.countries import COUNTRIES
from apps.orders.models import TaxClass, TaxRate, TaxZone
from apps.orders.models.tax import LONGEST_PREFIX, MOST_AREAS, postal_key
from apps.orders.pricing.percentages import NotAPercentage, percentage_of, ppm_of
from apps.orders.services import tax_tables
from apps.orders.services.tax_tables import AreaFields

AREAS = (
    "One a line: COUNTRY, COUNTRY/REGION, COUNTRY//POSTAL or COUNTRY/REGION/POSTAL, such as DE, "
    "US/CA or US//902; * is everywhere else."
)


class AreasField(forms.CharField):
    """Areas as lines of text."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.Textarea, help_text=AREAS)

    def clean(self, value: Any) -> Any:
        lines = [line.strip() for line in super().clean(value).splitlines() if line.strip()]
        if len(lines) > MOST_AREAS:
            raise ValidationError(f"At most {MOST_AREAS} areas.")
        return [_area(line) for line in lines]


def _area(line: str) -> AreaFields:
    country, *narrowed = (part.strip() for part in line.split("/"))
    region, postal_prefix = [*narrowed, "", ""][:2]
    if len(narrowed) > 2:
        raise ValidationError(f"{line[:60]!r} has too many parts.")
    if country == "*":
        if region or postal_prefix:
            raise ValidationError("Everywhere else is not narrowed.")
        return AreaFields(country="")
    if country not in COUNTRIES:
        raise ValidationError(f"{country[:60]!r} is no country code.")
    if len(postal_key(postal_prefix)) > LONGEST_PREFIX or len(region) > 100:
        raise ValidationError(f"{line[:60]!r} is too long.")
    return AreaFields(country=country, region=region, postal_prefix=postal_prefix)


class TaxPage(Told, admin.ModelAdmin):
    """A page whose rows are written by services. What decides on others is chosen once."""

    chosen_once: tuple[str, ...] = ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.chosen_once, "version") if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        fields = {name: form.cleaned_data[name] for name in form.fields}
        made = self.changed(obj, fields) if change else self.added(fields)
        vars(obj).update(vars(made))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.removed(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.removed(row)

    def added(self, fields: dict[str, Any]) -> Any:
        """Add a row by its service."""
        raise NotImplementedError

    def changed(self, row: Any, fields: dict[str, Any]) -> Any:
        """Change a row by its service."""
        raise NotImplementedError

    def removed(self, row: Any) -> None:
        """Remove a row by its service."""
        raise NotImplementedError


class TaxClassForm(forms.ModelForm):
    """A class; its code is chosen once."""

    class Meta:
        model = TaxClass
        fields = ("code", "name", "is_default")

    def _get_validation_exclusions(self) -> set[str]:
        """Leave it to the service to take the default over from another class."""
        return {*super()._get_validation_exclusions(), "is_default"}  # type: ignore[misc]  # Django's


@admin.register(TaxClass)
class TaxClassAdmin(TaxPage):
    """Classes by code; the default one is left by choosing another."""

    form = TaxClassForm
    list_display = ("code", "name", "is_default")
    search_fields = ("code", "name")
    ordering = ("code",)
    chosen_once = ("code",)

    def added(self, fields: dict[str, Any]) -> TaxClass:
        return tax_tables.create_class(**fields)

    def changed(self, row: TaxClass, fields: dict[str, Any]) -> TaxClass:
        return tax_tables.change_class(class_id=row.pk, **fields)

    def removed(self, row: TaxClass) -> None:
        tax_tables.remove_class(class_id=row.pk)


class TaxZoneForm(forms.ModelForm):
    """A zone with its areas as text."""

    areas = AreasField()

    class Meta:
        model = TaxZone
        fields = ("name", "prices_include_tax", "shipping_taxed", "shipping_tax_class")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            areas = self.instance.areas.order_by("country", "region", "postal_prefix")
            self.initial["areas"] = "\n".join(str(area) for area in areas)


@admin.register(TaxZone)
class TaxZoneAdmin(TaxPage):
    """Zones by name. One with rates is not deleted."""

    form = TaxZoneForm
    list_display = ("name", "prices_include_tax", "shipping_taxed", "shipping_tax_class")
    list_select_related = ("shipping_tax_class",)
    search_fields = ("name", "areas__country", "areas__region", "areas__postal_prefix")
    ordering = ("name",)

    def added(self, fields: dict[str, Any]) -> TaxZone:
        return tax_tables.create_zone(fields=_zone(fields))

    def changed(self, row: TaxZone, fields: dict[str, Any]) -> TaxZone:
        return tax_tables.change_zone(zone_id=row.pk, fields=_zone(fields))

    def removed(self, row: TaxZone) -> None:
        tax_tables.remove_zone(zone_id=row.pk)


def _zone(fields: dict[str, Any]) -> tax_tables.ZoneFields:
    of_parcels = fields["shipping_tax_class"]
    fields = {**fields, "shipping_tax_class": of_parcels.code if of_parcels else None}
    return cast("tax_tables.ZoneFields", fields)


class TaxRateForm(forms.ModelForm):
    """A rate as a percentage; its zone and class are chosen once."""

    percentage = forms.CharField(max_length=20, help_text="Such as 19 or 8.875.")

    class Meta:
        model = TaxRate
        fields = ("zone", "tax_class", "code", "name", "valid_from", "valid_until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial["percentage"] = percentage_of(self.instance.ppm)

    def clean_percentage(self) -> int:
        try:
            return ppm_of(self.cleaned_data["percentage"])
        except NotAPercentage as refusal:
            raise ValidationError(refusal.detail) from refusal


@admin.register(TaxRate)
class TaxRateAdmin(TaxPage):
    """Rates by zone, also those that are over or still to come."""

    form = TaxRateForm
    list_display = ("name", "zone", "tax_class", "code", "percentage", "valid_from", "valid_until")
    list_filter = ("zone", "tax_class")
    list_select_related = ("zone", "tax_class")
    search_fields = ("name", "code", "zone__name")
    ordering = ("zone__name", "tax_class__code", "code", "valid_from")
    chosen_once = ("zone", "tax_class")

    @admin.display(ordering="ppm")
    def percentage(self, rate: TaxRate) -> str:
        """How high it is."""
        return f"{percentage_of(rate.ppm)} %"

    def added(self, fields: dict[str, Any]) -> TaxRate:
        zone, tax_class = fields.pop("zone"), fields.pop("tax_class")
        return tax_tables.create_rate(
            zone_id=zone.pk, tax_class=tax_class.code, fields=_rate(fields)
        )

    def changed(self, row: TaxRate, fields: dict[str, Any]) -> TaxRate:
        return tax_tables.change_rate(rate_id=row.pk, fields=_rate(fields))

    def removed(self, row: TaxRate) -> None:
        tax_tables.remove_rate(rate_id=row.pk)


def _rate(fields: dict[str, Any]) -> tax_tables.RateFields:
    ppm = fields.pop("percentage")
    return cast("tax_tables.RateFields", {**fields, "ppm": ppm})
