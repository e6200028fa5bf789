"""Lists of returns over HTTP."""

from datetime import datetime
from typing import Any

from apps.kernel.pagination import Ordering
from apps.orders.models import Return
from apps.orders.selectors.returns import whole_returns
from apps.orders.serializers.returns import return_document

NEWEST_FIRST = Ordering(column="requested_at", descending=True, parse=datetime.fromisoformat)


def filled(page: dict[str, Any]) -> dict[str, Any]:
    """Return a page of ids with the documents of these returns."""
    ids = [row["id"] for row in page["results"]]
    found = {each.pk: each for each in whole_returns(Return.objects.filter(pk__in=ids))}
    return page | {"results": [return_document(found[each]) for each in ids]}
