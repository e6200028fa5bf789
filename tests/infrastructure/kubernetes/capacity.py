"""How much pods ask for at most, and whether a namespace and a zone can give it."""

import re
from collections.abc import Iterator
from decimal import Decimal

from pods import Pod, pods_of
from rendering import Object, namespace_of, of_kind, title

QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
UNITS = {
    "m": Decimal("0.001"),
    None: Decimal(1),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGT", 1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGT", 1)},
}
# A DaemonSet has a pod on each node; the document allows twenty.
MOST_NODES = 20


def amount(quantity: str | int) -> Decimal:
    """Return cores or bytes. Raises ValueError for what Kubernetes would not read."""
    parts = QUANTITY.fullmatch(str(quantity))
    if not parts:
        raise ValueError(f"{quantity} is no quantity")
    return Decimal(parts[1]) * UNITS[parts[2]]


def most_pods(pod: Pod, objects: list[Object]) -> int:
    """Return how many of these pods there may be at the same time, a rollout included."""
    spec = pod.owner["spec"]
    match pod.owner["kind"]:
        case "Deployment":
            surge = 1 if (spec.get("strategy") or {}).get("type") != "Recreate" else 0
            return _replicas(pod, objects) + surge
        case "DaemonSet":
            return MOST_NODES
        case "Prometheus" | "Alertmanager":
            return int(spec["replicas"])
        case "Elasticsearch":
            return sum(int(nodes["count"]) for nodes in spec["nodeSets"])
        case "Kibana":
            return int(spec["count"]) + 1
    return 1


def _replicas(pod: Pod, objects: list[Object]) -> int:
    for scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        if (namespace_of(scaler), scaler["spec"]["scaleTargetRef"]["name"]) == (
            pod.namespace,
            pod.owner["metadata"]["name"],
        ):
            return int(scaler["spec"]["maxReplicas"])
    return int(pod.owner["spec"]["replicas"])


def quota_findings(objects: list[Object]) -> list[str]:
    """Return quotas that are smaller than what runs at full scale, and namespaces without one."""
    findings = []
    quotas = {namespace_of(each): each for each in of_kind(objects, "ResourceQuota")}
    for namespace in of_kind(objects, "Namespace"):
        name = namespace["metadata"]["name"]
        if name not in quotas:
            findings.append(f"{title(namespace)} has no quota")
            continue
        hard = quotas[name]["spec"]["hard"]
        for what, needed in needs(objects, name).items():
            if needed > amount(hard[what]):
                findings.append(f"{title(quotas[name])} gives {hard[what]} {what}, needs {needed}")
    return findings


def needs(objects: list[Object], namespace: str) -> dict[str, Decimal]:
    """Return what the pods of a namespace ask for when everything is at its largest."""
    total = {"pods": Decimal(0)}
    for pod in pods_of(objects):
        if pod.namespace != namespace:
            continue
        count = most_pods(pod, objects)
        total["pods"] += count
        for bound in ("requests", "limits"):
            for resource in ("cpu", "memory"):
                asked = sum(
                    amount(container["resources"][bound][resource]) for container in pod.containers
                )
                key = f"{bound}.{resource}"
                total[key] = total.get(key, Decimal(0)) + count * asked
    return total


def quantity_findings(objects: list[Object]) -> list[str]:
    """Return quantities that Kubernetes would not read, and limits below their requests."""
    return [
        f"{pod.title}: {fault}"
        for pod in pods_of(objects)
        for container in pod.containers
        for fault in _faults(container.get("resources") or {})
    ]


def _faults(resources: dict[str, dict[str, str]]) -> Iterator[str]:
    for bound, values in resources.items():
        for resource, quantity in values.items():
            try:
                amount(quantity)
            except ValueError as error:
                yield f"{error} ({bound}.{resource})"
                continue
            limit = resources.get("limits", {}).get(resource, quantity)
            if bound == "requests" and amount(quantity) > amount(limit):
                yield f"{resource} is limited to {limit} and asks for {quantity}"
