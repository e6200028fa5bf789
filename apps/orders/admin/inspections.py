"""Saying of each line of a return in the back office what is accepted, and what becomes of it."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import TextChoices

from apps.kernel.errors import DomainError
from apps.orders.models import Return, ReturnLine
from apps.orders.services import inspections
from apps.orders.states import Resolution


class Outcome(TextChoices):
    """What becomes of accepted pieces, in words."""

    RESTOCK = Resolution.RESTOCK.value, "sell it again"
    WRITE_OFF = Resolution.WRITE_OFF.value, "write it off"


class InspectionForm(forms.Form):
    """How many pieces of each line are accepted; all of them unless somebody says otherwise."""

    refund_shipping = forms.BooleanField(
        required=False,
        label="The parcel's price goes back, too",
        help_text="Once, when all of the order is back.",
    )

    def __init__(self, found: Return, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.found = found
        self.lines: list[ReturnLine] = list(
            found.lines.select_related("order_line").order_by("order_line__position")
        )
        for line in self.lines:
            what = f"{line.order_line.sku} {line.order_line.name}"
            self.fields[f"accepted-{line.pk}"] = forms.IntegerField(
                min_value=0,
                max_value=line.quantity,
                initial=line.quantity,
                label=f"{what}: accepted of {line.quantity}",
            )
            self.fields[f"resolution-{line.pk}"] = forms.ChoiceField(
                choices=[("", "choose"), *Outcome.choices], required=False, label=what
            )
        self.order_fields([name for name in self.fields if name != "refund_shipping"])

    def inspect(self, *, actor_id: UUID) -> bool:
        """Do as the valid form says; a refusal is shown in it, and nothing has changed then."""
        try:
            inspections.inspect_return(
                return_id=self.found.pk,
                findings=dict(self._findings()),
                refund_shipping=self.cleaned_data["refund_shipping"],
                actor_id=actor_id,
            )
        except DomainError as refusal:
            self.add_error(None, refusal.detail)
            return False
        return True

    def _findings(self) -> Iterator[tuple[UUID, inspections.Finding]]:
        for line in self.lines:
            resolution = self.cleaned_data[f"resolution-{line.pk}"]
            yield (
                line.pk,
                inspections.Finding(
                    self.cleaned_data[f"accepted-{line.pk}"],
                    Resolution(resolution) if resolution else None,
                ),
            )
