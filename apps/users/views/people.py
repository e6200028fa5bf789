"""People, as staff look them up, switch them off and give them roles."""

from collections.abc import Mapping
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
from apps.kernel.pagination import Ordering, Page, PageQuery, page_of, read_query
from apps.kernel.permissions import PeopleOnly, RecentlyProven, staff_with
from apps.kernel.serializers import StrictBooleanField, StrictSerializer
from apps.users.selectors.people import people, person_of, roles_by_person
from apps.users.selectors.roles import roles_of
from apps.users.services import people as services
from apps.users.services.roles import assign_roles, granter
from apps.users.views.roles import RoleDocument, role_document

NEWEST_FIRST = Ordering(column="id", descending=True, parse=UUID)


class RoleReference(serializers.Serializer[Any]):
    """A role, by id and name."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class PersonDocument(serializers.Serializer[Any]):
    """A person, as staff see them."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    phone = serializers.CharField()
    locale = serializers.CharField()
    is_active = serializers.BooleanField(help_text="Whether the account is on.")
    is_staff = serializers.BooleanField()
    is_superuser = serializers.BooleanField()
    last_login = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    version = serializers.IntegerField()
    customer_group_id = serializers.UUIDField(allow_null=True)
    roles = RoleReference(many=True)


class PersonPage(Page):
    """A page of people."""

    results = PersonDocument(many=True)


class PersonChange(StrictSerializer):
    """What staff change about an account."""

    is_active = StrictBooleanField()


class RoleChoice(StrictSerializer):
    """All roles that a person shall have, by id."""

    roles = serializers.ListField(child=serializers.UUIDField(), max_length=100)


class AssignedRoles(serializers.Serializer[Any]):
    """The roles that a person was given."""

    results = RoleDocument(many=True)


class People(APIView):
    """Everybody with an account."""

    permission_classes = (staff_with("users.view_user"),)

    class PeopleQuery(PageQuery):
        """Whom to list; what is left out does not narrow."""

        def get_fields(self) -> dict[str, Any]:
            return super().get_fields() | {
                "q": serializers.CharField(
                    max_length=100, required=False, help_text="Words of the address or the name."
                ),
                "filter[role]": serializers.UUIDField(required=False),
                "filter[customer_group]": serializers.UUIDField(required=False),
                "filter[is_active]": serializers.BooleanField(required=False),
                "filter[is_staff]": serializers.BooleanField(required=False),
            }

    @extend_schema(
        operation_id="users_list",
        parameters=[PeopleQuery],
        responses={200: PersonPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List people, newest first."""
        query = read_query(request, self.PeopleQuery)
        names = {
            "filter[role]": "groups__role__key",
            "filter[customer_group]": "customer_group",
            "filter[is_active]": "is_active",
            "filter[is_staff]": "is_staff",
        }
        wanted = {names[name]: value for name, value in query.items() if name in names}
        rows = people(search=query.get("q", "")).filter(**wanted)
        page = page_of(rows, ordering=NEWEST_FIRST, query=query, request=request)
        roles = roles_by_person(user_ids=[row["id"] for row in page["results"]])
        page["results"] = [{**row, "roles": roles[row["id"]]} for row in page["results"]]
        return Response(page)


class OnePerson(APIView):
    """Somebody with an account."""

    def get_permissions(self) -> list[BasePermission]:
        writes = self.request is not None and self.request.method == "PATCH"
        needed = "users.deactivate_user" if writes else "users.view_user"
        return [staff_with(needed)(), RecentlyProven()]

    @extend_schema(
        operation_id="users_retrieve",
        responses={200: PersonDocument, **problems(401, 403, 404)},
    )
    def get(self, request: Request, user_id: UUID) -> Response:
        """Show a person."""
        return _rendered(person_of(user_id=user_id))

    @extend_schema(
        operation_id="users_update",
        parameters=[IF_MATCH],
        request=PersonChange,
        responses={200: PersonDocument, **problems(400, 401, 403, 404, 409, 412, 413, 415)},
    )
    def patch(self, request: Request, user_id: UUID) -> Response:
        """Switch an account off, which ends its sessions, or on again.

        403 `beyond_your_rights` for people who may do what you may not; 409 `last_administrator`.
        """
        change = PersonChange(data=request.data)
        change.is_valid(raise_exception=True)
        services.set_active(
            by=granter(request.user),
            user_id=user_id,
            active=change.validated_data["is_active"],
            expected_version=expected_version(request),
        )
        return _rendered(person_of(user_id=user_id))


class PersonRoles(APIView):
    """The roles that a person was given."""

    def get_permissions(self) -> list[BasePermission]:
        writes = self.request is not None and self.request.method == "PUT"
        needed = "users.assign_role" if writes else "users.view_role"
        return [PeopleOnly(), staff_with(needed)(), RecentlyProven()]

    @extend_schema(
        operation_id="user_roles_list",
        responses={200: AssignedRoles, **problems(401, 403, 404)},
    )
    def get(self, request: Request, user_id: UUID) -> Response:
        """Show what roles a person has. The ETag is that of the person."""
        return self._rendered(user_id, person_of(user_id=user_id)["version"])

    @extend_schema(
        operation_id="user_roles_replace",
        parameters=[IF_MATCH],
        request=RoleChoice,
        responses={200: AssignedRoles, **problems(400, 401, 403, 404, 409, 412, 413, 415, 422)},
    )
    def put(self, request: Request, user_id: UUID) -> Response:
        """Give a person exactly these roles. It ends their sessions.

        403 `beyond_your_rights` for roles that hold more than you do, and for people who may do
        what you may not; 409 `last_administrator`; 422 `no_such_role`.
        """
        choice = RoleChoice(data=request.data)
        choice.is_valid(raise_exception=True)
        person = assign_roles(
            by=granter(request.user),
            user_id=user_id,
            keys=choice.validated_data["roles"],
            expected_version=expected_version(request),
        )
        return self._rendered(user_id, person.version)

    def _rendered(self, user_id: UUID, version: int) -> Response:
        roles = [role_document(role) for role in roles_of(user_id=user_id)]
        return tagged(Response({"results": roles}), version=version)


def _rendered(row: Mapping[str, Any]) -> Response:
    roles = roles_by_person(user_ids=[row["id"]])
    return tagged(Response({**row, "roles": roles[row["id"]]}), version=row["version"])
