"""The dashboards: Grafana knows every field, PromQL parses, what is asked is really exported."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from questions import plant
from running_store import eventually, running_store
from shopper import Shopper, connections, for_sale, variant_of

TITLES = {
    "overview": "E-Commerce Overview",
    "service-health": "Service Health",
    "infrastructure": "Infrastructure Metrics",
    "business": "Business Metrics",
}
# Prometheus's own, and what the rules make themselves.
OWN = re.compile(r"^(up|ALERTS)$|^slo:")
CLUSTER = Path(__file__).with_name("cluster_metrics.txt")
PERSONAL = re.compile(r"@|[0-9a-f]{8}-[0-9a-f]{4}-|\b\d{1,3}(\.\d{1,3}){3}\b|Springfield|Robin")

Read = Callable[[Path], dict[str, Any]]


def dashboards(config: Path) -> dict[str, dict[str, Any]]:
    folder = config / "grafana" / "dashboards"
    return {file.stem: json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))}


def expressions(config: Path) -> Iterator[str]:
    """Yield what panels and rules ask."""
    for dashboard in dashboards(config).values():
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                yield target["expr"].replace("$__range", "1h")
    for file in (config / "prometheus" / "rules").glob("*.yml"):
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from (rule["expr"] for rule in group["rules"])


@pytest.fixture(scope="session")
def read(reader: Path) -> Read:
    """Return what Grafana's model and PromQL's grammar say of a folder of configuration."""

    def ask(config: Path) -> dict[str, Any]:
        given = {"dashboards": dashboards(config), "expressions": list(expressions(config))}
        done = subprocess.run(
            [str(reader), str(Path(__file__).with_name("read_promql.py"))],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return dict(json.loads(done.stdout))

    return ask


def asked(said: dict[str, Any]) -> set[str]:
    """Return the names that the store itself has to export."""
    names = {name for found in said["metrics"].values() for name in found}
    elsewhere = set(CLUSTER.read_text().split())
    return {name for name in names if not OWN.search(name)} - elsewhere


def exported(pages: str) -> set[str]:
    """Return the names of the series on metrics pages, also of those without a value yet."""
    names = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\w+)$", pages, re.MULTILINE):
        endings = ("_bucket", "_count", "_sum") if kind == "histogram" else ("",)
        names |= {name + ending for ending in endings}
    return names


def test_the_four_dashboards_are_there_and_are_what_their_source_says(config: Path, checkout: Path):
    sys.path.insert(0, str(checkout / "config" / "grafana"))
    import dashboards as source

    found = dashboards(config)

    assert {name: dashboard["title"] for name, dashboard in found.items()} == TITLES
    assert found == {name: source.dashboard(name) for name in TITLES}, "run `make dashboards`"


def test_grafana_knows_every_field_and_every_expression_is_promql(read: Read, config: Path):
    said = read(config)

    assert said["unknown"] == {name: [] for name in TITLES}
    assert said["errors"] == {}


def test_every_red_panel_leads_to_a_runbook_that_exists(config: Path, checkout: Path):
    texts = [
        panel["description"]
        for dashboard in dashboards(config).values()
        for panel in dashboard["panels"]
    ]
    named = set(re.findall(r"docs/runbooks/\S+\.md", " ".join(texts)))

    assert len(named) > 20
    assert {name for name in named if not (checkout / name).is_file()} == set()


def test_panels_have_a_source_that_may_be_chosen_and_do_not_overlap(config: Path):
    for name, dashboard in dashboards(config).items():
        taken: set[tuple[int, int]] = set()
        for panel in dashboard["panels"]:
            assert panel["datasource"]["uid"] == "${datasource}"
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken, f"{name}: {panel['title']}"
            assert max(x for x, _ in cells) < 24
            taken |= cells


@pytest.mark.slow
def test_what_is_asked_is_exported_by_a_store_that_sells_and_names_nobody(read: Read, config: Path):
    wanted = asked(read(config))
    with running_store() as store, connections(store.url) as api:
        ports = re.findall(r"(\d+) \((\w+)\)", store.output())
        pages = {name: f"http://127.0.0.1:{port}/metrics" for port, name in ports}
        pages["web"] = f"{store.url}/metrics"
        guest = Shopper(api)
        order = guest.buy({variant_of(for_sale(guest))["id"]: 1})

        def figures() -> str:
            try:
                return "\n".join(httpx.get(page, timeout=30).text for page in pages.values())
            except httpx.ConnectError:  # one does not listen yet
                return ""

        text = eventually(
            figures, lambda text: 'shop_orders_total{status="paid"} 1.0' in text, patience=60
        )

    assert set(pages) == {"web", "worker", "payments", "pictures", "beat", "exporter"}
    assert wanted - exported(text) == set()
    cents = float(Decimal(order["totals"]["grand_total"]["amount"]) * 100)
    assert f'shop_order_value_minor_total{{currency="USD",status="paid"}} {cents}' in text
    assert [line for line in text.splitlines() if line[:1] != "#" and PERSONAL.search(line)] == []


def test_a_metric_that_nobody_exports_is_seen(read: Read, config: Path):
    plant(config / "prometheus/rules/work.yml", "outbox_oldest_open_seconds", "outbox_oldest_secs")

    assert "outbox_oldest_secs" in asked(read(config))
    assert "outbox_oldest_secs" not in exported("# TYPE outbox_oldest_open_seconds gauge\n")


@pytest.mark.parametrize(
    ("error", "place"),
    [
        (('"gridPos"', '"gridpos"'), ".panels[0].gridpos"),
        (('"refId"', '"refID"'), ".panels[0].targets[0].refID"),
    ],
)
def test_a_field_that_grafana_does_not_know_is_named(
    read: Read, config: Path, error: tuple[str, str], place: str
):
    plant(config / "grafana/dashboards/overview.json", *error)

    assert place in read(config)["unknown"]["overview"]


def test_an_expression_that_is_no_promql_is_named(read: Read, config: Path):
    plant(config / "grafana/dashboards/business.json", "sum(increase(", "sum(increase((")

    assert len(read(config)["errors"]) == 1
