"""Attributes and their choices over HTTP."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.models import Attribute
from apps.catalog.models.slugs import is_a_slug
from apps.catalog.selectors.product_types import attribute_rows
from apps.catalog.serializers.parameters import BY_NAME
from apps.catalog.serializers.product_types import (
    AttributeDocument,
    AttributePage,
    ChoiceDocument,
    ChoiceList,
)
from apps.catalog.services.attributes import (
    UnknownAttribute,
    add_attribute,
    add_choice,
    change_attribute,
    change_choice,
    remove_attribute,
    remove_choice,
)
from apps.kernel.conditional import cacheable
from apps.kernel.openapi import problems
from apps.kernel.pagination import PageQuery, page_of, read_query
from apps.kernel.permissions import staff_with
from apps.kernel.serializers import (
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)


class AttributeChanges(StrictSerializer):
    """What may change about an attribute."""

    name = StrictCharField(max_length=120)
    unit = StrictCharField(max_length=20, allow_blank=True, default="", help_text="Of a number.")
    is_filterable = StrictBooleanField(default=False)


class AttributeDraft(AttributeChanges):
    """A new attribute. Code and kind are for good."""

    code = serializers.RegexField(r"\A[a-z][a-z0-9_]{0,39}\Z")
    kind = serializers.ChoiceField(choices=Attribute.Kind.choices)


class ChoiceChanges(StrictSerializer):
    """What may change about a choice."""

    name = StrictCharField(max_length=120)
    position = StrictIntegerField(min_value=0, max_value=1_000_000, default=0)


class ChoiceDraft(ChoiceChanges):
    """A new choice. Without a code its name makes one, for good."""

    code = StrictCharField(max_length=80, required=False, validators=[is_a_slug])


class Attributes(APIView):
    """What can be told of products."""

    admits_api_keys = True

    def get_permissions(self) -> list[BasePermission]:
        writes = self.request is not None and self.request.method == "POST"
        return [staff_with("catalog.add_attribute")() if writes else AllowAny()]

    @extend_schema(
        operation_id="attributes_list",
        parameters=[PageQuery],
        responses={200: AttributePage, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """List the attributes by name."""
        query = read_query(request, PageQuery)
        page = page_of(attribute_rows(), ordering=BY_NAME, query=query, request=request)
        return cacheable(Response(page), request)

    @extend_schema(
        operation_id="attributes_create",
        request=AttributeDraft,
        responses={201: AttributeDocument, **problems(400, 401, 403, 409, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Add an attribute. 409 `code_taken`."""
        draft = AttributeDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        attribute = add_attribute(**draft.validated_data)
        location = f"{request.path}/{attribute.pk}"
        return Response(_attribute(attribute.pk), status=201, headers={"Location": location})


class OneAttribute(APIView):
    """An attribute."""

    admits_api_keys = True

    def get_permissions(self) -> list[BasePermission]:
        needed = {"PATCH": "change", "DELETE": "delete"}.get(self.request.method or "")
        return [staff_with(f"catalog.{needed}_attribute")() if needed else AllowAny()]

    @extend_schema(
        operation_id="attributes_read",
        responses={200: AttributeDocument, **problems(400, 401, 404)},
    )
    def get(self, request: Request, attribute_id: UUID) -> Response:
        """Show an attribute with its choices."""
        read_query(request, StrictSerializer)
        return cacheable(Response(_attribute(attribute_id)), request)

    @extend_schema(
        operation_id="attributes_update",
        request=AttributeChanges,
        responses={200: AttributeDocument, **problems(400, 401, 403, 404, 413, 415, 422)},
    )
    def patch(self, request: Request, attribute_id: UUID) -> Response:
        """Change what is given. Code and kind stay."""
        draft = AttributeChanges(data=request.data, partial=True)
        draft.is_valid(raise_exception=True)
        change_attribute(attribute_id=attribute_id, **draft.validated_data)
        return Response(_attribute(attribute_id))

    @extend_schema(
        operation_id="attributes_delete",
        responses={204: None, **problems(400, 401, 403, 404, 409)},
    )
    def delete(self, request: Request, attribute_id: UUID) -> Response:
        """Take an attribute away that no product type has. 409 `attribute_in_use`."""
        remove_attribute(attribute_id=attribute_id)
        return Response(status=204)


class Choices(APIView):
    """The values that an attribute may have."""

    admits_api_keys = True

    def get_permissions(self) -> list[BasePermission]:
        writes = self.request is not None and self.request.method == "POST"
        return [staff_with("catalog.change_attribute")() if writes else AllowAny()]

    @extend_schema(
        operation_id="attribute_values_list",
        responses={200: ChoiceList, **problems(400, 401, 404)},
    )
    def get(self, request: Request, attribute_id: UUID) -> Response:
        """List them all, in their order."""
        read_query(request, StrictSerializer)
        return cacheable(Response({"results": _attribute(attribute_id)["choices"]}), request)

    @extend_schema(
        operation_id="attribute_values_create",
        request=ChoiceDraft,
        responses={201: ChoiceDocument, **problems(400, 401, 403, 404, 409, 413, 415, 422)},
    )
    def post(self, request: Request, attribute_id: UUID) -> Response:
        """Add one, if the attribute is one to choose from. 409 `code_taken`."""
        draft = ChoiceDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        choice = add_choice(attribute_id=attribute_id, **draft.validated_data)
        location = f"{request.path}/{choice.pk}"
        document = _choice(attribute_id, choice.pk)
        return Response(document, status=201, headers={"Location": location})


class OneChoice(APIView):
    """A value that an attribute may have."""

    def get_permissions(self) -> list[BasePermission]:
        return [staff_with("catalog.change_attribute")()]

    @extend_schema(
        operation_id="attribute_values_update",
        request=ChoiceChanges,
        responses={200: ChoiceDocument, **problems(400, 401, 403, 404, 413, 415)},
    )
    def patch(self, request: Request, attribute_id: UUID, choice_id: UUID) -> Response:
        """Change its name or place. The code stays, because products name it."""
        draft = ChoiceChanges(data=request.data, partial=True)
        draft.is_valid(raise_exception=True)
        change_choice(attribute_id=attribute_id, choice_id=choice_id, **draft.validated_data)
        return Response(_choice(attribute_id, choice_id))

    @extend_schema(
        operation_id="attribute_values_delete",
        responses={204: None, **problems(400, 401, 403, 404, 409)},
    )
    def delete(self, request: Request, attribute_id: UUID, choice_id: UUID) -> Response:
        """Take back what no product has. 409 `attribute_in_use`."""
        remove_choice(attribute_id=attribute_id, choice_id=choice_id)
        return Response(status=204)


def _attribute(attribute_id: UUID) -> dict[str, Any]:
    row = attribute_rows().filter(pk=attribute_id).first()
    if row is None:
        raise UnknownAttribute("There is no such attribute.")
    return row


def _choice(attribute_id: UUID, choice_id: UUID) -> dict[str, Any]:
    choices: list[dict[str, Any]] = _attribute(attribute_id)["choices"]
    return next(choice for choice in choices if choice["id"] == str(choice_id))
