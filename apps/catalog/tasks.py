"""The catalog's background work."""

import logging
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from celery import shared_task

from apps.catalog.services import (
    alerts,
    categories,
    changes,
    exports,
    pictures,
    publications,
    purchases,
    search_counts,
    search_index,
    stock,
)
from apps.catalog.services.imports import jobs
from apps.catalog.services.prices.due import apply_due_prices as apply_next
from apps.kernel import trail
from apps.kernel.delivery import subscriber

log = logging.getLogger(__name__)

SECONDS_A_RUN = 5.0
SECONDS_OF_PICTURES = 1.0  # short turns: pictures must not keep a worker from other work
SECONDS_OF_A_CHANGE = 60.0  # until it has reached the index
AN_HOUR = 3600


@shared_task(name="catalog.tell_changes")
def tell_changes() -> None:
    """Tell what has changed of products elsewhere, until nothing has or the turn is over."""
    deadline = time.monotonic() + SECONDS_A_RUN
    while changes.tell_changes() and time.monotonic() < deadline:
        pass


@shared_task(name="catalog.publish_due")
def publish_due() -> None:
    """Publish and unpublish what is due, until nothing is or the turn is over."""
    deadline = time.monotonic() + SECONDS_A_RUN
    while publications.publish_due() and time.monotonic() < deadline:
        pass


@shared_task(name="catalog.count_products")
def count_products() -> None:
    """Count what is published in each category."""
    categories.count_products()


@subscriber("catalog.look_after_alerts")
def look_after_alerts(*, product_id: str, **_: object) -> None:
    """What changed may be what somebody waits for."""
    alerts.look_after_alerts(product_id=UUID(product_id))


@shared_task(name="catalog.process_files")
def process_files() -> None:
    """Take files of products in and write others, a short turn of each."""
    with trail.step("catalog.advance_import"):
        jobs.advance_import(seconds=SECONDS_A_RUN)
    with trail.step("catalog.advance_export"):
        exports.advance_export(seconds=SECONDS_A_RUN)


@shared_task(name="catalog.forget_old_files")
def forget_old_files() -> None:
    """Delete the files of products whose time is over."""
    jobs.forget_old_imports()
    exports.forget_old_exports()


@shared_task(name="catalog.apply_due_prices")
def apply_due_prices() -> None:
    """Let prices begin and end."""
    deadline = time.monotonic() + SECONDS_A_RUN
    more = True
    while more and time.monotonic() < deadline:
        with trail.step("catalog.apply_due_prices"):
            more = apply_next()


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


@shared_task(name="catalog.index_products")
def index_products() -> None:
    """Bring the search index up to date."""
    from apps.catalog.services.indexing import writing  # 57 MB, only where there is a cluster

    deadline = time.monotonic() + SECONDS_A_RUN
    while writing.index_due() and time.monotonic() < deadline:
        pass


# Both are taken off the queue at the start: they last longer than the broker waits for an answer,
# and what is lost with its worker is made up for by the next.
LONG: dict[str, Any] = {
    "acks_late": False,
    "soft_time_limit": AN_HOUR,
    "time_limit": AN_HOUR + 60,
}


@shared_task(name="catalog.make_index", **LONG)
def make_index() -> None:
    """Make the index of a cluster that has none: a new one, or one that has lost its disks."""
    from apps.catalog.services.indexing import rebuilding  # 57 MB, only where there is a cluster

    rebuilding.make_missing()


@shared_task(name="catalog.verify_index", **LONG)
def verify_index() -> None:
    """Compare the search index with the database, and repair what differs."""
    from apps.catalog.services.indexing import comparing  # 57 MB, only where there is a cluster

    if found := comparing.differences(patience=SECONDS_OF_A_CHANGE):
        log.error("The search index was not what the database says: %s. It is repaired.", found)
        comparing.repair(found)


@subscriber("catalog.search_what_is_left")
def search_what_is_left(*, product_id: str, **_: object) -> None:
    """Let the search know how available a product is now."""
    search_index.refresh(product_ids=[UUID(product_id)])


@shared_task(name="catalog.expire_reservations")
def expire_reservations() -> None:
    """Give back what was held for a time that is over."""
    stock.expire_reservations()


@shared_task(name="catalog.fill_pools")
def fill_pools() -> None:
    """See that the pools of hot variants do not run dry."""
    stock.fill_pools()


@shared_task(name="catalog.process_pictures")
def process_pictures() -> None:
    """Draw the renditions of new pictures, and delete the files of those that went."""
    deadline = time.monotonic() + SECONDS_OF_PICTURES
    more = True
    while more and time.monotonic() < deadline:
        with trail.step("catalog.advance_picture"):
            more = pictures.advance_picture()


@shared_task(name="catalog.keep_search_counts")
def keep_search_counts() -> None:
    """Keep what was looked for in the last minute."""
    search_counts.keep_counts()


@shared_task(name="catalog.count_search_words")
def count_search_words() -> None:
    """Count how many products use each word, and forget words that none uses."""
    search_index.count_words()
