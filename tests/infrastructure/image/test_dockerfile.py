"""The Dockerfile: hadolint, our own rules, and that both see what is planted."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import dockerfile
import pytest


@pytest.fixture
def text(checkout: Path) -> str:
    return (checkout / "Dockerfile").read_text()


@pytest.fixture
def lint(tool, checkout: Path) -> Callable[[Path], subprocess.CompletedProcess[str]]:
    command = [tool("hadolint"), "--config", checkout / ".hadolint.yaml", "--no-color"]

    def lint(file: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, file], check=False, capture_output=True, text=True)

    return lint


def test_hadolint_has_nothing_against_it(lint, checkout):
    linted = lint(checkout / "Dockerfile")

    assert (linted.returncode, linted.stdout) == (0, "")


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ("RUN apt-get update && apt-get install curl\n", "DL3008"),
        ("USER root\n", "DL3002"),
        ("FROM docker.io/library/python:latest\n", "DL3007"),
        ("RUN cd /tmp && echo $UNQUOTED\n", "DL3003"),
        ("ADD templates /app/templates\n", "DL3020"),
        ('CMD ["one"]\nCMD ["two"]\n', "DL4003"),
    ],
)
def test_hadolint_refuses_what_is_planted(lint, text, tmp_path, planted, said):
    file = tmp_path / "Dockerfile"
    file.write_text(text + planted)

    linted = lint(file)

    assert linted.returncode != 0
    assert said in linted.stdout


def test_our_rules_have_nothing_against_it(text):
    assert dockerfile.findings(text) == []


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("# One image", "# syntax=docker/dockerfile:1\n# One image", "A syntax line"),
        ("python:3.11-slim-bookworm", "python", "The base image has no version"),
        ("FROM ${PYTHON_IMAGE} AS base", "FROM python:3.11 AS base", "no build argument can pin"),
        (' "--require-hashes",', "", "pip install without --require-hashes"),
        (' "--no-deps",', "", "pip install without --no-deps"),
        ('"--only-binary=:all:", ', "", "pip install without --only-binary"),
        ("ENV STATIC_ROOT", "ENV SECRET_KEY=x STATIC_ROOT", "A secret would stay in the image"),
        ("COPY templates templates", "ADD templates templates", "ADD may fetch"),
        ('CMD ["gunicorn", "-c", "config/gunicorn.conf.py", "ecommerce.wsgi"]',
         "CMD gunicorn ecommerce.wsgi", "CMD needs a shell"),
        ('CMD ["gunicorn",', 'CMD ["sh", "-c", "gunicorn",', "CMD calls a shell"),
        ("RUN [\"groupadd\", \"--system\", \"--gid\", \"10001\", \"store\"]",
         "RUN groupadd store", "RUN needs a shell"),
        ("STOPSIGNAL SIGTERM\n", "", "The last stage says no STOPSIGNAL"),
        ("COPY --from=code /app /app", "COPY . /app", "copies from the checkout"),
        ("EXPOSE 8000 9100\n", 'EXPOSE 8000\nRUN ["ls"]\n', "The last stage runs something"),
    ],
)  # fmt: skip
def test_our_rules_refuse_what_is_planted(text, right, wrong, said):
    assert right in text

    found = dockerfile.findings(text.replace(right, wrong))

    assert any(said in finding for finding in found), found


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ('CMD ["curl", "http://127.0.0.1:8000/"]', "asks for curl"),
        ("CMD curl http://127.0.0.1:8000/", "HEALTHCHECK needs a shell"),
    ],
)
def test_a_health_check_by_other_means_is_refused(text, check, said):
    found = dockerfile.findings(f"{text}HEALTHCHECK --timeout=3s {check}\n")

    assert any(said in finding for finding in found), found


def test_an_image_that_ends_as_root_is_refused(text):
    assert "The image does not end as user 10001:10001." in dockerfile.findings(f"{text}USER 0\n")


def test_what_the_build_sees_is_named_file_by_file(checkout):
    """Nothing gets into a build that .dockerignore has not let in, so no .env and no .git."""
    entries = [
        line
        for line in (checkout / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]

    assert entries[0] == "*"
    assert {entry for entry in entries if entry.startswith("!")} == {
        *("!requirements.lock", "!requirements-sandbox.lock", "!manage.py"),
        *("!config/gunicorn.conf.py", "!templates", "!static", "!ecommerce", "!apps"),
    }
    assert {"**/tests", "**/__pycache__"} <= set(entries)
