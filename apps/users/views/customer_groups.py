"""Customer groups over HTTP, for staff."""

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
from apps.kernel.permissions import staff_with
from apps.kernel.serializers import StrictCharField, StrictSerializer
from apps.users.models import CustomerGroup, is_a_code
from apps.users.selectors.customer_groups import customer_group_of, customer_groups
from apps.users.services import customer_groups as services

NEWEST_FIRST = Ordering(column="id", descending=True, parse=UUID)


class CustomerGroupDraft(StrictSerializer):
    """How a group is called, by programs and by people."""

    code = StrictCharField(max_length=40, validators=[is_a_code])
    name = StrictCharField(max_length=120)


class CustomerGroupDocument(serializers.Serializer[Any]):
    """A group. `GET /users?filter[customer_group]=` lists who is in it."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    version = serializers.IntegerField()


class CustomerGroupPage(Page):
    """A page of groups."""

    results = CustomerGroupDocument(many=True)


class CustomerGroups(APIView):
    """All groups."""

    def get_permissions(self) -> list[BasePermission]:
        adds = self.request is not None and self.request.method == "POST"
        return [staff_with(f"users.{'add' if adds else 'view'}_customergroup")()]

    @extend_schema(
        operation_id="customer_groups_list",
        parameters=[PageQuery],
        responses={200: CustomerGroupPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List the groups, newest first."""
        query = read_query(request, PageQuery)
        page = page_of(customer_groups(), ordering=NEWEST_FIRST, query=query, request=request)
        return Response(page)

    @extend_schema(
        operation_id="customer_groups_create",
        request=CustomerGroupDraft,
        responses={201: CustomerGroupDocument, **problems(400, 401, 403, 409, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """Add a group. 409 `customer_group_code_taken`."""
        draft = CustomerGroupDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        group = services.create_group(**draft.validated_data)
        response = _rendered(_document(group), status=201)
        response["Location"] = f"{request.path}/{group.pk}"
        return response


class OneCustomerGroup(APIView):
    """One group."""

    def get_permissions(self) -> list[BasePermission]:
        needed = {"PATCH": "change", "DELETE": "delete"}
        method = self.request.method if self.request is not None else ""
        return [staff_with(f"users.{needed.get(method or '', 'view')}_customergroup")()]

    @extend_schema(
        operation_id="customer_groups_retrieve",
        responses={200: CustomerGroupDocument, **problems(401, 403, 404)},
    )
    def get(self, request: Request, group_id: UUID) -> Response:
        """Show a group."""
        return _rendered(customer_group_of(group_id=group_id))

    @extend_schema(
        operation_id="customer_groups_update",
        parameters=[IF_MATCH],
        request=CustomerGroupDraft,
        responses={
            200: CustomerGroupDocument,
            **problems(400, 401, 403, 404, 409, 412, 413, 415),
        },
    )
    def patch(self, request: Request, group_id: UUID) -> Response:
        """Change what is given. 409 `customer_group_code_taken`."""
        draft = CustomerGroupDraft(data=request.data, partial=True)
        draft.is_valid(raise_exception=True)
        group = services.change_group(
            group_id=group_id, expected_version=expected_version(request), **draft.validated_data
        )
        return _rendered(_document(group))

    @extend_schema(
        operation_id="customer_groups_delete",
        parameters=[IF_MATCH],
        responses={204: None, **problems(400, 401, 403, 404, 409, 412)},
    )
    def delete(self, request: Request, group_id: UUID) -> Response:
        """Remove a group. 409 `customer_group_in_use` while somebody is in it."""
        services.remove_group(group_id=group_id, expected_version=expected_version(request))
        return Response(status=204)


class CustomerGroupMember(APIView):
    """That a person is in a group."""

    permission_classes = (staff_with("users.change_customergroup"),)

    @extend_schema(
        operation_id="customer_group_members_put",
        request=None,
        responses={204: None, **problems(400, 401, 403, 404)},
    )
    def put(self, request: Request, group_id: UUID, user_id: UUID) -> Response:
        """Put a person into the group, out of any other. Their prices change at once."""
        services.put_into_group(group_id=group_id, user_id=user_id)
        return Response(status=204)

    @extend_schema(
        operation_id="customer_group_members_delete",
        responses={204: None, **problems(400, 401, 403, 404)},
    )
    def delete(self, request: Request, group_id: UUID, user_id: UUID) -> Response:
        """Take a person out of the group."""
        services.take_out_of_group(group_id=group_id, user_id=user_id)
        return Response(status=204)


def _document(group: CustomerGroup) -> dict[str, Any]:
    return {"id": group.pk, "code": group.code, "name": group.name, "version": group.version}


def _rendered(document: dict[str, Any], *, status: int = 200) -> Response:
    return tagged(Response(document, status=status), version=document["version"])
