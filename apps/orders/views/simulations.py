"""Simulations of promotions over HTTP, for staff."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.money import Money
from apps.kernel.openapi import problems
from apps.kernel.permissions import staff_with
from apps.kernel.serializers import MoneyField, StrictIntegerField, StrictSerializer
from apps.orders.models import PromotionSimulation
from apps.orders.services.simulations import simulation_of, start_simulation

LARGEST_LIMIT = 10_000_000


class SimulationDraft(StrictSerializer):
    """The time whose orders are looked at, oldest first, and the most of them."""

    limit = StrictIntegerField(min_value=1, max_value=LARGEST_LIMIT, required=False)

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {
            "from": serializers.DateTimeField(),
            "until": serializers.DateTimeField(help_text="Orders of that moment are not in it."),
        }


class SimulatedAmounts(serializers.Serializer[Any]):
    """What the orders of one currency come to, without tax that is on top of the prices."""

    discount = MoneyField(any_currency=True, help_text="That the promotion gives.")
    revenue_before = MoneyField(any_currency=True)
    revenue_after = MoneyField(any_currency=True)


class SimulatedConflict(serializers.Serializer[Any]):
    """Another promotion that was met."""

    promotion_id = serializers.UUIDField()
    displaced = serializers.IntegerField(help_text="Orders in which it takes less off.")
    keeps_out = serializers.IntegerField(help_text="Orders in which it leaves no room.")


class SimulationDocument(serializers.Serializer[Any]):
    """How far a simulation is, and what it has found so far."""

    id = serializers.UUIDField()
    promotion_id = serializers.UUIDField()
    limit = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=PromotionSimulation.State.choices)
    stopped_because = serializers.CharField(help_text="promotion_changed, failed, or empty.")
    orders_seen = serializers.IntegerField()
    orders_affected = serializers.IntegerField(help_text="To which the promotion gives something.")
    orders_incomplete = serializers.IntegerField(
        help_text="With goods that are sold no more: these match as products alone."
    )
    orders_differing = serializers.IntegerField(
        help_text="Whose own promotions would take off something else now."
    )
    amounts = SimulatedAmounts(many=True)
    conflicts = SimulatedConflict(many=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {
            "from": serializers.DateTimeField(),
            "until": serializers.DateTimeField(),
        }


class Simulations(APIView):
    """What a promotion would have done."""

    permission_classes = (staff_with("orders.add_promotionsimulation"),)

    @extend_schema(
        operation_id="promotion_simulations_create",
        request=SimulationDraft,
        responses={202: SimulationDocument, **problems(400, 401, 403, 404, 413, 415, 422)},
    )
    def post(self, request: Request, promotion_id: UUID) -> Response:
        """Have a promotion, active or not, held against past orders. Changes none of them.

        422 `empty_period`.
        """
        draft = SimulationDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        wish = draft.validated_data
        simulation = start_simulation(
            promotion_id=promotion_id,
            placed_from=wish["from"],
            placed_until=wish["until"],
            most_orders=wish.get("limit"),
        )
        location = f"{request.path}/{simulation.pk}"
        return Response(_document(simulation), status=202, headers={"Location": location})


class OneSimulation(APIView):
    """A simulation."""

    permission_classes = (staff_with("orders.view_promotionsimulation"),)

    @extend_schema(
        operation_id="promotion_simulations_retrieve",
        responses={200: SimulationDocument, **problems(401, 403, 404)},
    )
    def get(self, request: Request, promotion_id: UUID, simulation_id: UUID) -> Response:
        """Show how far a simulation is, and what it has found so far."""
        found = simulation_of(promotion_id=promotion_id, simulation_id=simulation_id)
        return Response(_document(found))


def _document(simulation: PromotionSimulation) -> dict[str, Any]:
    names = (
        *("id", "promotion_id", "state", "stopped_because", "created_at", "finished_at"),
        *("orders_seen", "orders_affected", "orders_incomplete", "orders_differing"),
    )
    return {name: getattr(simulation, name) for name in names} | {
        "from": simulation.placed_from,
        "until": simulation.placed_until,
        "limit": simulation.most_orders,
        "amounts": [
            {
                "discount": Money(each["discount"], currency),
                "revenue_before": Money(each["before"], currency),
                "revenue_after": Money(each["after"], currency),
            }
            for currency, each in sorted(simulation.amounts.items())
        ],
        "conflicts": [
            {"promotion_id": key, **each} for key, each in sorted(simulation.conflicts.items())
        ],
    }
