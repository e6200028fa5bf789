"""What every address of the store says: of carts, of orders, of people, of places."""

from typing import Any

from rest_framework import serializers

from apps.kernel.countries import COUNTRIES
from apps.kernel.postal_rules import RULED, settled
from apps.kernel.serializers import StrictCharField, StrictSerializer


class Place(StrictSerializer):
    """Where something is. The country is ISO 3166-1 alpha-2; `GET /countries` tells its rules."""

    line1 = StrictCharField(max_length=200)
    line2 = StrictCharField(max_length=200, required=False, allow_blank=True)
    city = StrictCharField(max_length=100)
    region = StrictCharField(max_length=100, required=False, allow_blank=True)
    postal_code = StrictCharField(max_length=20)
    country = StrictCharField(min_length=2, max_length=2)

    def validate_country(self, value: str) -> str:
        if value not in COUNTRIES:
            raise serializers.ValidationError("This is no country code.", code="unknown_country")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Hold the address against its country's rules; what is changed, with what is kept."""
        if attrs.keys().isdisjoint({*RULED, "country"}):
            return attrs
        kept = {name: getattr(self.instance, name, "") for name in (*RULED, "country")}
        whole = {**kept, **attrs}
        if not whole["country"]:
            self.fields["country"].fail("required")
        said, faults = settled(whole)
        if faults:
            raise serializers.ValidationError(
                {
                    fault.field: serializers.ErrorDetail(fault.detail, code=fault.code)
                    for fault in faults
                }
            )
        return attrs | {name: said[name] for name in RULED if name in attrs or not self.partial}


class Address(Place):
    """Where a parcel goes."""

    city = StrictCharField(max_length=100, required=False, allow_blank=True)
    postal_code = StrictCharField(max_length=20, required=False, allow_blank=True)
    first_name = StrictCharField(max_length=100)
    last_name = StrictCharField(max_length=100)
    company = StrictCharField(max_length=100, required=False, allow_blank=True)
    phone = StrictCharField(max_length=40, required=False, allow_blank=True)
