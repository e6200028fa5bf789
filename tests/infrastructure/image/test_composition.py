"""compose.yaml: every service confined, no secret inside, and settings the store starts with."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import composition
import pytest
import yaml

from ecommerce.local.environment import compose_secrets

SECONDS = re.compile(r"(\d+)s")


@pytest.fixture
def text(checkout: Path) -> str:
    return (checkout / "compose.yaml").read_text()


@pytest.fixture
def compose(text) -> dict:
    return yaml.safe_load(text)


@pytest.fixture
def resolve(tool, checkout, tmp_path):
    """Have the real docker-compose fill in the variables of a `.env`."""
    program = tool("docker-compose")

    def resolve(secrets: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / ".env").write_text(secrets)
        return subprocess.run(
            [
                *(program, "--file", checkout / "compose.yaml"),
                *("--env-file", tmp_path / ".env", "config", "--format=json"),
            ],
            check=False,
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        )

    return resolve


def test_every_service_is_confined_limited_and_looked_after(compose):
    assert composition.findings(compose) == []


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("  cap_drop: [ALL]\n", "", "beat keeps capabilities."),
        ('  security_opt: ["no-new-privileges:true"]\n', "", "web may gain privileges."),
        ("  read_only: true\n", "", "database can write to its root."),
        ('    user: "999:999"\n', '    user: "0:0"\n', "database runs as root."),
        ("postgres:17.6-bookworm", "postgres:17", "has an image without an exact version"),
        ("nginx-unprivileged:1.28.0-alpine", "nginx-unprivileged", "gateway has an image without"),
        ("ecommerce:${COMMIT:-local}", "ecommerce:latest", "not the image of a commit"),
        ("store:ro", "store", "gateway may write to the machine's ./config/nginx."),
        ("memory: 768M, ", "", "web has no limit of memory."),
        ("max-size: 20m, ", "", "web may fill the disk with its log."),
        ("command: [python, manage.py, export_metrics]", "command: python manage.py export_metrics",
         "exporter needs a shell to start."),
        ("test: [CMD, pg_isready,", "test: [CMD-SHELL, pg_isready,",
         "database has a health check that needs a shell."),
        ("test: [CMD, valkey-cli, ping]", "test: []", "broker has no health check."),
        ("SECRET_KEY: ${SECRET_KEY:?put SECRET_KEY into .env}", "SECRET_KEY: abc",
         "web has a secret in the file: SECRET_KEY."),
        ("store:${DATABASE_PASSWORD:?put DATABASE_PASSWORD into .env}@", "store:abc@",
         "migrate has a password in the file: DATABASE_URL."),
        ('    shm_size: 256m\n', '    ports: ["5432:5432"]\n', "database is reached from outside"),
        ("127.0.0.1:8080:8080", "8080:8080", "gateway is reached from other machines: 8080:8080."),
        ("data: {internal: true}", "data: {}", "The network of the data has a way out."),
        ("networks: [edge]", "networks: [edge, data]", "gateway is on more than the edge"),
        ("    migrate: {condition: service_completed_successfully}\n", "",
         "web does not wait for the migrations."),
        ("    command: [python, manage.py, export_metrics]\n",
         "    command: [python, manage.py, export_metrics]\n    deploy: {replicas: 2}\n",
         "exporter is there more than once."),
        ("    shm_size: 256m\n", "    privileged: true\n", "database has privileged."),
    ],
)  # fmt: skip
def test_what_is_planted_is_refused(text, right, wrong, said):
    assert right in text

    found = composition.findings(yaml.safe_load(text.replace(right, wrong)))

    assert any(said in finding for finding in found), found


def test_docker_compose_accepts_it_with_new_secrets(resolve):
    resolved = resolve(compose_secrets())

    assert resolved.returncode == 0, resolved.stderr
    assert len(json.loads(resolved.stdout)["services"]) == 14


@pytest.mark.parametrize("name", re.findall(r"^(\w+)=", compose_secrets(), re.MULTILINE))
def test_without_one_of_the_secrets_nothing_starts_and_it_is_named(resolve, name):
    given = re.sub(rf"^{name}=.*\n", "", compose_secrets(), flags=re.MULTILINE)

    refused = resolve(given)

    assert refused.returncode != 0
    assert f"put {name} into .env" in refused.stderr


def test_docker_compose_refuses_what_it_does_not_know(tool, text, tmp_path):
    planted = tmp_path / "compose.yaml"
    planted.write_text(text.replace("    shm_size: 256m\n", "    shared_memory: 256m\n"))

    refused = subprocess.run(
        [tool("docker-compose"), "--file", planted, "config", "--quiet"],
        check=False,
        capture_output=True,
        text=True,
        env=dict(re.findall(r"^(\w+)='(.*)'$", compose_secrets(), re.MULTILINE)),
    )

    assert refused.returncode != 0
    assert "shared_memory" in refused.stderr


def test_the_settings_accept_what_the_services_are_given(resolve, checkout):
    services = json.loads(resolve(compose_secrets()).stdout)["services"]
    given = services["migrate"]["environment"]

    started = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        cwd=checkout,
        check=False,
        capture_output=True,
        text=True,
        env=given | {"DJANGO_SETTINGS_MODULE": "ecommerce.settings", "PATH": os.environ["PATH"]},
    )

    assert started.returncode == 0, started.stderr
    ours = [each for each in services.values() if each["image"].startswith("ecommerce:")]
    assert len(ours) == 8
    assert all(given.items() <= each["environment"].items() for each in ours)


def test_a_service_is_given_more_time_to_end_than_it_may_need(compose, checkout):
    gunicorn = (checkout / "config" / "gunicorn.conf.py").read_text()
    settings = (checkout / "ecommerce" / "settings" / "background.py").read_text()
    [longest_request] = re.findall(r"^graceful_timeout = (\d+)", gunicorn, re.MULTILINE)
    [longest_task] = re.findall(r"^CELERY_TASK_TIME_LIMIT = (\d+)", settings, re.MULTILINE)

    periods = {
        name: int(SECONDS.fullmatch(service["stop_grace_period"])[1])
        for name, service in compose["services"].items()
        if "stop_grace_period" in service
    }

    assert periods["web"] > int(longest_request)
    for worker in ("worker-payments", "worker-shipping", "worker-events", "worker-index"):
        assert periods[worker] > int(longest_task)


def test_the_gateway_lets_go_of_a_connection_before_gunicorn_does(checkout):
    gunicorn = (checkout / "config" / "gunicorn.conf.py").read_text()
    gateway = (checkout / "config" / "nginx" / "upstream.conf").read_text()
    [kept_by_web] = re.findall(r"^keepalive = (\d+)", gunicorn, re.MULTILINE)
    [kept_by_gateway] = re.findall(r"keepalive_timeout (\d+)s;", gateway)

    assert int(kept_by_gateway) < int(kept_by_web)


def test_cache_and_broker_have_opposite_settings(compose):
    cache, broker = (compose["services"][name]["command"] for name in ("cache", "broker"))

    assert cache[cache.index("--maxmemory-policy") + 1] == "allkeys-lru"
    assert broker[broker.index("--maxmemory-policy") + 1] == "noeviction"
    assert broker[broker.index("--appendonly") + 1] == "yes"
