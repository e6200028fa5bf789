"""The cart that somebody is filling at present: their newest open one."""

import hashlib

from django.db import connection

from apps.orders.models import Cart
from apps.orders.selectors.orders import Holder


def wait_for_others(holder: Holder) -> None:
    """Let whatever opens or merges carts of the holder happen one after the other.

    Held to the end of the transaction. It is taken before any cart is locked, so that nobody waits
    in a circle.
    """
    whose = holder.customer_id or holder.token_hash
    if not whose:
        return
    name = hashlib.sha256(f"carts of {whose}".encode()).digest()
    lock = int.from_bytes(name[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])


def change_current_cart(holder: Holder) -> Cart | None:
    """Lock the holder's newest open cart and count its version up; None when there is none.

    Decided and locked in one statement: a cart that is ordered meanwhile is passed over.
    """
    changed = Cart.objects.raw(
        """
        UPDATE orders_cart SET version = version + 1, updated_at = now()
        WHERE id = (
            SELECT id FROM orders_cart
            WHERE status = 'open' AND (
                customer_id = %s OR (customer_id IS NULL AND token_hash = %s AND token_hash <> '')
            )
            ORDER BY created_at DESC, id DESC LIMIT 1 FOR UPDATE
        )
        RETURNING *
        """,
        [holder.customer_id, holder.token_hash],
    )
    return next(iter(changed), None)
