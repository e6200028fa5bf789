"""The background work of accounts and sessions."""

from celery import shared_task

from apps.users.services import attempts, sessions


@shared_task(name="users.forget_old_records")
def forget_old_records() -> None:
    """Delete what has served its time: counters and sessions."""
    attempts.forget_old_attempts()
    sessions.forget_ended_sessions()
