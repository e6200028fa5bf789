"""Keeping the log: streamed as it is written, for as long as this process runs."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from types import FrameType

from ecommerce.local.children import die_with_parent
from ecommerce.recovery.errors import CannotRecover
from ecommerce.recovery.programs import without_password
from ecommerce.recovery.repository import SLOT, Repository

PAUSE = 1.0


class _Stopped(BaseException):
    """SIGTERM or Ctrl-C."""


def stream(repository: Repository, *, tell: Callable[[str], None]) -> None:
    """Stream the server's log into the repository until we are stopped.

    A new life of the cluster, after a restore, gets its own part and at once its first full
    backup, so that nobody has to think of it. A server that is away is waited for.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    told = ""

    def tell_once(text: str) -> None:
        nonlocal told
        if text != told:
            tell(text)
        told = text

    try:
        while True:
            try:
                _stream_once(repository, tell=tell_once)
            except CannotRecover as trouble:
                tell_once(str(trouble))
            time.sleep(PAUSE)
    except _Stopped:
        return


def _stream_once(repository: Repository, *, tell: Callable[[str], None]) -> None:
    """Stream until the connection ends, which raises CannotRecover."""
    tools, server = repository.tools, repository.server
    life = repository.identify().life
    folder = repository.folder / life / "wal"
    tools.make_folder(folder)
    common = [f"--dbname={without_password(server)}", f"--directory={folder}", f"--slot={SLOT}"]
    tools.run("pg_receivewal", *common, "--create-slot", "--if-not-exists", server=server)
    parent = os.getpid()
    with subprocess.Popen(
        tools.command(
            "pg_receivewal",
            *common,
            *("--synchronous", "--status-interval=1", "--no-loop", "--no-password"),
        ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: die_with_parent(signal.SIGINT, parent),  # noqa: PLW1509 - no threads
        **tools.options(server),
    ) as child:
        try:
            tell(f"Streaming the log into {folder}.")
            if not any(base.parents[1].name == life for base in repository.bases()):
                _first_backup(repository, child, tell=tell)
            _, complaint = child.communicate()
        finally:
            child.send_signal(signal.SIGINT)
    raise CannotRecover(f"The stream ended: {complaint.strip()}")


def _first_backup(
    repository: Repository, child: "subprocess.Popen[str]", *, tell: Callable[[str], None]
) -> None:
    while not repository.streams():
        if child.poll() is not None:
            return
        time.sleep(0.1)
    tell(f"Took the first full backup of this life, {repository.back_up()}.")


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stopped
