"""Which release still runs, by git, and which migrations it has."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from apps.kernel.migration_gate.previous_release import PreviousRelease, UnknownRelease

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="there is no git on this machine")


class Repository:
    """A repository in which releases are made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "--quiet")

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        done = subprocess.run(
            ["git", *who, *words], cwd=self.folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, name: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text("")

    def commit(self, *names: str) -> str:
        """Commit files of these names. Returns the commit."""
        for name in names:
            self.write(name)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"adds {' '.join(names)}")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path, settings: Any) -> Repository:
    settings.BASE_DIR = tmp_path
    return Repository(tmp_path)


def test_a_release_has_the_migrations_of_its_commit(repository: Repository) -> None:
    first = repository.commit(
        "apps/shop/migrations/__init__.py",
        "apps/shop/migrations/0001_first.py",
        "apps/stock/migrations/0001_first.py",
        "apps/stock/models.py",
    )
    repository.commit("apps/shop/migrations/0002_second.py")

    release = PreviousRelease.named(first)

    assert release.migrations() == [("shop", "0001_first"), ("stock", "0001_first")]


def test_the_newest_tag_is_the_release_that_still_runs(repository: Repository) -> None:
    tagged = repository.commit("apps/shop/migrations/0001_first.py")
    repository.git("tag", "v1")
    repository.commit("apps/shop/migrations/0002_second.py")

    assert PreviousRelease.named("auto").commit == tagged


def test_without_tags_it_is_what_came_before_the_newest_migration(repository: Repository) -> None:
    before = repository.commit("apps/shop/migrations/0001_first.py")
    repository.commit("apps/shop/migrations/0002_second.py")
    repository.commit("apps/shop/views.py")

    assert PreviousRelease.named("auto").commit == before


def test_a_word_changed_in_an_old_migration_is_no_new_migration(repository: Repository) -> None:
    before = repository.commit("apps/shop/views.py")
    repository.commit("apps/shop/migrations/0001_first.py")
    (repository.folder / "apps/shop/migrations/0001_first.py").write_text("# a word")
    repository.commit("apps/shop/models.py")
    (repository.folder / "apps/shop/migrations/0001_first.py").write_text("# another word")

    assert PreviousRelease.named("auto").commit == before


def test_a_migration_that_is_not_committed_comes_after_the_last_commit(
    repository: Repository,
) -> None:
    repository.commit("apps/shop/migrations/0001_first.py")
    last = repository.commit("apps/shop/views.py")
    repository.write("apps/shop/migrations/0002_second.py")

    assert PreviousRelease.named("auto").commit == last


@pytest.mark.parametrize("revision", ["v9", "auto"])
def test_a_revision_that_git_does_not_know_is_said(repository: Repository, revision: str) -> None:
    with pytest.raises(UnknownRelease, match=f"git knows no revision {revision}."):
        PreviousRelease.named(revision)
