"""Logging: one JSON object a line on stdout, of one schema, with nothing personal in it.

`docs/logging.md` is its schema for people, `config/elasticsearch/index-template.json` for the
index.
"""

import json
import logging
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from apps.kernel import trail
from apps.kernel.json import dumps
from ecommerce.redaction import Redaction, account_of, words_of

# Linux writes up to so many bytes into a pipe in one piece, so lines of processes that share one
# never mix, and no container runtime cuts them.
LONGEST_LINE = 4096
LEVELS = {"DEBUG": "DEBUG", "INFO": "INFO", "WARNING": "WARN", "WARN": "WARN", "ERROR": "ERROR"}
LEVELS |= {"CRITICAL": "CRITICAL"}
# What a line may say beside its message. Anything else that comes in `extra` is left out, for
# libraries put whole requests and arguments there.
FACTS = frozenset(
    {
        *("method", "route", "status", "duration_ms", "code"),
        *("cart_id", "item_id", "product_id", "order_id"),
        *("attempt_id", "refund_id", "event_id", "reference", "step"),
    }
)
SHORTEST_QUOTATION = 3  # a shorter text of an exception is part of any word
TRAIL = "ecommerce.trail"  # where a request's environment keeps its trail
PLAIN = (int, float, UUID, type(None))


class JSONLines(logging.Formatter):
    """Format a record as one line of JSON, at most 4095 bytes and a line break.

    A discreet one leaves out what the words of exceptions quote. Be indiscreet only to developers.
    """

    def __init__(self, *, discreet: bool = True, environment: Mapping[str, str] = os.environ):
        super().__init__()
        self._discreet = discreet
        self._redacted = Redaction(environment)
        self._origin = {
            "process": environment.get("PROCESS_ROLE") or process_role(sys.argv),
            "release": environment.get("RELEASE", ""),
            "environment": environment.get("ENVIRONMENT", "local"),
        }

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": LEVELS.get(record.levelname, record.levelname),
            "logger": record.name,
            "message": self._redacted(self._message(record)),
            **self._origin,
        }
        line |= {name: self._redacted(value) for name, value in _ids(record).items() if value}
        line |= {
            name: value if isinstance(value, PLAIN) else self._redacted(str(value))
            for name, value in vars(record).items()
            if name in FACTS
        }
        request = getattr(record, "request", None)
        if isinstance(request, HttpRequest):
            line["route"] = route_of(request)
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            line["error"] = type(error).__qualname__
            account = account_of(error) if self._discreet else self.formatException(record.exc_info)
            line["exception"] = self._redacted(account)
        return _bounded(line)

    def _message(self, record: logging.LogRecord) -> str:
        """Return the message without what libraries quote in it: the path, an exception's words."""
        if not self._discreet:
            return record.getMessage()
        error = record.exc_info and record.exc_info[1]
        words = words_of(error) if error else "an exception"
        if isinstance(record.args, Mapping) and "exc" in record.args:  # Celery, of a failed task
            message = str(record.msg) % {**record.args, "exc": words}
        else:
            message = record.getMessage()
        if error and len(str(error)) > SHORTEST_QUOTATION:  # Django, of a refused host
            message = message.replace(str(error), words)
        request = getattr(record, "request", None)
        if isinstance(request, HttpRequest):
            message = message.replace(request.path, route_of(request))
        return message


def route_of(request: HttpRequest) -> str:
    """Return the pattern that the path has matched; the path itself may hold anything."""
    match = request.resolver_match
    return f"/{match.route}" if match else "unmatched"


def process_role(arguments: Sequence[str]) -> str:
    """Return what the process is for: web, worker, beat, or the management command."""
    program, *rest = arguments or [""]
    name = Path(program).name
    if name == "__main__.py":
        name = Path(program).parent.name
    match name:
        case "gunicorn":
            return "web"
        case "celery":
            return next((word for word in rest if word in {"worker", "beat"}), name)
        case "manage.py":
            return rest[0] if rest else name
        case _:
            return name


def log_level(name: str) -> str:
    """Return Python's name of a level. Raises ImproperlyConfigured for an unknown one."""
    level = name.strip().upper()
    if level not in LEVELS:
        raise ImproperlyConfigured(
            f"LOG_LEVEL must be DEBUG, INFO, WARN, ERROR or CRITICAL, not {name!r}."
        )
    return level


def catch_all() -> None:
    """Have warnings, and exceptions that nobody has caught, logged like everything else."""
    logging.captureWarnings(capture=True)
    log = logging.getLogger("ecommerce.uncaught")

    def log_uncaught(
        kind: type[BaseException], error: BaseException, frames: TracebackType | None
    ) -> None:
        log.critical("An exception was not caught.", exc_info=(kind, error, frames))

    def log_uncaught_in_thread(event: threading.ExceptHookArgs) -> None:
        if event.exc_value is not None:
            log_uncaught(event.exc_type, event.exc_value, event.exc_traceback)

    sys.excepthook = log_uncaught
    threading.excepthook = log_uncaught_in_thread


def _ids(record: logging.LogRecord) -> dict[str, str]:
    """Return the ids of the present trail, or of the one that a failure has left.

    Django and Celery report failures when the work, and with it the trail, has ended.
    """
    present = trail.Trail(trail.request_id(), trail.traceparent())
    if not present.request_id:
        request = getattr(record, "request", None)
        error = record.exc_info and record.exc_info[1]
        if isinstance(request, HttpRequest):
            present = request.META.get(TRAIL, present)
        elif error:
            present = trail.trail_of(error)
    _, trace_id, span_id, _ = (present.traceparent or "---").split("-")
    return {"request_id": present.request_id, "trace_id": trace_id, "span_id": span_id}


def _bounded(line: dict[str, Any]) -> str:
    """Return the line as JSON; while it is too long, the longest text loses its middle."""
    while len(encoded := _encoded(line)) >= LONGEST_LINE:
        texts = {name: value for name, value in line.items() if isinstance(value, str)}
        longest = max(texts, key=lambda name: len(texts[name]))
        text = texts[longest]
        line[longest] = f"{text[: len(text) // 4]} … {text[-len(text) // 2 :]}"
    return encoded.decode()


def _encoded(line: dict[str, Any]) -> bytes:
    try:
        return dumps(line)
    except TypeError:  # a lone surrogate or an enormous number; a log line is never lost
        return json.dumps(line).encode()
