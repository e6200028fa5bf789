"""A database of our own was lost: it comes back, or the restore says in one sentence why not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from database import Lost

from ecommerce.recovery.errors import CannotRecover
from ecommerce.recovery.repository import Repository


def test_everything_that_was_committed_comes_back_with_the_servers_settings(lost: Lost):
    """A restore by a server with fewer connections than the primary once failed."""
    lost.database.restore()

    assert lost.database.count() == 10
    data = lost.database.cluster.data
    assert "max_connections = '200'" in (data / "postgresql.auto.conf").read_text()
    assert "listen_addresses" not in (data / "postgresql.auto.conf").read_text()
    assert not (data / "recovery.signal").exists()


def test_a_restore_to_a_moment_ends_just_before_it(lost: Lost):
    lost.database.restore(to=lost.moment)

    assert lost.database.count() == 3_100


def test_the_end_of_the_log_may_be_torn(lost: Lost):
    newest = lost.log()[-1]
    assert newest.name.endswith(".partial")
    replace(newest, newest.read_bytes()[:50_000])  # in the middle of the deletion

    lost.database.restore()

    assert lost.database.count() == 3_100


def test_a_missing_file_of_the_log_is_refused(lost: Lost):
    missing = lost.log()[1]
    missing.unlink()

    with pytest.raises(CannotRecover, match=f"gap: .*{missing.name} is missing"):
        lost.database.restore()


def test_a_shortened_file_of_the_log_is_refused(lost: Lost):
    file = lost.log()[1]
    replace(file, file.read_bytes()[:-1])

    with pytest.raises(CannotRecover, match=f"{file.name} is cut short"):
        lost.database.restore()


def test_a_file_of_the_log_that_was_never_completed_is_refused(lost: Lost):
    file = lost.log()[1]
    file.rename(file.with_name(file.name + ".partial"))

    with pytest.raises(CannotRecover, match=f"{file.name}.partial was never completed"):
        lost.database.restore()


def test_a_flipped_byte_in_the_log_is_refused(lost: Lost):
    """The server itself would take it for the end of the log and open without a word."""
    flip(lost.log()[1], 4_000)

    with pytest.raises(CannotRecover, match="pg_waldump failed"):
        lost.database.restore()


def test_a_moment_behind_a_flipped_byte_is_refused(lost: Lost):
    flip(lost.log()[1], 4_000)

    with pytest.raises(CannotRecover, match="ends, or is damaged, before that moment"):
        lost.database.restore(to=lost.moment)


def test_a_flipped_byte_in_the_backup_is_refused(lost: Lost):
    [base] = lost.database.repository.bases()
    flip(base / "base" / "1" / "1259", 5_000)

    with pytest.raises(CannotRecover, match='checksum mismatch for file "base/1/1259"'):
        lost.database.restore()


def test_a_folder_with_something_in_it_is_not_overwritten(lost: Lost, tmp_path: Path):
    (tmp_path / "precious").write_text("data")

    with pytest.raises(CannotRecover, match="is not empty; move it away first"):
        lost.database.repository.restore(to=None, into=str(tmp_path))

    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_a_moment_after_the_log_is_refused_and_nothing_is_left(lost: Lost):
    with pytest.raises(CannotRecover, match="its last transaction is of 20"):
        lost.database.restore(to=datetime.now(UTC) + timedelta(hours=1))

    assert list(lost.database.cluster.data.iterdir()) == []


def test_a_moment_before_the_first_backup_is_refused(lost: Lost):
    with pytest.raises(CannotRecover, match="The oldest backup was finished at 20"):
        lost.database.restore(to=lost.moment - timedelta(days=1))


def test_an_empty_folder_holds_no_backup(lost: Lost, tmp_path: Path):
    with pytest.raises(CannotRecover, match="holds no backup"):
        Repository(tmp_path, tools=lost.database.tools).verify()


def flip(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 0x01
    replace(file, bytes(content))


def replace(file: Path, content: bytes) -> None:
    """Write another file of this name: the one that is there is a link to what is kept."""
    file.unlink()
    file.write_bytes(content)
