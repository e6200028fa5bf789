"""Processor time of process trees, read from /proc (Linux)."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(root: int) -> float:
    """Return the user and system time that the process and everything below it have used.

    The time of a process that has ended is counted where its parent collected it.
    """
    times: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # The name in brackets may hold anything, also brackets.
        fields = text[text.rindex(")") + 2 :].split()
        pid = int(stat.parent.name)
        times[pid] = sum(int(field) for field in fields[11:15])
        children.setdefault(int(fields[1]), []).append(pid)
    total, pending = 0, [root]
    while pending:
        pid = pending.pop()
        total += times.get(pid, 0)
        pending += children.get(pid, [])
    return total / TICKS
