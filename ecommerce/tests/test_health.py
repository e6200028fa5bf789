"""What the platform asks."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as ours
from django.test import Client

AWAY = "redis://127.0.0.1:1/0"
ONE_PROCESS = """
import django
django.setup()
from django.test import Client
for _ in range({requests}):
    Client().get("/api/v1/errors")
print(Client().get("/metrics").content.decode())
"""


@pytest.fixture
def cache_away(settings: Any) -> None:
    """Nobody listens where the cache should be."""
    settings.CACHES = {"default": {**ours.CACHES["default"], "LOCATION": AWAY}}


@pytest.mark.django_db
def test_with_its_servers_the_store_is_ready(client: Client) -> None:
    answer = client.get("/health/ready")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "checks": {"database": True, "cache": True}}


@pytest.mark.usefixtures("database_away")
def test_without_the_database_the_store_is_not_ready_but_alive(client: Client) -> None:
    answer = client.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] is False
    assert client.get("/health/live").status_code == 200


@pytest.mark.django_db
@pytest.mark.usefixtures("cache_away")
def test_without_the_cache_the_store_is_ready(client: Client) -> None:
    answer = client.get("/health/ready")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "checks": {"database": True, "cache": False}}


def test_being_alive_needs_nothing(client: Client) -> None:
    answer = client.get("/health/live")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
@pytest.mark.django_db
def test_probes_are_answered_whatever_the_host_and_without_cookies(
    client: Client, settings: Any, path: str
) -> None:
    settings.ALLOWED_HOSTS = ["shop.example.com"]

    answer = client.get(path, headers={"Host": "10.0.0.7:8000"})

    assert answer.status_code == 200
    assert not answer.cookies


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/%6Detrics"])
@pytest.mark.django_db
def test_probes_are_not_for_those_who_come_through_a_proxy(client: Client, path: str) -> None:
    answer = client.get(path, headers={"X-Forwarded-For": "203.0.113.7"})

    assert answer.status_code == 404


def test_metrics_count_requests_and_name_no_customer(client: Client) -> None:
    client.get("/api/v1/errors/no_such_code")

    text = client.get("/metrics").content.decode()

    assert 'http_requests_total{method="GET",route="error",status="404"}' in text
    assert "no_such_code" not in text


def test_metrics_of_several_processes_are_counted_together(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def serve(requests: int) -> str:
        return subprocess.run(
            [sys.executable, "-c", ONE_PROCESS.format(requests=requests)],
            cwd=ours.BASE_DIR,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout

    serve(3)
    text = serve(2)

    counted = [
        line
        for line in text.splitlines()
        if line.startswith("http_requests_total") and 'route="errors"' in line
    ]
    assert [line.rpartition(" ")[2] for line in counted] == ["5.0"]
