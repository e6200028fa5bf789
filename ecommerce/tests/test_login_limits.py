"""The limits of logins hold without Redis, and count the client that our own proxies saw."""

import os
import subprocess
import sys
from collections import Counter

import pytest
from django.conf import settings as ours
from django.db import connection
from django.test import Client

BALANCER = "10.0.1.5"

# 64 wrong logins at once over HTTP: of one account, from one network, from everywhere.
GUESS = """
import threading, collections
import django
django.setup()
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client

settings.ALLOWED_HOSTS = ["*"]
connection.settings_dict["NAME"] = NAME
cache.set("alive", 1)
assert cache.get("alive") is None

for email, ip in (("one", "198.51.{n}.1"), ("{n}", "192.0.2.1"), ("all-{n}", "203.0.113.{n}")):
    if email == "all-{n}":
        settings.LOGIN_ATTEMPTS_PER_MINUTE = 29
    answers, gate = [], threading.Barrier(64)
    def guess(n):
        client = Client(REMOTE_ADDR=ip.format(n=n))
        credentials = {"email": email.format(n=n) + "@example.com", "password": "wrong"}
        gate.wait()
        answer = client.post("/api/v1/auth/login", credentials, "application/json")
        answers.append(answer.status_code)
        connection.close()
    threads = [threading.Thread(target=guess, args=[n]) for n in range(64)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    print(sorted(collections.Counter(answers).items()))
"""


@pytest.mark.django_db(transaction=True)
def test_of_sixty_four_logins_at_once_the_limits_hold_exactly_without_redis() -> None:
    variables = {
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "LOGIN_ATTEMPTS_PER_ACCOUNT": "9",
        "LOGIN_ATTEMPTS_PER_ADDRESS": "10",
        "LOG_LEVEL": "CRITICAL",
    }
    told = subprocess.run(
        [sys.executable, "-c", f"NAME = {connection.settings_dict['NAME']!r}\n{GUESS}"],
        cwd=ours.BASE_DIR,
        env={**os.environ, **variables},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout

    assert told.splitlines() == [
        "[(401, 9), (429, 55)]",
        "[(401, 10), (429, 54)]",
        "[(401, 10), (429, 54)]",  # 19 of this minute's 29 are used up already
    ]


def statuses(forwarded: list[str], **client: str) -> Counter[int]:
    """Return what as many wrong logins get, each of another account, under these headers."""
    return Counter(
        Client(**client)  # type: ignore[arg-type]  # its environment
        .post(
            "/api/v1/auth/login",
            {"email": f"nobody-{number}@example.com", "password": "a wrong one"},
            content_type="application/json",
            headers={"X-Forwarded-For": header},
        )
        .status_code
        for number, header in enumerate(forwarded)
    )


@pytest.mark.django_db
def test_a_client_that_rotates_what_it_claims_is_counted_as_one(settings) -> None:
    settings.TRUSTED_PROXY_COUNT, settings.LOGIN_ATTEMPTS_PER_ADDRESS = 1, 3
    lies = [f"198.51.100.{number}, 203.0.113.7" for number in range(12)]

    assert statuses(lies, REMOTE_ADDR=BALANCER) == {401: 3, 429: 9}


@pytest.mark.django_db
def test_a_client_that_rotates_through_its_ipv6_network_is_counted_as_one(settings) -> None:
    settings.TRUSTED_PROXY_COUNT, settings.LOGIN_ATTEMPTS_PER_ADDRESS = 1, 3
    own = [f"2001:db8:0:7:{number:x}::{number}" for number in range(12)]

    assert statuses(own, REMOTE_ADDR=BALANCER) == {401: 3, 429: 9}
    assert statuses(["2001:db8:0:8::1"], REMOTE_ADDR=BALANCER) == {401: 1}


@pytest.mark.django_db
def test_without_a_trusted_proxy_the_header_is_worth_nothing(settings) -> None:
    settings.TRUSTED_PROXY_COUNT, settings.LOGIN_ATTEMPTS_PER_ADDRESS = 0, 3
    lies = [f"198.51.100.{number}" for number in range(12)]

    assert statuses(lies, REMOTE_ADDR="203.0.113.7") == {401: 3, 429: 9}
    assert statuses(lies[:1], REMOTE_ADDR="203.0.113.8") == {401: 1}
