"""Child processes that never outlive the process that started them."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group a child runs as."""

    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """Return `nobody` when we are root, because PostgreSQL refuses to run as root; else None."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid)


def die_with_parent(death_signal: signal.Signals, parent: int) -> None:
    """Have the kernel send us `death_signal` when `parent` ends, however it ends (Linux only)."""
    if not sys.platform.startswith("linux"):
        return
    _libc.prctl(PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != parent:  # it ended between the fork and this call
        os.kill(os.getpid(), death_signal)


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose own parent dies, so that none is left a zombie."""
    if sys.platform.startswith("linux"):
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)


def run_as(
    command: Sequence[str | Path], account: Account | None
) -> subprocess.CompletedProcess[str]:
    """Run a short command to its end as `account`, from a folder every account can enter."""
    return subprocess.run(
        [str(part) for part in command],
        cwd="/",
        env={**_plain_environment(), "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **_account_arguments(account),
    )


def _account_arguments(account: Account | None) -> dict[str, Any]:
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def _plain_environment() -> dict[str, str]:
    """Our environment without what would redirect PostgreSQL's programs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


@dataclass
class Child:
    """A program in a session of its own: its whole process group starts and ends with it."""

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str] = field(default_factory=_plain_environment)
    cwd: Path = Path("/")
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGTERM
    standard_input: str | None = None
    log: Path | None = None
    held: Sequence[int] = ()
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the program. Its output goes to `log`, or to a pipe when there is none."""
        parent = os.getpid()

        def prepare() -> None:
            for ignored in (signal.SIGINT, signal.SIGQUIT):  # by what a shell starts with `&`
                signal.signal(ignored, signal.SIG_DFL)
            die_with_parent(self.death_signal, parent)

        output = self.log.open("wb") if self.log else None
        self._process = subprocess.Popen(
            [str(part) for part in self.command],
            cwd=self.cwd,
            env=dict(self.env),
            stdin=subprocess.PIPE if self.standard_input else subprocess.DEVNULL,
            stdout=output or subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=self.held,
            preexec_fn=prepare,  # noqa: PLW1509 - we have no threads
            **_account_arguments(self.account),
        )
        if output:
            output.close()
        else:
            os.set_blocking(self.output.fileno(), False)
        if self.standard_input and self._process.stdin:
            with self._process.stdin as stream:
                stream.write(self.standard_input.encode())

    @property
    def output(self) -> IO[bytes]:
        """The reading end of the pipe that carries the output."""
        if self._process is None or self._process.stdout is None:
            raise RuntimeError(f"{self.name} has no pipe to read from.")
        return self._process.stdout

    @property
    def pid(self) -> int | None:
        """The id of the process and of its group; None before the start."""
        return self._process.pid if self._process else None

    def exit_code(self) -> int | None:
        """Return how the program ended (negative: by that signal), or None while it runs."""
        return self._process.poll() if self._process else 0

    def stop(self, *, patience: float, meanwhile: Callable[[], None] | None = None) -> None:
        """Ask the program to end; after `patience` seconds end its whole group without asking."""
        if self._process is None:
            return
        deadline = time.monotonic() + patience
        if self.exit_code() is None:
            self._process.send_signal(self.stop_signal)
        while self.exit_code() is None and time.monotonic() < deadline:
            if meanwhile:
                meanwhile()
            time.sleep(0.02)
        self.end_group()
        self._process.wait()

    def end_group(self) -> None:
        """Kill whatever is left of the program's process group."""
        if self.pid:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def last_words(self, lines: int = 5) -> str:
        """Return the end of the output of a program that has ended."""
        if self.log:
            text = self.log.read_text(errors="replace")
        else:
            text = (self.output.read() or b"").decode(errors="replace")
        return "\n".join(text.strip().splitlines()[-lines:])


class Guardian:
    """A process that outlives us just long enough to kill the children that hang."""

    def __init__(self, *, held: Sequence[int] = (), patience: float = 7) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", Path(__file__).with_name("guardian.py"), str(patience)],
            cwd="/",
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
            pass_fds=held,
        )

    def watch(self, child: Child) -> None:
        """Kill the child's group if it is still there some seconds after our own end."""
        self._tell(f"+{child.pid}\n")

    def forget(self, child: Child) -> None:
        """Leave the child's group alone: it has ended, and its number may be given away."""
        self._tell(f"-{child.pid}\n")

    def dismiss(self) -> None:
        """Wait for its end, which comes at once when it watches nothing."""
        self._process.communicate()

    def _tell(self, line: str) -> None:
        if self._process.stdin:
            with suppress(OSError):
                self._process.stdin.write(line)
                self._process.stdin.flush()


def reap_orphans(own: Sequence[Child]) -> None:
    """Collect adopted processes that ended; our own children are left to their `Popen`."""
    ours = {child.pid for child in own}
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid in ours:
            return
        os.waitpid(ended.si_pid, 0)
