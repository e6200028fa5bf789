"""Whose carts and orders are."""

from django.db.models import Q

from apps.kernel.privacy import Person


def owned_by(person: Person, prefix: str = "") -> Q:
    """Return the condition for carts and orders of the account, and of guests by address."""
    guests = Q(**{f"{prefix}customer_id": None}) & person.by_email(f"{prefix}email")
    return person.by_id(f"{prefix}customer_id") | guests
