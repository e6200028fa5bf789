"""What addresses of a country look like, over HTTP."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.conditional import cacheable
from apps.kernel.countries import COUNTRIES
from apps.kernel.errors import NotFound
from apps.kernel.openapi import problems
from apps.kernel.postal_rules import PostalRules, rules_of


class UnknownCountry(NotFound):
    """There is no country with this code."""

    code = "unknown_country"


class CountryName(serializers.Serializer[Any]):
    """A country."""

    code = serializers.CharField(help_text="ISO 3166-1 alpha-2.")
    name = serializers.CharField(help_text="In capitals, as on a parcel.")


class CountriesDocument(serializers.Serializer[Any]):
    """All countries, by code."""

    results = CountryName(many=True)


class AddressField(serializers.Serializer[Any]):
    """A field of the country's addresses, and whether it has to be said."""

    name = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]  # not DRF's


class RegionDocument(serializers.Serializer[Any]):
    """A region: what is written on parcels, and all that is understood."""

    code = serializers.CharField()
    names = serializers.ListField(child=serializers.CharField())


class RegionsDocument(serializers.Serializer[Any]):
    """What the country calls its regions; without choices any text will do."""

    kind = serializers.CharField(help_text="Such as state, province or prefecture.")
    choices = RegionDocument(many=True)


class PostalCodeDocument(serializers.Serializer[Any]):
    """What the country calls its postal codes, and what they look like, in capitals."""

    kind = serializers.CharField(help_text="Such as postal, zip or eircode.")
    pattern = serializers.CharField(allow_null=True, help_text="A regular expression.")
    examples = serializers.ListField(child=serializers.CharField())


class CountryDocument(CountryName):
    """A country and its addresses. `region` and `postal_code` are null where they have none."""

    fields = AddressField(  # type: ignore[assignment]  # not DRF's
        many=True, help_text="In the order in which they are written."
    )
    region = RegionsDocument(allow_null=True)
    postal_code = PostalCodeDocument(allow_null=True)


class Countries(APIView):
    """All countries."""

    permission_classes = (AllowAny,)
    admits_api_keys = True

    @extend_schema(operation_id="countries_list", responses={200: CountriesDocument})
    def get(self, request: Request) -> Response:
        """List where an address may be."""
        found = [{"code": code, "name": rules_of(code).name} for code in sorted(COUNTRIES)]
        return cacheable(Response({"results": found}), request)


class OneCountry(APIView):
    """A country."""

    permission_classes = (AllowAny,)
    admits_api_keys = True

    @extend_schema(
        operation_id="countries_retrieve", responses={200: CountryDocument, **problems(404)}
    )
    def get(self, request: Request, country: str) -> Response:
        """Show what its addresses have to say."""
        if country not in COUNTRIES:
            raise UnknownCountry("There is no country with this code.")
        return cacheable(Response(_document(rules_of(country))), request)


def _document(rules: PostalRules) -> dict[str, Any]:
    region = {
        "kind": rules.region_kind,
        "choices": [{"code": each.code, "names": each.names} for each in rules.regions],
    }
    pattern = rules.postal_code.pattern.removeprefix("^") if rules.postal_code else ""
    postal_code = {
        "kind": rules.postal_code_kind,
        "pattern": f"^(?:{pattern.removesuffix('$')})$" if pattern else None,
        "examples": rules.postal_code_examples,
    }
    return {
        "code": rules.country,
        "name": rules.name,
        "fields": [{"name": each, "required": each in rules.required} for each in rules.fields],
        "region": region if rules.region_kind else None,
        "postal_code": postal_code if rules.postal_code_kind else None,
    }
