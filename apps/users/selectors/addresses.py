"""Reads of the address book: each by whose it is."""

from uuid import UUID

from django.db.models import QuerySet

from apps.kernel.errors import NotFound
from apps.users.models import Address


class UnknownAddress(NotFound):
    """There is no such address in your book."""

    code = "unknown_address"


def addresses_of(*, user_id: UUID) -> QuerySet[Address]:
    """Return the person's addresses."""
    return Address.objects.filter(user=user_id)


def address_of(*, user_id: UUID, address_id: UUID) -> Address:
    """Return one of the person's addresses. Raises UnknownAddress."""
    address = addresses_of(user_id=user_id).filter(pk=address_id).first()
    if address is None:
        raise UnknownAddress("There is no such address in your book.")
    return address
