"""What is looked for: counted in Redis, kept by day in PostgreSQL, without who or when.

Redis counts because a search must not write to the database; what it loses is missing from a
statistic, and nothing else.
"""

import logging
import re
import time
from datetime import timedelta
from typing import Any, cast

from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from apps.catalog.models import SearchCount
from apps.catalog.selectors.search import query_as_counted

LONGEST_COUNTED = 100
KEPT = timedelta(days=90)
PAUSE_SECONDS = 5
TIMES, RESULTS = "ecommerce:search:times", "ecommerce:search:results"
# What somebody typed into the wrong field: addresses, telephone and card numbers.
PERSONAL = re.compile(r"@|(?:\d[ -]?){7,}")

KEEP = """
INSERT INTO catalog_searchcount AS c (day, query, times, results)
SELECT %s, query, times, results FROM unnest(%s::text[], %s::int[], %s::int[])
    AS counted(query, times, results)
ORDER BY query
ON CONFLICT (query, day) DO UPDATE SET times = c.times + excluded.times, results = excluded.results
"""

log = logging.getLogger(__name__)
_away_until = 0.0


def count_search(*, text: str, results: int) -> None:
    """Count a search, unless its text could be personal. Never fails, and waits for nothing long.

    While Redis is away nothing is counted, and it is asked again after PAUSE_SECONDS.
    """
    global _away_until
    query = query_as_counted(text)
    if not query or len(query) > LONGEST_COUNTED or PERSONAL.search(query):
        return
    if time.monotonic() < _away_until:
        return
    try:
        pipeline = _redis().pipeline(transaction=False)
        pipeline.hincrby(TIMES, query, 1)
        pipeline.hset(RESULTS, query, results)
        pipeline.execute()
    except Exception as error:  # whatever it is, a statistic fails no search
        log.warning("Searches are not counted: %s", type(error).__name__)
        _away_until = time.monotonic() + PAUSE_SECONDS


def keep_counts() -> None:
    """Move what Redis has counted into the table, and forget what is older than KEPT."""
    counted = _take()
    today = timezone.now().date()
    with transaction.atomic(), connection.cursor() as cursor:
        if counted:
            queries = sorted(counted)
            times, results = zip(*(counted[query] for query in queries), strict=True)
            cursor.execute(KEEP, [today, queries, list(times), list(results)])
        SearchCount.objects.filter(day__lt=today - KEPT).delete()


def _take() -> dict[str, tuple[int, int]]:
    """Return and forget the counts: both hashes at once, so that none is counted twice."""
    pipeline = _redis().pipeline(transaction=True)
    for key in (TIMES, RESULTS):
        pipeline.hgetall(key)
    pipeline.delete(TIMES, RESULTS)
    times, results, _ = cast(
        "tuple[dict[bytes, bytes], dict[bytes, bytes], int]", pipeline.execute()
    )
    return {
        query.decode(): (int(count), int(results.get(query, 0))) for query, count in times.items()
    }


def _redis() -> Any:
    """Return the client of the cache. Importing django_redis itself would import redis at once."""
    return cast("Any", cache).client.get_client(write=True)
