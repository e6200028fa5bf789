"""No secret in any file, nor in any commit: gitleaks looks, and is shown to see."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

KEY = "AKIA" + "QYLPMN5HHHFPZAM2"


@pytest.fixture
def gitleaks(tool) -> Callable[..., subprocess.CompletedProcess[str]]:
    program = tool("gitleaks")

    def gitleaks(kind: str, folder: Path) -> subprocess.CompletedProcess[str]:
        options = ("--no-banner", "--no-color", "--redact", "--verbose")
        return subprocess.run(
            [program, kind, *options, "."], cwd=folder, check=False, capture_output=True, text=True
        )

    return gitleaks


@pytest.fixture
def files(checkout, tmp_path) -> Path:
    """A copy of every file that is in git, or could get there."""
    listed = git(checkout, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in listed.split("\0"):
        if name and (checkout / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(checkout / name, tmp_path / name)
    return tmp_path


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-c", "user.name=it", "-c", "user.email=it@example.com", *words],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_no_file_holds_a_secret(gitleaks, files):
    looked = gitleaks("dir", files)

    assert looked.returncode == 0, looked.stdout


def test_no_commit_ever_held_a_secret(gitleaks, checkout):
    looked = gitleaks("git", checkout)

    assert looked.returncode == 0, looked.stdout


def test_a_planted_key_is_found(gitleaks, files):
    (files / "config" / "planted.conf").write_text(f"key = {KEY}\n")

    looked = gitleaks("dir", files)

    assert looked.returncode == 1
    assert "aws-access-token" in looked.stdout
    assert "config/planted.conf" in looked.stdout


def test_a_key_that_was_committed_and_removed_again_is_found(gitleaks, checkout, tmp_path):
    shutil.copy(checkout / ".gitleaks.toml", tmp_path)
    git(tmp_path, "init", "--quiet")
    for text in (f"key = {KEY}\n", "key = removed\n"):
        (tmp_path / "planted.conf").write_text(text)
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "--quiet", "--message=it")

    assert gitleaks("dir", tmp_path).returncode == 0
    assert gitleaks("git", tmp_path).returncode == 1
