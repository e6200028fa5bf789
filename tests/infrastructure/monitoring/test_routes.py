"""Who hears of what: Alertmanager reads its configuration and sends each alert to the right one."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from questions import Ask, plant

FILE = "alertmanager/alertmanager.yml"


def content(config: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((config / FILE).read_text()))


def secrets_in(config: Path) -> list[str]:
    """Return the keys of receivers that hold a secret themselves instead of naming its file."""
    secret = re.compile(r"(url|key|token|password)$")
    return [
        key
        for receiver in content(config)["receivers"]
        for kind in receiver.values()
        if isinstance(kind, list)
        for settings in kind
        for key in settings
        if secret.search(key)
    ]


def unknown_alerts(config: Path) -> set[str]:
    """Return what an inhibition names and no rule defines."""
    rules = "\n".join(file.read_text() for file in (config / "prometheus/rules").glob("*.yml"))
    known = set(re.findall(r"alert: (\w+)", rules))
    unknown = set()
    for rule in content(config)["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            label, _, value = re.split(r" (=~?) ", matcher, maxsplit=1)
            if label == "alertname":
                patterns = value.strip('"').split("|")
                unknown |= {
                    pattern
                    for pattern in patterns
                    if not any(re.fullmatch(pattern, name) for name in known)
                }
    return unknown


def test_alertmanager_reads_its_configuration(amtool: Ask, config: Path):
    verdict = amtool("check-config", config / FILE)

    assert verdict.content, verdict.said


@pytest.mark.parametrize(
    ("receiver", "labels"),
    [
        ("on-call", ("alertname=WebDown", "severity=page")),
        ("on-call", ("alertname=NoOrders", "severity=page")),
        ("chat", ("alertname=CacheDown", "severity=ticket")),
        ("chat", ("alertname=Somebody_elses",)),
        ("watchdog", ("alertname=Watchdog", "severity=none")),
    ],
)
def test_an_alert_reaches_who_must_hear_of_it(
    amtool: Ask, config: Path, receiver: str, labels: tuple[str, ...]
):
    verdict = amtool(
        "config",
        "routes",
        "test",
        f"--config.file={config / FILE}",
        f"--verify.receivers={receiver}",
        *labels,
    )

    assert verdict.content, verdict.said


def test_receivers_read_their_secrets_from_files(config: Path):
    assert secrets_in(config) == []


def test_what_is_kept_quiet_is_known(config: Path):
    assert unknown_alerts(config) == set()


@pytest.mark.parametrize(
    ("right", "wrong", "named"),
    [
        ("receiver: on-call", "receiver: on-cal", "on-cal"),
        ("routing_key_file", "routing_keyfile", "routing_keyfile"),
        ("repeat_interval: 12h", "repeat_interval: often", "often"),
    ],
)
def test_a_planted_error_is_refused(amtool: Ask, config: Path, right: str, wrong: str, named: str):
    plant(config / FILE, right, wrong)

    verdict = amtool("check-config", config / FILE)

    assert not verdict.content
    assert named in verdict.said


def test_a_page_that_would_go_to_the_chat_is_seen(amtool: Ask, config: Path):
    plant(config / FILE, 'severity = "page"', 'severity = "critical"')

    verdict = amtool(
        "config",
        "routes",
        "test",
        f"--config.file={config / FILE}",
        "--verify.receivers=on-call",
        "severity=page",
    )

    assert not verdict.content


def test_a_secret_in_the_file_is_seen(config: Path):
    plant(config / FILE, "api_url_file: /etc/", "api_url: https://hooks.example.com/")

    assert secrets_in(config) == ["api_url"]


def test_an_inhibition_of_an_unknown_alert_is_seen(config: Path):
    plant(config / FILE, '"BeatSilent|', '"BeatSilence|')

    assert unknown_alerts(config) == {"BeatSilence"}
