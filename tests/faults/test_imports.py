"""kill -9 while a file of products is taken in: each product comes in once, and none by half."""

import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_store import CHECKOUT, RunningStore, eventually

WORKER = ("celery", "pictures,index")
PRODUCTS = 3_200  # eight batches, because of the long texts: three kills see at most two each
LEASE = 120  # after which another worker takes over


def rows_of(name: str) -> Iterator[dict[str, str]]:
    """Yield a file as an export writes it, two variants a product."""
    text = "It is kept in a cool and dry place, and eaten within a week. " * 160
    for number in range(PRODUCTS):
        for size in ("S", "L"):
            is_first = size == "S"
            yield {
                "external_ref": f"{name}-{number}",
                "slug": f"{name}-{number}",
                "name": f"Apples {number}" if is_first else "",
                "description": text if is_first else "",
                "brand": f"Farm {number % 7}" if is_first else "",
                "category": f"Food > {name} {number % 5}" if is_first else "",
                "tags": f"{name}, tag {number % 3}" if is_first else "",
                "status": "published" if is_first else "",
                "sku": f"{name}-{number}-{size}".upper(),
                "options": f'{{"size":"{size}"}}',
                "price": f"{number % 90 + 1}.50",
                "on_hand": str(number % 10),
            }


def written(file: Path, name: str) -> Path:
    rows = list(rows_of(name))
    with file.open("w", newline="", encoding="utf-8") as text:
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return file


def judge(store: RunningStore, name: str, folder: Path) -> None:
    """Require what an import that nothing has disturbed leaves behind."""
    file = folder / "export.csv"
    exported = store.manage("export_products", "--with-stock", "--output", str(file))
    assert exported.returncode == 0, exported.stderr
    with file.open(newline="", encoding="utf-8") as text:
        found = [row for row in csv.DictReader(text) if row["external_ref"].startswith(f"{name}-")]
    expected = list(rows_of(name))
    assert [{column: row[column] for column in expected[0]} for row in found] == expected
    assert {row["version"] for row in found} == {"1", ""}
    proof = store.manage("inventory", "verify")
    assert proof.returncode == 0, proof.stdout + proof.stderr


def test_a_killed_command_goes_on_where_it_was(own_store, seed, say, tmp_path):
    chance = random.Random(seed)
    file = written(tmp_path / "products.csv", "command")
    command = [sys.executable, "manage.py", "import_products", str(file)]
    arguments = ["--on-error", "reject_everything"]
    killed_at = []

    for words in ("Import", "checking: ", "checking: ", "writing: ", "writing: ", "writing: "):
        with subprocess.Popen(
            [*command, *arguments],
            cwd=CHECKOUT,
            env=os.environ | own_store.variables(),
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            said = ""
            for line in process.stdout:
                if line.startswith("Import"):
                    arguments = ["--resume", line.split()[1]]
                said = line.strip()
                if said.startswith(words):
                    break
            time.sleep(chance.uniform(0, 0.6))
            process.kill()
        assert process.returncode == -signal.SIGKILL, said
        killed_at.append(said)
    done = subprocess.run(
        [*command, *arguments],
        cwd=CHECKOUT,
        env=os.environ | own_store.variables(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{PRODUCTS} products read: {PRODUCTS} created, 0 changed, 0 unchanged" in done.stdout
    judge(own_store, "command", tmp_path)
    say(f"import_products killed at {', '.join(killed_at[1:])}; each product came in once")


@pytest.mark.parametrize("part", ["children", "main process"])
def test_a_killed_worker_is_replaced_by_one_that_goes_on(own_store, staff, say, tmp_path, part):
    name = part.partition(" ")[0]
    file = written(tmp_path / "products.csv", name)
    sent = staff.http.post(
        "/imports", content=file.read_bytes(), headers={**staff.headers, "Content-Type": "text/csv"}
    )
    assert sent.status_code == 202, sent.text
    path = f"/imports/{sent.json()['id']}"

    def told() -> dict:
        return staff.get(path)

    eventually(told, lambda now: now["products"]["read"], patience=60)
    main = own_store.main_process(*WORKER)
    children = [pid for pid in own_store.processes(*WORKER) if pid != main]
    for pid in [main] if part == "main process" else children:
        os.kill(pid, signal.SIGKILL)
    killed = told()["products"]["read"]
    done = eventually(told, lambda now: now["state"] != "running", patience=LEASE + 120)

    assert killed < PRODUCTS
    assert (done["state"], done["products"]["created"]) == ("completed", PRODUCTS)
    judge(own_store, name, tmp_path)
    say(f"a worker's {part} killed after {killed} products; each product came in once")
