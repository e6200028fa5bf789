"""Positions in the write-ahead log and the names of its files; pure."""

import re
from collections.abc import Sequence
from pathlib import Path

from ecommerce.recovery.errors import CannotRecover

SEGMENT = re.compile(r"[0-9A-F]{24}")
PARTIAL = ".partial"


def position(text: str) -> int:
    """Return a position from how PostgreSQL writes it, `16/B374D848`."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def written(at: int) -> str:
    """Return a position as PostgreSQL writes it."""
    return f"{at >> 32:X}/{at & 0xFFFFFFFF:X}"


def name_of(number: int, *, timeline: int, segment_bytes: int) -> str:
    """Return the file name of a segment, which are numbered from the beginning of time."""
    each = (1 << 32) // segment_bytes
    return f"{timeline:08X}{number // each:08X}{number % each:08X}"


def number_of(name: str, *, segment_bytes: int) -> int:
    """Return which segment a file name means."""
    return int(name[8:16], 16) * ((1 << 32) // segment_bytes) + int(name[16:24], 16)


def chain(folder: Path, *, since: int, timeline: int, segment_bytes: int) -> Sequence[Path]:
    """Return the files from a position to the newest, oldest first. Only the last may be partial.

    Raises CannotRecover for a segment that is missing or cut short.
    """
    there = {
        path.name.removesuffix(PARTIAL): path
        for path in sorted(folder.iterdir(), reverse=True)  # a complete one hides a partial one
        if SEGMENT.fullmatch(path.name.removesuffix(PARTIAL))
    }
    newest = max(there, default="")
    files: list[Path] = []
    while not files or files[-1].name.removesuffix(PARTIAL) != newest:
        number = since // segment_bytes + len(files)
        name = name_of(number, timeline=timeline, segment_bytes=segment_bytes)
        if name not in there:
            raise CannotRecover(f"The archive has a gap: {folder / name} is missing.")
        files.append(there[name])
    for path in files:
        if path.name.endswith(PARTIAL):
            if path != files[-1]:
                raise CannotRecover(f"The archive has a gap: {path} was never completed.")
        elif path.stat().st_size != segment_bytes:
            raise CannotRecover(f"The archive is damaged: {path} is cut short.")
    return files
