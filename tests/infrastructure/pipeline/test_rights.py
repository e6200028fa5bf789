"""What the pipeline may do in a cluster is what a deployment does, and nothing else."""

import copy
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

Right = tuple[str, str, str]  # group, resource, verb

BRINGING = ("get", "create", "patch")
BESIDE = {
    *(("coordination.k8s.io", "leases", verb) for verb in ("get", "create", "update")),
    *(("apps", "deployments", verb) for verb in ("list", "watch")),
    *(("batch", "jobs", verb) for verb in ("list", "watch", "delete")),
    *(("", "pods", verb) for verb in ("get", "list")),
    ("", "pods/log", "get"),
}


def rendered(kubectl: Path, folder: Path) -> list[dict[str, Any]]:
    """Return the manifests of a kustomization."""
    text = subprocess.run(
        [kubectl, "kustomize", folder], check=True, capture_output=True, text=True
    ).stdout
    return [each for each in yaml.safe_load_all(text) if each]


def needed(manifests: list[dict[str, Any]]) -> set[Right]:
    """Return the rights that bringing these manifests takes."""
    rights = set(BESIDE)
    for manifest in manifests:
        group = manifest["apiVersion"].rpartition("/")[0]
        rights |= {(group, _plural(manifest["kind"]), verb) for verb in BRINGING}
    return rights


def _plural(kind: str) -> str:
    name = kind.lower()
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith("s") else f"{name}s"


def given(role: dict[str, Any]) -> Iterator[Right]:
    """Yield the rights that the role gives."""
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    yield group, resource, verb


@pytest.fixture(params=["staging", "production"])
def environment(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def role(tool, checkout, environment) -> dict[str, Any]:
    cluster = rendered(tool("kubectl"), checkout / "k8s" / "clusters" / environment / "store")
    [role] = [each for each in cluster if each["kind"] == "Role"]
    [binding] = [each for each in cluster if each["kind"] == "RoleBinding"]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert [each["name"] for each in binding["subjects"]] == ["ecommerce-deployers"]
    for each in (role, binding):
        assert each["metadata"]["namespace"] == f"ecommerce-{environment}"
    return role


def test_the_role_has_what_a_deployment_takes_and_nothing_else(tool, checkout, environment, role):
    overlay = rendered(tool("kubectl"), checkout / "k8s" / "overlays" / environment)

    assert set(given(role)) == needed(overlay)


def test_a_right_too_few_or_too_many_is_seen(tool, checkout, environment, role):
    overlay = rendered(tool("kubectl"), checkout / "k8s" / "overlays" / environment)
    poorer, richer = copy.deepcopy(role), copy.deepcopy(role)
    poorer["rules"] = [rule for rule in role["rules"] if "deployments" not in rule["resources"]]
    richer["rules"].append({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]})

    assert ("apps", "deployments", "patch") in needed(overlay) - set(given(poorer))
    assert set(given(richer)) - needed(overlay) == {("", "secrets", "get")}


def test_the_group_is_the_one_that_terraform_lets_in(checkout):
    modules = (checkout / "terraform" / "modules").rglob("*.tf")

    assert any('"ecommerce-deployers"' in file.read_text() for file in modules)
