"""The documents of alerts."""

from typing import Any

from rest_framework import serializers

from apps.kernel.pagination import Page
from apps.kernel.serializers import StrictSerializer


class AlertDraft(StrictSerializer):
    """What to wait for."""

    variant_id = serializers.UUIDField()


class AlertDocument(serializers.Serializer[Any]):
    """What a customer waits for. It is gone once they have been told."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=["back_in_stock"])
    variant_id = serializers.UUIDField()
    product_id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()


class AlertPage(Page):
    """A page of alerts."""

    results = AlertDocument(many=True)


def alert_document(row: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a row of `selectors.alerts.alerts_of`."""
    variant_name = row.pop("variant_name")
    name = f"{row['name']}, {variant_name}" if variant_name else row["name"]
    return {**row, "kind": "back_in_stock", "name": name}
