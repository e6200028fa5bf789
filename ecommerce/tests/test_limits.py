"""How long a statement of each process may run, and may wait for a lock: asked in its session."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

ASK = """
import django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
        cursor.execute(f"SHOW {name}")
        print(*cursor.fetchone())
"""
AS_WEB = "import runpy; runpy.run_path('config/gunicorn.conf.py')\n"


def limits_of(program: str, **variables: str) -> list[str]:
    """Return lock, statement and idle limits of a process that begins with the program."""
    ours = {name: value for name, value in os.environ.items() if not name.endswith("TIMEOUT_MS")}
    return subprocess.run(
        [sys.executable, "-c", program + ASK],
        cwd=settings.BASE_DIR,
        env={**ours, "DJANGO_SETTINGS_MODULE": "ecommerce.settings", **variables},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()


def test_web_processes_answer_soon_or_give_up() -> None:
    assert limits_of(AS_WEB) == ["2s", "2s", "30s"]


def test_workers_and_commands_have_more_time() -> None:
    assert limits_of("") == ["5s", "30s", "30s"]


@pytest.mark.parametrize("program", ["", AS_WEB], ids=["a worker", "a web process"])
def test_a_deployment_decides(program: str) -> None:
    chosen = {"DATABASE_LOCK_TIMEOUT_MS": "700", "DATABASE_STATEMENT_TIMEOUT_MS": "900"}

    assert limits_of(program, **chosen) == ["700ms", "900ms", "30s"]
