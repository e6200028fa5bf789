"""The way of a line, as far as it can be walked here: container, shape.lua, template, search.

What stands in for Fluent Bit is a model of the three steps that our configuration asks of it: it
knows the pod, it reads JSON under `line`, it calls shape.lua. Only the last is the real program.
What stands in for Elasticsearch is an emulator that speaks its interface.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import toolbox
import yaml
from running_store import eventually, free_port

CONFIG = toolbox.CHECKOUT / "config"
FLUENT_BIT = CONFIG / "fluent-bit" / "fluent-bit.yaml"
SEARCHES = CONFIG / "kibana" / "saved-objects.ndjson"
DAY = "2026.11.25"


def configuration() -> dict:
    return dict(yaml.safe_load(FLUENT_BIT.read_text()))


def read(line: str, *, namespace: str = "ecommerce-staging", pod: str = "web-1") -> dict:
    """Return what the filter for Kubernetes makes of a line, with `merge_log_key: line`."""
    record: dict = {
        "log": line,
        "stream": "stdout",
        "kubernetes": {
            "namespace_name": namespace,
            "pod_name": pod,
            "container_name": "ecommerce",
            "host": "node-1",
            "docker_id": "0123",
            "container_image": "sha256:0123",
        },
    }
    if line.startswith("{"):
        with suppress(ValueError):
            record["line"] = json.loads(line)
    return record


def is_noise(line: str) -> bool:
    """Tell whether the grep filter leaves the line out."""
    [grep] = [each for each in configuration()["pipeline"]["filters"] if each["name"] == "grep"]
    return any(re.search(rule.removeprefix("log "), line) for rule in grep["exclude"])


def shaped(records: list[dict]) -> list[dict]:
    """Return what shape.lua makes of the records, in LuaJIT. Raises CannotHave."""
    [filter_] = [each for each in configuration()["pipeline"]["filters"] if each["name"] == "lua"]
    python = toolbox.python_environment("logging") / "bin" / "python"
    done = subprocess.run(
        [str(python), str(Path(__file__).with_name("shape.py"))],
        input=json.dumps(
            {
                "script": (FLUENT_BIT.parent / filter_["script"]).read_text(),
                "call": filter_["call"],
                "records": records,
            }
        ),
        capture_output=True,
        text=True,
        check=True,
    )
    results = json.loads(done.stdout)
    assert {result["code"] for result in results} <= {2}  # changed, the time stays
    return [result["record"] for result in results]


def saved_objects() -> list[dict]:
    return [json.loads(line) for line in SEARCHES.read_text().splitlines()]


def query_of(search: dict) -> str:
    """Return the query of a saved search, in Kibana's language."""
    source = json.loads(search["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
    return str(source["query"]["query"])


def fields_in(query: str) -> set[str]:
    """Return the fields that a query in Kibana's language asks for."""
    return set(re.findall(r"([\w@.]+)\s*(?::|>=|<=|>|<)", re.sub(r'"[^"]*"', '""', query)))


def as_lucene(query: str) -> str:
    """Return the query in Lucene's language, which the emulator knows. For our queries only."""
    text = re.sub(r"\b(and|or|not)\b", lambda word: word[0].upper(), query)
    text = re.sub(r"\s*(>=|<=)\s*", r":\1", text).replace(" : ", ":")
    text = re.sub(r":(\d+)", r":[\1 TO \1]", text)  # it finds numbers in ranges only
    return re.sub(r"(?<=[:/\w])/|(?<=:)/", r"\\/", text)


@contextmanager
def emulator(folder: Path) -> Iterator[httpx.Client]:
    """Give a client of an Elasticsearch-compatible emulator. Raises CannotHave."""
    [binary] = toolbox.python_environment("logging").glob("lib/*/site-packages/noida_db/noida-db")
    port = free_port()
    command = [str(binary), "start", "--data-dir", str(folder), "--only", "elasticsearch"]
    with (
        subprocess.Popen(
            [*command, "--elasticsearch-port", str(port)],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        try:
            eventually(lambda: _answers(client), bool, patience=30)
            yield client
        finally:
            process.terminate()


def put(client: httpx.Client, records: list[dict]) -> None:
    """Put up the template and store the records by it, as Fluent Bit's output is told to."""
    template = (CONFIG / "elasticsearch" / "index-template.json").read_bytes()
    client.put(
        "/_index_template/logs-ecommerce",
        content=template,
        headers={"Content-Type": "application/json"},
    ).raise_for_status()
    lines = [
        line
        for number, record in enumerate(records)
        for line in (
            {"create": {"_index": f"{record['index_prefix']}-{DAY}", "_id": str(number)}},
            {**record, "@timestamp": record.get("time", "2026-11-25T00:00:00Z")},
        )
    ]
    body = "".join(json.dumps(line) + "\n" for line in lines)
    answer = client.post(
        "/_bulk?refresh=true", content=body, headers={"Content-Type": "application/x-ndjson"}
    )
    refused = [item for item in answer.json()["items"] if item["create"]["status"] != 201]
    assert refused == []


def found(client: httpx.Client, query: str, pattern: str = "logs-ecommerce-*") -> list[dict]:
    """Return the records that a saved search finds."""
    asked = {"size": 1000, "query": {"query_string": {"query": as_lucene(query)}}}
    answer = client.post(f"/{pattern}/_search", json=asked).raise_for_status()
    return [hit["_source"] for hit in answer.json()["hits"]["hits"]]


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/").status_code == 200
    except httpx.TransportError:
        return False
