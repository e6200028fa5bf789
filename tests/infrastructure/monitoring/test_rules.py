"""Prometheus reads its configuration; each alert fires when it must, and only then."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from questions import Ask, plant

SEVERITIES = {"page", "ticket", "none"}
NAMED = re.compile(r'alertname="(\w+)"')


def alerts(config: Path) -> list[dict[str, Any]]:
    return [
        rule
        for file in sorted((config / "prometheus" / "rules").glob("*.yml"))
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]


def kebab(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def untold(config: Path, checkout: Path) -> list[str]:
    """Return what an alert does not tell: how urgent it is, what it is, what to do."""
    missing = []
    for alert in alerts(config):
        name, notes = alert["alert"], alert["annotations"]
        runbook = f"docs/runbooks/alerts/{kebab(name)}.md"
        if alert["labels"].get("severity") not in SEVERITIES:
            missing.append(f"{name}: severity")
        missing += [f"{name}: {note}" for note in ("summary", "description") if not notes.get(note)]
        if notes.get("runbook_url") != runbook or not (checkout / runbook).is_file():
            missing.append(f"{name}: runbook")
    return missing


def only(alert: str, tests: Path) -> Path:
    """Leave nothing in a file of tests but those of one alert."""
    content = yaml.safe_load(tests.read_text())
    content["tests"] = [test for test in content["tests"] if test["name"].split()[0] == alert]
    tests.write_text(yaml.safe_dump(content))
    return tests


def untested(config: Path) -> list[str]:
    """Return the alerts that no test makes fire, or that no test sees silent."""
    fire, silent = set(), set()
    for file in (config / "prometheus" / "tests").glob("*.yml"):
        for test in yaml.safe_load(file.read_text())["tests"]:
            for question in test["promql_expr_test"]:
                [name] = NAMED.findall(question["expr"])
                (fire if question["exp_samples"] else silent).add(name)
    names = {alert["alert"] for alert in alerts(config)}
    return sorted((names - fire) | (names - silent - {"Watchdog"}))


def test_prometheus_reads_its_configuration_and_rules(promtool: Ask, config: Path):
    verdict = promtool(
        "check", "config", "--lint=all", "--lint-fatal", config / "prometheus/prometheus.yml"
    )

    assert verdict.content, verdict.said


@pytest.mark.parametrize(
    "file",
    [
        *("business", "cluster", "processes", "servers", "work"),
        pytest.param("objectives", marks=pytest.mark.slow),  # three days, every ten minutes
    ],
)
def test_every_alert_fires_when_it_must_and_only_then(promtool: Ask, config: Path, file: str):
    verdict = promtool("test", "rules", config / "prometheus" / "tests" / f"{file}.yml")

    assert verdict.content, verdict.said


def test_every_alert_is_seen_firing_and_silent(config: Path):
    assert untested(config) == []


def test_every_alert_tells_its_urgency_and_leads_to_its_runbook(config: Path, checkout: Path):
    assert untold(config, checkout) == []


def test_every_runbook_belongs_to_an_alert(config: Path, checkout: Path):
    files = {file.stem for file in (checkout / "docs" / "runbooks" / "alerts").glob("*.md")}

    assert files == {kebab(alert["alert"]) for alert in alerts(config)}


def test_the_cluster_gets_the_same_rules(checkout: Path, promtool: Ask, tmp_path: Path):
    sys.path.insert(0, str(checkout / "config" / "prometheus"))
    import objects

    written = yaml.safe_load((checkout / "k8s/monitoring/prometheus-rule.yaml").read_text())
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(written["spec"]))

    assert written == objects.prometheus_rule(checkout / "config/prometheus/rules"), (
        "run `make prometheus-rule`"
    )
    assert promtool("check", "rules", tmp_path / "rules.yml").content


@pytest.mark.parametrize(
    ("file", "error", "named"),
    [
        ("prometheus.yml", ("scrape_interval:", "scrape_intervall:"), "scrape_intervall"),
        ("prometheus.yml", ("rules/*.yml", "rule/servers.yml"), "rule/servers.yml"),
        ("rules/servers.yml", ("> 0.8", "> 0.8 )"), "DatabaseConnectionsHigh"),
        ("rules/work.yml", ("for: 2m", "for: two minutes"), "two minutes"),
        ("rules/work.yml", ("{{ $labels.kind }}", "{{ $labels.kind }"), "WorkOverdue"),
    ],
)
def test_a_planted_error_in_the_configuration_is_refused(
    promtool: Ask, config: Path, file: str, error: tuple[str, str], named: str
):
    plant(config / "prometheus" / file, *error)

    verdict = promtool("check", "config", config / "prometheus/prometheus.yml")

    assert not verdict.content
    assert named in verdict.said


@pytest.mark.parametrize(
    ("alert", "file", "error"),
    [
        ("WorkOverdue", "work", ("} > 120", "} > 999")),
        ("InvariantBroken", "work", ("invariant_violations > 0", "invariant_violations >= 0")),
        ("BrokerDown", "servers", ('server="broker"} == 0', 'server="cache"} == 0')),
        ("BeatDown", "processes", ('absent(up{job="beat"} == 1)', 'absent(up{job="beat"})')),
        ("MedianLatencyHigh", "objectives", ("ratio_rate1h > 0.5", "ratio_rate1h > 0.05")),
    ],
)
def test_an_alert_with_a_wrong_condition_fails_its_test(
    promtool: Ask, config: Path, alert: str, file: str, error: tuple[str, str]
):
    plant(config / "prometheus" / "rules" / f"{file}.yml", *error)

    verdict = promtool("test", "rules", only(alert, config / "prometheus/tests" / f"{file}.yml"))

    assert not verdict.content
    assert alert in verdict.said


def test_an_alert_without_test_or_runbook_is_named(config: Path, checkout: Path):
    plant(config / "prometheus/rules/work.yml", "alert: WorkOverdue", "alert: WorkLate")
    plant(config / "prometheus/rules/work.yml", "severity: page", "severity: loud")

    assert untested(config) == ["WorkLate"]
    assert untold(config, checkout) == ["WorkLate: severity", "WorkLate: runbook"]
