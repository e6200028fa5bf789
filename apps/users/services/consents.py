"""Writing down what people agree to."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from apps.users.models import Consent, User
from apps.users.selectors.consents import consents_of


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no, to the text of this version."""

    granted: bool
    text_version: str


@transaction.atomic
def decide(
    *, user_id: UUID, decisions: Mapping[str, Decision], ip: str | None, user_agent: str
) -> dict[str, Consent]:
    """Write down decisions by purpose and return what counts now.

    A decision that says what the newest one says already is not written again.
    """
    User.objects.select_for_update(no_key=True).values_list("pk").get(pk=user_id)
    before = consents_of(user_id=user_id)
    for purpose, decision in decisions.items():
        known = before.get(purpose)
        if known and (known.granted, known.text_version) == (
            decision.granted,
            decision.text_version,
        ):
            continue
        Consent.objects.create(
            user_id=user_id,
            purpose=purpose,
            granted=decision.granted,
            text_version=decision.text_version,
            ip=ip,
            user_agent=user_agent[:300],
        )
    return consents_of(user_id=user_id)
