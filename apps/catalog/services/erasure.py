"""Erasing a person: opinions that were published stay without a name, the rest goes."""

from django.db import transaction

from apps.catalog.models import Answer, Question, Review
from apps.catalog.models.contributions import Contribution
from apps.catalog.personal_data import TABLES
from apps.kernel.privacy import Person, erase_from


@transaction.atomic
def erase(*, person: Person) -> int:
    """Take the person out of the catalog. Doing it again changes nothing.

    Returns how many rows were touched.
    """
    unread = sum(
        kind._default_manager.filter(person.by_id("customer_id"))
        .exclude(status=Contribution.Status.APPROVED)
        .delete()[0]
        for kind in (Review, Question, Answer)
    )
    return unread + erase_from(TABLES, person=person)
