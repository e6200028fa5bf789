"""Pods may do little, and say how much they need."""

from collections.abc import Callable, Iterator

import pytest
from hardening import house_findings, profile_findings, restricted_faults
from pods import pods_of
from rendering import Object, found, of_kind

Check = Callable[[list[Object]], list[str]]


@pytest.mark.parametrize("check", [profile_findings, house_findings])
def test_no_pod_may_more_than_it_has_to(check: Check, cluster: list[Object]):
    assert check(cluster) == []


def test_every_namespace_of_ours_says_what_pods_may_do(cluster: list[Object]):
    enforced = {
        each["metadata"]["name"]: each["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for each in of_kind(cluster, "Namespace")
    }

    assert {name: level for name, level in enforced.items() if level != "restricted"} == {
        "logging": "privileged"
    }


def test_only_fluent_bit_needs_a_privileged_namespace(cluster: list[Object]):
    refused = {
        pod.title: restricted_faults(pod)
        for pod in pods_of(cluster)
        if pod.namespace == "logging" and restricted_faults(pod)
    }

    assert refused == {
        "DaemonSet/fluent-bit in logging": [
            "mounts a hostPath",
            "mounts a hostPath",
            "container fluent-bit may run as root",
            "container fluent-bit runs as root",
        ]
    }


def errors() -> Iterator[tuple[str, Check, Callable[[Object], None], str]]:
    """Yield a name, the check that has to see it, the error, and what is said of the pod."""

    def container(pod: Object) -> Object:
        return pod["containers"][0]

    yield (
        "root",
        profile_findings,
        lambda pod: container(pod)["securityContext"].update(runAsNonRoot=False),
        "container ecommerce may run as root",
    )
    yield (
        "uid 0",
        profile_findings,
        lambda pod: container(pod)["securityContext"].update(runAsUser=0),
        "container ecommerce runs as root",
    )
    yield (
        "capability",
        profile_findings,
        lambda pod: container(pod)["securityContext"].update(
            capabilities={"drop": ["ALL"], "add": ["NET_RAW"]}
        ),
        "container ecommerce keeps capabilities",
    )
    yield (
        "escalation",
        profile_findings,
        lambda pod: container(pod)["securityContext"].pop("allowPrivilegeEscalation"),
        "container ecommerce may gain privileges",
    )
    yield (
        "seccomp",
        profile_findings,
        lambda pod: pod["securityContext"].pop("seccompProfile"),
        "container ecommerce has no seccomp profile",
    )
    yield (
        "host network",
        profile_findings,
        lambda pod: pod.update(hostNetwork=True),
        "sets hostNetwork",
    )
    yield (
        "host path",
        profile_findings,
        lambda pod: pod["volumes"].append({"name": "node", "hostPath": {"path": "/"}}),
        "mounts a hostPath",
    )
    yield (
        "init container",
        profile_findings,
        lambda pod: pod.update(initContainers=[{"name": "prepare", "image": "ecommerce"}]),
        "container prepare may gain privileges",
    )
    yield (
        "writable",
        house_findings,
        lambda pod: container(pod)["securityContext"].update(readOnlyRootFilesystem=False),
        "container ecommerce may write to its image",
    )
    yield (
        "token",
        house_findings,
        lambda pod: pod.pop("automountServiceAccountToken"),
        "is given a token for the Kubernetes API",
    )
    yield (
        "account",
        house_findings,
        lambda pod: pod.pop("serviceAccountName"),
        "runs as the default account",
    )
    yield (
        "limits",
        house_findings,
        lambda pod: container(pod)["resources"]["limits"].pop("memory"),
        "container ecommerce has no limits of memory",
    )
    yield (
        "bottomless",
        house_findings,
        lambda pod: pod["volumes"][0].update(emptyDir={}),
        "has an emptyDir tmp without a limit",
    )
    yield (
        "shell",
        house_findings,
        lambda pod: container(pod).update(command=["sh", "-c", "gunicorn"]),
        "container ecommerce starts a shell",
    )
    yield (
        "user",
        house_findings,
        lambda pod: pod["securityContext"].update(runAsUser=1000),
        "does not run as 10001",
    )


@pytest.mark.parametrize(
    ("check", "error", "named"), [pytest.param(*rest, id=name) for name, *rest in errors()]
)
def test_a_pod_that_may_more_is_named(
    check: Check, error: Callable[[Object], None], named: str, spoilt: list[Object]
):
    web = found(spoilt, "Deployment", "web")
    error(web["spec"]["template"]["spec"])

    assert f"Deployment/web in ecommerce-production {named}" in check(spoilt)
