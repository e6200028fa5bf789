"""How far a long command is: one moving line on a terminal, a line now and then elsewhere."""

import time

from django.core.management.base import OutputWrapper

WIDTH = 30


class Progress:
    """Counts up to a total and shows it on a stream."""

    def __init__(self, stream: OutputWrapper, label: str, total: int) -> None:
        self._stream = stream
        self._label = label
        self._total = total
        self._done = 0
        self._moves = stream.isatty()
        self._interval = 0.1 if self._moves else 5.0
        self._began = self._shown = time.monotonic()

    def advance(self, steps: int = 1) -> None:
        """Count steps, and show them when it is time to."""
        self._done += steps
        now = time.monotonic()
        if now - self._shown >= self._interval:
            self._shown = now
            self._show("")

    def finish(self) -> None:
        """Show where it ended, and leave the line."""
        seconds = time.monotonic() - self._began
        self._show(f" in {seconds:.1f} s")
        if self._moves:
            self._write("\n")

    def _show(self, end: str) -> None:
        share = self._done / self._total if self._total else 1.0
        text = f"{share:4.0%}  {self._done:,} of {self._total:,}{end}"
        if self._moves:
            bar = "#" * int(share * WIDTH)
            self._write(f"\r{self._label} [{bar:<{WIDTH}}] {text}\x1b[K")
        else:
            self._write(f"{self._label} {text}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text, ending="")
        self._stream.flush()
