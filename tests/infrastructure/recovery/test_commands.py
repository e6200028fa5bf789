"""The recovery commands say in one sentence what they need."""

from pathlib import Path

import pytest
from database import Database, until

from ecommerce.recovery.__main__ import main


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BACKUP_TARGET", "BACKUP_SERVER"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["verify"], "Say with --target"),
        (["--target=rds:us-east-1", "status"], "a target like rds:us-east-1:"),
        (["--target=/srv/backups", "switch", "--to-instance=a", "--secret=b"], "a target like rds"),
    ],
)
def test_what_is_missing_is_named(arguments, complaint, capsys):
    assert main(arguments) == 1

    assert complaint in capsys.readouterr().err


def test_a_moment_needs_an_offset(capsys):
    with pytest.raises(SystemExit):
        main(["--target=/srv/backups", "restore", "--into=/srv/data", "--to=2026-11-25T10:00:00"])

    assert "invalid moment value" in capsys.readouterr().err


def test_a_folder_of_root_is_refused(tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ecommerce.recovery.programs.os.geteuid", lambda: 0)
    folder = tmp_path / "backups"

    assert main([f"--target={folder}", "verify"]) == 1

    assert "PostgreSQL does not run as root" in capsys.readouterr().err


def test_the_status_is_1_when_too_much_would_be_lost(database: Database, capsys):
    until(database.archived)
    asked = [f"--target={database.backups}", f"--server={database.server}", "status"]

    assert main(asked, tools=database.tools) == 0
    assert main([*asked, "--at-most=-1"], tools=database.tools) == 1

    assert '"seconds_that_would_be_lost": 0' in capsys.readouterr().out


def test_an_empty_target_has_nothing_to_restore(tmp_path: Path, database: Database, capsys):
    assert main([f"--target={tmp_path}", "status"], tools=database.tools) == 1

    assert '"newest_backup": null' in capsys.readouterr().out
