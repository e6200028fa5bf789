"""The background work of accounts and sessions."""

from uuid import UUID

from celery import shared_task

from apps.kernel.delivery import subscriber
from apps.users.services import attempts, confirmations, sessions, signing_keys


@shared_task(name="users.forget_old_records")
def forget_old_records() -> None:
    """Delete what has served its time: counters, confirmations, sessions and keys."""
    attempts.forget_old_attempts()
    confirmations.forget_old_confirmations()
    sessions.forget_ended_sessions()
    signing_keys.forget_retired_keys()


@subscriber("users.warn_of_reuse")
def warn_of_reuse(*, user_id: str, **_: object) -> None:
    """Tell a person that one of their logins may have been copied."""
    sessions.warn_of_reuse(user_id=UUID(user_id))
