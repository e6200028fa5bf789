"""The release that still runs: its migrations, and its tests on a newer schema."""

import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings

MIGRATIONS = "apps/*/migrations/[0-9]*.py"
# What talks to the database as shoppers, staff and workers do, and takes seconds.
TESTS = (
    "apps/*/tests/test_api.py",
    "apps/*/tests/test_admin.py",
    "apps/orders/tests/test_payments.py",
    "apps/kernel/tests/test_delivery.py",
    "ecommerce/tests/test_flows.py",
)


class UnknownRelease(Exception):
    """There is no such revision; one sentence."""


@dataclass(frozen=True, slots=True)
class PreviousRelease:
    """A commit of this checkout."""

    commit: str

    @classmethod
    def named(cls, revision: str) -> "PreviousRelease":
        """Return the commit that the revision names; `auto` finds one. Raises UnknownRelease."""
        commit = _newest_without_the_change() if revision == "auto" else _commit(revision)
        if not commit:
            raise UnknownRelease(f"git knows no revision {revision}.")
        return cls(commit)

    def describe(self) -> str:
        return _git("log", "-1", "--format=%h %s", self.commit)

    def migrations(self) -> list[tuple[str, str]]:
        """Return app and name of each migration it has."""
        paths = _git("ls-tree", "-r", "--name-only", self.commit, "--", "apps").splitlines()
        return [(path.parts[1], path.stem) for path in map(Path, paths) if path.match(MIGRATIONS)]

    def run_tests(self, database: Mapping[str, Any]) -> int:
        """Run its tests on this database, whose name begins with `test_`. Returns pytest's code.

        They run with the packages that are installed now. Its own `migrate` finds nothing to do.
        """
        with tempfile.TemporaryDirectory(prefix="previous-release-") as folder:
            archive = subprocess.run(
                ["git", "archive", self.commit],
                cwd=settings.BASE_DIR,
                capture_output=True,
                check=True,
            ).stdout
            with tarfile.open(fileobj=BytesIO(archive)) as tar:
                tar.extractall(folder, filter="data")
            tests = sorted(path for glob in TESTS for path in Path(folder).glob(glob))
            pytest = [sys.executable, "-m", "pytest", "--reuse-db", "--quiet", "--maxfail=5"]
            return subprocess.call(
                [*pytest, "-p", "no:randomly", "-p", "no:cacheprovider", *tests],
                cwd=folder,
                env=os.environ
                | {
                    "DEBUG": "1",
                    "DJANGO_SETTINGS_MODULE": "ecommerce.settings_test",
                    "DATABASE_URL": _url_without_test_prefix(database),
                },
            )


def _newest_without_the_change() -> str:
    """Return the latest tag; else what was committed before the newest migration."""
    if tag := _git("describe", "--tags", "--abbrev=0"):
        return _commit(tag)
    status = _git("status", "--porcelain", "--untracked-files=all", "--", MIGRATIONS)
    if any(line.startswith(("?", "A")) for line in status.splitlines()):
        return _commit("HEAD")
    added = ("--no-renames", "--diff-filter=A")
    newest = _git("log", "-1", "--format=%H", *added, "--", MIGRATIONS)
    return _commit(f"{newest}^") if newest else ""


def _commit(revision: str) -> str:
    return _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")


def _git(*arguments: str) -> str:
    """Return what git prints, or nothing when it refuses."""
    return subprocess.run(
        ["git", *arguments], cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
    ).stdout.strip()


def _url_without_test_prefix(database: Mapping[str, Any]) -> str:
    """Return the address from which pytest-django makes the name of this test database."""
    name = str(database["NAME"]).removeprefix("test_")
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
