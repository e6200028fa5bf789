"""The documents of change sets: what is taken in, and what is given out."""

from typing import Any

from rest_framework import serializers

from apps.kernel.money import Money
from apps.kernel.pagination import Page
from apps.kernel.serializers import (
    MoneyField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)
from apps.orders.models import LARGEST_QUANTITY, ChangeSet
from apps.orders.models.returns import LONGEST_COMMENT
from apps.orders.serializers.returns import REASONS, each_once
from apps.orders.services.change_sets import is_outdated
from apps.orders.states import ChangeKind, ChangeStatus, OrderStatus

KINDS = [(kind.value, kind.value) for kind in ChangeKind]
CHANGE_STATUSES = [*((s.value, s.value) for s in ChangeStatus), ("outdated", "outdated")]
MOVES = [("release", "release"), ("return", "return"), ("reserve", "reserve")]
# What each kind takes beside `kind`; of these the second part may be left out.
FIELDS: dict[str, tuple[set[str], set[str]]] = {
    ChangeKind.CANCEL: (set(), {"reason"}),
    ChangeKind.REFUND: ({"amount", "reason"}, set()),
    ChangeKind.RETURN: ({"lines"}, {"comment"}),
    ChangeKind.EDIT: ({"lines"}, {"reason"}),
    ChangeKind.EXCHANGE: ({"lines"}, {"comment"}),
}
# What lines of each kind say beside the quantity.
LINES: dict[str, list[set[str]]] = {
    ChangeKind.RETURN: [{"order_line_id", "reason"}],
    ChangeKind.EDIT: [{"order_line_id"}, {"variant_id"}],
    ChangeKind.EXCHANGE: [{"order_line_id", "reason", "variant_id"}],
}


class ChangeLineDraft(StrictSerializer):
    """A line of the order: how many come back and why, or how many it has after an edit.

    An edit may name a variant instead, of which the order has no line yet; an exchange says which
    one is wanted instead.
    """

    order_line_id = serializers.UUIDField(required=False)
    variant_id = serializers.UUIDField(required=False)
    quantity = StrictIntegerField(min_value=0, max_value=LARGEST_QUANTITY)
    reason = serializers.ChoiceField(choices=REASONS, required=False)


class ChangeDraft(StrictSerializer):
    """A change to preview.

    `cancel` takes a reason; `refund` an amount and a reason; `return` lines, each with a reason,
    and a comment; `edit` lines with how many pieces they have afterwards, 0 takes one out, or new
    ones of variants, and a reason; `exchange` as `return`, each line with a variant, too.
    """

    kind = serializers.ChoiceField(choices=KINDS)
    reason = StrictCharField(max_length=200, required=False, allow_blank=True)
    amount = MoneyField(any_currency=True, required=False)
    lines = ChangeLineDraft(many=True, allow_empty=False, required=False)
    comment = StrictCharField(max_length=LONGEST_COMMENT, required=False, allow_blank=True)

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for name in ("order_line_id", "variant_id"):
            each_once([line for line in lines if name in line], name)
        return lines

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed, allowed = FIELDS[attrs["kind"]]
        given = set(attrs) - {"kind"}
        faults = {
            **{
                name: _fault("required", "This kind of change needs it.") for name in needed - given
            },
            **{
                name: _fault("unknown_field", "This kind of change does not take it.")
                for name in given - needed - allowed
            },
        }
        kind, lines = attrs["kind"], attrs.get("lines", ())
        if any(set(line) - {"quantity"} not in LINES.get(kind, ()) for line in lines):
            faults["lines"] = _fault("invalid", "Lines of this kind of change say something else.")
        elif not all(line["quantity"] or _may_be_none(kind, line) for line in lines):
            faults["lines"] = _fault("min_value", "Bring back, or add, one at least.")
        if attrs["kind"] == ChangeKind.REFUND and not attrs.get("reason", "x"):
            faults["reason"] = _fault("blank", "The buyer reads why.")
        if faults:
            raise serializers.ValidationError(faults)
        return attrs


def _may_be_none(kind: str, line: dict[str, Any]) -> bool:
    """Whether a line of the order may be taken out."""
    return kind == ChangeKind.EDIT and "order_line_id" in line


def _fault(code: str, text: str) -> list[serializers.ErrorDetail]:
    return [serializers.ErrorDetail(text, code=code)]


class ChangeSideDocument(serializers.Serializer[Any]):
    """The order before, or after, the change."""

    status = serializers.ChoiceField(choices=[(s.value, s.name) for s in OrderStatus])
    total = MoneyField()


class StockMoveDocument(serializers.Serializer[Any]):
    """Pieces that an order gives back or gets, or that come back if they can be sold again."""

    sku = serializers.CharField()
    quantity = serializers.IntegerField()
    move = serializers.ChoiceField(choices=MOVES)


class PromotionEffectDocument(serializers.Serializer[Any]):
    """What a promotion takes off before and after."""

    name = serializers.CharField()
    code = serializers.CharField(allow_null=True)
    before = MoneyField()
    after = MoneyField()


class AddedPiecesDocument(serializers.Serializer[Any]):
    """Pieces that the order gets, and what each of them costs."""

    variant_id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price = MoneyField()


class ChangePreviewDocument(serializers.Serializer[Any]):
    """What the change comes to. Of returns and exchanges all follows the inspection."""

    before = ChangeSideDocument()
    after = ChangeSideDocument()
    difference = MoneyField(help_text="How much less the order costs; negative: how much more.")
    refund = MoneyField()
    tax = MoneyField(help_text="The tax in the refund.")
    stock = StockMoveDocument(many=True)
    promotions = PromotionEffectDocument(many=True)
    added = AddedPiecesDocument(many=True)


class ChangeDocument(serializers.Serializer[Any]):
    """A change of an order; when it is `outdated`, it can be made no more."""

    id = serializers.UUIDField()
    order_id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=KINDS)
    status = serializers.ChoiceField(choices=CHANGE_STATUSES)
    preview = ChangePreviewDocument()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True)
    refund_id = serializers.UUIDField(allow_null=True)
    return_id = serializers.UUIDField(allow_null=True)


class ChangePage(Page):
    """A page of changes."""

    results = ChangeDocument(many=True)


def change_document(change: ChangeSet) -> dict[str, Any]:
    """Return the change as ChangeDocument says."""
    order, before, after = change.order, change.preview["before"], change.preview["after"]

    def money(minor: int) -> Money:
        return Money(minor, order.currency)

    outdated = change.status == ChangeStatus.PROPOSED and is_outdated(change, order)
    return {
        "id": change.pk,
        "order_id": order.pk,
        "kind": change.kind,
        "status": "outdated" if outdated else change.status,
        "preview": {
            **{
                name: {"status": side["status"], "total": money(side["total"])}
                for name, side in (("before", before), ("after", after))
            },
            "difference": money(before["total"] - after["total"]),
            "refund": money(after["refund"]),
            "tax": money(after["tax"]),
            "stock": after["stock"],
            "promotions": [
                {
                    "name": each["name"],
                    "code": each["code"] or None,
                    "before": money(each["before"]),
                    "after": money(each["after"]),
                }
                for each in after["promotions"]
            ],
            "added": [
                each | {"unit_price": money(each["unit_price"])} for each in after.get("added", ())
            ],
        },
        "created_at": change.created_at,
        "expires_at": change.expires_at,
        "confirmed_at": change.confirmed_at,
        "refund_id": change.outcome.get("refund_id"),
        "return_id": change.outcome.get("return_id"),
    }


def change_body(draft: dict[str, Any]) -> dict[str, Any]:
    """Return what a validated draft asks for, as it is stored."""
    body: dict[str, Any] = {name: draft[name] for name in ("reason", "comment") if name in draft}
    if "amount" in draft:
        body["amount_minor"] = draft["amount"].minor
    if "lines" in draft:
        body["lines"] = [
            {name: str(said) if name.endswith("_id") else said for name, said in line.items()}
            for line in draft["lines"]
        ]
    return body
