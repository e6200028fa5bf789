"""What an attacker measures and repeats, against real processes: timings, used refresh tokens."""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import httpx
import psycopg
import pytest
from running_store import RunningStore, running_store
from shopper import PASSWORD, Shopper, connections

pytestmark = pytest.mark.local

ROUNDS = 200
AT_ONCE = 8
RUNS = 3
LONGEST_DIFFERENCE = 0.005
UNLIMITED = {
    "LOGIN_ATTEMPTS_PER_ACCOUNT": "1000000",
    "LOGIN_ATTEMPTS_PER_ADDRESS": "1000000",
    "LOGIN_ATTEMPTS_PER_MINUTE": "1000000",
    "MAILS_PER_ADDRESS": "1000000",
    "MAILS_PER_NETWORK": "1000000",
    "RATE_LIMITS": "anonymous-writes=1000000,writes=1000000,reads=1000000",
}


@pytest.fixture(scope="module")
def unlimited() -> Iterator[RunningStore]:
    """A store that lets one client ask as often as it likes."""
    with running_store(**UNLIMITED) as store:
        yield store


@pytest.fixture(scope="module")
def http(unlimited: RunningStore) -> Iterator[httpx.Client]:
    with connections(unlimited.url) as client:
        yield client


@pytest.fixture(scope="module")
def known(unlimited: RunningStore, http: httpx.Client) -> Shopper:
    """Somebody with an account."""
    somebody = Shopper(http)
    somebody.register(unlimited.mailbox)
    somebody.log_in()
    return somebody


Ask = Callable[[str], tuple[str, str, dict[str, str]]]
WAYS: dict[str, Ask] = {
    "log in": lambda email: ("POST", "/auth/login", {"email": email, "password": "not mine"}),
    "register": lambda email: ("POST", "/auth/register", {"email": email, "password": PASSWORD}),
    "reset": lambda email: ("POST", "/auth/password-reset", {"email": email}),
    "change": lambda email: (
        "POST",
        "/users/me/email",
        {"email": email, "current_password": PASSWORD},
    ),
}


@pytest.mark.parametrize("way", sorted(WAYS))
def test_known_and_unknown_addresses_take_equally_long(
    way: str,
    unlimited: RunningStore,
    http: httpx.Client,
    known: Shopper,
    say: Callable[[str], None],
) -> None:
    somebody = Shopper(http)
    if way == "change":
        somebody.register(unlimited.mailbox)
        somebody.log_in()

    def medians() -> tuple[float, float]:
        took: dict[bool, list[float]] = {True: [], False: []}
        for number in range(-10, ROUNDS):  # the first ones warm up
            for is_known in random.sample([True, False], 2):
                email = known.email if is_known else f"{uuid4().hex}@example.com"
                began = time.perf_counter()
                answer = somebody.ask(*WAYS[way](email))
                if number >= 0:
                    took[is_known].append(time.perf_counter() - began)
                assert answer.status_code in {202, 401}, answer.text
        return statistics.median(took[True]), statistics.median(took[False])

    # What else runs on this machine sways it this way and that; what tells, tells it every time.
    differences = []
    for _ in range(RUNS):
        known_for, unknown_for = medians()
        differences.append(known_for - unknown_for)
        say(
            f"{way}: medians of {ROUNDS}: {known_for * 1000:.1f} ms for a known address,"
            f" {unknown_for * 1000:.1f} ms for an unknown one"
        )
        if abs(differences[-1]) < LONGEST_DIFFERENCE:
            return
    assert min(differences) < 0 < max(differences), differences


def test_one_refresh_token_has_one_successor_and_its_replay_ends_the_session_every_time(
    unlimited: RunningStore, http: httpx.Client, known: Shopper
) -> None:
    gate = Barrier(AT_ONCE)

    def refresh(token: str) -> httpx.Response:
        return http.post("/auth/refresh", json={"refresh": token})

    def refresh_with_the_others(token: str) -> httpx.Response:
        gate.wait(30)
        return refresh(token)

    with (
        ThreadPoolExecutor(AT_ONCE) as pool,
        psycopg.connect(unlimited.variables()["DATABASE_URL"], autocommit=True) as database,
    ):
        for _ in range(ROUNDS):
            token = known.log_in()["refresh"]

            answers = list(pool.map(refresh_with_the_others, [token] * AT_ONCE))

            assert {answer.status_code for answer in answers} == {200}
            [successor] = {answer.json()["refresh"] for answer in answers}
            database.execute(
                "UPDATE users_refreshtoken SET used_at = used_at - interval '11 s'"
                " WHERE used_at > now() - interval '11 s'"
            )
            assert refresh(token).status_code == 401
            assert refresh(successor).status_code == 401
