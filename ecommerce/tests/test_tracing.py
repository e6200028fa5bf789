"""Traces: what they tell, what they never tell, and that they cost nothing while unwanted."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings

from ecommerce.local.environment import production_like_environment

pytestmark = pytest.mark.long
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = f"00-{TRACE}-00f067aa0ba902b7"
# Tracing stays on in a process, so each test has one of its own. No database answers there.
WITH_TRACES = f"""
import json, logging
import django
django.setup()
logging.disable(logging.CRITICAL)
from django.test import Client
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from apps.kernel import trail
from ecommerce import tracing

kept = InMemorySpanExporter()
provider = tracing.follow_with(kept)

def get(path, flags="01"):
    headers = {{"Host": "shop.example.com", "traceparent": "{CALLER}-" + flags}}
    Client().get(path, secure=True, headers=headers)

def tell():
    provider.force_flush()
    print(json.dumps([json.loads(span.to_json()) for span in kept.get_finished_spans()]))
"""


def in_a_process(program: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"]} | production_like_environment() | changes,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def spans_of(program: str, *, share: str = "1") -> list[dict[str, Any]]:
    done = in_a_process(WITH_TRACES + program + "\ntell()", OTEL_TRACES_SAMPLER_ARG=share)
    assert done.returncode == 0, done.stderr
    spans: list[dict[str, Any]] = json.loads(done.stdout)
    return spans


def requests_of(program: str, *, share: str = "1") -> list[dict[str, Any]]:
    return [span for span in spans_of(program, share=share) if span["kind"] == "SpanKind.SERVER"]


@pytest.mark.parametrize("module", ["ecommerce.wsgi", "ecommerce.celery"])
def test_while_nobody_wants_traces_nothing_of_them_is_imported(module: str) -> None:
    done = in_a_process(
        f"import sys, django; django.setup(); import {module};"
        "print([name for name in sys.modules if name.startswith('opentelemetry')],"
        " [each for each in django.conf.settings.MIDDLEWARE if 'telemetry' in each])"
    )

    assert (done.stdout, done.stderr) == ("[] []\n", "")


@pytest.mark.parametrize("share", ["5", "-0.1", "often", "nan"])
def test_a_share_outside_of_0_to_1_is_refused(share: str) -> None:
    done = in_a_process("import django; django.setup()", OTEL_TRACES_SAMPLER_ARG=share)

    assert f"OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, not '{share}'." in done.stderr


def test_a_request_is_a_span_of_the_callers_trace_named_for_its_route() -> None:
    [span] = requests_of("get('/api/v1/errors?email=ada@example.com')")

    assert span["name"] == "GET api/v1/errors"
    assert span["context"]["trace_id"] == f"0x{TRACE}"
    assert span["parent_id"] == "0x00f067aa0ba902b7"
    assert span["attributes"] == {
        "http.method": "GET",
        "http.route": "api/v1/errors",
        "http.status_code": 200,
    }


@pytest.mark.parametrize("path", ["/ada@example.com", "/api/v1/errors/ada-byron?q=ada"])
def test_a_span_tells_neither_path_nor_query(path: str) -> None:
    assert "ada" not in json.dumps(spans_of(f"get('{path}')"))


def test_a_failed_step_tells_the_class_of_its_exception_and_no_words() -> None:
    [span] = spans_of(f"""
try:
    with trail.following(trail.Trail("abc-12345", "{CALLER}-01"), "step"):
        raise ValueError("Ada")
except ValueError:
    pass""")

    assert span["name"] == "step"
    assert span["parent_id"] == "0x00f067aa0ba902b7"
    assert span["events"][0]["attributes"] == {"exception.type": "ValueError"}
    assert span["status"] == {"status_code": "ERROR"}
    assert "Ada" not in json.dumps(span)


def test_a_step_under_no_trail_begins_a_trace_and_hands_it_on() -> None:
    outer, inner = sorted(
        spans_of("""
with trail.following(trail.Trail(), "outer"):
    with trail.following(trail.Trail("", trail.traceparent()), "inner"):
        pass"""),
        key=lambda span: span["name"],
        reverse=True,
    )

    assert outer["parent_id"] is None
    assert inner["parent_id"] == outer["context"]["span_id"]


@pytest.mark.parametrize(("share", "count"), [("0", 0), ("1", 1)])
@pytest.mark.parametrize("flags", ["00", "01"])
def test_our_share_decides_whatever_the_caller_asks_for(share: str, count: int, flags: str) -> None:
    assert len(requests_of(f"get('/api/v1/errors', '{flags}')", share=share)) == count


def test_no_trace_context_goes_to_others() -> None:
    done = in_a_process(
        WITH_TRACES
        + f"""
from opentelemetry.propagate import inject
with trail.following(trail.Trail("", "{CALLER}-01"), "step"):
    headers = dict()
    inject(headers)
print(headers)"""
    )

    assert done.stdout == "{}\n"


def test_statements_lose_their_literals() -> None:
    done = in_a_process(
        "import django; django.setup();"
        "from ecommerce.tracing import without_values;"
        """print(without_values("SELECT a1 -- it's\\nFROM t WHERE x = 'O''Hara' AND n = 42"))"""
    )

    assert done.stdout == "SELECT a1 \nFROM t WHERE x = ? AND n = ?\n"
