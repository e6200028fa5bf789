"""Counting logins, so that guessing is slow and nobody is locked out for long."""

import hashlib
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from apps.kernel.errors import TooMany
from apps.users.models import LoginAttempts

WINDOW_SECONDS = 15 * 60

# Short, because this one counts everybody: guessing from everywhere stops logins for a minute.
STORE = "store"
STORE_WINDOW_SECONDS = 60

# Part of the statement that opens a session: takes a successful login back from the counters; its
# account starts again at nothing. Rows are locked in the order in which they are counted, so that
# logins cannot deadlock.
FORGIVEN = """
    forgiven AS (
        UPDATE users_loginattempts
        SET failures = CASE key WHEN %(account)s THEN 0 ELSE greatest(failures - 1, 0) END
        WHERE key IN (
            SELECT key FROM users_loginattempts
            WHERE key IN (%(account)s, %(network)s, %(store)s) AND EXISTS (SELECT FROM opened)
            ORDER BY key FOR UPDATE
        )
    )
"""


class TooManyAttempts(TooMany):
    """Too many logins have failed for this account, from this network, or in the whole store."""

    code = "too_many_attempts"


def count_attempt(*, email: str, ip: str | None) -> None:
    """Count a login before it is decided: account, network and store, in one statement.

    Counting first makes the limits exact however many logins run at once; an address without an
    account is counted alike. What its account or its network refuses does not count for the store,
    so that nobody alone can use the store's limit up. A window is fixed: it begins with its first
    attempt and ends 15 minutes later, the store's after one, whatever comes in between. Raises
    TooManyAttempts with `retry_after`.
    """
    account, network = keys_of(email=email, ip=ip)
    limits = {
        account: settings.LOGIN_ATTEMPTS_PER_ACCOUNT,
        network: settings.LOGIN_ATTEMPTS_PER_ADDRESS,
        STORE: settings.LOGIN_ATTEMPTS_PER_MINUTE,
    }
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH own AS (
                INSERT INTO users_loginattempts AS counted (key, window_ends_at, failures)
                SELECT key, statement_timestamp() + %(window)s * interval '1 second', 1
                FROM unnest(%(keys)s::text[]) AS key
                ON CONFLICT (key) DO UPDATE SET
                    failures = CASE WHEN counted.window_ends_at > statement_timestamp()
                        THEN counted.failures + 1 ELSE 1 END,
                    window_ends_at = CASE WHEN counted.window_ends_at > statement_timestamp()
                        THEN counted.window_ends_at ELSE excluded.window_ends_at END
                RETURNING key, failures, window_ends_at
            ),
            everybody AS (
                INSERT INTO users_loginattempts AS counted (key, window_ends_at, failures)
                SELECT %(store)s, statement_timestamp() + %(store_window)s * interval '1 second', 1
                WHERE NOT EXISTS (
                    SELECT FROM own WHERE failures > CASE key
                        WHEN %(account)s THEN %(account_limit)s ELSE %(network_limit)s END
                )
                ON CONFLICT (key) DO UPDATE SET
                    failures = CASE WHEN counted.window_ends_at > statement_timestamp()
                        THEN counted.failures + 1 ELSE 1 END,
                    window_ends_at = CASE WHEN counted.window_ends_at > statement_timestamp()
                        THEN counted.window_ends_at ELSE excluded.window_ends_at END
                RETURNING key, failures, window_ends_at
            )
            SELECT key, failures,
                ceil(extract(epoch FROM window_ends_at - statement_timestamp()))::int
            FROM (SELECT * FROM own UNION ALL SELECT * FROM everybody) AS counted
            """,
            {
                "keys": [account, network],
                "window": WINDOW_SECONDS,
                "store": STORE,
                "store_window": STORE_WINDOW_SECONDS,
                "account": account,
                "account_limit": limits[account],
                "network_limit": limits[network],
            },
        )
        waits = [wait for key, failures, wait in cursor.fetchall() if failures > limits[key]]
    if waits:
        raise TooManyAttempts("Too many logins have failed. Wait a while.", retry_after=max(waits))


def forget_old_attempts() -> int:
    """Delete the counters whose window is over. Returns how many."""
    deleted, _ = LoginAttempts.objects.filter(window_ends_at__lt=Now()).delete()
    return deleted


def keys_of(*, email: str, ip: str | None) -> tuple[str, str]:
    """Return the keys of an account and of a network: an IPv4 address or an IPv6 /64."""
    account = hashlib.sha256(email.encode()).hexdigest()
    if ip is None:
        return f"account:{account}", "network:none"
    network = ip_network((ip, 64), strict=False) if ip_address(ip).version == 6 else ip
    return f"account:{account}", f"network:{network}"
