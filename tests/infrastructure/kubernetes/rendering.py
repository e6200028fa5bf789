"""Kustomizations become the objects that would be applied."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]

ENVIRONMENTS = ("staging", "production")
FOLDERS = (
    "base",
    "base/migrate",
    "cluster",
    "monitoring",
    "logging",
    "search",
    *(f"clusters/{name}" for name in ENVIRONMENTS),
    *(f"overlays/{name}" for name in ENVIRONMENTS),
)
CLUSTER_WIDE = {
    "ClusterRole",
    "ClusterRoleBinding",
    "Namespace",
    "PriorityClass",
    "StorageClass",
}


def render(kubectl: Path, folder: Path) -> list[Object]:
    """Return the objects of a kustomization. Raises RuntimeError with what kubectl says."""
    done = subprocess.run(
        [kubectl, "kustomize", folder], check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return [each for each in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if each]


def title(each: Object) -> str:
    """Return `Kind/name`, with the namespace where there is one."""
    metadata = each["metadata"]
    where = f" in {metadata['namespace']}" if "namespace" in metadata else ""
    return f"{each['kind']}/{metadata['name']}{where}"


def of_kind(objects: Iterable[Object], *kinds: str) -> list[Object]:
    """Return the objects of these kinds, in their order."""
    return [each for each in objects if each["kind"] in kinds]


def found(objects: Iterable[Object], kind: str, name: str, namespace: str | None = None) -> Object:
    """Return the one object of that kind and name. Raises ValueError if it is not exactly one."""
    [each] = [
        each
        for each in of_kind(objects, kind)
        if each["metadata"]["name"] == name
        and namespace in (None, each["metadata"].get("namespace"))
    ]
    return each


def namespace_of(each: Object) -> str:
    """Return the namespace, or nothing for what belongs to the whole cluster."""
    return str(each["metadata"].get("namespace", ""))


def labels_of(each: Object) -> dict[str, str]:
    """Return the labels of the object itself."""
    return each["metadata"].get("labels") or {}


def matches(selector: dict[str, Any] | None, labels: dict[str, str]) -> bool:
    """Tell whether a label selector selects these labels; an empty one selects everything."""
    selector = selector or {}
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_fits(rule, labels) for rule in selector.get("matchExpressions") or [])


def _fits(rule: dict[str, Any], labels: dict[str, str]) -> bool:
    key, values = rule["key"], rule.get("values") or []
    match rule["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise ValueError(f"{rule['operator']} is no operator of a label selector")
