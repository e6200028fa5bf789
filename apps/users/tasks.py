"""The background work of accounts and sessions."""

from celery import shared_task

from apps.users.services import attempts, sessions, signing_keys


@shared_task(name="users.forget_old_records")
def forget_old_records() -> None:
    """Delete what has served its time: counters, sessions and keys."""
    attempts.forget_old_attempts()
    sessions.forget_ended_sessions()
    signing_keys.forget_retired_keys()
