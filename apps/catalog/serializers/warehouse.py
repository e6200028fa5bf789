"""The papers of the warehouse: adjustments, counts and transfers."""

from typing import Any

from rest_framework import serializers

from apps.catalog.models import StockTransfer
from apps.catalog.models.products import is_a_sku
from apps.catalog.services.stock import LARGEST_QUANTITY
from apps.kernel.pagination import Page
from apps.kernel.serializers import StrictCharField, StrictIntegerField, StrictSerializer

MOST_LINES = 500
# To which status staff take a draft.
MOVES = [StockTransfer.Status.IN_TRANSIT.value, StockTransfer.Status.CANCELLED.value]


class SkuField(StrictCharField):
    """A SKU, in whatever case."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=64, validators=[is_a_sku], **options)


class CodeField(StrictCharField):
    """The code of a stock location."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, **options)


class ReasonField(StrictCharField):
    """Why: it stands in the ledger for good, so no names of customers."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=200, **options)


class QuantityField(StrictIntegerField):
    """A number of pieces."""

    def __init__(self, *, min_value: int = 0, **options: Any) -> None:
        super().__init__(min_value=min_value, max_value=LARGEST_QUANTITY, **options)


class AdjustmentDraft(StrictSerializer):
    """A correction: by `delta`, or to `on_hand`, the same for all lines."""

    class AdjustmentLine(StrictSerializer):
        """One SKU. If it is named several times, the numbers are summed."""

        sku = SkuField()
        delta = QuantityField(min_value=-LARGEST_QUANTITY, required=False)
        on_hand = QuantityField(required=False)

    location = CodeField(default="main")
    reason = ReasonField()
    lines = serializers.ListField(child=AdjustmentLine(), min_length=1, max_length=MOST_LINES)

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({frozenset(line) for line in lines}) > 1 or len(lines[0]) != 2:
            raise serializers.ValidationError("Give each line a delta, or each an on_hand.")
        return lines


class AdjustedLine(serializers.Serializer[Any]):
    """By how much a balance was corrected, and what lies there now."""

    sku = serializers.CharField()
    delta = serializers.IntegerField()
    on_hand = serializers.IntegerField()


class AdjustmentDocument(serializers.Serializer[Any]):
    """A correction. What was right already has no line."""

    id = serializers.UUIDField(help_text="The `document_id` of its lines in the ledger.")
    location = serializers.CharField()
    reason = serializers.CharField()
    lines = AdjustedLine(many=True)


class CountDraft(StrictSerializer):
    """What was found at a location."""

    class CountedLine(StrictSerializer):
        """One SKU. If it was found at several places, the numbers are summed."""

        sku = SkuField()
        counted = QuantityField()

    location = CodeField(default="main")
    reason = ReasonField(default="cycle count")
    lines = serializers.ListField(child=CountedLine(), min_length=1, max_length=MOST_LINES)


class CountBrief(serializers.Serializer[Any]):
    """A count, and how many SKUs it has put right."""

    id = serializers.UUIDField(help_text="The `document_id` of its lines in the ledger.")
    location = serializers.CharField()
    reason = serializers.CharField()
    actor_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    differing = serializers.IntegerField()


class CountDocument(CountBrief):
    """A count with its lines."""

    class CountLine(serializers.Serializer[Any]):
        """What the books said, and what was there."""

        variant_id = serializers.UUIDField()
        sku = serializers.CharField()
        expected = serializers.IntegerField()
        counted = serializers.IntegerField()

    lines = CountLine(many=True)


class CountPage(Page):
    """A page of counts."""

    results = CountBrief(many=True)


class TransferLineDraft(StrictSerializer):
    """How many of a SKU. If it is named several times, the numbers are summed."""

    sku = SkuField()
    quantity = QuantityField(min_value=1)


class TransferDraft(StrictSerializer):
    """Goods to move."""

    from_location = CodeField()
    to_location = CodeField()
    note = ReasonField(allow_blank=True, default="")
    lines = serializers.ListField(child=TransferLineDraft(), min_length=1, max_length=MOST_LINES)


class TransferPatch(StrictSerializer):
    """Changes of a draft. `in_transit` sends it, `cancelled` gives it up."""

    note = ReasonField(allow_blank=True, required=False)
    lines = serializers.ListField(
        child=TransferLineDraft(), min_length=1, max_length=MOST_LINES, required=False
    )
    status = serializers.ChoiceField(choices=MOVES, required=False)


class ReceiptDraft(StrictSerializer):
    """What has arrived of a transfer, and what never will."""

    class Arrival(StrictSerializer):
        """One SKU. If it is named several times, the numbers are summed."""

        sku = SkuField()
        quantity = QuantityField()
        lost = QuantityField(default=0)

    lines = serializers.ListField(child=Arrival(), min_length=1, max_length=MOST_LINES)


class TransferBrief(serializers.Serializer[Any]):
    """A transfer."""

    id = serializers.UUIDField(help_text="The `document_id` of its lines in the ledger.")
    status = serializers.ChoiceField(choices=StockTransfer.Status.choices)
    from_location = serializers.CharField()
    to_location = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    received_at = serializers.DateTimeField(allow_null=True)


class TransferDocument(TransferBrief):
    """A transfer with its lines. What is neither received nor lost is on its way."""

    class TransferLine(serializers.Serializer[Any]):
        """One SKU."""

        variant_id = serializers.UUIDField()
        sku = serializers.CharField()
        quantity = serializers.IntegerField()
        received = serializers.IntegerField()
        lost = serializers.IntegerField()

    lines = TransferLine(many=True)


class TransferPage(Page):
    """A page of transfers."""

    results = TransferBrief(many=True)


def count_document(row: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a row of `selectors.stock_counts`."""
    names = {"place": "location", "counted": "lines"}
    return {names.get(name, name): value for name, value in row.items()}


def transfer_document(row: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a row of `selectors.stock_transfers`."""
    names = {"origin": "from_location", "target": "to_location", "moved": "lines"}
    return {names.get(name, name): value for name, value in row.items()}
