"""The gateway by the real nginx, in front of web processes that only write down what arrives."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from running_store import eventually, free_port

BODY = b'{"results": [' + b'"a lantern", ' * 200 + b'"the last one"]}'


@dataclass(slots=True)
class Web:
    """A web process that answers everything alike and remembers what it was asked.

    A `hasty` one hangs up as soon as it has read a request.
    """

    hasty: bool = False
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    port: int = 0

    @contextmanager
    def listening(self) -> Iterator["Web"]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536  # an answer in one packet: the kernel would delay the second

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                web.requests.append((self.command, self.path, dict(self.headers)))
                if web.hasty:
                    self.close_connection = True
                    return
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(BODY)))
                self.end_headers()
                self.wfile.write(BODY)

            do_GET = do_POST = answer  # noqa: N815 - the names that http.server asks for

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


@dataclass(frozen=True, slots=True)
class Gateway:
    """The real nginx on a copy of the configuration."""

    nginx: Path
    folder: Path
    port: int

    @classmethod
    def copied(cls, nginx: Path, source: Path, folder: Path) -> "Gateway":
        """Copy the configuration. Nothing is behind it before `put_in_front_of` was called."""
        gateway = cls(nginx, folder, free_port())
        shutil.copytree(source, folder)
        text = gateway.main.read_text()
        gateway.main.write_text(text.replace("/tmp/", f"{folder}/"))  # noqa: S108 - its container's
        (folder / "listen.conf").write_text(f"listen 127.0.0.1:{gateway.port} default_server;\n")
        return gateway

    @property
    def main(self) -> Path:
        return self.folder / "nginx.conf"

    def put_in_front_of(self, *ports: int, backup: int = 0) -> None:
        """Have these web processes answer, and the last one only when none of them does."""
        known = self.folder / "upstream.conf"
        [line] = [line for line in known.read_text().splitlines() if "server web:8000" in line]
        servers = [line.replace("web:8000", f"127.0.0.1:{port}") for port in ports]
        if backup:
            servers.append(f"server 127.0.0.1:{backup} backup;")
        known.write_text(known.read_text().replace(line, "\n".join(servers)))

    def limit(self, rate: str) -> None:
        """Let one address ask so often."""
        zones = (
            f"limit_req_zone $binary_remote_addr zone={zone}:1m rate={rate};"
            for zone in ("api", "auth")
        )
        (self.folder / "limits.conf").write_text("\n".join(zones))

    def check(self) -> subprocess.CompletedProcess[str]:
        """Have nginx read the configuration as it would at a start."""
        return subprocess.run(self._command("-t"), check=False, capture_output=True, text=True)

    @contextmanager
    def serving(self) -> Iterator[httpx.Client]:
        """Run it and give a client of it."""
        process = subprocess.Popen(
            self._command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            eventually((self.folder / "nginx.pid").exists, bool, patience=10)
            with httpx.Client(base_url=f"http://127.0.0.1:{self.port}") as client:
                yield client
        finally:
            process.terminate()
            process.communicate(timeout=10)

    def _command(self, *more: str) -> list[str]:
        # pytest's folders are for their owner only: as root, the processes of nginx stay root.
        user = "user root; " if os.geteuid() == 0 else ""
        return [
            *(str(self.nginx), "-p", str(self.folder), "-c", str(self.main)),
            *("-e", "stderr", "-g", f"{user}daemon off;", *more),
        ]
