"""End what the supervisor was watching when it is killed without a chance to do so itself.

The kernel asks every child to end when the supervisor does. Some cannot do that soon: a request
or a task that hangs, the children of a process that was killed as well. This process learns of
the supervisor's end from its standard input, waits a little, and kills the groups that are left.
It is run as a file, by itself, so that it starts at once and needs nothing of the project.
"""

import os
import signal
import sys
import time
from contextlib import suppress


def is_alive(group: int) -> bool:
    """Tell whether the process group has a member."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def main() -> None:
    """Read `+group` and `-group` lines; at the end of the input outlast or kill the groups.

    The argument says for how many seconds to wait for them.
    """
    groups: set[int] = set()
    for line in sys.stdin:
        sign, group = line[0], int(line[1:])
        if sign == "+":
            groups.add(group)
        else:
            groups.discard(group)
    deadline = time.monotonic() + float(sys.argv[1])
    while (groups := {group for group in groups if is_alive(group)}) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.05)
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
