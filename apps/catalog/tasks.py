"""The catalog's background work."""

from collections.abc import Sequence
from uuid import UUID

from apps.catalog.services import alerts, purchases
from apps.kernel.delivery import subscriber


@subscriber("catalog.look_after_alerts")
def look_after_alerts(*, product_id: str, **_: object) -> None:
    """What changed may be what somebody waits for."""
    alerts.look_after_alerts(product_id=UUID(product_id))


@subscriber("catalog.note_purchase")
def note_purchase(
    *, customer_id: str | None = None, product_ids: Sequence[str] = (), **_: object
) -> None:
    """Remember what a customer has bought, for the mark of a verified review."""
    if customer_id is not None:
        purchases.note_purchase(
            customer_id=UUID(customer_id),
            product_ids=[UUID(product_id) for product_id in product_ids],
        )
