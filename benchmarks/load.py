"""The load generator: one thread, many keep-alive connections, each with one request at a time."""

import json
import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

WITHOUT_BODY = frozenset({204, 304})

# One request, or several of which each is sent when the one before is answered: they count as one.
Asked = bytes | tuple[bytes, ...]


@dataclass
class Load:
    """What came back: how many answers of which status, and how long each took."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile_ms(self, percent: int) -> float:
        """Return the latency that this percentage of the requests kept to."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1000


@dataclass
class Answer:
    """One whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


class Connection:
    """One connection; what it gets is collected until the answer is whole."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self._length: int | None = None
        self._pending: Iterator[bytes] = iter(())
        self.began_at = 0.0

    def begin(self, asked: Asked) -> None:
        """Send the first request; `proceed` sends the others."""
        self._pending = iter((asked,) if isinstance(asked, bytes) else asked)
        self.began_at = time.perf_counter()
        self.proceed()

    def proceed(self) -> bool:
        """Send the next request of what was begun. Returns whether there was one."""
        request = next(self._pending, None)
        if request is not None:
            self.send(request)
        return request is not None

    def send(self, request: bytes) -> None:
        self._received, self._length = b"", None
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """Read what is there. Returns the status once the answer is whole."""
        part = self.socket.recv(262_144)
        if not part:
            raise ConnectionError("The server closed the connection in the middle of the load.")
        self._received += part
        if self._length is None:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return None
            self._length = end + 4 + _body_length(self._received[:end])
        return int(self._received[9:12]) if len(self._received) >= self._length else None

    def ask(self, request: bytes) -> Answer:
        """Send one request and wait for its answer."""
        self.send(request)
        while (status := self.receive()) is None:
            pass
        head, _, body = self._received.partition(b"\r\n\r\n")
        pairs = (line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:])
        return Answer(status, {name.lower(): value for name, value in pairs}, body)


def _body_length(head: bytes) -> int:
    if int(head[9:12]) in WITHOUT_BODY:
        return 0
    lowered = head.lower()
    if (at := lowered.find(b"content-length:")) < 0:
        raise ValueError("The answer does not tell its length.")
    return int(lowered[at + 15 :].split(b"\r\n", 1)[0])


def ask(port: int, request: bytes) -> Answer:
    """Send one request over a connection of its own."""
    connection = Connection(port)
    with connection.socket:
        return connection.ask(request)


def run(
    port: int,
    requests: Iterator[Asked],
    *,
    connections: int,
    seconds: float | None = None,
    count: int | None = None,
) -> Load:
    """Send the requests, each connection its next ones as soon as it has its answers.

    It ends after so many seconds or requests, when every answer has come.
    """
    load = Load()
    requests = islice(requests, count)
    began = time.perf_counter()
    deadline = began + seconds if seconds else float("inf")
    opened = [Connection(port) for _ in range(connections)]
    with selectors.DefaultSelector() as selector:
        for connection in opened:
            if first := next(requests, None):
                connection.begin(first)
                selector.register(connection.socket, selectors.EVENT_READ, connection)
        while selector.get_map():
            for key, _ in selector.select():
                connection = key.data
                status = connection.receive()
                if status is None:
                    continue
                load.statuses[status] += 1
                if connection.proceed():
                    continue
                now = time.perf_counter()
                load.latencies.append(now - connection.began_at)
                following = next(requests, None) if now < deadline else None
                if following:
                    connection.begin(following)
                else:
                    selector.unregister(connection.socket)
    load.seconds = time.perf_counter() - began
    for connection in opened:
        connection.socket.close()
    return load
