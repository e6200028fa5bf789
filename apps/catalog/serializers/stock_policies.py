"""The documents of how variants are sold."""

from rest_framework import serializers

from apps.catalog.models import Stock
from apps.catalog.serializers.warehouse import QuantityField
from apps.kernel.serializers import StrictBooleanField, StrictSerializer


class StockPolicyDraft(StrictSerializer):
    """How a variant is sold, all of it: what is left out is as for any other variant."""

    policy = serializers.ChoiceField(choices=Stock.Policy.values)
    limit = QuantityField(
        default=0, help_text="How many pieces may be ordered beyond what lies there."
    )
    available_on = serializers.DateField(
        allow_null=True, default=None, help_text="When these can be sent; a preorder needs it."
    )
    is_hot = StrictBooleanField(
        default=False, help_text="Whether very many buy it at the same moment."
    )


class StockPolicyDocument(StockPolicyDraft):
    """How a variant is sold."""

    variant_id = serializers.UUIDField()
    sku = serializers.CharField()
