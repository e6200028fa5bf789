"""Gift cards over HTTP: staff make and change them, who knows a code asks for the balance."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.conditional import expected_version, tagged
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.pagination import Ordering, PageQuery, page_of, read_query
from apps.kernel.permissions import PeopleOnly, RecentlyProven, staff_with
from apps.orders.models import StoredValue
from apps.orders.selectors.stored_value import gift_card_of, movements_of
from apps.orders.serializers.stored_value import (
    GiftCardBalance,
    GiftCardChange,
    GiftCardCode,
    GiftCardDocument,
    GiftCardDraft,
    GiftCardPage,
    IssuedGiftCard,
    gift_card_balance,
    gift_card_document,
    gift_card_summary,
)
from apps.orders.services import code_tries, stored_value

NEWEST_FIRST = Ordering(column="id", descending=True, parse=UUID)


class GiftCardQuery(PageQuery):
    """A page, of the cards whose code ends so, if that is named."""

    def get_fields(self) -> dict[str, serializers.Field]:
        last_four = serializers.RegexField("^[0-9A-Z]{4}$", required=False)
        return super().get_fields() | {"filter[last_four]": last_four}


class GiftCards(APIView):
    """All gift cards."""

    def get_permissions(self) -> list[BasePermission]:
        if self.request is not None and self.request.method == "POST":
            return [staff_with("orders.issue_giftcard")(), PeopleOnly(), RecentlyProven()]
        return [staff_with("orders.view_storedvalue")()]

    @extend_schema(
        operation_id="gift_cards_list",
        parameters=[GiftCardQuery],
        responses={200: GiftCardPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List gift cards, newest first."""
        query = read_query(request, GiftCardQuery)
        rows = StoredValue.objects.filter(kind=StoredValue.Kind.GIFT_CARD).values("id")
        if last_four := query.get("filter[last_four]"):
            rows = rows.filter(last_four=last_four)
        page = page_of(rows, ordering=NEWEST_FIRST, query=query, request=request)
        found = StoredValue.objects.in_bulk([row["id"] for row in page["results"]])
        page["results"] = [gift_card_summary(found[row["id"]]) for row in page["results"]]
        return Response(page)

    @extend_schema(
        operation_id="gift_cards_create",
        request=GiftCardDraft,
        responses={201: IssuedGiftCard, **problems(400, 401, 403, 413, 415, 422)},
    )
    def post(self, request: Request) -> Response:
        """Issue a card. The answer has its code, which is kept nowhere: not to be asked again."""
        draft = GiftCardDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        card, code = stored_value.issue_gift_card(**draft.validated_data)
        response = _rendered(card, status=201, code=code)
        response["Location"] = f"{request.path}/{card.pk}"
        return response


class OneGiftCard(APIView):
    """A gift card."""

    def get_permissions(self) -> list[BasePermission]:
        changes = self.request is not None and self.request.method == "PATCH"
        needed = "orders.change_giftcard" if changes else "orders.view_storedvalue"
        return [staff_with(needed)()]

    @extend_schema(
        operation_id="gift_cards_retrieve",
        responses={200: GiftCardDocument, **problems(401, 403, 404)},
    )
    def get(self, request: Request, gift_card_id: UUID) -> Response:
        """Show a card and its newest movements."""
        return _rendered(gift_card_of(gift_card_id=gift_card_id))

    @extend_schema(
        operation_id="gift_cards_update",
        parameters=[IF_MATCH],
        request=GiftCardChange,
        responses={200: GiftCardDocument, **problems(400, 401, 403, 404, 412, 413, 415)},
    )
    def patch(self, request: Request, gift_card_id: UUID) -> Response:
        """Disable a card or let it be used again, change when it ends, write a note."""
        change = GiftCardChange(data=request.data)
        change.is_valid(raise_exception=True)
        card = stored_value.change_gift_card(
            gift_card_id=gift_card_id,
            fields=stored_value.GiftCardFields(**change.validated_data),
            version=expected_version(request),
        )
        return _rendered(card)


class GiftCardLookups(APIView):
    """Ask for the balance of a card by its code."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="gift_card_lookups_create",
        request=GiftCardCode,
        responses={200: GiftCardBalance, **problems(400, 404, 413, 415, 429)},
    )
    def post(self, request: Request) -> Response:
        """Tell what is on a card. Nothing changes; a code in a path would be in logs.

        429 `too_many_guesses` after many that no card has.
        """
        draft = GiftCardCode(data=request.data)
        draft.is_valid(raise_exception=True)
        card = code_tries.look_up_gift_card(
            code=draft.validated_data["code"], ip=request.META.get("REMOTE_ADDR") or None
        )
        return Response(gift_card_balance(card))


def _rendered(card: StoredValue, *, status: int = 200, code: str = "") -> Response:
    document = gift_card_document(card, movements_of([card])[card.pk])
    response = Response(document | ({"code": code} if code else {}), status=status)
    return tagged(response, version=card.version)
