"""What became of each row: taken in some way, or left out for a reason. Nothing in between."""

import csv
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self


class RowsDoNotAddUp(Exception):
    """A row was lost or counted twice on the way, which is a mistake of this program."""


class Account:
    """The rows of one kind. Each one that is left out is written to a CSV file with its reason."""

    def __init__(self, folder: Path, name: str, identity: Sequence[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.read = 0
        self.taken: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.noted: Counter[str] = Counter()
        self._path = folder / f"{name.replace('_', '-')}-left-out.csv"
        # An unfinished file never stands where a finished one is looked for.
        self._partial = self._path.with_suffix(".partial")
        self._file = self._partial.open("w", newline="", encoding="utf-8")
        self._rows = csv.writer(self._file)
        self._rows.writerow([*identity, "reason"])

    def take(self, how: str, *, rows: int = 1) -> None:
        """Count rows that were used."""
        self.taken[how] += rows

    def leave_out(self, reason: str, *identity: object) -> None:
        """Count a row that was not used, and write it down."""
        self.left_out[reason] += 1
        self._rows.writerow([*identity, reason])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Finish the file, if all went well. Raises RowsDoNotAddUp."""
        self._file.close()
        if kind is None:
            self._check()
            self._partial.replace(self._path)

    def numbers(self) -> dict[str, Any]:
        """Return how many rows went where."""
        numbers = {
            "read": self.read,
            "taken": dict(self.taken),
            "left_out": dict(self.left_out),
        }
        return numbers | ({"noted": dict(self.noted)} if self.noted else {})

    def _check(self) -> None:
        taken, left_out = self.taken.total(), self.left_out.total()
        if self.read != taken + left_out:
            raise RowsDoNotAddUp(
                f"{self.name}: {self.read} rows were read, {taken} taken and {left_out} left out."
            )


def write_summary(folder: Path, summary: dict[str, Any]) -> Path:
    """Write the numbers of all accounts beside their files."""
    path = folder / "summary.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return partial.replace(path)
