"""What is taken out of a text, and what is not."""

import time
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, transaction

from ecommerce.redaction import Redaction, account_of, words_of

ENVIRONMENT = {
    "SECRET_KEY": "canary-secret-key",
    "SECRET_KEY_FALLBACKS": "canary-former-1, canary-former-2",
    "DATABASE_URL": "postgres://store:canary%2Fdatabase@db.example.com:5432/store",
    "REDIS_URL": "redis://:canary-redis@cache.example.com/0",
    "CELERY_BROKER_URL": "redis://[",
    "STRIPE_WEBHOOK_SECRET": "canary-hook-1,canary-hook-2",
    "JWT_SIGNING_KEY": "-----BEGIN X-----\\nMIGHcanaryAgEA\\n-----END X-----",
}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mail to ada.byron+x@example.co.uk now", "mail to [email] now"),
        ("?email=ada%40example.com&x=1", "?email=[email]&x=1"),
        ("Key (email)=(ada@example.com) exists", "Key (email)=([email]) exists"),
        ("Authorization: Bearer abc.def-123", "Authorization: [hidden]"),
        ("sent Bearer abcdef123456", "sent [authorization]"),
        ("eyJhbGciOi.eyJzdWIi.c2ln", "[jwt]"),
        ("sk_test_51Habcdefgh and whsec_abcdefgh12", "[secret] and [secret]"),
        ("pi_3Nabc_secret_xyz", "[secret]"),
        ("redis://:pw@cache:6379/0", "redis://[credentials]cache:6379/0"),
        ('{"password": "a b", "x": 1}', '{"password": [hidden], "x": 1}'),
        ("X-Cart-Token: 0198", "X-Cart-Token: [hidden]"),
        ("sessionid=abc; csrftoken=def", "sessionid=[hidden]; csrftoken=[hidden]"),
        ("card 4242 4242 4242 4242.", "card [card]."),
        ("card 378282246310005", "card [card]"),
        ("4242424242424242", "[card]"),
        ("call +1 (415) 555-2671", "call [phone]"),
        ("-----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY----- x", "[key] x"),
        ("canary-former-2 canary-hook-1", "[secret] [secret]"),
        ("canary/database or canary%2Fdatabase", "[secret] or [secret]"),
        ("a canary-redis", "a [secret]"),
        ("a MIGHcanaryAgEA", "a [secret]"),
    ],
)
def test_what_looks_personal_or_secret_is_taken_out(text: str, shown: str) -> None:
    assert Redaction(ENVIRONMENT)(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "/api/v1/carts/<id:cart_id>/items",
        "0198c2d5-4242-7424-8242-424242424242",
        "00000000-0000-0000-0000-000000000000",
        "2026-11-25T08:00:00.000+00:00",
        "order 1234567890123456 is no card",
        "A payment call was refused.",
        "connection to server at 127.0.0.1, port 5432 failed",
        "kernel_outboxevent: 23505 outbox_event_seq_is_unique",
        "token expired, password changed",
    ],
)
def test_what_is_neither_stays(text: str) -> None:
    assert Redaction(ENVIRONMENT)(text) == text


@pytest.mark.parametrize("unit", ["a-", "@", "eyJ-", "password", "1 ", "a@b.", "+1 ", "Bearer "])
def test_no_text_takes_long(unit: str) -> None:
    began = time.process_time()

    Redaction({})(unit * (1_000_000 // len(unit)))

    assert time.process_time() - began < 1


def test_a_secret_that_a_cut_goes_through_is_left_out_whole() -> None:
    text = "x " * 4090 + "canary-secret-key"

    shown = Redaction(ENVIRONMENT)(text)

    assert "canary" not in shown
    assert shown.endswith("…")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("Ada"), "ValueError"),
        (KeyError("Ada"), "KeyError"),
        (ConnectionRefusedError(111, "Connection refused", "Ada"), "refused"),
        (ImproperlyConfigured("Set X."), "django.core.exceptions.ImproperlyConfigured: Set X."),
        (AttributeError("no attribute 'x'"), "AttributeError: no attribute 'x'"),
    ],
)
def test_an_exception_keeps_words_that_cannot_quote_anybody(error: Exception, words: str) -> None:
    assert words_of(error).endswith(words)
    assert "Ada" not in words_of(error)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "INSERT INTO users_user (id, email, first_name) VALUES (gen_random_uuid(), %s, NULL)",
            "psycopg.errors.NotNullViolation: 23502 users_user",
        ),
        ("SELECT %s::uuid", "psycopg.errors.InvalidTextRepresentation: 22P02"),
    ],
)
def test_what_the_database_quotes_of_a_row_is_not_told(statement: str, told: str) -> None:
    with pytest.raises(Exception) as caught, transaction.atomic(), connection.cursor() as cursor:  # noqa: PT011 - any
        cursor.execute(statement, ["Ada lives here"])

    assert "Ada" in str(caught.value)
    account = account_of(caught.value)
    assert "Ada" not in account
    assert told in account


@pytest.mark.django_db
def test_a_broken_constraint_is_told_by_its_name() -> None:
    statement = "INSERT INTO kernel_inboxentry (event_id, consumer) VALUES (gen_random_uuid(), 'x')"
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError) as caught:
            cursor.execute(statement)

    assert "psycopg.errors.ForeignKeyViolation: 23503 kernel_inboxentry kernel_inbox" in account_of(
        caught.value
    )


def test_causes_come_first_and_a_deep_one_loses_its_middle() -> None:
    def deep(levels: int) -> Any:
        return deep(levels - 1) if levels else 1 / 0

    def deeper() -> None:
        try:
            deep(100)
        except ZeroDivisionError as error:
            raise RuntimeError("Ada") from error

    with pytest.raises(RuntimeError) as caught:
        deeper()

    first, second = account_of(caught.value).split("\n\n")
    assert first.splitlines()[-1] == "ZeroDivisionError"
    assert second.splitlines()[-1] == "RuntimeError"
    assert len(first.splitlines()) < 30
    assert "  …" in first.splitlines()
