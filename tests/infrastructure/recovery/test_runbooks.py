"""Runbooks can be followed: they say what each must say, and their commands are understood."""

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ecommerce.recovery.__main__ import parser

MUST_SAY = (
    *("**When.**", "**Impact.**", "## First five minutes", "## Steps"),
    *("## Verify", "## Going back", "## Whom to tell"),
)
COMMAND = re.compile(r"python -m ecommerce\.recovery ((?:[^`\n\\#]|\\\n)+)")
ANY_MOMENT = "2026-11-25T10:00:00+00:00"


def scenarios(folder: Path) -> list[Path]:
    return sorted(page for page in folder.glob("*.md") if page.name != "README.md")


def unsaid(page: Path) -> list[str]:
    """Return what a runbook must say and does not; a heading may go on."""
    text = page.read_text()
    return [part for part in MUST_SAY if part not in text]


def commands(page: Path) -> list[list[str]]:
    """Return the recovery commands on a page, as arguments."""
    found = COMMAND.findall(page.read_text())
    return [
        shlex.split(re.sub(r"[\[\]]|\\\n", "", text).replace("--to …", f"--to {ANY_MOMENT}"))
        for text in found
        if not text.startswith("…")
    ]


def test_every_runbook_says_what_is_needed_at_night(checkout: Path):
    pages = scenarios(checkout / "docs" / "runbooks")

    assert len(pages) == 8
    assert {page.name: missing for page in pages if (missing := unsaid(page))} == {}


def test_the_index_lists_every_runbook(checkout: Path):
    folder = checkout / "docs" / "runbooks"
    index = (folder / "README.md").read_text()

    assert [page.name for page in scenarios(folder) if f"({page.name})" not in index] == []


def test_every_runbook_says_how_far_its_steps_were_checked(checkout: Path):
    marks = re.compile(r"\*(executed|validated|neither)\*")
    pages = scenarios(checkout / "docs" / "runbooks")

    assert [page.name for page in pages if not marks.search(page.read_text())] == []


def test_every_recovery_command_is_understood(checkout: Path):
    pages = (checkout / "docs").glob("**/*.md")
    asked = [arguments for page in pages for arguments in commands(page)]

    assert len(asked) > 10
    for arguments in asked:
        parser().parse_args(arguments)


def test_a_planted_gap_and_a_planted_wrong_command_are_found(tmp_path: Path, capsys):
    page = tmp_path / "flood.md"
    page.write_text("**When.** Now.\n`python -m ecommerce.recovery restore --over …`")

    assert "## Going back" in unsaid(page)
    with pytest.raises(SystemExit):
        parser().parse_args(commands(page)[0])


def test_a_management_command_in_the_cluster_is_the_hourly_check_with_another_command(
    checkout: Path, tool: Callable[[str], Path]
):
    kubectl = str(tool("kubectl"))
    rendered = subprocess.run(
        [kubectl, "kustomize", checkout / "k8s/overlays/production"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    [hourly] = [part for part in rendered.split("\n---\n") if "\n  name: check-invariants" in part]
    readme = (checkout / "docs" / "runbooks" / "README.md").read_text()
    patch = re.search(r"--patch='(.+)'", readme)
    assert patch is not None
    in_a_cron_job = patch[1].replace("/spec/template", "/spec/jobTemplate/spec/template")

    patched = subprocess.run(
        [
            *(kubectl, "patch", "--local", "--filename=-", "--output=json", "--type=json"),
            f"--patch={in_a_cron_job}",
        ],
        input=hourly.replace("- check_invariants", "- something_else"),
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    job = json.loads(patched)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    [container] = job["containers"]
    assert container["command"] == ["python", "manage.py", "check_invariants"]
