"""How much of the API one client gets, with Redis, while it hangs, and without it."""

import os
import re
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import get_resolver
from prometheus_client import REGISTRY

from apps.users.tests.factories import UserFactory, access_token_for
from ecommerce import rate_limits, request_windows
from ecommerce.env import env_counts
from ecommerce.local.redis_server import Server, find_program
from ecommerce.local.state import State
from ecommerce.request_windows import Windows
from ecommerce.tests.test_openapi import routes

ERRORS, ME = "/api/v1/errors", "/api/v1/users/me"
NOBODY_THERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def quota(settings: Any) -> int:
    """Every client may send this much."""
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 5)
    return 5


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Server]:
    log = tmp_path / "redis.log"
    server = Server(state=State(tmp_path), program=find_program(), throwaway=True, log=log)
    server.start()
    yield server
    server.child.stop(patience=5)


def windows_in(url: str) -> Windows:
    return Windows(url, prefix="x", seconds=60)


def ask(client: Client, times: int, path: str = ERRORS, **headers: str) -> Counter[int]:
    return Counter(client.get(path, headers=headers).status_code for _ in range(times))


def at_once(number: int, path: str, ip: str) -> Counter[int]:
    """Return the statuses of as many requests at the same moment."""
    statuses: list[int] = []
    gate = threading.Barrier(number)

    def one() -> None:
        client = Client(REMOTE_ADDR=ip)
        gate.wait(timeout=30)
        statuses.append(client.get(path).status_code)

    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(statuses)


# How much


def test_of_sixty_four_requests_at_once_exactly_the_quota_is_served(quota: int) -> None:
    assert at_once(64, ERRORS, "192.0.2.1") == {200: quota, 429: 64 - quota}


def test_without_redis_the_limit_is_exact_in_each_process(
    quota: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = windows_in(NOBODY_THERE)
    monkeypatch.setattr(rate_limits, "windows", lambda seconds: alone)

    assert at_once(64, ERRORS, "192.0.2.2") == {200: quota, 429: 64 - quota}


@pytest.mark.parametrize(
    ("path", "status"), [("/api/v1/nothing", 404), (ME, 401)], ids=["no such path", "bad token"]
)
def test_what_no_view_serves_is_counted_too(quota: int, path: str, status: int) -> None:
    client = Client(REMOTE_ADDR=f"192.0.2.{status % 256}")

    assert ask(client, quota + 2, path, Authorization="Bearer x") == {status: quota, 429: 2}


def test_another_network_is_not_concerned(quota: int) -> None:
    ask(Client(REMOTE_ADDR="192.0.2.3"), quota + 1)

    assert ask(Client(REMOTE_ADDR="192.0.2.4"), 1) == {200: 1}


def test_an_ipv6_network_is_one_client(quota: int) -> None:
    answers = Counter(
        Client(REMOTE_ADDR=f"2001:db8:0:1:{n:x}::1").get(ERRORS).status_code
        for n in range(quota + 3)
    )

    assert answers == {200: quota, 429: 3}


def test_what_a_client_claims_about_its_address_is_worth_nothing(quota: int) -> None:
    answers = Counter(
        Client(REMOTE_ADDR="192.0.2.5")
        .get(ERRORS, headers={"X-Forwarded-For": f"198.51.100.{n}"})
        .status_code
        for n in range(quota + 3)
    )

    assert answers == {200: quota, 429: 3}


@pytest.mark.django_db
def test_a_person_is_one_client_wherever_and_reads_and_writes_are_counted_apart(
    quota: int,
) -> None:
    token = f"Bearer {access_token_for(UserFactory.create())}"
    answers = Counter(
        Client(REMOTE_ADDR=f"198.51.100.{n}").get(ME, headers={"Authorization": token}).status_code
        for n in range(quota + 3)
    )
    written = Client(REMOTE_ADDR="198.51.100.1").post(
        "/api/v1/auth/logout", {}, "application/json", headers={"Authorization": token}
    )

    assert answers == {200: quota, 429: 3}
    assert written.status_code == 204
    assert written["RateLimit"] == f'"writes";r={quota - 1};t=60'


@pytest.mark.django_db
def test_people_in_one_network_do_not_share_a_limit(quota: int) -> None:
    client = Client(REMOTE_ADDR="198.51.100.2")
    tokens = [access_token_for(UserFactory.create()) for _ in range(2)]

    for token in tokens:
        answers = ask(client, quota + 1, ME, Authorization=f"Bearer {token}")
        assert answers == {200: quota, 429: 1}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("/api/v1/carts", "anonymous-writes"),
        ("/api/v1/hooks/payments/stripe", "webhooks"),
        ("/api/v1/carts/0198c2d5-0000-7000-8000-000000000001/checkout", "payments"),
        ("/api/v1/products/0198c2d5-0000-7000-8000-000000000001/reviews", "contributions"),
        ("/api/v1/reviews/0198c2d5-0000-7000-8000-000000000001/photos", "contributions"),
        ("/api/v1/returns/0198c2d5-0000-7000-8000-000000000001/photos", "contributions"),
    ],
)
def test_a_route_may_have_a_policy_of_its_own(path: str, policy: str) -> None:
    answer = Client().post(path, {}, "application/json")

    assert answer["RateLimit"].startswith(f'"{policy}";')


@pytest.mark.django_db
def test_what_people_write_is_limited_by_the_day_and_reading_it_is_not(quota: int) -> None:
    product = "/api/v1/products/0198c2d5-0000-7000-8000-000000000001/reviews"
    token = {"Authorization": f"Bearer {access_token_for(UserFactory.create())}"}

    written = [Client().post(product, {}, "application/json", headers=token) for _ in range(6)]
    read = Client().get(product, headers=token)

    assert [answer.status_code for answer in written] == [400] * quota + [429]
    assert written[-1]["RateLimit-Policy"] == f'"contributions";q={quota};w=86400'
    assert int(written[-1]["Retry-After"]) > 86_000
    assert (read.status_code, read["RateLimit"][:7]) == (404, '"reads"')


@pytest.mark.django_db
def test_staff_who_answer_for_the_store_are_not_limited_by_the_day() -> None:
    question = "/api/v1/questions/0198c2d5-0000-7000-8000-000000000001/answers"
    token = {"Authorization": f"Bearer {access_token_for(UserFactory.create(is_staff=True))}"}

    answer = Client().post(question, {}, "application/json", headers=token)

    assert answer["RateLimit"].startswith('"writes";')


def test_each_of_these_routes_exists() -> None:
    assert rate_limits.ROUTES.keys() <= {route for route, _ in routes(get_resolver().url_patterns)}


@pytest.mark.django_db
def test_probes_and_pages_are_not_limited(quota: int) -> None:
    client = Client(REMOTE_ADDR="192.0.2.6")

    for path in ("/health/live", "/health/ready", "/metrics", "/", "/admin/login/"):
        assert ask(client, quota + 1, path) == {200: quota + 1}
    assert "RateLimit" not in client.get("/")


# What is told


def assert_told(answer: Any, policy: str, *, quota: int, left: int) -> None:
    assert answer["RateLimit-Policy"] == f'"{policy}";q={quota};w=60'
    assert re.fullmatch(rf'"{policy}";r={left};t=([1-5]?[0-9]|60)', answer["RateLimit"])


def test_each_answer_says_what_is_left(quota: int) -> None:
    client = Client(REMOTE_ADDR="192.0.2.7")

    for left in (4, 3, 2):
        assert_told(client.get(ERRORS), "anonymous-reads", quota=quota, left=left)
    assert_told(client.get("/api/v1/nothing"), "anonymous-reads", quota=quota, left=1)


@pytest.mark.parametrize("path", [ERRORS, "/api/v1/nothing"])
def test_a_refusal_is_a_problem_that_says_how_long_to_wait(quota: int, path: str) -> None:
    client = Client(REMOTE_ADDR="192.0.2.8" if path == ERRORS else "192.0.2.9")
    ask(client, quota)
    before = refused()

    answer = client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Cache-Control"] == "private, no-store"
    assert_told(answer, "anonymous-reads", quota=quota, left=0)
    assert answer["RateLimit"].endswith(f";t={answer['Retry-After']}")
    assert refused() == before + 1


def refused() -> float:
    labels = {"policy": "anonymous-reads"}
    return REGISTRY.get_sample_value("http_requests_over_rate_limit_total", labels) or 0


@pytest.mark.django_db
def test_a_refused_login_tells_both_limits(settings: Any) -> None:
    settings.LOGIN_ATTEMPTS_PER_ADDRESS = 0

    answer = Client(REMOTE_ADDR="192.0.2.10").post(
        "/api/v1/auth/login", {"email": "a@example.com", "password": "x"}, "application/json"
    )

    ours, login = answer["RateLimit"].split(", ")
    assert ours.startswith('"anonymous-writes";')
    assert login == f'"too_many_attempts";r=0;t={answer["Retry-After"]}'


# How it counts


def test_counting_costs_redis_one_command(own_redis: Server) -> None:
    windows = windows_in(own_redis.url)
    windows.count("first")  # loads the script
    with redis.Redis.from_url(own_redis.url) as watching:
        before = calls(watching)
        for _ in range(10):
            windows.count("a client")
        after = calls(watching)

    # Connections are open, so that nothing else is asked; INCR and PTTL run inside of the script.
    assert after - before == {"evalsha": 10, "incr": 10, "pttl": 10, "pexpire": 1, "info": 1}


def calls(watching: redis.Redis) -> Counter[str]:
    stats = watching.info("commandstats")
    return Counter({name.removeprefix("cmdstat_"): each["calls"] for name, each in stats.items()})


def test_a_window_ends(own_redis: Server) -> None:
    for url in (own_redis.url, NOBODY_THERE):
        windows = Windows(url, prefix="x", seconds=0.2)
        assert [windows.count("a client")[0] for _ in range(3)] == [1, 2, 3]
        time.sleep(0.25)
        assert windows.count("a client")[0] == 1


def test_a_redis_that_forgets_its_scripts_is_told_again(own_redis: Server) -> None:
    windows = windows_in(own_redis.url)
    windows.count("a client")
    with redis.Redis.from_url(own_redis.url) as other:
        other.script_flush()

    assert windows.count("a client")[0] == 2


def test_a_hung_redis_costs_one_request_of_many_a_moment(
    own_redis: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_windows, "PAUSE_SECONDS", 1)
    windows = windows_in(own_redis.url)
    assert windows.count("a client")[0] == 1
    assert own_redis.child.pid
    os.kill(own_redis.child.pid, signal.SIGSTOP)
    try:
        assert seconds_of(lambda: windows.count("a client")) < 1
        assert seconds_of(lambda: [windows.count("a client") for _ in range(98)]) < 0.1
        assert windows.count("a client")[0] == 100
    finally:
        os.kill(own_redis.child.pid, signal.SIGCONT)

    time.sleep(1.1)
    assert windows.count("a client")[0] < 10  # the few that Redis has seen


def test_a_redis_that_never_answers_is_given_up_for_a_while() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        windows = windows_in(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")

        assert seconds_of(lambda: windows.count("a client")) < 1
        assert seconds_of(lambda: [windows.count("a client") for _ in range(100)]) < 0.1


def seconds_of(call: Callable[[], object]) -> float:
    started = time.monotonic()
    call()
    return time.monotonic() - started


def test_a_process_remembers_only_so_many_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_windows, "CLIENTS_AT_MOST", 3)
    windows = windows_in(NOBODY_THERE)

    for client in ("a", "b", "c", "a", "d"):
        windows.count(client)

    assert windows.count("a")[0] == 3
    assert windows.count("b")[0] == 1


# The variable


def test_a_variable_changes_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMITS", "reads=7, *=9")

    assert env_counts("LIMITS", default={"reads": 1, "writes": 2}) == {"reads": 7, "writes": 9}


@pytest.mark.parametrize("faulty", ["read=7", "reads", "reads=0", "reads=-1", "reads=x", "=1"])
def test_a_faulty_variable_is_refused(monkeypatch: pytest.MonkeyPatch, faulty: str) -> None:
    monkeypatch.setenv("LIMITS", faulty)

    with pytest.raises(ImproperlyConfigured, match="LIMITS must give each of"):
        env_counts("LIMITS", default={"reads": 1})
