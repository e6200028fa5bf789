"""What a release consists of: the rendered overlay, with every image of ours pinned by digest."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from environments import Environment
from programs import Refused, output

Manifest = dict[str, Any]

OVERLAYS = Path("k8s/overlays")
RENDERED = Path("build/pipeline/rendered")
IMAGE = "ecommerce"
COMPONENT = "app.kubernetes.io/component"
# Kinds that run, route or scale. What is left is what a migration may need before them.
AFTER_MIGRATION = {
    "CronJob",
    "DaemonSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "Ingress",
    "PodDisruptionBudget",
    "Service",
    "StatefulSet",
}


def render(environment: Environment, image: str) -> list[Manifest]:
    """Return the environment's overlay with this image (name@digest) in it. Raises Refused."""
    name, _, digest = image.partition("@")
    folder = RENDERED / environment.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    overlay = os.path.relpath(OVERLAYS / environment.name, folder)
    pin = {"resources": [overlay], "images": [{"name": IMAGE, "newName": name, "digest": digest}]}
    (folder / "kustomization.yaml").write_text(json.dumps(pin))
    manifests = [
        each for each in yaml.safe_load_all(output("kubectl", "kustomize", str(folder))) if each
    ]
    refuse_unfit(manifests, environment, image)
    # A Job cannot change, so each image has one of its own.
    migration_job(manifests)["metadata"]["name"] += f"-{digest.removeprefix('sha256:')[:12]}"
    return manifests


def refuse_unfit(manifests: list[Manifest], environment: Environment, image: str) -> None:
    """Refuse what would reach beyond the environment, or run another image than the release's."""
    if not deployments(manifests):
        raise Refused(f"the overlay {environment.name} has no Deployment.")
    migration_job(manifests)
    for manifest in manifests:
        namespace = manifest["metadata"].get("namespace")
        if namespace != environment.namespace:
            raise Refused(
                f"{title(manifest)} is in the namespace {namespace}, "
                f"not in {environment.namespace}."
            )
        for used in _images(manifest):
            if used != image and _is_ours(used, image):
                raise Refused(f"{title(manifest)} runs {used}, not {image}.")


def _is_ours(used: str, image: str) -> bool:
    name = used.partition("@")[0].rpartition("/")[2].partition(":")[0]
    return name in {IMAGE, image.partition("@")[0].rpartition("/")[2]}


def _images(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for key in ("containers", "initContainers"):
            for container in node.get(key) or []:
                yield container["image"]
        for value in node.values():
            yield from _images(value)
    elif isinstance(node, list):
        for value in node:
            yield from _images(value)


def migration_job(manifests: list[Manifest]) -> Manifest:
    """Return the one Job that migrates the database. Raises Refused."""
    jobs = [each for each in manifests if _is_migration(each)]
    if len(jobs) != 1:
        raise Refused(f"there are {len(jobs)} Jobs with the label {COMPONENT}: migrate, not one.")
    return jobs[0]


def _is_migration(manifest: Manifest) -> bool:
    labels = manifest["metadata"].get("labels") or {}
    return manifest["kind"] == "Job" and labels.get(COMPONENT) == "migrate"


def before_migration(manifests: list[Manifest]) -> list[Manifest]:
    """Return what may be applied while the old release still runs: settings, accounts, rules."""
    return [
        each
        for each in manifests
        if each["kind"] not in AFTER_MIGRATION and not _is_migration(each)
    ]


def without_migration(manifests: list[Manifest]) -> list[Manifest]:
    """Return what stays in the cluster."""
    return [each for each in manifests if not _is_migration(each)]


def deployments(manifests: list[Manifest]) -> list[str]:
    """Return the names of the Deployments."""
    return [each["metadata"]["name"] for each in manifests if each["kind"] == "Deployment"]


def title(manifest: Manifest) -> str:
    """Return `Kind/name`."""
    return f"{manifest['kind']}/{manifest['metadata']['name']}"
