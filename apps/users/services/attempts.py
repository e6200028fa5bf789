"""Counting logins and mails, so that guessing is slow and nobody is locked out for long."""

import hashlib

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from apps.kernel.errors import TooMany
from apps.kernel.networks import network_of
from apps.users.models import LoginAttempts, User

WINDOW_SECONDS = 15 * 60

# Short, because this one counts everybody: guessing from everywhere stops logins for a minute.
STORE = "store"
STORE_WINDOW_SECONDS = 60

MAIL_WINDOW_SECONDS = 60 * 60

PERSON = User._meta.concrete_fields  # the first one is the id

# Part of the statement that opens a session: takes a successful login back from the counters that
# it was counted by; its account starts again at nothing. Rows are locked in the order in which they
# are counted, so that logins cannot deadlock.
FORGIVEN = """
    forgiven AS (
        UPDATE users_loginattempts
        SET failures = CASE key WHEN %(account)s THEN 0 ELSE greatest(failures - 1, 0) END
        WHERE key IN (
            SELECT key FROM users_loginattempts
            JOIN unnest(%(counted)s::text[]) WITH ORDINALITY AS counted (key, place) USING (key)
            WHERE EXISTS (SELECT FROM opened)
            ORDER BY place FOR UPDATE OF users_loginattempts
        )
    )
"""

# What counts one attempt under one key, whose window begins with it if none is open.
COUNT = """
    INSERT INTO users_loginattempts AS counted (key, window_ends_at, failures)
    SELECT {key}, statement_timestamp() + %({window})s * interval '1 second', 1
    {unless}
    ON CONFLICT (key) DO UPDATE SET
        failures = CASE WHEN counted.window_ends_at > statement_timestamp()
            THEN counted.failures + 1 ELSE 1 END,
        window_ends_at = CASE WHEN counted.window_ends_at > statement_timestamp()
            THEN counted.window_ends_at ELSE excluded.window_ends_at END
    RETURNING key, failures, window_ends_at
"""


class TooManyAttempts(TooMany):
    """Too many logins have failed for this account, from this network, or in the whole store."""

    code = "too_many_attempts"


class TooManyMails(TooMany):
    """Too many mails were asked for, for this address or from this network."""

    code = "too_many_mails"


def count_attempt(*, email: str, ip: str | None) -> list[str]:
    """Count an attempt as `count_login` does, for who is known already. Returns the keys."""
    return count_login(email=email, ip=ip)[1]


def count_login(*, email: str, ip: str | None) -> tuple[User | None, list[str]]:
    """Count a login before it is decided: network, account and store, in one statement.

    Counting first makes the limits exact however many logins run at once; an address without an
    account is counted alike. What one limit refuses does not count for the next, so that one
    network alone uses up neither an account's limit nor the store's. From a network where somebody
    has logged in before, their logins have a limit of their own and need none of the store's: who
    guesses elsewhere cannot lock them out. A window is fixed: it begins with its first attempt and
    ends 15 minutes later, the store's after one, whatever comes in between.

    Returns whose address it is, and the keys it was counted under: first the network's, then the
    account's. Raises TooManyAttempts with `retry_after`.
    """
    network = network_of(ip) if ip else None
    keys = {
        "network": f"network:{network or 'none'}",
        "account": f"account:{_digest(email)}",
        "at_home": f"account:{_digest(email)}@{_digest(str(network))[:7]}",
        "store": STORE,
    }
    limits = {
        keys["network"]: settings.LOGIN_ATTEMPTS_PER_ADDRESS,
        keys["account"]: settings.LOGIN_ATTEMPTS_PER_ACCOUNT,
        keys["at_home"]: settings.LOGIN_ATTEMPTS_PER_ACCOUNT,
        keys["store"]: settings.LOGIN_ATTEMPTS_PER_MINUTE,
    }
    by_network = COUNT.format(key="%(network)s", window="window", unless="")
    by_account = COUNT.format(
        key="CASE WHEN EXISTS (SELECT FROM home) THEN %(at_home)s ELSE %(account)s END",
        window="window",
        unless="WHERE EXISTS (SELECT FROM by_network WHERE failures <= %(network_limit)s)",
    )
    by_store = COUNT.format(
        key="%(store)s",
        window="store_window",
        unless="""WHERE NOT EXISTS (SELECT FROM home)
            AND EXISTS (SELECT FROM by_account WHERE failures <= %(account_limit)s)""",
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH home AS (
                SELECT FROM users_session AS session
                JOIN users_user AS person ON person.id = session.user_id
                WHERE person.email = %(email)s AND session.ip <<= %(home)s::inet
                LIMIT 1
            ),
            by_network AS ({by_network}), by_account AS ({by_account}), by_store AS ({by_store})
            SELECT key, failures,
                ceil(extract(epoch FROM window_ends_at - statement_timestamp()))::int,
                {", ".join(f"person.{field.column}" for field in PERSON)}
            FROM (
                SELECT 1 AS place, * FROM by_network
                UNION ALL SELECT 2, * FROM by_account
                UNION ALL SELECT 3, * FROM by_store
            ) AS counted
            LEFT JOIN users_user AS person ON person.email = %(email)s
            ORDER BY place
            """,  # noqa: S608 - the inserted parts are constants
            {
                **keys,
                "email": email,
                "home": network,
                "window": WINDOW_SECONDS,
                "store_window": STORE_WINDOW_SECONDS,
                "network_limit": limits[keys["network"]],
                "account_limit": limits[keys["account"]],
            },
        )
        counted = cursor.fetchall()
    for key, failures, wait, *_ in counted:
        if failures > limits[key]:
            raise TooManyAttempts("Too many logins have failed. Wait a while.", retry_after=wait)
    _, _, _, *person = counted[0]
    known = person[0] is not None
    names = [field.attname for field in PERSON]
    user = User.from_db(connection.alias, names, person) if known else None
    return user, [key for key, *_ in counted]


def forgive(counted: list[str]) -> None:
    """Take back an attempt that was right, by the keys that `count_attempt` has returned."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH opened AS (SELECT 1), {FORGIVEN} SELECT FROM opened",  # noqa: S608 - a constant
            {"counted": counted, "account": counted[1]},
        )


def count_mail(*, email: str, ip: str | None) -> None:
    """Count a mail that somebody asks for before it is sent: network and address, one statement.

    The limits are exact however many ask at once, and the same for an address with an account and
    one without. Raises TooManyMails with `retry_after`.
    """
    network, address = (
        f"mails from:{network_of(ip) if ip else 'none'}",
        f"mails to:{_digest(email)}",
    )
    limits = {network: settings.MAILS_PER_NETWORK, address: settings.MAILS_PER_ADDRESS}
    by_network = COUNT.format(key="%(network)s", window="window", unless="")
    by_address = COUNT.format(
        key="%(address)s",
        window="window",
        unless="WHERE EXISTS (SELECT FROM by_network WHERE failures <= %(network_limit)s)",
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH by_network AS ({by_network}), by_address AS ({by_address})
            SELECT key, failures,
                ceil(extract(epoch FROM window_ends_at - statement_timestamp()))::int
            FROM (SELECT * FROM by_network UNION ALL SELECT * FROM by_address) AS counted
            """,  # noqa: S608 - the inserted parts are constants
            {
                "network": network,
                "address": address,
                "window": MAIL_WINDOW_SECONDS,
                "network_limit": limits[network],
            },
        )
        waits = [wait for key, counted, wait in cursor.fetchall() if counted > limits[key]]
    if waits:
        raise TooManyMails("Too many mails were asked for. Wait a while.", retry_after=max(waits))


def forget_old_attempts() -> int:
    """Delete the counters whose window is over. Returns how many."""
    deleted, _ = LoginAttempts.objects.filter(window_ends_at__lt=Now()).delete()
    return deleted


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
