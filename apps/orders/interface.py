"""What other apps may know of orders: figures, and what is not as it must be."""

from apps.kernel.privacy import Column, columns_of
from apps.orders.personal_data import TABLES
from apps.orders.selectors.figures import (
    OpenWork,
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
from apps.orders.services.invariants import BrokenRule, broken_rules

__all__ = [
    "BrokenRule",
    "OpenWork",
    "PaymentsByStatus",
    "RefundsByStatus",
    "Steps",
    "broken_rules",
    "carts_begun",
    "newest_settled_step",
    "open_payments",
    "open_work",
    "personal_columns",
    "refunds_by_status",
    "steps",
]


def personal_columns() -> tuple[Column, ...]:
    """Return what each column of the app's tables tells of people."""
    return columns_of(TABLES)
