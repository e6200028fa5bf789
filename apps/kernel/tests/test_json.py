"""How values look on the wire."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext_lazy

from apps.kernel.ids import new_id
from apps.kernel.json import dumps
from apps.kernel.money import Money


def test_values_are_written_in_the_apis_forms() -> None:
    written = dumps(
        {
            "price": Money(1999, "USD"),
            "id": UUID("0198c2d5-0000-7000-8000-000000000001"),
            "at": datetime(2026, 11, 22, 18, 30, tzinfo=UTC),
            "on": date(2026, 11, 22),
            "rate": Decimal("1.10"),
            "text": gettext_lazy("Grüße"),
        }
    )

    assert written.decode() == (
        '{"price":{"amount":"19.99","currency":"USD"},'
        '"id":"0198c2d5-0000-7000-8000-000000000001",'
        '"at":"2026-11-22T18:30:00+00:00","on":"2026-11-22","rate":"1.10","text":"Grüße"}'
    )


def test_ids_sort_by_the_time_they_were_made() -> None:
    ids = [new_id() for _ in range(1000)]

    assert ids == sorted(ids)
    assert len(set(ids)) == 1000
    assert {made.version for made in ids} == {7}
