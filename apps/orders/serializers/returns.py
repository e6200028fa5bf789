"""The documents of returns: what is taken in, and what is given out."""

from operator import attrgetter
from typing import Any

from rest_framework import serializers

from apps.kernel.money import Money
from apps.kernel.pagination import Page
from apps.kernel.serializers import (
    MoneyField,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)
from apps.orders.models import LARGEST_QUANTITY, MOST_LINES, Return, ReturnPhoto
from apps.orders.models.returns import LONGEST_COMMENT
from apps.orders.selectors.returns import Eligibility, returnable
from apps.orders.states import RefundStatus, Resolution, ReturnReason, ReturnStatus

REASONS = [(reason.value, reason.value.replace("_", " ")) for reason in ReturnReason]
RESOLUTIONS = [(each.value, each.value.replace("_", " ")) for each in Resolution]


def each_once(lines: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Refuse lines that are named twice, and more than an order can have."""
    if len(lines) > MOST_LINES:
        raise serializers.ValidationError("No order has so many lines.", code="too_many")
    if len({line[name] for line in lines}) < len(lines):
        raise serializers.ValidationError("Name each line once.", code="repeated")
    return lines


class ReturnLineDraft(StrictSerializer):
    """So many pieces of a line of the order, and why they come back."""

    order_line_id = serializers.UUIDField()
    quantity = StrictIntegerField(min_value=1, max_value=LARGEST_QUANTITY)
    reason = serializers.ChoiceField(choices=REASONS)


class ReturnDraft(StrictSerializer):
    """What comes back of an order, and what the shopper says of it."""

    lines = ReturnLineDraft(many=True, allow_empty=False)
    comment = StrictCharField(
        max_length=LONGEST_COMMENT, required=False, allow_blank=True, default=""
    )

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return each_once(lines, "order_line_id")


class ExchangeLineDraft(StrictSerializer):
    """A line of the return, and which variant is wanted for its pieces."""

    line_id = serializers.UUIDField()
    variant_id = serializers.UUIDField()


class ExchangesDraft(StrictSerializer):
    """What is wanted instead of money, in place of what was said before; nothing: money."""

    lines = ExchangeLineDraft(many=True)

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return each_once(each_once(lines, "line_id"), "variant_id")


class RejectionDraft(StrictSerializer):
    """Why a return is rejected; the shopper reads it."""

    reason = StrictCharField(max_length=200)


class FindingDraft(StrictSerializer):
    """How many pieces of a line are accepted; what is accepted is sold again or written off."""

    line_id = serializers.UUIDField()
    accepted = StrictIntegerField(min_value=0, max_value=LARGEST_QUANTITY)
    resolution = serializers.ChoiceField(choices=RESOLUTIONS, required=False)


class InspectionDraft(StrictSerializer):
    """What was found, line by line; the shipping may go back when all of the order is back."""

    lines = FindingDraft(many=True, allow_empty=False)
    refund_shipping = StrictBooleanField(required=False, default=False)

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return each_once(lines, "line_id")


class ReturnReasonDocument(serializers.Serializer[Any]):
    """A reason, for programs and in words."""

    code = serializers.ChoiceField(choices=REASONS)
    name = serializers.CharField()


class ReturnReasonList(serializers.Serializer[Any]):
    """All reasons that there are."""

    results = ReturnReasonDocument(many=True)


class ReturnableLineDocument(serializers.Serializer[Any]):
    """A line of the order, and how many pieces of it can still be brought back."""

    order_line_id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    returnable = serializers.IntegerField()


class EligibilityDocument(serializers.Serializer[Any]):
    """Whether something can be brought back; `reason` says why not, `until` when that ends."""

    eligible = serializers.BooleanField()
    reason = serializers.ChoiceField(
        choices=["not_handed_over", "window_over", "nothing_left"], allow_null=True
    )
    until = serializers.DateTimeField(allow_null=True, help_text="Null before the delivery.")
    lines = ReturnableLineDocument(many=True)


class ExchangeDocument(serializers.Serializer[Any]):
    """What is wanted for the pieces of a line, at the price that was agreed on."""

    variant_id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    unit_price = MoneyField()


class ReturnLineDocument(serializers.Serializer[Any]):
    """A line of a return; accepted, resolution and amount are null until it was inspected."""

    id = serializers.UUIDField()
    order_line_id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    reason = serializers.ChoiceField(choices=REASONS)
    accepted = serializers.IntegerField(allow_null=True)
    resolution = serializers.ChoiceField(choices=RESOLUTIONS, allow_null=True)
    amount = MoneyField(allow_null=True)
    tax = MoneyField(allow_null=True, help_text="The tax in the amount.")
    exchange = ExchangeDocument(allow_null=True, help_text="Null: money is wanted.")


class ReturnPhotoDocument(serializers.Serializer[Any]):
    """A photo of the goods, for those who see the return alone."""

    id = serializers.UUIDField()
    url = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class ReturnRefundDocument(serializers.Serializer[Any]):
    """The money that goes back for a return."""

    id = serializers.UUIDField()
    amount = MoneyField()
    status = serializers.ChoiceField(choices=[(s.value, s.name) for s in RefundStatus])


class ReturnDocument(serializers.Serializer[Any]):
    """A return.

    `amount` is what the accepted pieces, and the parcel, have cost. The refund is less when a part
    of it had gone back before, and null when nothing is left.
    """

    id = serializers.UUIDField()
    order_id = serializers.UUIDField()
    order_number = serializers.CharField()
    status = serializers.ChoiceField(choices=[(s.value, s.name) for s in ReturnStatus])
    comment = serializers.CharField()
    note = serializers.CharField(help_text="Why it was rejected.")
    lines = ReturnLineDocument(many=True)
    photos = ReturnPhotoDocument(many=True)
    shipping_refunded = serializers.BooleanField()
    amount = MoneyField(allow_null=True)
    refund = ReturnRefundDocument(allow_null=True)
    replacement_order_id = serializers.UUIDField(
        allow_null=True, help_text="The order that brings what was exchanged."
    )
    requested_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()


class ReturnPage(Page):
    """A page of returns."""

    results = ReturnDocument(many=True)


def photo_document(photo: ReturnPhoto) -> dict[str, Any]:
    """Return the photo as ReturnPhotoDocument says."""
    return {
        "id": photo.pk,
        "url": f"/api/v1/returns/{photo.parent_id}/photos/{photo.pk}",
        "width": photo.width,
        "height": photo.height,
    }


def return_document(found: Return) -> dict[str, Any]:
    """Return the return as ReturnDocument says."""
    order = found.order

    def money(minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, order.currency)

    lines = sorted(found.lines.all(), key=lambda line: line.order_line.position)
    return {
        "id": found.pk,
        "order_id": order.pk,
        "order_number": order.shown_number,
        "status": found.status,
        "comment": found.comment,
        "note": found.note,
        "lines": [
            {
                "id": line.pk,
                "order_line_id": line.order_line_id,
                "sku": line.order_line.sku,
                "name": line.order_line.name,
                "quantity": line.quantity,
                "reason": line.reason,
                "accepted": line.accepted,
                "resolution": line.resolution or None,
                "amount": money(line.amount_minor),
                "tax": money(line.tax_minor),
                "exchange": (wanted := getattr(line, "exchange", None))
                and {
                    "variant_id": wanted.variant_id,
                    "sku": wanted.sku,
                    "name": wanted.name,
                    "unit_price": money(wanted.unit_price_minor),
                },
            }
            for line in lines
        ],
        "photos": [
            photo_document(photo)
            for photo in sorted(found.photos.all(), key=attrgetter("position"))
        ],
        "shipping_refunded": found.refunds_shipping,
        "amount": money(found.amount_minor),
        "refund": found.refund
        and {
            "id": found.refund.pk,
            "amount": money(found.refund.amount_minor),
            "status": found.refund.status,
        },
        "replacement_order_id": (made := getattr(found, "replacement", None)) and made.order_id,
        "requested_at": found.requested_at,
        "changed_at": found.changed_at,
    }


def eligibility_document(eligibility: Eligibility) -> dict[str, Any]:
    """Return what can be brought back as EligibilityDocument says."""
    return {
        "eligible": not eligibility.refusal,
        "reason": eligibility.refusal or None,
        "until": eligibility.until,
        "lines": [
            {
                "order_line_id": line.pk,
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "returnable": 0 if eligibility.refusal else returnable(line),
            }
            for line in eligibility.lines
        ],
    }
