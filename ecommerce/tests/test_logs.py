"""What is logged, and in which form."""

import ast
import json
import logging
import os
import sys
import threading
from datetime import datetime
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, RequestFactory

from apps.kernel.trail import Trail, following
from ecommerce.logs import (
    FACTS,
    LONGEST_LINE,
    JSONLines,
    catch_all,
    log_level,
    process_role,
)

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PROGRAM = [
    path
    for folder in ("apps", "ecommerce")
    for path in sorted((settings.BASE_DIR / folder).rglob("*.py"))
    if not {"tests", "local", "recovery"} & set(path.parts)
]


def as_line(record: logging.LogRecord, **options: Any) -> dict[str, Any]:
    """Return what the record is logged as, which is one line and not too long a one."""
    line = JSONLines(**options).format(record)
    assert not {"\n", "\r"} & set(line)
    assert len(line.encode()) < LONGEST_LINE
    fields: dict[str, Any] = json.loads(line)
    return fields


def formatted(message: str, *arguments: object, **extra: object) -> dict[str, Any]:
    record = logging.getLogger("test").makeRecord(
        "test", logging.INFO, __file__, 1, message, arguments, None, extra=extra
    )
    return as_line(record)


def caught(error: Exception) -> logging.LogRecord:
    """Return a record with the exception as it is after having been raised."""
    try:
        raise error
    except type(error):
        return logging.LogRecord("x", logging.ERROR, "f", 1, "m", (), sys.exc_info())


# Form


def test_a_line_is_one_json_object_with_an_aware_time() -> None:
    line = formatted("sold %d", 3)

    assert (line["message"], line["level"], line["logger"]) == ("sold 3", "INFO", "test")
    offset = datetime.fromisoformat(line["time"]).utcoffset()
    assert offset is not None
    assert offset.total_seconds() == 0
    assert not {"request_id", "trace_id", "span_id", "exception"} & set(line)


@pytest.mark.parametrize(
    ("level", "word"),
    [(10, "DEBUG"), (20, "INFO"), (30, "WARN"), (40, "ERROR"), (50, "CRITICAL")],
)
def test_levels_have_the_names_of_the_document(level: int, word: str) -> None:
    assert as_line(logging.LogRecord("x", level, "f", 1, "m", (), None))["level"] == word


@pytest.mark.parametrize("name", ["WARN", "WARNING", "warn", " INFO ", "CRITICAL", "debug"])
def test_a_level_may_be_written_either_way(name: str) -> None:
    assert logging.getLevelNamesMapping()[log_level(name)] > 0


def test_an_unknown_level_is_refused_by_name() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"LOG_LEVEL must be .* not 'LOUD'"):
        log_level("LOUD")


def test_known_facts_become_fields_and_strange_things_become_text() -> None:
    line = formatted("x", order_id="A-1", status=3, code=object)

    assert (line["order_id"], line["status"]) == ("A-1", 3)
    assert line["code"] == "<class 'object'>"


def test_what_a_library_adds_is_left_out() -> None:
    request = RequestFactory().get("/api/v1/errors?email=ada@example.com")

    line = formatted("x", request=request, data={"args": "Ada"}, thing="Ada")

    assert "Ada" not in str(line)
    assert "ada@example.com" not in str(line)


def test_every_fact_that_the_program_logs_is_in_the_schema() -> None:
    logged = {
        key.value
        for path in PROGRAM
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "extra" and isinstance(keyword.value, ast.Dict)
        for key in keyword.value.keys
        if isinstance(key, ast.Constant)
    }

    assert logged - FACTS == set()
    assert len(logged) > 5


@pytest.mark.parametrize("bad", ["a\r\nlevel: ERROR", "a\n{}", "\x1b[31mred", "\u2028", "\0"])
def test_line_breaks_and_control_characters_are_inert(bad: str) -> None:
    line = formatted(bad, step=bad)

    assert (line["message"], line["step"]) == (bad, bad)


def test_what_json_has_no_form_for_is_logged_all_the_same() -> None:
    line = formatted("\ud800", step="\udcff", status=10**30)

    assert (line["message"], line["step"], line["status"]) == ("\ud800", "\udcff", 10**30)


@pytest.mark.parametrize("text", ["x" * 1_000_000, "\0" * 9_000, "\U0001f600 " * 9_000])
def test_a_line_goes_into_a_pipe_in_one_piece_however_long_its_texts(text: str) -> None:
    line = formatted(text, step=text)

    assert "…" in line["message"]
    assert line["logger"] == "test"


def test_processes_that_share_a_pipe_never_mix_their_lines() -> None:
    reader, writer = os.pipe()
    line = JSONLines().format(logging.LogRecord("x", 20, "f", 1, "a" * 9_000, (), None)) + "\n"
    writers = [
        threading.Thread(target=lambda: [os.write(writer, line.encode()) for _ in range(50)])
        for _ in range(4)
    ]
    for each in writers:
        each.start()

    with os.fdopen(reader) as output:
        lines = [json.loads(output.readline()) for _ in range(200)]

    for each in writers:
        each.join()
    os.close(writer)
    assert len(lines) == 200


# Where a line comes from


def test_lines_carry_the_ids_of_their_trail() -> None:
    with following(Trail("abc-12345", TRACE), "step"):
        line = formatted("x")

    assert line["request_id"] == "abc-12345"
    assert line["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert line["span_id"] == "00f067aa0ba902b7"


def test_lines_say_which_process_of_which_release_and_environment_wrote_them() -> None:
    record = logging.LogRecord("x", 20, "f", 1, "m", (), None)
    environment = {"PROCESS_ROLE": "worker-payments", "RELEASE": "7d36147", "ENVIRONMENT": "dev"}

    line = as_line(record, environment=environment)

    assert [line[name] for name in ("process", "release", "environment")] == [
        *("worker-payments", "7d36147", "dev"),
    ]
    assert as_line(record, environment={})["environment"] == "local"


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ("/venv/bin/gunicorn -c config/gunicorn.conf.py ecommerce.wsgi", "web"),
        ("/venv/bin/celery -A ecommerce worker -Q payments", "worker"),
        ("/lib/celery/__main__.py --quiet -A ecommerce beat", "beat"),
        ("manage.py export_metrics", "export_metrics"),
        ("manage.py", "manage.py"),
        ("/usr/bin/pytest", "pytest"),
        ("", ""),
    ],
)
def test_the_command_tells_what_a_process_is_for(command: str, role: str) -> None:
    assert process_role(command.split()) == role


# Exceptions


def test_an_exception_is_a_field_of_its_line_without_its_words() -> None:
    line = as_line(caught(ValueError("Ada\nlives here")))

    assert line["error"] == "ValueError"
    assert line["exception"].splitlines()[0] == "Traceback (most recent call last):"
    assert 'File "ecommerce/tests/test_logs.py", line' in line["exception"]
    assert "Ada" not in str(line)


def test_to_developers_an_exception_keeps_its_words() -> None:
    assert "Ada" in as_line(caught(ValueError("Ada")), discreet=False)["exception"]


def test_celery_reports_a_failed_task_without_the_words_of_its_exception() -> None:
    app = Celery(set_as_current=False, broker="memory://")
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(JSONLines().format(record))  # type: ignore[method-assign]
    logger = logging.getLogger("celery.app.trace")
    logger.addHandler(handler)

    @app.task(name="fails")
    def fails(*, name: str) -> None:
        raise ValueError(name)

    try:
        fails.apply(kwargs={"name": "Ada"}, throw=False)
    finally:
        logger.removeHandler(handler)

    [line] = map(json.loads, lines)
    assert line["message"].startswith("Task fails[")
    assert line["message"].endswith("raised unexpected: ValueError")
    assert line["level"] == "ERROR"
    assert "Ada" not in str(line)


def test_a_message_that_is_an_exceptions_text_becomes_its_class() -> None:
    record = caught(ValueError("Ada lives here"))
    record.msg = "Invalid: Ada lives here"

    assert as_line(record)["message"] == "Invalid: ValueError"


def test_what_nobody_catches_is_logged_in_a_thread_too(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    try:
        catch_all()
        with caplog.at_level(logging.CRITICAL, logger="ecommerce.uncaught"):
            thread = threading.Thread(target=lambda: 1 / 0)
            thread.start()
            thread.join()
            sys.excepthook(ValueError, ValueError("Ada"), None)
    finally:
        logging.captureWarnings(capture=False)

    lines = [as_line(record) for record in caplog.records]
    assert [(line["level"], line["error"]) for line in lines] == [
        ("CRITICAL", "ZeroDivisionError"),
        ("CRITICAL", "ValueError"),
    ]


# Requests


def access_line(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    (record,) = [record for record in caplog.records if record.name == "ecommerce.access"]
    return as_line(record)


def test_each_request_is_logged_once_without_its_query(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="ecommerce.access"):
        client.get("/api/v1/errors?q=secret", headers={"X-Request-Id": "abc-12345"})

    line = access_line(caplog)
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/v1/errors", 200)
    assert line["duration_ms"] >= 0
    assert "secret" not in str(line)


@pytest.mark.django_db
def test_a_path_is_logged_as_its_pattern_with_the_ids_in_it(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    order = "0198c2d5-0000-7000-8000-000000000001"
    with caplog.at_level(logging.INFO, logger="ecommerce.access"):
        client.get(f"/api/v1/orders/{order}")

    line = access_line(caplog)
    assert line["route"] == "/api/v1/orders/<id:order_id>"
    assert line["order_id"] == order
    assert (line["status"], line["code"]) == (404, "unknown_order")


@pytest.mark.parametrize("path", ["/ada@example.com", "/api/v1/errors/ada-byron", "/Ada Byron"])
def test_words_in_a_path_are_not_logged(
    client: Client, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    with caplog.at_level(logging.INFO, logger="ecommerce.access"):
        client.get(path)

    assert "ada" not in str(access_line(caplog)).lower()


def test_what_django_says_of_a_request_names_its_route() -> None:
    request = RequestFactory().get("/Ada")
    record = logging.getLogger("django.request").makeRecord(
        *("django.request", logging.ERROR, __file__, 1, "%s: %s", ("Server Error", "/Ada"), None),
        extra={"request": request, "status_code": 500},
    )

    assert as_line(record)["message"] == "Server Error: unmatched"


def test_the_schema_is_written_down_for_people() -> None:
    page = (settings.BASE_DIR / "docs" / "logging.md").read_text()
    fields = {*FACTS, *formatted("x"), "request_id", "trace_id", "span_id", "error", "exception"}

    assert {name for name in fields if f"`{name}`" not in page} == set()
