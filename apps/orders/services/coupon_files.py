"""The codes of a batch as a file, for whoever prints or mails them."""

import csv
import io
from collections.abc import Iterable, Iterator
from uuid import UUID

from django.db import transaction

from apps.kernel.audit import record
from apps.orders.selectors.promotions import coupons_of

CODES_A_PIECE = 1_000
COLUMNS = ("code", "uses", "uses_limit", "uses_per_customer")


@transaction.atomic
def codes_file(*, promotion_id: UUID, batch_id: UUID) -> Iterator[bytes]:
    """Return the codes as CSV, piece by piece, in the order in which they were made.

    A code is letters, digits, hyphens and underscores, and begins with none of the latter: no
    spreadsheet takes it for a formula. `uses` is empty where nobody counts them. That somebody
    fetches codes is on the record. Raises UnknownCouponBatch.
    """
    coupons_of(promotion_id=promotion_id, batch_id=batch_id)
    record("orders.coupon_codes_fetched", about=batch_id, after={"promotion_id": promotion_id})
    return _pieces(promotion_id, batch_id)


def _pieces(promotion_id: UUID, batch_id: UUID) -> Iterator[bytes]:
    yield _written([COLUMNS])
    rows = coupons_of(promotion_id=promotion_id, batch_id=batch_id).order_by("id")
    piece = list(rows[:CODES_A_PIECE])
    while piece:
        for row in piece:
            row["uses"] = None if row["uses_limit"] is None else row["uses"]
        yield _written([row[name] for name in COLUMNS] for row in piece)
        piece = list(rows.filter(id__gt=piece[-1]["id"])[:CODES_A_PIECE])


def _written(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
