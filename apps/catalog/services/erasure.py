"""Erasing a person: what they waited for goes; the ledger keeps who moved goods."""

from django.db import transaction

from apps.catalog.personal_data import TABLES
from apps.kernel.privacy import Person, erase_from


@transaction.atomic
def erase(*, person: Person) -> int:
    """Delete what is the person's alone. Returns how many rows were touched."""
    return erase_from(TABLES, person=person)
