"""Logging: one JSON object a line on stdout, with the request's id."""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime

from apps.kernel.json import dumps

request_id: ContextVar[str] = ContextVar("request_id", default="")

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JSONLines(logging.Formatter):
    """Format a record as JSON; what is passed in `extra` becomes fields."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id.get():
            line["request_id"] = request_id.get()
        line |= {
            name: value if isinstance(value, str | int | float | bool | None) else str(value)
            for name, value in vars(record).items()
            if name not in STANDARD
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        try:
            return dumps(line).decode()
        except TypeError:  # a lone surrogate or an enormous number; a log line is never lost
            return json.dumps(line)
