"""What is logged."""

import json
import logging
import sys
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from ecommerce.logs import JSONLines, request_id


def formatted(message: str, *arguments: object, **extra: object) -> dict[str, Any]:
    record = logging.getLogger("test").makeRecord(
        "test", logging.INFO, __file__, 1, message, arguments, None, extra=extra
    )
    line = JSONLines().format(record)
    assert "\n" not in line
    assert "\r" not in line
    fields: dict[str, Any] = json.loads(line)
    return fields


def test_a_line_is_one_json_object_with_an_aware_time() -> None:
    line = formatted("sold %d", 3)

    assert (line["message"], line["level"], line["logger"]) == ("sold 3", "INFO", "test")
    offset = datetime.fromisoformat(line["time"]).utcoffset()
    assert offset is not None
    assert offset.total_seconds() == 0
    assert "request_id" not in line


def test_extra_becomes_fields_and_strange_things_become_text() -> None:
    line = formatted("x", order="A-1", lines=3, thing=object)

    assert (line["order"], line["lines"]) == ("A-1", 3)
    assert line["thing"] == "<class 'object'>"


@pytest.mark.parametrize("bad", ["a\r\nlevel: ERROR", "a\n{}", "\x1b[31mred", "\u2028", "\0"])
def test_line_breaks_and_control_characters_are_inert(bad: str) -> None:
    line = formatted(bad, path=bad)

    assert (line["message"], line["path"]) == (bad, bad)


def test_what_json_has_no_form_for_is_logged_all_the_same() -> None:
    line = formatted("\ud800", path="\udcff", count=10**30)

    assert (line["message"], line["path"], line["count"]) == ("\ud800", "\udcff", 10**30)


def test_an_exception_is_a_field_of_its_line() -> None:
    try:
        raise ValueError("a\nb")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "m", (), sys.exc_info())

    line = json.loads(JSONLines().format(record))

    assert line["exception"].startswith("Traceback")


def test_lines_of_a_request_carry_its_id() -> None:
    token = request_id.set("abc-12345")
    try:
        assert formatted("x")["request_id"] == "abc-12345"
    finally:
        request_id.reset(token)


def test_each_request_is_logged_once_without_its_query(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="ecommerce.access"):
        client.get("/api/v1/errors?token=secret", headers={"X-Request-Id": "abc-12345"})

    (record,) = [record for record in caplog.records if record.name == "ecommerce.access"]
    fields = vars(record)
    assert (fields["method"], fields["path"], fields["status"]) == ("GET", "/api/v1/errors", 200)
    assert fields["duration_ms"] >= 0
    assert "secret" not in JSONLines().format(record)
