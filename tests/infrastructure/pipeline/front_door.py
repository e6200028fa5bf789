"""A load balancer in small: it routes to a store what is for customers, and fails on demand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx

NOT_ROUTED = ("/metrics", "/health")
OF_ONE_CONNECTION = {"connection", "content-encoding", "content-length", "transfer-encoding"}


@dataclass(slots=True)
class Faults:
    """What is wrong with the way to the store."""

    statuses: dict[str, int] = field(default_factory=dict)  # beginning of a path -> answer
    without_headers: set[str] = field(default_factory=set)
    routes_everything: bool = False

    def status_of(self, path: str) -> int | None:
        """Return the status that is answered instead of asking the store."""
        if not self.routes_everything and path.startswith(NOT_ROUTED):
            return 404
        return next((code for start, code in self.statuses.items() if path.startswith(start)), None)


@contextmanager
def front_door(store_url: str, faults: Faults) -> Iterator[str]:
    """Give the address of a load balancer in front of the store."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if status := faults.status_of(self.path):
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            answer = httpx.request(
                self.command, f"{store_url}{self.path}", headers=dict(self.headers), content=body
            )
            self.send_response(answer.status_code)
            for name, value in answer.headers.multi_items():
                if name not in OF_ONE_CONNECTION | faults.without_headers:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
