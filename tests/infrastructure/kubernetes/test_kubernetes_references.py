"""What objects say of each other is true."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from celery.schedules import ParseException, crontab
from pods import pods_of
from references import collected_jobs, port_findings, reference_findings, selector_findings
from rendering import Object, found, of_kind, title

Check = Callable[[list[Object]], list[str]]
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")


def name_findings(objects: list[Object]) -> list[str]:
    """Return names that are no DNS names; a Service's becomes one label of a host name."""
    return [
        title(each)
        for each in objects
        if not NAME.fullmatch(name := each["metadata"]["name"])
        or (each["kind"] in {"Service", "Namespace"} and ("." in name or len(name) > 63))
    ]


def schedule_findings(objects: list[Object]) -> list[str]:
    """Return CronJobs whose schedule never comes."""
    findings = []
    for each in of_kind(objects, "CronJob"):
        fields = each["spec"]["schedule"].split()
        try:
            crontab(**dict(zip(FIELDS, fields, strict=True)))
        except (ValueError, ParseException):
            findings.append(f"{title(each)} has the schedule {each['spec']['schedule']!r}")
    return findings


CHECKS = [reference_findings, selector_findings, port_findings, name_findings, schedule_findings]


@pytest.mark.parametrize("check", CHECKS)
def test_nothing_refers_to_what_does_not_exist(check: Check, cluster: list[Object]):
    assert check(cluster) == []


def test_every_file_for_grafana_reaches_it(cluster: list[Object], checkout: Path):
    [pod] = [each for each in pods_of(cluster) if each.owner["metadata"]["name"] == "grafana"]
    names = {volume["configMap"]["name"] for volume in pod.spec["volumes"] if "configMap" in volume}
    mounted = {
        file for name in names for file in found(cluster, "ConfigMap", name, "monitoring")["data"]
    }

    assert mounted == {
        file.name
        for folder in ("dashboards", "provisioning")
        for file in (checkout / "config" / "grafana" / folder).rglob("*.*")
    }


def test_alertmanager_has_the_secrets_that_its_configuration_reads(
    cluster: list[Object], checkout: Path
):
    configuration = (checkout / "config" / "alertmanager" / "alertmanager.yml").read_text()
    read = set(re.findall(r"/etc/alertmanager/secrets/([^/\s]+)/", configuration))

    assert read == set(spec_of(cluster, "Alertmanager", "alertmanager")["secrets"])


def uncollected(jobs: set[str], rules: str) -> set[str]:
    """Return the jobs that rules ask for by name and nobody collects."""
    return set(re.findall(r'\bjob="([^"]+)"', rules)) - jobs


def test_rules_ask_only_for_jobs_that_are_collected(cluster: list[Object], checkout: Path):
    rules = "".join(file.read_text() for file in checkout.glob("config/prometheus/rules/*.yml"))

    assert uncollected(collected_jobs(cluster), rules) == set()


def test_a_job_that_nobody_collects_is_named(spoilt: list[Object]):
    spec_of(spoilt, "PodMonitor", "background")["jobLabel"] = "app.kubernetes.io/name"

    assert uncollected(collected_jobs(spoilt), 'up{job="beat"} + up{job="web"}') == {"beat"}


def spec_of(objects: list[Object], kind: str, name: str, namespace: str | None = None) -> Object:
    return found(objects, kind, name, namespace)["spec"]


def errors() -> Iterator[tuple[str, Check, Callable[[list[Object]], None], str]]:
    """Yield a name, the check that has to see it, the error, and how the finding begins."""
    store = "in ecommerce-production"

    def container(objects: list[Object]) -> Object:
        return spec_of(objects, "Deployment", "web")["template"]["spec"]["containers"][0]

    def other_secret(objects: list[Object]) -> None:
        container(objects)["envFrom"][1]["secretRef"]["name"] = "secrets"

    yield (
        "secret",
        reference_findings,
        other_secret,
        (f"Deployment/web {store} names Secret/secrets"),
    )

    def other_settings(objects: list[Object]) -> None:
        container(objects)["envFrom"][0]["configMapRef"]["name"] = "settings"

    yield (
        "configmap",
        reference_findings,
        other_settings,
        (f"Deployment/web {store} names ConfigMap/settings"),
    )

    def no_account(objects: list[Object]) -> None:
        objects.remove(found(objects, "ServiceAccount", "worker"))

    yield (
        "account",
        reference_findings,
        no_account,
        (f"Deployment/beat {store} names ServiceAccount/worker"),
    )

    def no_priority(objects: list[Object]) -> None:
        objects.remove(found(objects, "PriorityClass", "platform"))

    yield "priority", reference_findings, no_priority, "DaemonSet/fluent-bit in logging names"

    def other_target(objects: list[Object]) -> None:
        target = spec_of(objects, "HorizontalPodAutoscaler", "worker-events")["scaleTargetRef"]
        target["name"] = "worker-event"

    yield (
        "autoscaler",
        reference_findings,
        other_target,
        (f"HorizontalPodAutoscaler/worker-events {store} names Deployment/worker-event"),
    )

    def no_reader(objects: list[Object]) -> None:
        objects.remove(found(objects, "ServiceAccount", "secrets-reader", "ecommerce-production"))

    yield "reader", reference_findings, no_reader, f"SecretStore/secrets-manager {store} names"

    def other_labels(objects: list[Object]) -> None:
        template = spec_of(objects, "Deployment", "web")["template"]
        template["metadata"]["labels"]["app.kubernetes.io/component"] = "www"

    yield (
        "labels",
        selector_findings,
        other_labels,
        (f"Deployment/web {store} does not select its own pods"),
    )

    def greedy(objects: list[Object]) -> None:
        spec_of(objects, "Deployment", "beat")["selector"] = {
            "matchLabels": {"app.kubernetes.io/name": "ecommerce"}
        }

    yield "greedy", selector_findings, greedy, f"Deployment/beat {store} also selects the pods of"

    def idle_budget(objects: list[Object]) -> None:
        spec_of(objects, "PodDisruptionBudget", "web")["selector"] = {"matchLabels": {"app": "web"}}

    yield (
        "budget",
        selector_findings,
        idle_budget,
        (f"PodDisruptionBudget/web {store} selects nothing"),
    )

    def idle_policy(objects: list[Object]) -> None:
        spec_of(objects, "NetworkPolicy", "data")["podSelector"]["matchLabels"] = {"app": "store"}

    yield "policy", selector_findings, idle_policy, f"NetworkPolicy/data {store} selects nothing"

    def other_probe(objects: list[Object]) -> None:
        container(objects)["readinessProbe"]["httpGet"]["port"] = "web"

    yield (
        "probe",
        port_findings,
        other_probe,
        (f"Deployment/web {store}, in its readinessProbe, uses the port web"),
    )

    def other_target_port(objects: list[Object]) -> None:
        spec_of(objects, "Service", "web")["ports"][0]["targetPort"] = 8080

    yield "service", port_findings, other_target_port, f"Service/web {store} uses the port 8080"

    def other_scrape(objects: list[Object]) -> None:
        spec_of(objects, "PodMonitor", "background")["podMetricsEndpoints"][0]["port"] = "http"

    yield "monitor", port_findings, other_scrape, f"PodMonitor/background {store} uses the port"

    def other_endpoint(objects: list[Object]) -> None:
        spec_of(objects, "ServiceMonitor", "web")["endpoints"][0]["port"] = "metrics"

    yield "endpoint", port_findings, other_endpoint, f"ServiceMonitor/web {store} uses the port"

    def other_rule(objects: list[Object]) -> None:
        rule = spec_of(objects, "NetworkPolicy", "load-balancer")["ingress"][0]
        rule["ports"] = [{"protocol": "TCP", "port": 80}]

    yield "rule", port_findings, other_rule, f"NetworkPolicy/load-balancer {store} uses the port 80"

    def other_backend(objects: list[Object]) -> None:
        paths = spec_of(objects, "Ingress", "web")["rules"][0]["http"]["paths"]
        paths[-1]["backend"]["service"]["port"]["name"] = "https"

    yield "ingress", port_findings, other_backend, f"Ingress/web {store} sends / to web/https"

    def capital(objects: list[Object]) -> None:
        found(objects, "Deployment", "exporter")["metadata"]["name"] = "Exporter"

    yield "name", name_findings, capital, f"Deployment/Exporter {store}"

    def never(objects: list[Object]) -> None:
        spec_of(objects, "CronJob", "clear-sessions")["schedule"] = "99 4 * * *"

    yield "schedule", schedule_findings, never, f"CronJob/clear-sessions {store} has the schedule"


@pytest.mark.parametrize(
    ("check", "error", "named"), [pytest.param(*rest, id=name) for name, *rest in errors()]
)
def test_what_leads_nowhere_is_named(
    check: Check, error: Callable[[list[Object]], None], named: str, spoilt: list[Object]
):
    error(spoilt)

    findings = check(spoilt)

    assert findings
    assert any(finding.startswith(named) for finding in findings), findings
