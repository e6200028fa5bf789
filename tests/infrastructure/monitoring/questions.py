"""Asking programs about configuration, and putting errors into it."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a program said, and whether it was content."""

    content: bool
    said: str


Ask = Callable[..., Verdict]


def asking(program: Path) -> Ask:
    """Return a function that runs the program with arguments."""

    def ask(*arguments: object) -> Verdict:
        done = subprocess.run(
            [str(program), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Verdict(done.returncode == 0, done.stdout + done.stderr)

    return ask


def plant(file: Path, right: str, wrong: str) -> None:
    """Put an error into a file; it has to find its place."""
    text = file.read_text()
    assert right in text
    file.write_text(text.replace(right, wrong, 1))
