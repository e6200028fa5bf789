"""Roles over HTTP: what there is to grant, and what each role holds."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.conditional import expected_version, tagged
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.permissions import PeopleOnly, RecentlyProven, staff_with
from apps.kernel.serializers import StrictCharField, StrictSerializer
from apps.users.models import Role
from apps.users.selectors.roles import codes_of, grantable, role_of, roles
from apps.users.services import roles as services
from apps.users.services.roles import granter


class PermissionDocument(serializers.Serializer[Any]):
    """Something that staff may do."""

    code = serializers.CharField(help_text="`app.codename`, as roles list it.")
    name = serializers.CharField()


class PermissionDocuments(serializers.Serializer[Any]):
    """All that there is to grant."""

    results = PermissionDocument(many=True)


class RoleDraft(StrictSerializer):
    """A role: how it is called, and all that it holds."""

    name = StrictCharField(max_length=150)
    description = StrictCharField(max_length=300, allow_blank=True, required=False)
    permissions = serializers.ListField(child=StrictCharField(max_length=201), max_length=500)


class RoleDocument(serializers.Serializer[Any]):
    """A role. One with a `code` is in every store."""

    id = serializers.UUIDField()
    code = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    description = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    version = serializers.IntegerField()


class RoleDocuments(serializers.Serializer[Any]):
    """All of them; there are few."""

    results = RoleDocument(many=True)


class Permissions(APIView):
    """What there is to grant."""

    permission_classes = (PeopleOnly, staff_with("users.view_role"))

    @extend_schema(
        operation_id="permissions_list", responses={200: PermissionDocuments, **problems(401, 403)}
    )
    def get(self, request: Request) -> Response:
        """List the permissions that roles may hold."""
        rows = sorted(grantable().items())
        return Response({"results": [{"code": code, "name": row.name} for code, row in rows]})


class Roles(APIView):
    """All roles."""

    def get_permissions(self) -> list[BasePermission]:
        adds = self.request is not None and self.request.method == "POST"
        needed = "users.add_role" if adds else "users.view_role"
        return [PeopleOnly(), staff_with(needed)(), RecentlyProven()]

    @extend_schema(operation_id="roles_list", responses={200: RoleDocuments, **problems(401, 403)})
    def get(self, request: Request) -> Response:
        """List the roles with what they hold."""
        return Response({"results": [role_document(role) for role in roles()]})

    @extend_schema(
        operation_id="roles_create",
        request=RoleDraft,
        responses={201: RoleDocument, **problems(400, 401, 403, 409, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Add a role. 403 `beyond_your_rights` for what you do not hold yourself."""
        draft = RoleDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        role = services.create_role(by=granter(request.user), **draft.validated_data)
        response = Response(role_document(role), status=201)
        response["Location"] = f"{request.path}/{role.key}"
        return tagged(response, version=role.version)


class OneRole(APIView):
    """One role."""

    def get_permissions(self) -> list[BasePermission]:
        needed = {"PATCH": "users.change_role", "DELETE": "users.delete_role"}
        method = self.request.method if self.request is not None else ""
        needed_now = needed.get(method or "", "users.view_role")
        return [PeopleOnly(), staff_with(needed_now)(), RecentlyProven()]

    @extend_schema(
        operation_id="roles_retrieve",
        responses={200: RoleDocument, **problems(401, 403, 404)},
    )
    def get(self, request: Request, role_id: UUID) -> Response:
        """Show a role."""
        return _rendered(role_of(key=role_id))

    @extend_schema(
        operation_id="roles_update",
        parameters=[IF_MATCH],
        request=RoleDraft,
        responses={200: RoleDocument, **problems(400, 401, 403, 404, 409, 412, 413, 415, 422)},
    )
    def patch(self, request: Request, role_id: UUID) -> Response:
        """Change what is given; permissions are given all or not at all.

        It counts from the next request of whoever has the role. 403 `beyond_your_rights` unless you
        hold all that the role holds, before and after. 409 `declared_role_stays` for the
        administrator's role.
        """
        draft = RoleDraft(data=request.data, partial=True)
        draft.is_valid(raise_exception=True)
        role = services.change_role(
            by=granter(request.user),
            key=role_id,
            expected_version=expected_version(request),
            **draft.validated_data,
        )
        return _rendered(role)

    @extend_schema(
        operation_id="roles_delete",
        parameters=[IF_MATCH],
        responses={204: None, **problems(400, 401, 403, 404, 409, 412)},
    )
    def delete(self, request: Request, role_id: UUID) -> Response:
        """Remove a role. 409 `declared_role_stays`, or `role_in_use` while somebody has it."""
        services.remove_role(
            by=granter(request.user), key=role_id, expected_version=expected_version(request)
        )
        return Response(status=204)


def role_document(role: Role) -> dict[str, object]:
    """Return the document `RoleDocument` of a role."""
    return {
        "id": role.key,
        "code": role.code or None,
        "name": role.name,
        "description": role.description,
        "permissions": codes_of(role),
        "version": role.version,
    }


def _rendered(role: Role) -> Response:
    return tagged(Response(role_document(role)), version=role.version)
