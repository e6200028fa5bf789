"""Who is meant, in all apps at once."""

from uuid import UUID

from apps.kernel.errors import NotFound
from apps.kernel.privacy import Person
from apps.orders import interface as orders
from apps.users import interface as users


class UnknownPerson(NotFound):
    """There is no account with this address."""

    code = "unknown_person"


def known(person: Person) -> Person:
    """Return the person with everything by which rows of any app may name them."""
    return person.with_traces(users.traces_of(person=person), orders.traces_of(person=person))


def holder_of(user_id: UUID, *, also: str = "") -> Person:
    """Return the person of an account, who is also the guest of its address: both are proven."""
    contacts = users.contacts_of(user_ids=[user_id])
    emails = {also, *(contact.email for contact in contacts.values())}
    return Person(user_id, frozenset(emails - {""}))


def account_of(email: str) -> Person:
    """Return the person whose account has this address, and who is also its guest.

    Raises UnknownPerson.
    """
    found = users.ids_by_email(emails=[email])
    if not found:
        raise UnknownPerson("There is no account with this address.")
    [(address, user_id)] = found.items()
    return Person(user_id, frozenset({address}))
