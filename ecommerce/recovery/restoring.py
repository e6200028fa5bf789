"""Making a data directory from a full backup and the log, by a server that nobody can reach."""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from signal import SIGINT

from ecommerce.local.children import Child
from ecommerce.recovery import wal
from ecommerce.recovery.errors import CannotRecover
from ecommerce.recovery.programs import Tools

LONGEST = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Restoring:
    """One restore of a backup that has been checked."""

    tools: Tools
    base: Path
    log: Path
    files: Sequence[Path]
    histories: Iterable[Path]
    timeline: int
    segment_bytes: int
    settings: Mapping[str, str]

    def run(self, *, to: datetime | None, into: Path) -> str:
        """Restore, and leave a folder that a server can be started on; say how far it came.

        Raises CannotRecover, and then the folder is as empty as before.
        """
        into = into.absolute()
        self._require_empty(into)
        began = time.monotonic()
        try:
            self._copy(into)
            self._add_settings(into)
            self._add_newest(into)
            told = self._recover(into, to)
            reached = self._reached(into)
            if to is None and reached < self._must_reach():
                raise CannotRecover(
                    f"The server stopped reading the log at {wal.written(reached)}, before its "
                    f"last complete file, which begins at {wal.written(self._must_reach())}."
                )
        except BaseException:
            _empty(into)
            raise
        return (
            f"Restored {into} in {time.monotonic() - began:.1f} s up to {wal.written(reached)}; "
            f"the last transaction is of {told or 'before the backup'}."
        )

    def _require_empty(self, into: Path) -> None:
        if into.exists() and any(into.iterdir()):
            raise CannotRecover(f"{into} is not empty; move it away first, nothing is overwritten.")

    def _copy(self, into: Path) -> None:
        self.tools.make_folder(into)
        if self.tools.account:
            os.chown(into, self.tools.account.uid, self.tools.account.gid)
        into.chmod(0o700)
        copied = subprocess.run(
            ["cp", "--archive", "--reflink=auto", f"{self.base}/.", str(into)],
            check=False,
            capture_output=True,
            text=True,
            **self.tools.options(),
        )
        if copied.returncode:
            raise CannotRecover(f"The backup could not be copied: {copied.stderr.strip()}")

    def _add_settings(self, into: Path) -> None:
        """Write what the server was started with, so that it starts again as it was."""
        for name in ("postgresql.conf", "pg_hba.conf", "pg_ident.conf"):
            if not (into / name).exists():  # Debian keeps them elsewhere
                self._write(into / name, "")
        quoted = {name: value.replace("'", "''") for name, value in self.settings.items()}
        with (into / "postgresql.auto.conf").open("a") as stream:
            stream.writelines(f"{name} = '{value}'\n" for name, value in quoted.items())

    def _add_newest(self, into: Path) -> None:
        """Put where the server looks next: the log's unfinished end, and taken timelines."""
        for path in self.files[-1:]:
            if path.name.endswith(wal.PARTIAL):
                content = path.read_bytes().ljust(self.segment_bytes, b"\0")  # it may be torn
                self._write(into / "pg_wal" / path.name.removesuffix(wal.PARTIAL), content)
        for path in self.histories:
            self._write(into / "pg_wal" / path.name, path.read_bytes())
        self._write(into / "recovery.signal", "")

    def _write(self, path: Path, content: str | bytes) -> None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(0o600)
        if self.tools.account:
            os.chown(path, self.tools.account.uid, self.tools.account.gid)

    def _recover(self, into: Path, to: datetime | None) -> str:
        """Let a server read the log and end. Returns when the last transaction was."""
        with tempfile.TemporaryDirectory(prefix="restore-") as private:
            home = Path(private)  # only the server may enter
            if self.tools.account:
                os.chown(home, self.tools.account.uid, self.tools.account.gid)
            output = home / "server.log"
            server = Child(
                "postgres",
                self.tools.command("postgres", "-D", into, *self._options(home, to)),
                env=self.tools.options()["env"],
                account=self.tools.account,
                stop_signal=SIGINT,
                death_signal=SIGINT,
                log=output,
            )
            server.start()
            try:
                self._wait(server, into, output)
            finally:
                server.stop(patience=LONGEST)
            return _last_transaction(output.read_text(errors="replace"))

    def _options(self, home: Path, to: datetime | None) -> list[str]:
        settings = {
            "restore_command": f"cp {shlex.quote(str(self.log)).replace('%', '%%')}/%f %p",
            "recovery_target_timeline": str(self.timeline),
            "recovery_target_action": "promote",
            # Else a restore fails that allows fewer connections than the primary did.
            "hot_standby": "off",
            # Nobody comes in, and nothing that only the lost machine had is needed.
            "listen_addresses": "",
            "unix_socket_directories": str(home),
            "ssl": "off",
            "archive_mode": "off",
            "logging_collector": "off",
            "log_destination": "stderr",
            "log_min_messages": "log",
            "log_line_prefix": "",
            "log_timezone": "UTC",
        }
        if to:
            settings["recovery_target_time"] = to.isoformat(sep=" ")
            settings["recovery_target_inclusive"] = "off"
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _wait(self, server: Child, into: Path, output: Path) -> None:
        """Wait until the server has read the log and would take connections."""
        status = into / "postmaster.pid"
        while not (status.exists() and "ready" in status.read_text()):
            if server.exit_code() is None:
                time.sleep(0.05)
                continue
            text = output.read_text(errors="replace")
            if "recovery ended before configured recovery target" in text:
                raise CannotRecover(
                    "The log ends, or is damaged, before that moment; its last transaction is of "
                    f"{_last_transaction(text) or 'before the backup'}."
                )
            fatal = [line for line in text.splitlines() if line.startswith(("FATAL", "PANIC"))]
            raise CannotRecover(f"The server could not recover: {(fatal or [text[-500:]])[0]}")

    def _reached(self, into: Path) -> int:
        """Return where the new timeline left the old one."""
        newest = max((into / "pg_wal").glob("*.history"))
        last = newest.read_text().strip().splitlines()[-1]
        return wal.position(last.split()[1])

    def _must_reach(self) -> int:
        """Return where the last complete file begins; its last record may end in a lost one."""
        complete = [path for path in self.files if not path.name.endswith(wal.PARTIAL)]
        if not complete:
            return 0
        return wal.number_of(complete[-1].name, segment_bytes=self.segment_bytes) * (
            self.segment_bytes
        )


def _last_transaction(log: str) -> str:
    found = re.findall(r"completed transaction was at log time (.+)", log)
    return found[-1] if found else ""


def _empty(folder: Path) -> None:
    for path in folder.iterdir() if folder.exists() else ():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
