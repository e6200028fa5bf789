"""HTTP requests as bytes, made before the clock runs."""

import json
from collections.abc import Mapping

NO_HEADERS: Mapping[str, str] = {}


def get(path: str, headers: Mapping[str, str] = NO_HEADERS) -> bytes:
    """Return a GET request."""
    return _request("GET", path, headers, b"")


def post(path: str, document: object, headers: Mapping[str, str] = NO_HEADERS) -> bytes:
    """Return a POST request with a JSON body."""
    body = json.dumps(document).encode()
    entity = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return _request("POST", path, {**entity, **headers}, body)


def _request(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
