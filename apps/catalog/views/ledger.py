"""The stock ledger, and what orders hold back, over HTTP."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.models import Reservation, StockMovement
from apps.catalog.selectors.ledger import movements, reservations
from apps.catalog.serializers.ledger import MovementPage, ReservationDocument, ReservationPage
from apps.catalog.serializers.parameters import CommaSeparated
from apps.catalog.services.reservations import UnknownReservation, release_reservation
from apps.kernel.openapi import problems
from apps.kernel.pagination import Ordering, PageQuery, page_of, read_query
from apps.kernel.permissions import staff_with

LARGEST_NUMBER = 2**63 - 1


def _number(value: Any) -> int:
    if type(value) is not int or not 0 < value <= LARGEST_NUMBER:
        raise ValueError("no number of a line")
    return value


NEWEST_FIRST = Ordering(column="id", descending=True, parse=_number, parse_id=_number)
FILTERS = {
    "filter[sku]": "stock__variant__sku__iexact",
    "filter[location]": "stock__location__code",
    "filter[order]": "order_id",
    "filter[document]": "document_id",
    "filter[kind]": "kind__in",
    "filter[state]": "state__in",
    "filter[created_at][gte]": "created_at__gte",
    "filter[created_at][lte]": "created_at__lte",
}


class LedgerQuery(PageQuery):
    """Which lines; what is left out does not narrow."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            **super().get_fields(),
            "filter[sku]": serializers.CharField(required=False, max_length=64),
            "filter[location]": serializers.CharField(
                required=False, max_length=40, help_text="A code."
            ),
            "filter[order]": serializers.UUIDField(required=False),
            "filter[created_at][gte]": serializers.DateTimeField(required=False),
            "filter[created_at][lte]": serializers.DateTimeField(required=False),
        }


class Movements(APIView):
    """The ledger of all stock."""

    permission_classes = (staff_with("catalog.view_stockmovement"),)

    class MovementQuery(LedgerQuery):
        """Which lines of the ledger."""

        def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
            return {
                **super().get_fields(),
                "filter[kind]": CommaSeparated(choices=StockMovement.Kind.values, required=False),
                "filter[document]": serializers.UUIDField(
                    required=False, help_text="An adjustment, a count or a transfer."
                ),
            }

    @extend_schema(
        operation_id="inventory_movements_list",
        parameters=[MovementQuery],
        responses={200: MovementPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List what has moved, newest first. `number` counts all lines of the store."""
        query = read_query(request, self.MovementQuery)
        page = page_of(
            _narrowed(movements(), query), ordering=NEWEST_FIRST, query=query, request=request
        )
        page["results"] = [{"number": row["id"], **_without(row, "id")} for row in page["results"]]
        return Response(page)


class Reservations(APIView):
    """What orders hold back."""

    permission_classes = (staff_with("catalog.view_reservation"),)

    class ReservationQuery(LedgerQuery):
        """Which of them."""

        def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
            states = Reservation.State.values
            return {
                **super().get_fields(),
                "filter[state]": CommaSeparated(choices=states, required=False),
            }

    @extend_schema(
        operation_id="inventory_reservations_list",
        parameters=[ReservationQuery],
        responses={200: ReservationPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List what orders hold, have shipped or given back, newest first."""
        query = read_query(request, self.ReservationQuery)
        page = page_of(
            _narrowed(reservations(), query), ordering=NEWEST_FIRST, query=query, request=request
        )
        page["results"] = [_without(row, "id") for row in page["results"]]
        return Response(page)


class OneReservation(APIView):
    """What one order holds back."""

    def get_permissions(self) -> list[BasePermission]:
        releases = self.request is not None and self.request.method == "DELETE"
        return [staff_with(f"catalog.{'release' if releases else 'view'}_reservation")()]

    @extend_schema(
        operation_id="inventory_reservations_retrieve",
        responses={200: ReservationDocument, **problems(401, 403, 404)},
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        """Show what an order holds."""
        rows = reservations().filter(order_id=order_id).order_by("id")
        lines = [_without(row, "id", "order_id") for row in rows]
        if not lines:
            raise UnknownReservation("This order has never held anything.")
        return Response({"order_id": order_id, "lines": lines})

    @extend_schema(
        operation_id="inventory_reservations_release",
        responses={204: None, **problems(401, 403, 404, 409)},
    )
    def delete(self, request: Request, order_id: UUID) -> Response:
        """Give back all that an unpaid order holds. 409 `reservation_is_over` for all others."""
        release_reservation(order_id=order_id)
        return Response(status=204)


def _narrowed(rows: QuerySet[Any, dict[str, Any]], query: dict[str, Any]) -> Any:
    return rows.filter(**{FILTERS[name]: query[name] for name in FILTERS if name in query})


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
