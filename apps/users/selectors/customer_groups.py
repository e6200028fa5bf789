"""Reads of customer groups."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.kernel.errors import NotFound
from apps.users.models import CustomerGroup

COLUMNS = ("id", "code", "name", "version")


class UnknownCustomerGroup(NotFound):
    """There is no such customer group."""

    code = "unknown_customer_group"


def customer_groups() -> QuerySet[CustomerGroup, dict[str, Any]]:
    """Return all groups as dictionaries."""
    return CustomerGroup.objects.values(*COLUMNS)


def customer_group_of(*, group_id: UUID) -> dict[str, Any]:
    """Return a group as a dictionary. Raises UnknownCustomerGroup."""
    row = customer_groups().filter(pk=group_id).first()
    if row is None:
        raise UnknownCustomerGroup("There is no such customer group.")
    return row
