"""A mail server of a test: the few words of SMTP that smtplib says (RFC 5321)."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class MailServer(socketserver.ThreadingTCPServer):
    """Keeps what it accepts. `answer` is said to a message instead of 250; `refused` get 550."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.port: int = self.server_address[1]
        self.accepted: list[bytes] = []
        self.answer = ""
        self.refused: set[str] = set()
        self.on_data: Callable[[], object] = lambda: None

    def close(self) -> None:
        """Be away from now on."""
        self.shutdown()
        self.server_close()


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 mail.test")
        while line := self.rfile.readline():
            match line.strip().split(b" ", 1)[0].upper():
                case b"EHLO" | b"HELO" | b"MAIL" | b"RSET" | b"NOOP":
                    self._say("250 fine")
                case b"RCPT":
                    address = line.partition(b"<")[2].partition(b">")[0].decode()
                    refused = address in self.server.refused
                    self._say("550 5.1.1 nobody" if refused else "250 fine")
                case b"DATA":
                    self._say("354 go on")
                    self._take(b"".join(iter(self.rfile.readline, b".\r\n")))
                case b"QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("502 what?")

    def _take(self, content: bytes) -> None:
        self.server.on_data()
        if not self.server.answer:
            self.server.accepted.append(content)
        self._say(self.server.answer or "250 fine")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Give a server that listens on this machine."""
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server
        server.shutdown()
