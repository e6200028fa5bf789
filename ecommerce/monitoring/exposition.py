"""The port on which a process without a web server tells its figures, and whether it lives."""

import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import Gauge, disable_created_metrics, make_wsgi_app

SILENT_FOR = 60.0  # seconds after which a loop that has not turned counts as dead

Environment = dict[str, Any]
Respond = Callable[[str, list[tuple[str, str]]], Any]

# Nobody forks in the middle of a collection: the child would inherit a metric's held lock.
_collecting = threading.Lock()
os.register_at_fork(
    before=_collecting.acquire,
    after_in_parent=_collecting.release,
    after_in_child=_collecting.release,
)

LOOP_TURNED = Gauge("loop_last_turn_timestamp_seconds", "When the main loop has last turned.")


class Pulse:
    """When a process's main loop has last turned. Thread-safe: one writes, others read."""

    def __init__(self) -> None:
        self._beat = time.monotonic()
        LOOP_TURNED.set_to_current_time()

    def beat(self) -> None:
        """Note that the loop has turned."""
        self._beat = time.monotonic()
        LOOP_TURNED.set_to_current_time()

    def alive(self) -> bool:
        """Tell whether the loop has turned within the last minute."""
        return time.monotonic() - self._beat < SILENT_FOR


class _Quiet(WSGIRequestHandler):
    timeout = 5  # a caller that says nothing does not keep the next probe waiting for ever

    def log_message(self, *args: object) -> None:
        """Leave probes out of the log."""


def serve(*, host: str, port: int, pulse: Pulse) -> WSGIServer:
    """Serve /metrics and /health/live in a thread that ends with the process.

    Raises OSError when the port is taken.
    """
    disable_created_metrics()  # a series more for each counter, which nobody asks for
    metrics = make_wsgi_app()

    def answer(environment: Environment, respond: Respond) -> Iterable[bytes]:
        match environment["PATH_INFO"]:
            case "/metrics":
                with _collecting:
                    return metrics(environment, respond)
            case "/health/live":
                status, text = (
                    ("200 OK", b"ok\n")
                    if pulse.alive()
                    else ("503 Service Unavailable", b"the main loop stands still\n")
                )
            case _:
                status, text = "404 Not Found", b"there is nothing here\n"
        respond(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
        return [text]

    server = make_server(host, port, answer, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
