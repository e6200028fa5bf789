"""Backups in a folder: one part for each life of the cluster, which ends with its restore.

    <system>-<timeline>/wal/                      the log, streamed as it is written
    <system>-<timeline>/base/<when>/              full backups, as pg_basebackup makes them
    <system>-<timeline>/base/<when>.json          what a restore has to know; written last

A restored cluster counts on as a new timeline, so its log never mixes with the one before.
"""

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from ecommerce.recovery import wal
from ecommerce.recovery.errors import CannotRecover
from ecommerce.recovery.programs import Tools, without_password
from ecommerce.recovery.restoring import Restoring
from ecommerce.recovery.target import Status

SLOT = "archive"
KEPT = 7
# What belongs to one machine and must not follow the data to another.
OF_THE_MACHINE = re.compile(
    r"port|listen_addresses|unix_socket_.*|.*_file|.*_directory|dynamic_library_path|ssl.*|krb_.*"
    r"|archive_.*|restore_command|recovery_.*|primary_.*|synchronous_standby_names|cluster_name"
    r"|log_.*|logging_collector|fsync|full_page_writes"
)


@dataclass(frozen=True, slots=True)
class Server:
    """The running cluster: what tells its life from others, and how it is set up."""

    system: int
    timeline: int
    major: int
    segment_bytes: int

    @property
    def life(self) -> str:
        return f"{self.system}-{self.timeline}"


@dataclass(frozen=True, slots=True)
class Base:
    """A full backup. `settings` are those that its own files do not have."""

    timeline: int
    major: int
    segment_bytes: int
    start: int
    finished_at: str
    settings: Mapping[str, str]


class Repository:
    """The backups of one cluster that we run ourselves."""

    def __init__(self, folder: Path, *, tools: Tools, server: str = "", keep: int = KEPT) -> None:
        self.folder = folder
        self.tools = tools
        self.server = server
        self.keep = keep

    # Target

    def status(self) -> Status:
        """Tell how much could be restored: up to now while the stream has all that was written."""
        bases = self.bases()
        if not bases:
            return Status(None, None)
        newest = max((path.stat().st_mtime for path in self.wal_of(bases[-1]).iterdir()), default=0)
        until = datetime.fromtimestamp(newest, UTC)
        if self.server:
            [behind] = self._ask(
                "SELECT max(pg_wal_lsn_diff(pg_current_wal_flush_lsn(), restart_lsn))"
                " FROM pg_replication_slots WHERE slot_name = %s AND active",
                SLOT,
            )
            until = datetime.now(UTC) if behind == 0 else until
        return Status(datetime.fromisoformat(read(bases[-1]).finished_at), until)

    def back_up(self) -> str:
        """Take, check and keep a full backup; forget the oldest beyond `keep`.

        Raises CannotRecover, and then nothing is kept of it.
        """
        server = self.identify()
        if not self.streams():
            raise CannotRecover(
                "Nobody streams the log of this server, so a backup could not be brought up to "
                "date; start the command `archive` first."
            )
        name = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        folder = self.folder / server.life / "base" / name
        part = folder.with_name(name + ".part")
        self.tools.make_folder(part.parent)
        try:
            self.tools.run(
                "pg_basebackup",
                f"--dbname={without_password(self.server)}",
                f"--pgdata={part}",
                "--checkpoint=fast",
                "--wal-method=stream",
                "--manifest-checksums=SHA256",
                "--no-password",
                server=self.server,
            )
            self.tools.run("pg_verifybackup", part)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        [wal_range] = json.loads((part / "backup_manifest").read_text())["WAL-Ranges"]
        [finished_at] = self._ask("SELECT clock_timestamp()")
        base = Base(
            timeline=server.timeline,
            major=server.major,
            segment_bytes=server.segment_bytes,
            start=wal.position(wal_range["Start-LSN"]),
            finished_at=finished_at.isoformat(),
            settings=self._settings(),
        )
        part.rename(folder)
        _write(folder.with_name(name + ".json"), json.dumps(asdict(base), indent=1))
        self._forget_old()
        return name

    def verify(self) -> str:
        """Check the newest backup and every record of the log since."""
        return self.check(self._choose(None))

    def restore(self, *, to: datetime | None, into: str) -> str:
        """Restore into a folder that is empty or not there. Its server is not left running."""
        chosen = self._choose(to)
        base = read(chosen)
        # With a moment to reach, the server itself complains when the log does not get there.
        checked = self.check(chosen, log=to is None)
        restored = Restoring(
            tools=self.tools,
            base=chosen,
            log=self.wal_of(chosen),
            files=self.files_since(chosen) if to is None else self._newest(chosen),
            histories=[*self.folder.glob(f"{self._system(chosen)}-*/wal/*.history")],
            timeline=base.timeline,
            segment_bytes=base.segment_bytes,
            settings=base.settings,
        ).run(to=to, into=Path(into))
        return f"{checked}\n{restored}"

    # What is there

    def identify(self) -> Server:
        """Ask the server who it is. Raises CannotRecover, also when our programs do not fit it."""
        system, file, version, segment_bytes = self._ask(
            "SELECT system_identifier, pg_walfile_name(pg_current_wal_lsn()),"
            " current_setting('server_version_num')::int, "
            " (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size')"
            " FROM pg_control_system()"
        )
        major = version // 10_000
        self._require(major)
        return Server(system, int(file[:8], 16), major, segment_bytes)

    def streams(self) -> bool:
        """Tell whether somebody streams the server's log at this moment."""
        [count] = self._ask(
            "SELECT count(*) FROM pg_replication_slots WHERE slot_name = %s AND active", SLOT
        )
        return bool(count)

    def bases(self) -> list[Path]:
        """Return the full backups of all lives, oldest first."""
        found = [path.with_suffix("") for path in self.folder.glob("*/base/*.json")]
        return sorted(found, key=lambda path: read(path).finished_at)

    def wal_of(self, base: Path) -> Path:
        """Return the folder of the log that belongs to a backup."""
        return base.parents[1] / "wal"

    def files_since(self, chosen: Path) -> Sequence[Path]:
        """Return the log from the backup's beginning to the newest. Raises CannotRecover."""
        base = read(chosen)
        return wal.chain(
            self.wal_of(chosen),
            since=base.start,
            timeline=base.timeline,
            segment_bytes=base.segment_bytes,
        )

    def check(self, chosen: Path, *, log: bool = True) -> str:
        """Check every file of a backup and, with `log`, every record since. Raises CannotRecover.

        A server that meets a broken record takes it for the end of the log and opens without a
        word: what came after would be lost silently. So it is looked for before.
        """
        base = read(chosen)
        self._require(base.major)
        self.tools.run("pg_verifybackup", chosen)
        if not log:
            return f"Checked backup {chosen.name}."
        files = self.files_since(chosen)
        end = base.start // base.segment_bytes * base.segment_bytes
        end += sum(base.segment_bytes for path in files if not path.name.endswith(wal.PARTIAL))
        if end > base.start:
            self.tools.run(
                "pg_waldump",
                "--quiet",
                f"--path={self.wal_of(chosen)}",
                f"--timeline={base.timeline}",
                f"--start={wal.written(base.start)}",
                f"--end={wal.written(end)}",
            )
        return f"Checked backup {chosen.name} and {len(files)} files of the log after it."

    # Inside

    def _choose(self, to: datetime | None) -> Path:
        """Return the newest backup that was finished before `to`."""
        bases = self.bases()
        usable = [
            base
            for base in bases
            if to is None or datetime.fromisoformat(read(base).finished_at) <= to
        ]
        if not bases:
            raise CannotRecover(f"{self.folder} holds no backup.")
        if not usable:
            raise CannotRecover(
                f"The oldest backup was finished at {read(bases[0]).finished_at}, after {to}."
            )
        return usable[-1]

    def _forget_old(self) -> None:
        """Keep the newest backups, the log since the oldest of them, and no life before it."""
        bases = self.bases()
        kept = bases[-self.keep :]
        for folder in bases[: -self.keep]:
            folder.with_name(folder.name + ".json").unlink()
            shutil.rmtree(folder)
        oldest = {folder.parents[1]: read(folder) for folder in reversed(kept)}
        for life in {folder.parents[1] for folder in bases} - oldest.keys():
            shutil.rmtree(life)
        for life, base in oldest.items():
            first = wal.name_of(
                base.start // base.segment_bytes,
                timeline=base.timeline,
                segment_bytes=base.segment_bytes,
            )
            self.tools.run("pg_archivecleanup", life / "wal", first)

    def _require(self, major: int) -> None:
        if self.tools.programs.major != major:
            raise CannotRecover(
                f"This needs the programs of PostgreSQL {major}; found were those of "
                f"{self.tools.programs.describe()}."
            )

    def _settings(self) -> dict[str, str]:
        """Return the settings that a copy of the data would start without."""
        [settings] = self._ask(
            "SELECT json_object_agg(name, setting) FROM pg_settings WHERE source = 'command line'"
            " OR (source = 'configuration file' AND"
            " NOT starts_with(sourcefile, current_setting('data_directory')))"
        )
        return {
            name: value
            for name, value in (settings or {}).items()
            if not OF_THE_MACHINE.fullmatch(name)
        }

    def _newest(self, chosen: Path) -> Sequence[Path]:
        return sorted(self.wal_of(chosen).glob(f"*{wal.PARTIAL}"))[-1:]

    def _system(self, base: Path) -> str:
        return base.parents[1].name.rpartition("-")[0]

    def _ask(self, question: str, *values: object) -> TupleRow:
        if not self.server:
            raise CannotRecover("Say with --server which server is meant.")
        try:
            with psycopg.connect(self.server, connect_timeout=5, autocommit=True) as connection:
                answer = connection.execute(question, values).fetchone()
        except psycopg.Error as error:
            raise CannotRecover(f"The server cannot be asked: {str(error).strip()}") from None
        if answer is None:
            raise CannotRecover("The server has no answer.")
        return answer


def read(base: Path) -> Base:
    """Return what was written down with a full backup."""
    return Base(**json.loads(base.with_name(base.name + ".json").read_text()))


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all, to the disk."""
    part = path.with_name(path.name + ".part")
    with part.open("w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    part.rename(path)
