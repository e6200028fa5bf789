"""What every address of the store says: of carts, of orders, of people, of places."""

from rest_framework import serializers

from apps.kernel.countries import COUNTRIES
from apps.kernel.serializers import StrictCharField, StrictSerializer


class Place(StrictSerializer):
    """Where something is. The country is ISO 3166-1 alpha-2."""

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


class Address(Place):
    """Where a parcel goes."""

    first_name = StrictCharField(max_length=100)
    last_name = StrictCharField(max_length=100)
    company = StrictCharField(max_length=100, required=False, allow_blank=True)
    phone = StrictCharField(max_length=40, required=False, allow_blank=True)
