"""API keys over HTTP. Only people manage them: a key opens none of these routes."""

from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.openapi import problems
from apps.kernel.pagination import Ordering, Page, PageQuery, page_of, read_query
from apps.kernel.permissions import (
    PeopleOnly,
    RecentlyProven,
    admits_api_keys,
    is_staff_with,
    staff_with,
)
from apps.kernel.serializers import StrictCharField, StrictIntegerField, StrictSerializer
from apps.users.models import User
from apps.users.selectors.api_keys import COLUMNS, api_keys
from apps.users.services.api_keys import (
    LONGEST_OVERLAP,
    IssuedKey,
    NotYourApiKey,
    UnknownApiKey,
    create_key,
    network_of_key,
    revoke_key,
    rotate_key,
)
from apps.users.services.roles import granter

NEWEST_FIRST = Ordering(column="id", descending=True, parse=UUID)
DAY = 24 * 60 * 60


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How the schema describes keys: only where they open something."""

    target_class = "apps.users.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Api-Key eck_…`, or `Bearer eck_…`.",
        }

    def get_security_requirement(self, auto_schema: Any) -> Any:
        return {self.name: []} if admits_api_keys(auto_schema.view) else None


class NetworkField(StrictCharField):
    """A network in CIDR form, or one address."""

    default_error_messages = {"network": "This is no network: 192.0.2.0/24, 2001:db8::/32."}

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            return network_of_key(text)
        except ValueError:
            self.fail("network")


class ApiKeyDraft(StrictSerializer):
    """A key to be made."""

    name = StrictCharField(max_length=100)
    scopes = serializers.ListField(
        child=StrictCharField(max_length=201),
        min_length=1,
        max_length=500,
        help_text="Permissions that you hold, as `/permissions` lists them.",
    )
    expires_at = serializers.DateTimeField(help_text="At most 366 days from now.")
    networks = serializers.ListField(
        child=NetworkField(max_length=43),
        max_length=50,
        default=list,
        help_text="From where it may be used; from anywhere if there is none.",
    )


class RotationDraft(StrictSerializer):
    """How long the present secret stays good, and when the key ends."""

    overlap_seconds = StrictIntegerField(
        min_value=0, max_value=int(LONGEST_OVERLAP.total_seconds()), default=DAY
    )
    expires_at = serializers.DateTimeField(required=False, help_text="As it is unless given.")


class ApiKeyDocument(serializers.Serializer[Any]):
    """What is known of a key."""

    id = serializers.UUIDField()
    owner_id = serializers.UUIDField()
    name = serializers.CharField()
    hint = serializers.CharField(help_text="How the secret begins.")
    scopes = serializers.ListField(child=serializers.CharField())
    networks = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    issued_at = serializers.DateTimeField(help_text="When the secret was made.")
    expires_at = serializers.DateTimeField()
    previous_until = serializers.DateTimeField(
        allow_null=True, help_text="Until then the secret before is good, too."
    )
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To the minute.")
    revoked_at = serializers.DateTimeField(allow_null=True)


class IssuedApiKeyDocument(ApiKeyDocument):
    """A key with its secret, which is shown this once."""

    secret = serializers.CharField()


class ApiKeyPage(Page):
    """A page of keys."""

    results = ApiKeyDocument(many=True)


class ApiKeys(APIView):
    """The keys that I have made; of everybody for who may see them."""

    permission_classes = (PeopleOnly, staff_with("users.add_apikey"), RecentlyProven)

    @extend_schema(
        operation_id="api_keys_list",
        parameters=[PageQuery],
        responses={200: ApiKeyPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List keys, newest first, also revoked and expired ones."""
        query = read_query(request, PageQuery)
        rows = api_keys(owner_id=_whose(request, "users.view_apikey"))
        return Response(page_of(rows, ordering=NEWEST_FIRST, query=query, request=request))

    @extend_schema(
        operation_id="api_keys_create",
        request=ApiKeyDraft,
        responses={201: IssuedApiKeyDocument, **problems(400, 401, 403, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Make a key. Its secret is in this answer and nowhere else.

        403 `beyond_your_rights` for a scope that you do not hold.
        """
        draft = ApiKeyDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        issued = create_key(by=granter(request.user), owner_id=_me(request), **draft.validated_data)
        location = f"{request.path}/{issued.key.pk}"
        return Response(_issued(issued), status=201, headers={"Location": location})


class OneApiKey(APIView):
    """A key."""

    permission_classes = (PeopleOnly, staff_with("users.add_apikey"))

    @extend_schema(
        operation_id="api_keys_retrieve",
        responses={200: ApiKeyDocument, **problems(401, 403, 404)},
    )
    def get(self, request: Request, key_id: UUID) -> Response:
        """Show a key, without its secret."""
        whose = _whose(request, "users.view_apikey")
        row = api_keys(owner_id=whose).filter(pk=key_id).first()
        if row is None:
            raise UnknownApiKey("There is no such key.")
        return Response(row)

    @extend_schema(operation_id="api_keys_revoke", responses={204: None, **problems(401, 403, 404)})
    def delete(self, request: Request, key_id: UUID) -> Response:
        """Revoke a key: it is worth nothing from the next request on. Repeating changes nothing."""
        revoke_key(key_id=key_id, owner_id=_whose(request, "users.revoke_apikey"))
        return Response(status=204)


class ApiKeyRotations(APIView):
    """Another secret for a key."""

    permission_classes = (PeopleOnly, staff_with("users.add_apikey"), RecentlyProven)

    @extend_schema(
        operation_id="api_key_rotations_create",
        request=RotationDraft,
        responses={201: IssuedApiKeyDocument, **problems(400, 401, 403, 404, 409, 413, 415, 422)},
    )
    def post(self, request: Request, key_id: UUID) -> Response:
        """Make another secret; the present one stays good for the overlap, a day unless given.

        403 `not_your_api_key`: a key acts for its owner, so only the owner rotates it. 409
        `rotation_under_way` while the last overlap lasts.
        """
        draft = RotationDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        expires_at: datetime | None = draft.validated_data.get("expires_at")
        try:
            issued = rotate_key(
                owner_id=_me(request),
                key_id=key_id,
                overlap=timedelta(seconds=draft.validated_data["overlap_seconds"]),
                expires_at=expires_at,
            )
        except UnknownApiKey as refusal:
            whose = _whose(request, "users.view_apikey")
            if api_keys(owner_id=whose).filter(pk=key_id).exists():
                raise NotYourApiKey("Only its owner rotates a key.") from refusal
            raise
        return Response(_issued(issued), status=201)


def _me(request: Request) -> UUID:
    return cast("User", request.user).pk


def _whose(request: Request, permission: str) -> UUID | None:
    """Return whose keys are meant: everybody's for who has the permission."""
    return None if is_staff_with(request, permission) else _me(request)


def _issued(issued: IssuedKey) -> dict[str, object]:
    row = {name: getattr(issued.key, name) for name in COLUMNS}
    return {**row, "secret": issued.secret}
