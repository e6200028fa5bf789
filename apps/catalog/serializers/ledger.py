"""The documents of the stock ledger and of what orders hold back."""

from typing import Any

from rest_framework import serializers

from apps.catalog.models import Reservation, StockMovement
from apps.kernel.pagination import Page


class MovementDocument(serializers.Serializer[Any]):
    """A line of the ledger. The sums of a balance's lines are the balance."""

    number = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=StockMovement.Kind.values)
    variant_id = serializers.UUIDField()
    sku = serializers.CharField()
    location = serializers.CharField(help_text="Its code.")
    on_hand_delta = serializers.IntegerField()
    reserved_delta = serializers.IntegerField()
    allocated_delta = serializers.IntegerField()
    order_id = serializers.UUIDField(allow_null=True)
    document_id = serializers.UUIDField(
        allow_null=True, help_text="The adjustment, count or transfer that it belongs to."
    )
    reason = serializers.CharField(allow_blank=True)
    actor_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()


class MovementPage(Page):
    """A page of the ledger."""

    results = MovementDocument(many=True)


class HeldLine(serializers.Serializer[Any]):
    """What an order holds of a SKU at a location."""

    variant_id = serializers.UUIDField()
    sku = serializers.CharField()
    location = serializers.CharField(help_text="Its code.")
    quantity = serializers.IntegerField()
    returned = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Reservation.State.choices)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)


class ReservationLine(HeldLine):
    """The same, in a list of many orders."""

    order_id = serializers.UUIDField()


class ReservationPage(Page):
    """A page of what orders hold."""

    results = ReservationLine(many=True)


class ReservationDocument(serializers.Serializer[Any]):
    """All that one order holds, has shipped or has given back."""

    order_id = serializers.UUIDField()
    lines = HeldLine(many=True)
