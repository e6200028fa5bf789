"""The background work of accounts and sessions."""

import time
from uuid import UUID

from celery import shared_task

from apps.kernel import trail
from apps.kernel.delivery import subscriber
from apps.users.services import attempts, avatars, confirmations, sessions, signing_keys

# Short turns: a queue of pictures must not keep a worker from other work.
SECONDS_A_RUN = 1.0


@shared_task(name="users.forget_old_records")
def forget_old_records() -> None:
    """Delete what has served its time: counters, confirmations, sessions and keys."""
    attempts.forget_old_attempts()
    confirmations.forget_old_confirmations()
    sessions.forget_ended_sessions()
    signing_keys.forget_retired_keys()


@shared_task(name="users.process_avatars")
def process_avatars() -> None:
    """Look at pictures that were uploaded, and delete those that go."""
    deadline = time.monotonic() + SECONDS_A_RUN
    more = True
    while more and time.monotonic() < deadline:
        with trail.step("users.advance_avatar"):
            more = avatars.advance_avatar()


@subscriber("users.warn_of_reuse")
def warn_of_reuse(*, user_id: str, **_: object) -> None:
    """Tell a person that one of their logins may have been copied."""
    sessions.warn_of_reuse(user_id=UUID(user_id))
