"""What runs by itself: which tasks, how often, and in which queues. On one screen."""

from typing import Any

from celery.schedules import crontab

QUEUES: dict[str, dict[str, str]] = {
    "orders.process_payments": {"queue": "payments"},
    "orders.process_webhooks": {"queue": "payments"},
    "orders.process_shipments": {"queue": "shipping"},
    "orders.process_documents": {"queue": "pictures"},  # its worker may use the buckets
    "orders.forget_old_documents": {"queue": "pictures"},
    "users.process_avatars": {"queue": "pictures"},
    "catalog.index_products": {"queue": "index"},
    "catalog.make_index": {"queue": "index"},
    "catalog.verify_index": {"queue": "index"},
    "catalog.process_pictures": {"queue": "pictures"},
    "privacy.process_requests": {"queue": "pictures"},  # archives hold them
    "catalog.process_files": {"queue": "pictures"},
    "catalog.forget_old_files": {"queue": "pictures"},
    "kernel.send_mails": {"queue": "mail"},  # a mail server that hangs must not hold up events
}

# Task -> seconds from one beginning to the next.
PERIODS = {
    "kernel.relay_outbox": 1,
    "catalog.tell_changes": 1,
    "catalog.publish_due": 5,
    "catalog.count_products": 30,
    "users.process_avatars": 1,
    "catalog.process_pictures": 1,
    "kernel.send_mails": 1,
    "catalog.apply_due_prices": 1,
    "kernel.seal_audit_log": 1,
    "kernel.anchor_audit_log": 60,
    "orders.process_payments": 1,
    "orders.process_webhooks": 1,
    "orders.process_shipments": 1,
    "orders.process_documents": 1,
    "orders.expire_orders": 5,
    "catalog.expire_reservations": 5,
    "catalog.fill_pools": 1,
    "orders.delete_old_carts": 60,
    "orders.run_simulations": 2,
    "orders.expire_gift_cards": 600,
    "orders.forget_old_records": 3600,
    "orders.forget_old_documents": 3600,
    "notices.tell_who_waited": 5,
    "notices.tell_what_is_low": 600,
    "catalog.keep_search_counts": 60,
    "catalog.count_search_words": 3600,
    "privacy.process_requests": 5,
    "catalog.process_files": 2,
    "catalog.forget_old_files": 3600,
    "privacy.forget_old_records": 3600,
    "kernel.forget_old_records": 3600,
    "users.forget_old_records": 3600,
}
PERIODS_WITH_ELASTICSEARCH = {"catalog.index_products": 1, "catalog.make_index": 30}


def timetable(*, with_elasticsearch: bool) -> dict[str, dict[str, Any]]:
    """Return when Celery's beat wakes which task."""
    periods = PERIODS | (PERIODS_WITH_ELASTICSEARCH if with_elasticsearch else {})
    entries: dict[str, dict[str, Any]] = {
        name: {"task": name, "schedule": seconds, "options": {"expires": max(seconds, 5)}}
        for name, seconds in periods.items()
    }
    if with_elasticsearch:
        entries["catalog.verify_index"] = {
            "task": "catalog.verify_index",
            "schedule": crontab(hour=3, minute=20),
        }
    return entries
