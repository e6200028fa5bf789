"""Erasing a person: opinions that were published stay without a name, the rest goes."""

from django.db import transaction

from apps.catalog.models import Review
from apps.catalog.personal_data import TABLES
from apps.kernel.privacy import Person, erase_from


@transaction.atomic
def erase(*, person: Person) -> int:
    """Take the person out of the catalog. Doing it again changes nothing.

    Returns how many rows were touched.
    """
    unread, _ = (
        Review.objects.filter(person.by_id("customer_id"))
        .exclude(status=Review.Status.APPROVED)
        .delete()
    )
    return unread + erase_from(TABLES, person=person)
