"""checkov and Trivy look at the configuration and find nothing that is not explained beside it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_configuration import plant

pytestmark = pytest.mark.slow

# Finding -> (module, what is written, what is planted).
WEAK = {
    "an unencrypted disk": (
        "database",
        "storage_encrypted     = true",
        "storage_encrypted     = false",
    ),
    "a database on the internet": (
        "database",
        "publicly_accessible    = false",
        "publicly_accessible    = true",
    ),
    "a public bucket": (
        "bucket",
        "block_public_policy     = true",
        "block_public_policy     = false",
    ),
}


def checkov(program: Path, folder: Path) -> set[tuple[str, str]]:
    """Return what is found, as check and file."""
    done = subprocess.run(
        [
            program,
            "-d",
            ".",
            "--framework",
            "terraform",
            "--skip-download",
            "--quiet",
            "-o",
            "json",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 0
    return {
        (found["check_id"], found["file_path"].lstrip("/"))
        for found in report["results"]["failed_checks"]
    }


def trivy(program: Path, folder: Path) -> set[tuple[str, str]]:
    """Return what is found, as check and file."""
    done = subprocess.run(
        [program, "config", "--skip-check-update", "--quiet", "--format", "json", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return {
        (found["AVDID"], result["Target"])
        for result in json.loads(done.stdout)["Results"]
        for found in result.get("Misconfigurations", ())
    }


def test_checkov_finds_nothing_unexplained(tool: Callable[[str], Path], untouched: Path):
    assert checkov(tool("checkov"), untouched) == set()


def test_trivy_finds_nothing_unexplained(tool: Callable[[str], Path], untouched: Path):
    assert trivy(tool("trivy"), untouched) == set()


def test_what_is_planted_is_found(tool: Callable[[str], Path], configuration: Path):
    weak = configuration / "weak"
    weak.mkdir()
    for module, written, planted in WEAK.values():
        folder = weak / module
        if not folder.exists():
            (configuration / "modules" / module).rename(folder)
        plant(folder, written, planted)

    by_checkov = checkov(tool("checkov"), weak)
    by_trivy = trivy(tool("trivy"), weak)

    assert by_checkov >= {
        ("CKV_AWS_16", "database/main.tf"),
        ("CKV_AWS_17", "database/main.tf"),
        ("CKV_AWS_54", "bucket/main.tf"),
    }
    assert by_trivy >= {
        ("AVD-AWS-0080", "database/main.tf"),
        ("AVD-AWS-0180", "database/main.tf"),
        ("AVD-AWS-0087", "bucket/main.tf"),
    }
