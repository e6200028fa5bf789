"""What the person at the terminal reads: our own steps, and one log of all processes."""

import json
import os
import selectors
import sys
import time
from pathlib import Path
from typing import IO, TextIO, cast

from ecommerce.local.children import Child

NAME_WIDTH = 8
COLOURS = {
    "store": 1,
    "web": 32,
    "worker": 36,
    "payments": 36,
    "pictures": 36,
    "beat": 36,
    "sandbox": 35,
    "postgres": 34,
    "redis": 33,
}
LEVEL_COLOURS = {"WARN": 33, "ERROR": 31, "CRITICAL": 31}
# What the line says already, or nobody reads while developing.
UNSHOWN_FIELDS = {"time", "level", "logger", "message", "exception", "error"}
UNSHOWN_FIELDS |= {"request_id", "trace_id", "span_id", "process", "release", "environment"}


class Log:
    """Merges the output of all children into one readable stream."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._colour = stream.isatty()
        self._selector = selectors.DefaultSelector()
        self._unfinished: dict[IO[bytes], bytes] = {}
        self._began = time.monotonic()

    def say(self, sentence: str) -> None:
        """Write one line of our own, with the seconds since the start."""
        self._line("store", f"{time.monotonic() - self._began:6.1f} s  {sentence}")

    def block(self, text: str) -> None:
        """Write several lines without a prefix."""
        self._write(text)

    def watch(self, child: Child) -> None:
        """Show what the child writes from now on."""
        self._unfinished[child.output] = b""
        self._selector.register(child.output, selectors.EVENT_READ, child.name)

    def pump(self, timeout: float = 0) -> None:
        """Show what the children have written, waiting up to `timeout` seconds for something."""
        if not self._unfinished:
            time.sleep(timeout)
            return
        for key, _ in self._selector.select(timeout):
            self._read(key.data, cast("IO[bytes]", key.fileobj))

    def _read(self, name: str, output: IO[bytes]) -> None:
        chunk = os.read(output.fileno(), 65536)
        *lines, rest = (self._unfinished[output] + chunk).split(b"\n")
        if not chunk and rest:
            lines.append(rest)
        self._unfinished[output] = rest
        for line in lines:
            self._line(name, self._readable(line.decode(errors="replace").rstrip()))
        if not chunk:
            self._selector.unregister(output)
            del self._unfinished[output]
            output.close()

    def _readable(self, line: str) -> str:
        """Return a JSON log line as `time LEVEL message key=value`; any other line as it is."""
        if not line.startswith("{"):
            return line
        try:
            entry = json.loads(line)
            clock, level, message = entry["time"][11:19], entry["level"], entry["message"]
        except (ValueError, KeyError, TypeError):
            return line
        facts = [f"{name}={value}" for name, value in entry.items() if name not in UNSHOWN_FIELDS]
        text = " ".join([clock, self._painted(f"{level:7}", LEVEL_COLOURS.get(level)), message])
        text = "  ".join([text, *facts])
        if "exception" in entry:
            text += "\n" + entry["exception"]
        return text

    def _line(self, name: str, text: str) -> None:
        prefix = self._painted(f"{name:{NAME_WIDTH}}", COLOURS.get(name)) + " | "
        for part in text.split("\n"):
            self._write(prefix + part)

    def _painted(self, text: str, colour: int | None) -> str:
        return f"\033[{colour}m{text}\033[0m" if self._colour and colour else text

    def _write(self, text: str) -> None:
        try:
            print(text, file=self._stream, flush=True)
        except OSError:  # nobody reads any more; the store goes on
            self._stream = Path(os.devnull).open("w")  # noqa: SIM115 - open until the end
