"""Writing a posting of the money ledger: once, with all of its entries, in one statement."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.utils import timezone

from apps.kernel.ids import id_of
from apps.orders.models import LedgerAccount, LedgerPosting

POST = """
    WITH posted AS (
        INSERT INTO orders_ledgerposting (id, kind, source_id, at) VALUES (%s, %s, %s, %s)
        ON CONFLICT (source_id, kind) DO NOTHING RETURNING id
    )
    INSERT INTO orders_ledgerentry (id, posting_id, account, order_id, amount_minor, currency)
    SELECT entry.id, posted.id, entry.account, %s, entry.amount_minor, %s
    FROM posted, unnest(%s::uuid[], %s::text[], %s::bigint[]) AS entry (id, account, amount_minor)
"""


def post(
    kind: LedgerPosting.Kind,
    source_id: UUID,
    entries: Mapping[LedgerAccount, int],
    *,
    order_id: UUID | None,
    currency: str,
    at: datetime | None = None,
) -> None:
    """Write a posting and its entries, unless it is there or moves nothing."""
    kept = {account: minor for account, minor in entries.items() if minor}
    if not kept:
        return
    at = at or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            POST,
            [
                *(id_of(at), kind, source_id, at),
                *(order_id, currency),
                [id_of(at) for _ in kept],
                [str(account) for account in kept],
                list(kept.values()),
            ],
        )
