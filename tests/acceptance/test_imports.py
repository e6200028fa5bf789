"""Files of products that are large: a real catalog there and back, memory that does not grow."""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.place import Place, place
from benchmarks.search import why_not
from ecommerce.local.state import CHECKOUT

TOLD_BY_THE_STORE = ("id", "version")
KILOBYTES_A_PRODUCT = 10
# What is measured is the same with 1000, and takes ten times as long.
MEGABYTES = int(os.environ.get("IMPORT_MEGABYTES") or 100)


@dataclass(frozen=True, slots=True)
class Run:
    """A command that has ended: its last line, how long it took, and its largest size."""

    said: str
    seconds: float
    peak_mb: int


@pytest.fixture(scope="module")
def here() -> Iterator[Place]:
    """A database of its own, without a store around it."""
    given = dict(os.environ)
    with place() as found:
        yield found
    os.environ.update(given)


@pytest.fixture
def empty(here: Place) -> Place:
    here.execute(
        "SET session_replication_role = replica",  # the ledger is not to be emptied otherwise
        "TRUNCATE catalog_product, catalog_brand, catalog_category, catalog_import CASCADE",
    )
    return here


def manage(here: Place, *arguments: object) -> Run:
    """Run a management command, which has to succeed."""
    log = here.folder / "manage.log"
    began = time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *map(str, arguments)],
            cwd=CHECKOUT,
            env=dict(here.environment),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
    said = log.read_text().strip()
    assert os.waitstatus_to_exitcode(status) == 0, said[-2000:]
    last = said.rpartition("\n")[2]
    return Run(last, time.monotonic() - began, usage.ru_maxrss // 1024)


def told_by_people(file: Path) -> list[dict[str, str]]:
    """Return the rows of an export without what each store tells for itself."""
    with file.open(newline="", encoding="utf-8") as text:
        return [
            {name: cell for name, cell in row.items() if name not in TOLD_BY_THE_STORE}
            for row in csv.DictReader(text)
        ]


# First in this file: a child counts what its parent held when it was started.
@pytest.mark.local
@pytest.mark.parametrize("options", [("--dry-run",), ()], ids=["compared", "written"])
def test_ten_times_as_large_a_file_takes_no_more_memory(
    empty: Place, tmp_path: Path, say: Callable[[str], None], options: tuple[str, ...]
) -> None:
    peaks = []
    for megabytes in (MEGABYTES // 10, MEGABYTES):
        file = tmp_path / f"{megabytes}.jsonl"
        products = _write(file, megabytes)
        run = manage(empty, "import_products", file, *options)
        assert run.said.startswith(f"{products} products read: ")
        assert " 0 failed" in run.said
        peaks.append(run.peak_mb)
        say(
            f"{file.stat().st_size / 1e6:,.0f} MB, {products} products {' '.join(options)}: "
            f"{run.seconds:.0f} s, {run.peak_mb} MB at most"
        )
        file.unlink()

    few, many = peaks
    assert many < few * 1.15


@pytest.mark.local
def test_the_real_catalog_comes_in_goes_out_and_comes_in_again_without_a_change(
    empty: Place, tmp_path: Path, say: Callable[[str], None]
) -> None:
    if reason := why_not():
        say(f"The real catalog was not taken in. {reason}")
        pytest.skip(reason)
    manage(empty, "load_complete_journey", "--report", tmp_path / "report")
    manage(empty, "export_products", "--with-stock", "--output", tmp_path / "real.csv")
    rows = told_by_people(tmp_path / "real.csv")
    [(products,)] = empty.execute("SELECT count(*) FROM catalog_product")
    with (tmp_path / "new.csv").open("w", newline="", encoding="utf-8") as text:
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    empty.execute(
        "SET session_replication_role = replica",
        "TRUNCATE catalog_product, catalog_brand, catalog_category CASCADE",
    )

    first = manage(empty, "import_products", tmp_path / "new.csv")
    runs = [("CSV, all new", first)]
    for file_format in ("csv", "jsonl"):
        file = tmp_path / f"out.{file_format}"
        options = ("--format", file_format, "--with-stock", "--output", file)
        runs.append((f"exported as {file_format}", manage(empty, "export_products", *options)))
        again = manage(empty, "import_products", file)
        runs.append((f"{file_format} again", again))
        assert again.said == (
            f"{products} products read: 0 created, 0 changed, {products} unchanged, 0 failed"
        )

    assert first.said == (
        f"{products} products read: {products} created, 0 changed, 0 unchanged, 0 failed"
    )
    assert told_by_people(tmp_path / "out.csv") == rows
    for what, run in runs:
        rate = int(str(products)) / run.seconds
        say(
            f"{products} real products, {what}: {run.seconds:.0f} s, {rate:,.0f} products/s, "
            f"load {os.getloadavg()[0]:.1f}"
        )


def _write(file: Path, megabytes: int) -> int:
    products = megabytes * 1000 // KILOBYTES_A_PRODUCT
    with file.open("wb") as output:
        for number in range(products):
            sentence = f"Product {number} is kept in a cool and dry place. "
            document = {
                "external_ref": f"large-{number}",
                "name": f"Product {number}",
                "description": (sentence * (10_000 // len(sentence)))[:9_800],
                "category": ["Food"],
                "status": "published",
                "variants": [{"sku": f"LARGE-{number}", "price": "1.50", "on_hand": 3}],
            }
            output.write(json.dumps(document).encode() + b"\n")
    return products


def _answer(url: str, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    """Send no more than the beginning of a file; return the status and the problem."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.putrequest("POST", "/api/v1/imports")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(b"b\r\nsku,price\r\n\r\n")
    answer = connection.getresponse()
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status, json.load(answer)


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        (("Content-Length", str(1 << 30)), 413, "body_too_large"),
        (("Transfer-Encoding", "chunked"), 411, "length_required"),
    ],
    ids=["told", "not-told"],
)
def test_a_file_of_a_gigabyte_is_refused_before_it_is_sent(store_url, staff, header, status, code):
    sent = {**staff.headers, "Content-Type": "text/csv", header[0]: header[1]}

    answered, problem = _answer(store_url, sent)

    assert (answered, problem["code"]) == (status, code)
