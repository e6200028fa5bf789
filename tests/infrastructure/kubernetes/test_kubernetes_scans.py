"""What checkov and Trivy hold against a release: nothing that is not explained here."""

import json
import re
import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from pods import pods_of
from rendering import Object, found

pytestmark = pytest.mark.slow

DIGEST = "registry.example/ecommerce@sha256:" + "0123456789abcdef" * 4

# Finding -> which objects it may be held against, and why it stays.
ACCEPTED = {
    "CKV_K8S_9": (
        r"(beat|exporter|worker-\w+)$",
        "Nobody sends them anything; a rollout waits for the startup probe.",
    ),
    "CKV_K8S_15": (r".", "Images are named by exact versions; the same name is the same image."),
    "CKV_K8S_23": (r"fluent-bit$", "Logs of the node belong to root; it keeps no capability."),
    "CKV_K8S_35": (r".", "Settings come from the environment; nothing prints it."),
    "CKV_K8S_38": (
        r"(cluster-autoscaler|fluent-bit)$",
        "They ask the Kubernetes API, with a role that says what.",
    ),
    "CKV_K8S_40": (r"fluent-bit$", "See CKV_K8S_23."),
    "CKV_K8S_43": (
        r"\.(kube-system|monitoring|logging)\.",
        "Digests of other people's images could not be looked up where this was written.",
    ),
    "AVD-KSV-0012": (r"'fluent-bit'", "See CKV_K8S_23."),
    "AVD-KSV-0020": (r"'fluent-bit'", "See CKV_K8S_23."),
    "AVD-KSV-0021": (r"'fluent-bit'", "See CKV_K8S_23."),
    "AVD-KSV-0023": (r"'fluent-bit'", "It reads the files of the node; that is its work."),
    "AVD-KSV-0037": (r"'cluster-autoscaler'", "It belongs to the cluster and to no user."),
    "AVD-KSV-0048": (r"'deployers'", "The pipeline brings releases."),
    "AVD-KSV-0049": (r"'(deployers|cluster-autoscaler)'", "Settings, and the autoscaler's status."),
    "AVD-KSV-0056": (r"'deployers'", "The pipeline brings services and routes."),
    "AVD-KSV-0105": (r"runAsUser should be set", "See CKV_K8S_23."),
    "AVD-KSV-0109": (r"'fluent-bit-", "It names the variable of a password, not the password."),
    "AVD-KSV-01010": (
        r"'(fluent-bit|settings)-",
        "Names of variables and of cache keys that sound like secrets.",
    ),
}


def written(objects: list[Object], folder: Path) -> Path:
    """Write objects as they are applied: our image by its digest."""
    for pod in pods_of(objects):
        for container in pod.containers:
            if container["image"] == "ecommerce":
                container["image"] = DIGEST
    (folder / "production.yaml").write_text(yaml.safe_dump_all(objects))
    return folder


def unexplained(findings: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return findings, as check and text, for which ACCEPTED has no reason."""
    return [
        (check, text)
        for check, text in findings
        if check not in ACCEPTED or not re.search(ACCEPTED[check][0], text)
    ]


def checkov(program: Path, folder: Path) -> list[tuple[str, str]]:
    """Return what checkov holds against the files. Raises ValueError if it looked at nothing."""
    arguments = ["--framework=kubernetes", "--quiet", "--skip-download", "--output=json"]
    done = subprocess.run(
        [program, f"--directory={folder}", *arguments], check=False, capture_output=True, text=True
    )
    report = json.loads(done.stdout)
    if not report["summary"]["passed"] or report["summary"]["parsing_errors"]:
        raise ValueError(f"checkov did not read everything: {report['summary']}")
    return [(each["check_id"], each["resource"]) for each in report["results"]["failed_checks"]]


def trivy(program: Path, folder: Path) -> list[tuple[str, str]]:
    """Return what Trivy holds against the files."""
    done = subprocess.run(
        [program, "config", "--skip-check-update", "--quiet", "--format=json", folder],
        check=True,
        capture_output=True,
        text=True,
    )
    return [
        (each["AVDID"], each["Message"])
        for result in json.loads(done.stdout)["Results"]
        for each in result.get("Misconfigurations") or []
    ]


SCANS = {"checkov": checkov, "trivy": trivy}


@pytest.fixture(scope="module")
def findings(
    tool: Callable[[str], Path],
    rendered: dict[str, list[Object]],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, list[tuple[str, str]]]:
    """What each program holds against a release on the production cluster."""
    release = deepcopy([*rendered["clusters/production"], *rendered["overlays/production"]])
    folder = written(release, tmp_path_factory.mktemp("release"))
    return {name: scan(tool(name), folder) for name, scan in SCANS.items()}


@pytest.mark.parametrize("name", SCANS)
def test_a_scan_finds_nothing_that_is_not_explained(
    name: str, findings: dict[str, list[tuple[str, str]]]
):
    assert unexplained(findings[name]) == []


def test_every_explanation_is_still_needed(findings: dict[str, list[tuple[str, str]]]):
    assert set(ACCEPTED) <= {check for each in findings.values() for check, _ in each}


@pytest.mark.parametrize("name", SCANS)
def test_a_scan_finds_a_container_that_may_do_everything(
    name: str, tool: Callable[[str], Path], spoilt: list[Object], tmp_path: Path
):
    web = found(spoilt, "Deployment", "web")
    web["spec"]["template"]["spec"]["containers"][0]["securityContext"] = {"privileged": True}

    findings = unexplained(SCANS[name](tool(name), written(spoilt, tmp_path)))

    assert {"checkov": "CKV_K8S_16", "trivy": "AVD-KSV-0017"}[name] in dict(findings)
