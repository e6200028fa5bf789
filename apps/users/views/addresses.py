"""The address book over HTTP."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.openapi import problems
from apps.kernel.pagination import Ordering, Page, PageQuery, page_of, read_query
from apps.users.models import Address, User
from apps.users.selectors.addresses import address_of, addresses_of
from apps.users.serializers import (
    BOOK_COLUMNS,
    BookAddress,
    BookAddressDocument,
    book_address_of,
)
from apps.users.services import addresses

OLDEST_FIRST = Ordering(column="created_at", descending=False, parse=datetime.fromisoformat)


class AddressPage(Page):
    """A page of addresses."""

    results = BookAddressDocument(many=True)


class AddressBook(APIView):
    """All addresses of the person who asks."""

    @extend_schema(
        operation_id="addresses_list",
        parameters=[PageQuery],
        responses={200: AddressPage, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """Show my addresses, oldest first."""
        query = read_query(request, PageQuery)
        rows = addresses_of(user_id=_me(request)).values(*BOOK_COLUMNS)
        return Response(page_of(rows, ordering=OLDEST_FIRST, query=query, request=request))

    @extend_schema(
        operation_id="addresses_create",
        request=BookAddress,
        responses={201: BookAddressDocument, **problems(400, 401, 409, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        """Keep an address. A new default takes the place of the old one.

        409 `address_book_full`: a book holds 50.
        """
        draft = BookAddress(data=request.data)
        draft.is_valid(raise_exception=True)
        address = addresses.add_address(user_id=_me(request), **draft.validated_data)
        location = f"{request.path}/{address.pk}"
        return Response(book_address_of(address), status=201, headers={"Location": location})


class OneAddress(APIView):
    """An address of the person who asks."""

    @extend_schema(
        operation_id="addresses_retrieve",
        responses={200: BookAddressDocument, **problems(401, 404)},
    )
    def get(self, request: Request, address_id: UUID) -> Response:
        """Show one of my addresses."""
        return Response(book_address_of(address_of(user_id=_me(request), address_id=address_id)))

    @extend_schema(
        operation_id="addresses_update",
        request=BookAddress,
        responses={200: BookAddressDocument, **problems(400, 401, 404, 413, 415)},
    )
    def patch(self, request: Request, address_id: UUID) -> Response:
        """Change what is given. A new default takes the place of the old one."""

        def change(kept: Address) -> dict[str, Any]:
            draft = BookAddress(kept, data=request.data, partial=True)
            draft.is_valid(raise_exception=True)
            return draft.validated_data

        address = addresses.change_address(
            user_id=_me(request), address_id=address_id, change=change
        )
        return Response(book_address_of(address))

    @extend_schema(operation_id="addresses_delete", responses={204: None, **problems(401, 404)})
    def delete(self, request: Request, address_id: UUID) -> Response:
        """Take it out of the book. Orders that went there keep their copy."""
        addresses.remove_address(user_id=_me(request), address_id=address_id)
        return Response(status=204)


def _me(request: Request) -> UUID:
    return cast("User", request.user).pk
