"""The documents of what takes something off a price, and of why."""

from typing import Any

from rest_framework import serializers

from apps.orders.pricing import Outcome, RuleKind, Trial


class TrialDocument(serializers.Serializer[Any]):
    """A rule that was tried, and what came of it. Amounts among the facts are minor units."""

    kind = serializers.ChoiceField(choices=[(k.value, k.name) for k in RuleKind])
    key = serializers.CharField()
    outcome = serializers.ChoiceField(choices=[(o.value, o.name) for o in Outcome])
    facts = serializers.JSONField()


def trial_document(trial: Trial) -> dict[str, Any]:
    """Return the trial as TrialDocument says."""
    return {
        "kind": trial.kind,
        "key": trial.key,
        "outcome": trial.outcome,
        "facts": dict(trial.facts),
    }
