"""The catalog's background work."""

from uuid import UUID

from apps.catalog.services import alerts
from apps.kernel.delivery import subscriber


@subscriber("catalog.look_after_alerts")
def look_after_alerts(*, product_id: str, **_: object) -> None:
    """What changed may be what somebody waits for."""
    alerts.look_after_alerts(product_id=UUID(product_id))
