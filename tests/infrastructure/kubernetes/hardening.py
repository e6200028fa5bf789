"""How little a pod may do: the profile `restricted`, and what this house asks beyond it."""

from collections.abc import Iterator
from typing import Any

from pods import Pod, pods_of
from rendering import Object, of_kind

# What `restricted` allows as a volume; the rest reaches the node or another system.
HARMLESS_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
SHELLS = {"sh", "bash", "/bin/sh", "/bin/bash"}
# Pods that ask the Kubernetes API and so keep the token of their account.
ASK_THE_API = {"cluster-autoscaler", "fluent-bit", "prometheus"}
UID = 10001


def profile_findings(objects: list[Object]) -> list[str]:
    """Return the pods that their namespace would refuse, and what for."""
    profiles = {
        each["metadata"]["name"]: each["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for each in of_kind(objects, "Namespace")
    }
    return [
        f"{pod.title} {fault}"
        for pod in pods_of(objects)
        if profiles.get(pod.namespace) == "restricted"
        for fault in restricted_faults(pod)
    ]


def restricted_faults(pod: Pod) -> list[str]:
    """Return what the profile `restricted` of the Pod Security Standards holds against a pod."""
    return [
        *_pod_faults(pod),
        *(f for each in pod.containers for f in _container_faults(pod, each)),
    ]


def _pod_faults(pod: Pod) -> Iterator[str]:
    for setting in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(setting):
            yield f"sets {setting}"
    for volume in pod.spec.get("volumes") or []:
        if kinds := set(volume) - {"name"} - HARMLESS_VOLUMES:
            yield f"mounts a {kinds.pop()}"


def _container_faults(pod: Pod, container: Object) -> Iterator[str]:
    name = f"container {container['name']}"
    own = container.get("securityContext") or {}
    common = pod.spec.get("securityContext") or {}
    if own.get("privileged"):
        yield f"{name} is privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield f"{name} may gain privileges"
    capabilities = own.get("capabilities") or {}
    if capabilities.get("drop") != ["ALL"] or set(capabilities.get("add") or []) - {
        "NET_BIND_SERVICE"
    }:
        yield f"{name} keeps capabilities"
    if own.get("runAsNonRoot", common.get("runAsNonRoot")) is not True:
        yield f"{name} may run as root"
    if own.get("runAsUser", common.get("runAsUser")) == 0:
        yield f"{name} runs as root"
    profile = own.get("seccompProfile") or common.get("seccompProfile") or {}
    if profile.get("type") not in {"RuntimeDefault", "Localhost"}:
        yield f"{name} has no seccomp profile"
    for port in container.get("ports") or []:
        if port.get("hostPort"):
            yield f"{name} takes a port of the node"


def house_findings(objects: list[Object]) -> list[str]:
    """Return what is asked of every pod here, whatever its namespace allows."""
    return [
        f"{pod.title} {fault}"
        for pod in pods_of(objects)
        for fault in (*_habits(pod), *(f for each in pod.containers for f in _care(each)))
    ]


def _habits(pod: Pod) -> Iterator[str]:
    name = pod.owner["metadata"]["name"]
    if pod.spec.get("automountServiceAccountToken", True) and name not in ASK_THE_API:
        yield "is given a token for the Kubernetes API"
    if pod.spec.get("serviceAccountName", "default") == "default" and _is_ours(pod):
        yield "runs as the default account"
    if not pod.spec.get("priorityClassName"):
        yield "has no priority"
    for volume in pod.spec.get("volumes") or []:
        if "emptyDir" in volume and not volume["emptyDir"].get("sizeLimit"):
            yield f"has an emptyDir {volume['name']} without a limit"
    if _is_ours(pod):
        context = pod.spec.get("securityContext") or {}
        if (context.get("runAsUser"), context.get("runAsGroup")) != (UID, UID):
            yield f"does not run as {UID}"
        writable = {
            mount["mountPath"]
            for container in pod.containers
            for mount in container["volumeMounts"]
            if not mount.get("readOnly")
        }
        if writable != {"/tmp"}:  # noqa: S108 - a volume of the pod's own
            yield f"may write to {sorted(writable)}"


def _is_ours(pod: Pod) -> bool:
    return pod.labels.get("app.kubernetes.io/name") == "ecommerce"


def _care(container: Object) -> Iterator[str]:
    name = f"container {container['name']}"
    if (container.get("securityContext") or {}).get("readOnlyRootFilesystem") is not True:
        yield f"{name} may write to its image"
    for bound in ("requests", "limits"):
        given: dict[str, Any] = (container.get("resources") or {}).get(bound) or {}
        if missing := {"cpu", "memory"} - set(given):
            yield f"{name} has no {bound} of {' and '.join(sorted(missing))}"
    hook = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", [])
    for command in (container.get("command") or [], container.get("args") or [], hook):
        if command and command[0] in SHELLS:
            yield f"{name} starts a shell"
