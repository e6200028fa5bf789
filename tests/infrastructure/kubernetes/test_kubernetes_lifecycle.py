"""Pods come, stay and go without a shopper noticing."""

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lifecycle import (
    Patience,
    drain_findings,
    eviction_findings,
    grace_findings,
    probe_findings,
    rollout_findings,
    zone_findings,
)
from rendering import Object, found

Check = Callable[[list[Object]], list[str]]
CHECKS = [rollout_findings, eviction_findings, zone_findings, probe_findings]


@pytest.fixture(scope="session")
def patience(checkout: Path) -> Patience:
    """The seconds that gunicorn, Celery and the pipeline are configured with."""

    def number(file: str, name: str) -> int:
        [found] = re.findall(rf"^{name} = (\d+)$", (checkout / file).read_text(), re.MULTILINE)
        return int(found)

    places = tomllib.loads((checkout / "config/pipeline/environments.toml").read_text())
    return Patience(
        graceful_timeout=number("config/gunicorn.conf.py", "graceful_timeout"),
        request_timeout=number("config/gunicorn.conf.py", "timeout"),
        task_time_limit=number("ecommerce/settings/background.py", "CELERY_TASK_TIME_LIMIT"),
        migration=min(places[name]["migration_seconds"] for name in ("staging", "production")),
    )


@pytest.mark.parametrize("check", CHECKS)
def test_rollouts_evictions_zones_and_probes_are_in_order(check: Check, cluster: list[Object]):
    assert check(cluster) == []


def test_every_process_has_the_time_to_end(cluster: list[Object], patience: Patience):
    assert grace_findings(cluster, patience) == []
    assert drain_findings(cluster, patience) == []


def test_web_scales_from_three_to_ten_as_the_document_says(cluster: list[Object]):
    spec = found(cluster, "HorizontalPodAutoscaler", "web")["spec"]

    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 10)
    assert {
        each["resource"]["name"]: each["resource"]["target"]["averageUtilization"]
        for each in spec["metrics"]
    } == {"cpu": 70, "memory": 80}
    up, down = spec["behavior"]["scaleUp"], spec["behavior"]["scaleDown"]
    assert up["stabilizationWindowSeconds"] == 0
    assert down["stabilizationWindowSeconds"] >= 300
    assert max(each["value"] for each in down["policies"]) == 1


def test_nodes_are_removed_after_ten_minutes_and_never_more_than_twenty(cluster: list[Object]):
    [container] = found(cluster, "Deployment", "cluster-autoscaler")["spec"]["template"]["spec"][
        "containers"
    ]

    assert {"--scale-down-unneeded-time=10m", "--max-nodes-total=20"} <= set(container["command"])


def test_metrics_are_collected_every_15_seconds_and_kept_for_15_days(cluster: list[Object]):
    spec = found(cluster, "Prometheus", "prometheus")["spec"]

    assert (spec["scrapeInterval"], spec["evaluationInterval"]) == ("15s", "15s")
    assert spec["retention"] == "15d"


def test_payments_never_run_on_nodes_that_may_be_taken_away(cluster: list[Object]):
    tolerant = {
        name: found(cluster, "Deployment", name)["spec"]["template"]["spec"].get("tolerations")
        for name in (
            "web",
            "worker-payments",
            "worker-shipping",
            "worker-events",
            "worker-index",
            "beat",
        )
    }

    spot = [{"key": "spot", "operator": "Equal", "value": "true", "effect": "NoSchedule"}]
    assert tolerant == {
        "web": None,
        "worker-payments": None,
        "worker-shipping": spot,
        "worker-events": spot,
        "worker-index": spot,
        "beat": None,
    }


def errors() -> Iterator[tuple[str, Check, Callable[[list[Object]], None], str]]:
    """Yield a name, the check that has to see it, the error, and what is said."""
    store = "in ecommerce-production"

    def spec(objects: list[Object], kind: str, name: str) -> Object:
        return found(objects, kind, name, "ecommerce-production")["spec"]

    def container(objects: list[Object], name: str) -> Object:
        return spec(objects, "Deployment", name)["template"]["spec"]["containers"][0]

    def fixed(objects: list[Object]) -> None:
        spec(objects, "Deployment", "web")["replicas"] = 3

    yield (
        "replicas",
        rollout_findings,
        fixed,
        (f"Deployment/web {store} sets the number that its autoscaler owns"),
    )

    def short(objects: list[Object]) -> None:
        spec(objects, "Deployment", "web")["strategy"]["rollingUpdate"]["maxUnavailable"] = 1

    yield (
        "unavailable",
        rollout_findings,
        short,
        (f"Deployment/web {store} may be short of a pod while it is updated"),
    )

    def two_beats(objects: list[Object]) -> None:
        spec(objects, "Deployment", "beat")["replicas"] = 2

    yield "beats", rollout_findings, two_beats, f"Deployment/beat {store} may run twice"

    def rolling_beat(objects: list[Object]) -> None:
        spec(objects, "Deployment", "beat")["strategy"] = {"type": "RollingUpdate"}

    yield "rolling beat", rollout_findings, rolling_beat, f"Deployment/beat {store} may run twice"

    def strict(objects: list[Object]) -> None:
        spec(objects, "PodDisruptionBudget", "web")["minAvailable"] = 3

    yield (
        "budget",
        eviction_findings,
        strict,
        (f"PodDisruptionBudget/web {store} wants 3 of 3 Deployment/web {store}"),
    )

    def both(objects: list[Object]) -> None:
        spec(objects, "PodDisruptionBudget", "web")["maxUnavailable"] = 1

    yield "both", eviction_findings, both, f"PodDisruptionBudget/web {store} does not say one thing"

    def unbudgeted(objects: list[Object]) -> None:
        objects.remove(found(objects, "PodDisruptionBudget", "worker-payments"))

    yield (
        "no budget",
        eviction_findings,
        unbudgeted,
        (f"Deployment/worker-payments {store} has no budget"),
    )

    def crowded(objects: list[Object]) -> None:
        template = spec(objects, "Deployment", "web")["template"]["spec"]
        del template["topologySpreadConstraints"][0]

    yield "zones", zone_findings, crowded, f"Deployment/web {store} is not spread over the zones"

    def unready(objects: list[Object]) -> None:
        del container(objects, "web")["readinessProbe"]

    yield "readiness", probe_findings, unready, f"Deployment/web {store} has no readinessProbe"

    def blamed(objects: list[Object]) -> None:
        container(objects, "web")["livenessProbe"]["httpGet"]["path"] = "/health/ready"

    yield (
        "liveness",
        probe_findings,
        blamed,
        (f"Deployment/web {store} is killed when others fail: /health/ready"),
    )

    def impatient(objects: list[Object]) -> None:
        container(objects, "worker-events")["livenessProbe"]["failureThreshold"] = 1

    yield (
        "impatience",
        probe_findings,
        impatient,
        (f"Deployment/worker-events {store} is killed after 15 s of silence"),
    )


@pytest.mark.parametrize(
    ("check", "error", "named"), [pytest.param(*rest, id=name) for name, *rest in errors()]
)
def test_what_a_shopper_would_notice_is_named(
    check: Check, error: Callable[[list[Object]], None], named: str, spoilt: list[Object]
):
    error(spoilt)

    assert named in check(spoilt)


def test_a_grace_that_is_too_short_is_named(spoilt: list[Object], patience: Patience):
    for name, grace in (("web", 40), ("worker-payments", 30)):
        template = found(spoilt, "Deployment", name)["spec"]["template"]
        template["spec"]["terminationGracePeriodSeconds"] = grace
    found(spoilt, "Job", "migrate")["spec"]["activeDeadlineSeconds"] = 900

    assert grace_findings(spoilt, patience) == [
        "Deployment/web in ecommerce-production needs 40 s to end and gets 40 s",
        "Deployment/worker-payments in ecommerce-production needs 50 s to end and gets 30 s",
        "Job/migrate in ecommerce-production may end after the pipeline has given up",
    ]


def test_a_load_balancer_that_drains_too_long_is_named(spoilt: list[Object], patience: Patience):
    annotations = found(spoilt, "Ingress", "web")["metadata"]["annotations"]
    annotations["alb.ingress.kubernetes.io/target-group-attributes"] = (
        "deregistration_delay.timeout_seconds=300"
    )

    [finding] = drain_findings(spoilt, patience)
    assert finding == (
        "Ingress/web in ecommerce-production drains for 300 s; "
        "a request may take 30 s and a pod lives on for 40 s"
    )
