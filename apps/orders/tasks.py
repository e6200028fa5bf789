"""The orders app's background work. Each task takes what is due until nothing is, or time is up."""

import time
from collections.abc import Callable
from uuid import UUID

from celery import shared_task

from apps.kernel import trail
from apps.kernel.delivery import subscriber
from apps.orders.services import (
    billing,
    cart_expiry,
    erasure,
    fees,
    orders,
    payments,
    refunds,
    return_photos,
    shipments,
    simulations,
    stored_value,
    strays,
)

# Short turns: a busy kind of work must not keep the few workers from the other kinds.
SECONDS_A_RUN = 1.0


@shared_task(name="orders.process_payments")
def process_payments() -> None:
    """Charge, capture, void and refund what is due, and ask for fees."""
    _while_due(payments.advance_payment)
    _while_due(refunds.advance_refund)
    _while_due(strays.advance_stray)
    _while_due(fees.advance_fee)


@shared_task(name="orders.process_webhooks")
def process_webhooks() -> None:
    """Look into the providers' messages."""
    _while_due(payments.process_webhook)


@shared_task(name="orders.process_shipments")
def process_shipments() -> None:
    """Label, hand over and deliver what is due."""
    _while_due(shipments.advance_shipment)


@shared_task(name="orders.process_documents")
def process_documents() -> None:
    """Write the invoices and credit notes that are due; delete files that nothing shows."""
    _while_due(billing.advance_document)
    _while_due(return_photos.advance_file)


@shared_task(name="orders.forget_old_documents")
def forget_old_documents() -> None:
    """Delete what invoices and credit notes say once nobody has to keep it any more."""
    billing.forget_documents()


@shared_task(name="orders.expire_orders")
def expire_orders() -> None:
    """Let unpaid orders go."""
    orders.expire_orders()


@shared_task(name="orders.delete_old_carts")
def delete_old_carts() -> None:
    """Delete carts that nobody comes back to."""
    _while_due(cart_expiry.delete_old_carts)


@shared_task(name="orders.run_simulations")
def run_simulations() -> None:
    """Hold promotions against past orders."""
    _while_due(simulations.advance_simulation)


@shared_task(name="orders.expire_gift_cards")
def expire_gift_cards() -> None:
    """Take off gift cards what is left when their time is over."""
    _while_due(stored_value.expire_gift_cards)


@shared_task(name="orders.forget_old_records")
def forget_old_records() -> None:
    """Delete what nobody has to keep any more."""
    erasure.forget_old_records()


@subscriber("orders.plan_shipment")
def plan_shipment(*, order_id: str, **_: object) -> None:
    """A paid order gets its parcel planned."""
    shipments.plan_shipment(order_id=UUID(order_id))


def _while_due(advance: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_A_RUN
    more = True
    while more and time.monotonic() < deadline:
        with trail.step(f"orders.{advance.__name__}"):
            more = advance()
