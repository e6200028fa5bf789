"""What other apps may know of orders: figures, and what is not as it must be."""

from apps.kernel.privacy import Column, Person, Records, columns_of, records_of
from apps.orders.personal_data import TABLES
from apps.orders.selectors.figures import (
    PaymentsByStatus,
    RefundsByStatus,
    Steps,
    carts_begun,
    newest_settled_step,
    open_payments,
    open_work,
    refunds_by_status,
    steps,
)
from apps.orders.services.erasure import (
    emails_of_guests,
    erase,
    open_orders_of,
    traces_of,
)
from apps.orders.services.invariants import BrokenRule, broken_rules
from apps.orders.services.return_photos import documents_of

__all__ = [
    "BrokenRule",
    "PaymentsByStatus",
    "RefundsByStatus",
    "Steps",
    "broken_rules",
    "carts_begun",
    "documents_of",
    "emails_of_guests",
    "erase",
    "newest_settled_step",
    "open_orders_of",
    "open_payments",
    "open_work",
    "personal_columns",
    "personal_data_of",
    "refunds_by_status",
    "steps",
    "traces_of",
]


def personal_columns() -> tuple[Column, ...]:
    """Return what each column of the app's tables tells of people."""
    return columns_of(TABLES)


def personal_data_of(*, person: Person) -> tuple[Records, ...]:
    """Return all that the app keeps of a person, but for what is withheld."""
    return records_of(TABLES, person=person)
