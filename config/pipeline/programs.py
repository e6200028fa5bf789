"""Running the programs that the pipeline drives; what they refuse becomes one sentence."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn


class Refused(Exception):
    """The pipeline does not go on; the text says why, in one sentence."""


def carry_out(task: Callable[[], None]) -> NoReturn:
    """Run the task and exit: 0, or 1 with the sentence it was refused with."""
    try:
        task()
    except Refused as reason:
        sys.exit(f"Refused: {reason}")
    sys.exit(0)


def run(
    *command: str, given: str | None = None, variables: Mapping[str, str] | None = None
) -> None:
    """Run a program whose output belongs in the log. Raises Refused when it fails."""
    code = _completed(command, given, variables, capture=False).returncode
    if code:
        raise Refused(f"{_short(command)} failed with exit code {code}; the lines above say why.")


def output(
    *command: str, given: str | None = None, variables: Mapping[str, str] | None = None
) -> str:
    """Return what a program prints, without the last line break. Raises Refused when it fails."""
    done = attempt(*command, given=given, variables=variables)
    if done.returncode:
        raise Refused(f"{_short(command)} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def attempt(
    *command: str, given: str | None = None, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program that may fail and return what became of it. Raises Refused if it is missing."""
    return _completed(command, given, variables, capture=True)


def _completed(
    command: tuple[str, ...],
    given: str | None,
    variables: Mapping[str, str] | None,
    *,
    capture: bool,
) -> subprocess.CompletedProcess[str]:
    sys.stdout.flush()  # our own lines stay in their place among the program's
    try:
        return subprocess.run(
            command, input=given, env=variables, capture_output=capture, text=True, check=False
        )
    except FileNotFoundError as missing:
        raise Refused(
            f"{command[0]} is not installed; docs/pipeline.md lists what an agent needs."
        ) from missing


def _short(command: tuple[str, ...]) -> str:
    words = [word for word in command if not word.startswith("-")]
    return f"`{' '.join(words[:3])}`"
