"""The gateway: what it lets through, how much, and what becomes of a request it cannot place."""

import socket
from pathlib import Path

import httpx
import pytest
from gateway import BODY, Gateway, Web
from running_store import free_port

CATEGORIES = "/api/v1/categories"


@pytest.fixture
def gateway(tool, checkout: Path, tmp_path: Path) -> Gateway:
    """The gateway as it is in the repository, before anything is behind it."""
    return Gateway.copied(tool("nginx"), checkout / "config" / "nginx", tmp_path / "nginx")


@pytest.fixture
def web():
    with Web().listening() as web:
        yield web


@pytest.fixture
def client(gateway, web):
    gateway.put_in_front_of(web.port)
    with gateway.serving() as client:
        yield client


def raw(client: httpx.Client, request: str) -> bytes:
    """Send exactly these bytes and return the answer; clients would tidy up the path first."""
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(request.encode())
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_nginx_accepts_the_configuration(gateway):
    gateway.put_in_front_of(free_port())

    checked = gateway.check()

    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("proxy_connect_timeout 2s;", "proxy_conect_timeout 2s;", "unknown directive"),
        ("server_tokens off;", "server_tokens off", "invalid number of arguments"),
        ("include upstream.conf;", "", "host not found in upstream"),
        ("limit_req zone=api ", "limit_req zone=app ", "zero size shared memory zone"),
    ],
)
def test_nginx_refuses_a_planted_error(gateway, right, wrong, said):
    gateway.put_in_front_of(free_port())
    assert right in gateway.main.read_text()
    gateway.main.write_text(gateway.main.read_text().replace(right, wrong))

    checked = gateway.check()

    assert checked.returncode != 0
    assert said in checked.stderr


def test_what_a_client_claims_about_itself_does_not_get_through(client, web):
    client.get(
        CATEGORIES,
        headers={
            "Host": "shop.example.com",
            "X-Forwarded-For": "203.0.113.7",
            "X-Forwarded-Proto": "https",
            "Forwarded": "for=203.0.113.7",
        },
    )

    [(_, _, headers)] = web.requests
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert headers["X-Forwarded-Proto"] == "http"
    assert "Forwarded" not in headers
    assert headers["Host"] == "shop.example.com"


@pytest.mark.parametrize(
    "path",
    [
        *("/metrics", "//metrics", "/./metrics", "/api/../metrics", "/%6detrics", "/metrics?a=b"),
        *("/health/live", "/health/ready", "//health//ready", "/health%2Fready", "/api/../health/"),
    ],
)
def test_probes_and_metrics_are_not_for_the_outside(client, web, path):
    answer = raw(client, f"GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert web.requests == []


def test_a_body_of_more_than_1_mib_is_refused_with_a_problem(client, web):
    at_most = client.post("/api/v1/carts", content=bytes(1024 * 1024))
    too_large = client.post("/api/v1/carts", content=bytes(1024 * 1024 + 1))

    assert at_most.status_code == 200
    assert too_large.status_code == 413
    assert too_large.headers["Content-Type"] == "application/problem+json"
    assert too_large.json()["code"] == "body_too_large"
    assert len(web.requests) == 1


def test_a_picture_of_a_person_may_have_more(client, web):
    sizes = (2 * 1024 * 1024, 3 * 1024 * 1024 + 1)
    answers = [client.post("/uploads", content=bytes(size)).status_code for size in sizes]

    assert answers == [200, 413]


@pytest.mark.parametrize(
    ("path", "burst"), [(CATEGORIES, 100), ("/api/v1/auth/login", 20), ("/admin/login/", 20)]
)
def test_one_address_gets_only_so_much(gateway, web, path, burst):
    gateway.put_in_front_of(web.port)
    gateway.limit("1r/m")

    with gateway.serving() as client:
        answers = [client.get(path) for _ in range(burst + 3)]

    assert [answer.status_code for answer in answers] == [200] * (burst + 1) + [429] * 2
    assert answers[-1].json()["code"] == "throttled"
    assert answers[-1].headers["Retry-After"] == "1"


def test_json_is_compressed_for_whoever_asks_for_it(client):
    compressed = client.get(CATEGORIES, headers={"Accept-Encoding": "gzip"})
    plain = client.get(CATEGORIES, headers={"Accept-Encoding": "identity"})

    assert compressed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert compressed.content == plain.content == BODY


def test_a_web_process_that_is_gone_costs_no_request(gateway, web):
    gateway.put_in_front_of(free_port(), web.port)

    with gateway.serving() as client:
        answers = [client.post("/api/v1/carts", json={}) for _ in range(20)]

    assert {answer.status_code for answer in answers} == {200}
    assert len(web.requests) == 20


def test_without_any_web_process_the_gateway_is_alive_and_says_that_the_store_is_not(gateway):
    gateway.put_in_front_of(free_port())

    with gateway.serving() as client:
        alive, busy = client.get("/gateway/alive"), client.get(CATEGORIES)

    assert alive.status_code == 200
    assert busy.status_code == 503
    assert busy.headers["Content-Type"] == "application/problem+json"
    assert busy.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("method", "status", "sent_again"), [("POST", 503, []), ("GET", 200, [CATEGORIES])]
)
def test_a_request_that_may_have_been_read_is_sent_again_only_if_that_changes_nothing(
    gateway, web, method, status, sent_again
):
    with Web(hasty=True).listening() as hasty:
        gateway.put_in_front_of(hasty.port, backup=web.port)
        with gateway.serving() as client:
            answer = client.request(method, CATEGORIES)

    assert len(hasty.requests) == 1
    assert answer.status_code == status
    assert [path for _, path, _ in web.requests] == sent_again
