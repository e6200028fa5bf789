"""How pods come, stay and go: rollouts, evictions, zones, and the seconds that each step has."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pods import Pod, pods_of
from rendering import Object, found, labels_of, matches, namespace_of, of_kind, title

ZONE = "topology.kubernetes.io/zone"
PAUSE = re.compile(r"time\.sleep\((\d+)\)")


@dataclass(frozen=True, slots=True)
class Patience:
    """What the programs' own configuration says, in seconds."""

    graceful_timeout: int
    request_timeout: int
    task_time_limit: int
    migration: int


def rollout_findings(objects: list[Object]) -> list[str]:
    """Return Deployments that may be without a pod while they change, or forget their scale."""
    scaled = {
        (namespace_of(each), each["spec"]["scaleTargetRef"]["name"])
        for each in of_kind(objects, "HorizontalPodAutoscaler")
    }
    findings = []
    for each in of_kind(objects, "Deployment"):
        spec, strategy = each["spec"], each["spec"].get("strategy") or {}
        has_autoscaler = (namespace_of(each), each["metadata"]["name"]) in scaled
        if has_autoscaler and "replicas" in spec:
            findings.append(f"{title(each)} sets the number that its autoscaler owns")
        if not has_autoscaler and "replicas" not in spec:
            findings.append(f"{title(each)} does not say how many pods it has")
        if _is_single(each):
            if (spec.get("replicas"), strategy.get("type")) != (1, "Recreate"):
                findings.append(f"{title(each)} may run twice")
        elif _is_store(each) and strategy.get("rollingUpdate") != {
            "maxSurge": 1,
            "maxUnavailable": 0,
        }:
            findings.append(f"{title(each)} may be short of a pod while it is updated")
    return findings


def _is_store(each: Object) -> bool:
    return labels_of(each).get("app.kubernetes.io/name") == "ecommerce"


def _is_single(each: Object) -> bool:
    return labels_of(each).get("app.kubernetes.io/component") in {"beat", "exporter"}


def eviction_findings(objects: list[Object]) -> list[str]:
    """Return budgets that let everything go, or that nothing can ever satisfy."""
    findings = []
    pods = pods_of(objects)
    for budget in of_kind(objects, "PodDisruptionBudget"):
        spec = budget["spec"]
        if len(set(spec) & {"minAvailable", "maxUnavailable"}) != 1:
            findings.append(f"{title(budget)} does not say one thing")
            continue
        for pod in pods:
            if pod.namespace == namespace_of(budget) and matches(spec["selector"], pod.labels):
                fewest, wanted = _fewest(pod, objects), spec.get("minAvailable", 1)
                if not 0 < wanted < fewest:
                    findings.append(f"{title(budget)} wants {wanted} of {fewest} {pod.title}")
    for scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        target = found(
            objects,
            scaler["spec"]["scaleTargetRef"]["kind"],
            scaler["spec"]["scaleTargetRef"]["name"],
            namespace_of(scaler),
        )
        labels = target["spec"]["template"]["metadata"]["labels"]
        if not any(
            matches(budget["spec"]["selector"], labels)
            for budget in of_kind(objects, "PodDisruptionBudget")
            if namespace_of(budget) == namespace_of(target)
        ):
            findings.append(f"{title(target)} has no budget")
    return findings


def _fewest(pod: Pod, objects: list[Object]) -> int:
    for scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]["name"], namespace_of(scaler)
        if target == (pod.owner["metadata"]["name"], pod.namespace):
            return int(scaler["spec"]["minReplicas"])
    return int(pod.owner["spec"]["replicas"])


def zone_findings(objects: list[Object]) -> list[str]:
    """Return pods of which there are several and that may all stand in one zone."""
    return [
        f"{pod.title} is not spread over the zones"
        for pod in pods_of(objects)
        if _is_several(pod, objects)
        and ZONE
        not in {each["topologyKey"] for each in pod.spec.get("topologySpreadConstraints") or []}
    ]


def _is_several(pod: Pod, objects: list[Object]) -> bool:
    match pod.owner["kind"]:
        case "Deployment" | "Prometheus" | "Alertmanager":
            return _fewest(pod, objects) > 1
        case "Elasticsearch":
            return True
    return False


def grace_findings(objects: list[Object], patience: Patience) -> list[str]:
    """Return pods that are killed before they can have finished, and jobs nobody sees end."""
    findings = []
    for pod in pods_of(objects):
        if pod.labels.get("app.kubernetes.io/name") != "ecommerce":
            continue
        needed = sum(_pause(container) for container in pod.containers)
        command = pod.containers[-1]["command"]
        if command[0] == "gunicorn":
            needed += patience.graceful_timeout
        elif command[0] == "celery" and "worker" in command:
            needed += patience.task_time_limit
        grace = pod.spec.get("terminationGracePeriodSeconds", 30)
        if grace <= needed:
            findings.append(f"{pod.title} needs {needed} s to end and gets {grace} s")
    migration = found(objects, "Job", "migrate")
    if migration["spec"]["activeDeadlineSeconds"] >= patience.migration:
        findings.append(f"{title(migration)} may end after the pipeline has given up")
    return findings


def drain_findings(objects: list[Object], patience: Patience) -> list[str]:
    """Return web pods that are gone while the load balancer still sends to them."""
    findings = []
    for ingress in of_kind(objects, "Ingress"):
        attributes = ingress["metadata"]["annotations"].get(
            "alb.ingress.kubernetes.io/target-group-attributes", ""
        )
        [drain] = re.findall(r"deregistration_delay\.timeout_seconds=(\d+)", attributes) or ["300"]
        web = found(objects, "Deployment", "web", namespace_of(ingress))
        [container] = web["spec"]["template"]["spec"]["containers"]
        lives = _pause(container) + patience.graceful_timeout
        if not patience.request_timeout <= int(drain) <= lives:
            findings.append(
                f"{title(ingress)} drains for {drain} s; a request may take "
                f"{patience.request_timeout} s and a pod lives on for {lives} s"
            )
    return findings


def _pause(container: Object) -> int:
    """Return how long the container waits before it is told to stop, in seconds."""
    hook = container.get("lifecycle", {}).get("preStop", {})
    words = " ".join(hook.get("exec", {}).get("command", []))
    return sum(int(seconds) for seconds in PAUSE.findall(words))


def probe_findings(objects: list[Object]) -> list[str]:
    """Return processes of the store that nobody looks after, or whose probe is too impatient."""
    findings = []
    for pod in pods_of(objects):
        is_process = pod.owner["kind"] == "Deployment" and _is_store(pod.owner)
        for container in pod.containers if is_process else []:
            probes = {"startupProbe", "livenessProbe"}
            probes |= {"readinessProbe"} if "http" in pod.ports else set()
            findings += [
                f"{pod.title} has no {name}" for name in sorted(probes) if name not in container
            ]
            findings += list(_impatience(pod, container))
    return findings


def _impatience(pod: Pod, container: Object) -> Iterator[str]:
    for name, probe in container.items():
        if name.endswith("Probe"):
            silence = probe["periodSeconds"] * probe["failureThreshold"]
            path = probe["httpGet"]["path"]
            if name == "livenessProbe" and path != "/health/live":
                yield f"{pod.title} is killed when others fail: {path}"
            if name == "livenessProbe" and silence < 30:
                yield f"{pod.title} is killed after {silence} s of silence"
            if name == "startupProbe" and silence < 60:
                yield f"{pod.title} has only {silence} s to start"
