"""The pods that objects start, also those that an operator makes of a custom resource."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rendering import Object, namespace_of, title

# What the Prometheus operator gives each container of its own making.
OPERATORS_CONTEXT = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
WEB_PORTS = {
    "Prometheus": {"web": 9090},
    "Alertmanager": {"web": 9093, "mesh-tcp": 9094},
    "Elasticsearch": {"https": 9200, "transport": 9300},
    "Kibana": {"https": 5601},
}


@dataclass(frozen=True, slots=True)
class Pod:
    """One kind of pod: what starts it, where, with which labels, and its specification."""

    owner: Object
    labels: dict[str, str]
    spec: dict[str, Any]

    @property
    def title(self) -> str:
        return title(self.owner)

    @property
    def namespace(self) -> str:
        return namespace_of(self.owner)

    @property
    def containers(self) -> list[dict[str, Any]]:
        """All containers, those that only prepare included."""
        return [*(self.spec.get("initContainers") or []), *self.spec["containers"]]

    @property
    def ports(self) -> dict[str, int]:
        """The named ports of all containers."""
        return {
            port["name"]: port["containerPort"]
            for container in self.containers
            for port in container.get("ports") or []
        }


def pods_of(objects: Iterable[Object]) -> list[Pod]:
    """Return every kind of pod that the objects would start."""
    return [pod for each in objects for pod in _pods(each)]


def _pods(each: Object) -> Iterator[Pod]:
    match each["kind"]:
        case "Deployment" | "DaemonSet" | "StatefulSet" | "Job":
            yield _pod(each, each["spec"]["template"])
        case "CronJob":
            yield _pod(each, each["spec"]["jobTemplate"]["spec"]["template"])
        case "Prometheus" | "Alertmanager":
            yield _pod(each, _by_prometheus_operator(each))
        case "Elasticsearch":
            for nodes in each["spec"]["nodeSets"]:
                labels = {
                    "elasticsearch.k8s.elastic.co/cluster-name": each["metadata"]["name"],
                    "common.k8s.elastic.co/type": "elasticsearch",
                }
                yield _pod(each, _by_eck(nodes["podTemplate"], labels, each))
        case "Kibana":
            labels = {
                "kibana.k8s.elastic.co/name": each["metadata"]["name"],
                "common.k8s.elastic.co/type": "kibana",
            }
            yield _pod(each, _by_eck(each["spec"]["podTemplate"], labels, each))


def _pod(owner: Object, template: Object) -> Pod:
    return Pod(owner, (template.get("metadata") or {}).get("labels") or {}, template["spec"])


def _by_prometheus_operator(each: Object) -> Object:
    spec = each["spec"]
    container = {
        "name": each["kind"].lower(),
        "image": spec["image"],
        "resources": spec["resources"],
        "ports": _ports(each["kind"]),
        "securityContext": OPERATORS_CONTEXT,
    }
    kept = (
        "securityContext",
        "serviceAccountName",
        "priorityClassName",
        "topologySpreadConstraints",
        "automountServiceAccountToken",
    )
    pod = {key: spec[key] for key in kept if key in spec}
    labels = spec["podMetadata"]["labels"]
    return {"metadata": {"labels": labels}, "spec": {**pod, "containers": [container]}}


def _by_eck(template: Object, labels: dict[str, str], each: Object) -> Object:
    [container] = template["spec"]["containers"]
    image = f"docker.elastic.co/{each['kind'].lower()}:{each['spec']['version']}"
    made = {"image": image, "ports": _ports(each["kind"]), **container}
    return {
        "metadata": {"labels": labels},
        "spec": {**template["spec"], "containers": [made]},
    }


def _ports(kind: str) -> list[Object]:
    return [{"name": name, "containerPort": port} for name, port in WEB_PORTS[kind].items()]
