"""From a container's output to a search in Kibana: the configuration, as far as it runs here."""

import copy
import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
import toolbox
import yaml
from mappings import MAPPED, TEMPLATE, unfit
from shipper import faults_in, plugins, variables_of
from shipping import (
    as_lucene,
    configuration,
    emulator,
    fields_in,
    found,
    is_noise,
    put,
    query_of,
    read,
    saved_objects,
    shaped,
)

sys.path.insert(0, str(toolbox.CHECKOUT))

from ecommerce.logs import FACTS, JSONLines  # pure, and outside of the suite

KUBERNETES = toolbox.CHECKOUT / "k8s" / "logging"
NUMBERS = {"status": 200, "duration_ms": 612.5}
SEARCHED = [each for each in saved_objects() if each["type"] == "search"]


def line_of(level: int = logging.INFO, logger: str = "ecommerce.access", **facts: object) -> str:
    """Return a line as the store writes it."""
    record = logging.LogRecord(logger, level, "f", 1, "request", (), None)
    record.__dict__.update(facts)
    return JSONLines(environment={"PROCESS_ROLE": "web", "RELEASE": "7d36147"}).format(record)


def full_line() -> str:
    """Return a line with every fact that there may be."""
    ids = {name: UUID(int=7) for name in FACTS if name.endswith("_id")}
    return line_of(**dict.fromkeys(FACTS - set(NUMBERS), "x") | ids | NUMBERS)


@pytest.fixture(scope="module")
def shape() -> Callable[[list[dict]], list[dict]]:
    try:
        shaped([])
    except toolbox.CannotHave as reason:
        pytest.skip(str(reason))
    return shaped


# Fluent Bit's configuration


def test_the_configuration_has_no_fault():
    assert faults_in(configuration()) == []


PLANTED: dict[str, Callable[[dict], object]] = {
    "es has no option logstash_prefx": lambda c: c["outputs"][0].update(logstash_prefx="x"),
    "tail has no option merge_log": lambda c: c["inputs"][0].update(merge_log=True),
    "filters has no kubernets": lambda c: c["filters"][0].update(name="kubernets"),
    "lua matches kubernetes.*": lambda c: c["filters"][2].update(match="kubernetes.*"),
    "filters run in the order": lambda c: c["filters"].reverse(),
    "is not kept on disk": lambda c: c["inputs"][0].update({"storage.type": "memory"}),
    "is forgotten with the pod": lambda c: c["inputs"][0].update(db="/buffer/x.db"),
    "not asked for its certificate": lambda c: c["outputs"][0].update({"tls.verify": False}),
    "http_passwd does not come": lambda c: c["outputs"][0].update(http_passwd="changeme"),
    "the buffer on disk has no limit": lambda c: c["outputs"][0].pop("storage.total_limit_size"),
    "tries are not limited": lambda c: c["outputs"][0].update(retry_limit="no_limits"),
    "is stored twice": lambda c: c["outputs"][0].update(write_operation="index"),
}


@pytest.mark.parametrize("complaint", PLANTED)
def test_a_planted_fault_is_named(complaint: str):
    planted = copy.deepcopy(configuration())

    PLANTED[complaint](planted["pipeline"])

    assert any(complaint in fault for fault in faults_in(planted))


def test_every_variable_and_folder_that_it_uses_is_given_by_the_daemon_set():
    [daemon_set] = [
        each
        for each in yaml.safe_load_all((KUBERNETES / "fluent-bit.yaml").read_text())
        if each["kind"] == "DaemonSet"
    ]
    [container] = daemon_set["spec"]["template"]["spec"]["containers"]
    given = {variable["name"] for variable in container["env"]}
    mounts = tuple(mount["mountPath"] + "/" for mount in container["volumeMounts"])
    [tail], [es] = plugins(configuration(), "inputs"), plugins(configuration(), "outputs")
    service = configuration()["service"]

    assert variables_of(configuration()) <= given
    for path in (tail["path"], tail["db"], service["storage.path"], es["tls.ca_file"]):
        assert path.startswith(mounts), path
    assert service["http_port"] in {port["containerPort"] for port in container["ports"]}


@pytest.mark.parametrize(
    ("line", "noise"),
    [
        ('10.0.1.2 - - "GET /health/ready HTTP/1.1" 200 "kube-probe/1.33"', True),
        ('10.0.1.2 - - "GET / HTTP/1.1" 200 "ELB-HealthChecker/2.0"', True),
        ('10.0.1.2 - - "GET /metrics HTTP/1.1" 200 "Prometheus/3"', True),
        ('10.0.1.2 - - "GET /healthy-food HTTP/1.1" 200 "Mozilla"', False),
        pytest.param(full_line(), False, id="a line of the store"),
    ],
)
def test_probes_are_left_out_and_nothing_else(line: str, noise: object):
    assert is_noise(line) is noise


# shape.lua, in LuaJIT


def test_a_line_of_the_store_becomes_fields_that_are_all_mapped(shape):
    line = full_line()

    [record] = shape([read(line)])

    assert record.pop("kubernetes") == {
        "namespace_name": "ecommerce-staging",
        "pod_name": "web-1",
        "container_name": "ecommerce",
        "host": "node-1",
    }
    assert record.pop("index_prefix") == "logs-ecommerce-staging"
    assert record.pop("stream") == "stdout"
    assert record == json.loads(line)


def test_what_others_write_stays_text_whatever_it_says(shape):
    foreign = '{"status": "fine", "message": {"nested": 1}, "time": 5}'

    records = shape(
        [
            read(foreign, namespace="monitoring"),
            read("worker: Warm shutdown (MainProcess)"),
            {"log": "who am I"},
        ]
    )

    assert [record["message"] for record in records] == [
        foreign,
        "worker: Warm shutdown (MainProcess)",
        "who am I",
    ]
    assert [record["index_prefix"] for record in records] == [
        "logs-monitoring",
        "logs-ecommerce-staging",
        "logs-unknown",
    ]
    assert all("status" not in record for record in records)


# The index template


def test_a_line_with_every_fact_fits_the_template():
    assert unfit(json.loads(full_line())) == []


@pytest.mark.parametrize(
    ("planted", "wrong"),
    [
        ({"shoe_size": 43}, ["shoe_size"]),
        ({"status": "200"}, ["status"]),
        ({"status": 70_000}, ["status"]),
        ({"duration_ms": True}, ["duration_ms"]),
        ({"message": 5}, ["message"]),
        ({"time": "2026-11-25T08:00:00"}, ["time"]),
        ({"level": "WARNING"}, ["level"]),
    ],
)
def test_a_line_that_does_not_fit_is_named(planted: dict, wrong: list[str]):
    assert unfit(json.loads(full_line()) | planted) == wrong


def test_a_line_without_its_level_is_refused():
    line = json.loads(full_line())
    del line["level"]

    assert unfit(line) == ["level", "level"]


def test_every_field_that_the_logger_may_write_is_mapped():
    written = {*json.loads(full_line()), "request_id", "trace_id", "span_id", "error", "exception"}

    assert written - set(MAPPED) == set()


def test_the_template_wins_over_the_one_that_would_make_data_streams():
    template = json.loads(TEMPLATE.read_text())

    assert template["index_patterns"] == ["logs-*"]
    assert template["priority"] > 100  # of Elasticsearch's own for logs-*-*
    assert "data_stream" not in template


def test_logs_are_deleted_after_thirty_days():
    policy = json.loads((TEMPLATE.parent / "lifecycle-policy.json").read_text())["policy"]
    name = json.loads(TEMPLATE.read_text())["template"]["settings"]["index.lifecycle.name"]

    assert policy["phases"]["delete"] == {"min_age": "30d", "actions": {"delete": {}}}
    assert f"_ilm/policy/{name}" in (KUBERNETES / "setup.yaml").read_text()


# Saved searches


@pytest.mark.parametrize("search", SEARCHED, ids=lambda search: search["id"])
def test_a_search_asks_for_mapped_fields_and_shows_them(search: dict):
    asked = fields_in(query_of(search))

    assert asked
    assert (asked | set(search["attributes"]["columns"])) - set(MAPPED) == set()
    assert search["attributes"]["description"]


def test_every_object_that_is_referred_to_is_there():
    objects = saved_objects()
    there = {(each["type"], each["id"]) for each in objects}

    assert len(there) == len(objects) == 7
    for each in objects:
        for reference in each["references"]:
            assert (reference["type"], reference["id"]) in there
    [view] = [each for each in objects if each["type"] == "index-pattern"]
    assert view["attributes"]["timeFieldName"] in MAPPED


def test_a_field_that_is_not_mapped_is_found_in_a_query():
    assert fields_in('levl : "ERROR" and duration >= 5') - set(MAPPED) == {"levl", "duration"}


def test_queries_keep_their_sense_in_the_emulators_language():
    assert as_lucene('a : ("x" or "y") and b >= 500') == 'a:("x" OR "y") AND b:>=500'
    assert as_lucene("not status : 429") == "NOT status:[429 TO 429]"
    assert as_lucene("route : /admin/*") == r"route:\/admin\/*"


def test_searches_find_what_they_are_for_and_nothing_else(shape, tmp_path: Path):
    lines = {
        "errors": line_of(logging.ERROR, "django.request"),
        "slow": line_of(duration_ms=500.0, status=200, method="GET", route="/"),
        "payments": line_of(logging.WARNING, "apps.orders.services.payments", code="declined"),
        "security": line_of(duration_ms=2.0, status=429, method="POST", route="/api/v1/auth/login"),
        "admin": line_of(duration_ms=2.0, status=302, method="POST", route="/admin/login/"),
        "quiet": line_of(duration_ms=2.0, status=200, method="GET", route="/admin/"),
        "foreign": "worker: Warm shutdown (MainProcess)",
    }
    records = shape([read(line, pod=name) for name, line in lines.items()])

    with emulator(tmp_path) as client:
        put(client, records)
        pods = {
            search["id"]: {
                record["kubernetes"]["pod_name"] for record in found(client, query_of(search))
            }
            for search in SEARCHED
        }

    assert pods == {
        "errors": {"errors"},
        "slow": {"slow"},
        "payments": {"payments"},
        "security": {"security", "admin"},
        "foreign": {"foreign"},
        "trail": set(),
    }
