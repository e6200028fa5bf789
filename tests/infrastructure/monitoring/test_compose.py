"""Prometheus, Alertmanager and Grafana beside the store of compose.yaml."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

# What `.env` holds; none of it opens anything.
GIVEN = {
    "SECRET_KEY": "example",
    "JWT_SIGNING_KEY": "example",
    "DATABASE_PASSWORD": "example",
    "STRIPE_SECRET_KEY": "example",
    "STRIPE_WEBHOOK_SECRET": "example",
    "GRAFANA_PASSWORD": "example",
    "ALERTMANAGER_SECRETS": "/run/alertmanager",
}


@pytest.fixture(scope="session")
def services(tool: Callable[[str], Path], checkout: Path) -> dict[str, dict[str, Any]]:
    """What Docker Compose makes of both files together."""
    done = subprocess.run(
        [
            str(tool("docker-compose")),
            *("--file", "compose.yaml", "--file", "config/monitoring.compose.yaml"),
            *("config", "--format", "json"),
        ],
        cwd=checkout,
        env={"PATH": os.environ["PATH"]} | GIVEN,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout)["services"])


def test_every_file_that_is_mounted_is_there(services: dict[str, dict[str, Any]], checkout: Path):
    sources = [
        Path(volume["source"])
        for name in ("prometheus", "alertmanager", "grafana")
        for volume in services[name]["volumes"]
        if volume["type"] == "bind" and volume["source"] != GIVEN["ALERTMANAGER_SECRETS"]
    ]

    assert len(sources) == 4
    assert [source for source in sources if not source.exists()] == []
    assert all(checkout in source.parents for source in sources)


def test_figures_are_collected_every_15_seconds_and_kept_for_15_days(
    services: dict[str, dict[str, Any]], checkout: Path
):
    beside = yaml.safe_load((checkout / "config/prometheus/prometheus.yml").read_text())
    cluster = yaml.safe_load_all((checkout / "k8s/monitoring/prometheus.yaml").read_text())
    prometheus = next(each for each in cluster if each["kind"] == "Prometheus")["spec"]

    assert beside["global"]["scrape_interval"] == prometheus["scrapeInterval"] == "15s"
    assert "--storage.tsdb.retention.time=15d" in services["prometheus"]["command"]
    assert prometheus["retention"] == "15d"


def test_every_process_of_the_store_is_collected_under_the_name_that_the_rules_use(
    services: dict[str, dict[str, Any]], checkout: Path
):
    jobs = {
        job["job_name"]
        for job in yaml.safe_load((checkout / "config/prometheus/prometheus.yml").read_text())[
            "scrape_configs"
        ]
    }
    rules = "".join(
        file.read_text() for file in (checkout / "config/prometheus/rules").glob("*.yml")
    )
    named = set(re.findall(r'job="([a-z-]+)"', rules))

    assert named <= jobs <= {*services, "prometheus"}
    assert {name for name in services if name.startswith("worker-")} <= jobs


def test_nothing_is_open_beyond_this_machine(services: dict[str, dict[str, Any]]):
    for name in ("prometheus", "alertmanager", "grafana"):
        ports = services[name].get("ports", [])
        assert all(port["host_ip"] == "127.0.0.1" for port in ports)
        assert services[name]["read_only"] is True


def test_only_prometheus_reaches_the_store(services: dict[str, dict[str, Any]]):
    reach = {
        name
        for name in ("prometheus", "alertmanager", "grafana")
        if "data" in services[name]["networks"]
    }

    assert reach == {"prometheus"}
    assert "data" in services["web"]["networks"]
