"""A release that still runs is really run on the schema of the next one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CODE = ("apps", "ecommerce", "templates", "static", "manage.py", "pyproject.toml", "conftest.py")
KEPT = "ecommerce/tests/test_flows.py"  # of its tests, to save time
MIGRATION = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "{after}")]
    operations = [migrations.RunSQL({sql!r})]
    accepts = {accepts!r}
"""


class Releases:
    """A repository of which this checkout, as it stands, is the first release."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        self.folder = folder
        files = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *CODE],
            cwd=checkout,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for name in filter(None, files.split("\0")):
            wanted = name == KEPT or not Path(name).match("tests/test_*.py")
            if wanted and (checkout / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(checkout / name, folder / name)
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        message = ("--quiet", "--message", "the release that still runs")
        for command in (["init", "--quiet"], ["add", "."], [*who, "commit", *message]):
            subprocess.run(["git", *command], cwd=folder, check=True)

    def plant(self, sql: str, accepts: dict[str, str]) -> None:
        """Write the next migration, which is not committed."""
        migrations = self.folder / "apps" / "orders" / "migrations"
        after = max(file.stem for file in migrations.glob("0*.py"))
        text = MIGRATION.format(after=after, sql=sql, accepts=accepts)
        (migrations / "0999_planted.py").write_text(text)

    def check(self) -> subprocess.CompletedProcess[str]:
        """Run the gate as `make check-migrations` does."""
        return subprocess.run(
            [sys.executable, "-m", "ecommerce.local", "check-migrations", "--base", "auto"],
            cwd=self.folder,
            check=False,
            capture_output=True,
            text=True,
        )


@pytest.fixture
def releases(checkout: Path, tmp_path: Path) -> Releases:
    if not shutil.which("git") or not (checkout / ".git").exists():
        pytest.skip("this is no checkout of git")
    return Releases(checkout, tmp_path)


@pytest.mark.slow
def test_a_reason_that_is_wrong_is_found_by_the_release_that_still_runs(releases: Releases):
    releases.plant(
        "ALTER TABLE orders_cart DROP COLUMN version",
        accepts={"drops orders_cart.version": "Nothing uses it, somebody thought."},
    )

    done = releases.check()

    assert done.returncode == 1
    assert "orders.0999_planted: accepted: drops orders_cart.version." in done.stdout
    assert "fail on the new schema" in done.stderr
    assert 'column "version" of relation "orders_cart" does not exist' in done.stdout


@pytest.mark.slow
def test_a_change_that_the_running_release_does_not_notice_passes(releases: Releases):
    releases.plant("ALTER TABLE orders_cart ADD COLUMN note text", accepts={})

    done = releases.check()

    assert done.returncode == 0, done.stdout + done.stderr
    assert "orders.0999_planted: safe" in done.stdout
    assert "the release that still runs" in done.stdout
    assert " passed" in done.stdout
