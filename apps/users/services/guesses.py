"""Counting guesses of codes that are worth money, so that nobody finds one by trying."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings
from django.db import connection, models

from apps.kernel.errors import DomainError, TooMany
from apps.kernel.networks import network_of
from apps.users.models.attempts import LoginAttempts, tries_of
from apps.users.services.attempts import COUNT, WINDOW_SECONDS


class TooManyGuesses(TooMany):
    """Too many codes were tried that nobody has, by this customer or from this network."""

    code = "too_many_guesses"


@contextmanager
def guess(
    *, customer_id: UUID | None, ip: str | None, is_wrong: Callable[[DomainError], bool]
) -> Iterator[None]:
    """Count a try while it is made; it stays counted if a refusal says that it is wrong.

    It is counted before anybody knows, so that the limit is exact however many are tried at once,
    and a right code helps nobody who has used up the limit. Guests are told apart by their network.
    Not inside a transaction, which a refusal would undo with all that was counted.

    Raises TooManyGuesses with `retry_after`.
    """
    key = tries_of(customer_id) if customer_id else f"codes tried from:{_network(ip)}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH counted AS ({COUNT.format(key="%(key)s", window="window", unless="")})
            SELECT failures, window_ends_at,
                ceil(extract(epoch FROM window_ends_at - statement_timestamp()))::int
            FROM counted
            """,  # noqa: S608 - the inserted part is a constant
            {"key": key, "window": WINDOW_SECONDS},
        )
        tried, window_ends_at, wait = cursor.fetchone()
    if tried > settings.CODE_GUESSES_PER_CLIENT:
        raise TooManyGuesses("Too many codes were tried. Wait a while.", retry_after=wait)
    wrong = False
    try:
        yield
    except DomainError as refusal:
        wrong = is_wrong(refusal)
        raise
    finally:
        if not wrong:
            LoginAttempts.objects.filter(
                key=key, window_ends_at=window_ends_at, failures__gt=0
            ).update(failures=models.F("failures") - 1)


def _network(ip: str | None) -> str:
    return str(network_of(ip)) if ip else "none"
