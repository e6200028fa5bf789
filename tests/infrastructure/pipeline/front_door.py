"""A load balancer in small: it routes to a store what is for customers, and fails on demand."""

import datetime
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

NOT_ROUTED = ("/metrics", "/health")
OF_ONE_CONNECTION = {"connection", "content-encoding", "content-length", "transfer-encoding"}
STAY_WITH_HTTPS = ("strict-transport-security", "max-age=31536000")
BEGIN_OF_TLS = b"\x16"


@dataclass(slots=True)
class Faults:
    """What is wrong with the way to the store."""

    statuses: dict[str, int] = field(default_factory=dict)  # beginning of a path -> answer
    without_headers: set[str] = field(default_factory=set)
    routes_everything: bool = False
    serves_plain_http: bool = False

    def status_of(self, path: str) -> int | None:
        """Return the status that is answered instead of asking the store."""
        if not self.routes_everything and path.startswith(NOT_ROUTED):
            return 404
        return next((code for start, code in self.statuses.items() if path.startswith(start)), None)


class Listener(ThreadingHTTPServer):
    """Takes TLS and plain HTTP on the same port, once it has a certificate."""

    tls: ssl.SSLContext | None = None

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        if self.tls and connection.recv(1, socket.MSG_PEEK) == BEGIN_OF_TLS:
            return self.tls.wrap_socket(connection, server_side=True), address
        return connection, address


@contextmanager
def front_door(store_url: str, faults: Faults, *, certificate: Path | None = None) -> Iterator[str]:
    """Give the address of a load balancer in front of the store; https:// with a certificate."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            is_plain = server.tls and not isinstance(self.connection, ssl.SSLSocket)
            if is_plain and not faults.serves_plain_http:
                self.tell(301, [("Location", f"{url}{self.path}")])
            elif status := faults.status_of(self.path):
                self.tell(status, [])
            else:
                self.pass_on(body)

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - the names that http.server looks for

        def pass_on(self, body: bytes) -> None:
            answer = httpx.request(
                self.command, f"{store_url}{self.path}", headers=dict(self.headers), content=body
            )
            headers = [*answer.headers.multi_items(), *([STAY_WITH_HTTPS] if server.tls else [])]
            lost = OF_ONE_CONNECTION | faults.without_headers
            kept = [each for each in headers if each[0] not in lost]
            self.tell(answer.status_code, kept, answer.content)

        def tell(self, status: int, headers: list[tuple[str, str]], body: bytes = b"") -> None:
            self.send_response(status)
            for name, value in (*headers, ("Content-Length", str(len(body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = Listener(("127.0.0.1", 0), Handler)
    if certificate:
        server.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server.tls.load_cert_chain(certificate)
    url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def write_certificate(file: Path) -> None:
    """Write a key, and a certificate for this machine that has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a store")])
    now = datetime.datetime.now(datetime.UTC)
    loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
