"""Databases that are thrown away: one that runs, and one that was lost."""

import shutil
import subprocess
from collections.abc import Iterator

import pytest
from database import Database, Lost, until

from ecommerce.local.testing import throwaway_folder


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    """A running cluster of a hundred rows whose log is archived, with a full backup."""
    with throwaway_folder() as folder:
        made = Database(folder)
        made.start()
        try:
            made.add(100)
            made.start_archive()
            yield made
        finally:
            made.stop_archive()
            made.stop()


@pytest.fixture(scope="module")
def history() -> Iterator[Lost]:
    """What is left of a database that was lost: to be copied, not to be touched."""
    with throwaway_folder() as folder:
        made = Database(folder)
        made.start()
        try:
            made.add(100)
            made.start_archive()
            for _ in range(3):
                made.add(1_000)
                made.run("SELECT pg_switch_wal()")
            moment = made.now()
            made.run("DELETE FROM orders")
            made.add(10)
            until(made.archived)
            made.stop_archive()
            made.lose()
            made.backups = made.backups.rename(folder / "kept")
            yield Lost(made, moment)
        finally:
            made.stop()


@pytest.fixture
def lost(history: Lost) -> Iterator[Lost]:
    """The lost database with backups that a test may damage."""
    database, kept = history.database, history.database.backups
    database.backups = kept.with_name("backups")
    subprocess.run(["cp", "--archive", "--link", kept, database.backups], check=True)
    try:
        yield history
    finally:
        database.stop()
        for folder in (database.backups, database.cluster.data):
            shutil.rmtree(folder, ignore_errors=True)
        database.backups = kept
