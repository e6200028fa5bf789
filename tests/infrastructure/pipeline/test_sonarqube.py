"""Code Quality and Quality Gate, by make, with a SonarQube on the loopback."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

TASK = "projectKey=ecommerce\nserverUrl=http://203.0.113.9\nceTaskId=TASK-7\n"
PASSED = {"projectStatus": {"status": "OK", "conditions": []}}
FAILED = {
    "projectStatus": {
        "status": "ERROR",
        "conditions": [
            {"status": "OK", "metricKey": "new_violations"},
            {
                "status": "ERROR",
                "metricKey": "new_coverage",
                "actualValue": "61.5",
                "errorThreshold": "80",
            },
        ],
    }
}


class SonarQube:
    """Answers in order; the last answer of a path is repeated."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[tuple[str, dict[str, list[str]], str | None]] = []
        self.answers: dict[str, list[Any]] = {
            "/api/ce/task": [{"task": {"status": "SUCCESS", "analysisId": "ANALYSIS-9"}}],
            "/api/qualitygates/project_status": [PASSED],
        }


@pytest.fixture
def sonarqube() -> Iterator[SonarQube]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            server.asked.append((url.path, parse_qs(url.query), self.headers["Authorization"]))
            waiting = server.answers[url.path]
            answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            self.send_response(answer if isinstance(answer, int) else 200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = SonarQube(f"http://127.0.0.1:{http.server_port}")
    thread = Thread(target=http.serve_forever)
    thread.start()
    yield server
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def place(workplace):
    """A checkout whose own checks pass, and in which an analysis has begun."""
    (workplace.folder / "build" / "sonar").mkdir(parents=True)
    (workplace.folder / "build" / "sonar" / "report-task.txt").write_text(TASK)
    return workplace


def gate(place, sonarqube, **variables):
    """Ask for SonarQube's part of the gate."""
    return place.run(
        *(".venv/bin/python", "config/pipeline/sonarqube.py", "gate"),
        **{"SONAR_HOST_URL": sonarqube.url, "SONAR_TOKEN": "squ_x"} | variables,
    )


@pytest.mark.slow
@pytest.mark.parametrize("given", [{}, {"SONAR_TOKEN": "x"}, {"SONAR_HOST_URL": "http://x"}])
def test_without_server_or_token_one_sentence_says_what_is_missing(workplace, programs, given):
    done = workplace.make("code-quality", **given)

    assert done.returncode != 0
    assert "Refused: set SONAR_HOST_URL and SONAR_TOKEN" in done.stderr
    assert programs.calls() == []


def test_the_scanner_is_told_which_commit_it_looks_at(workplace, programs, sonarqube):
    commit = workplace.git("rev-parse", "HEAD")

    done = workplace.make("code-quality", SONAR_HOST_URL=sonarqube.url, SONAR_TOKEN="x")

    assert done.returncode == 0, done.stderr
    assert [str(call) for call in programs.calls()] == [
        f"sonar-scanner -Dsonar.projectVersion={commit}"
    ]


@pytest.mark.slow
def test_a_topic_branch_and_a_pull_request_are_analysed_as_such(workplace, programs, sonarqube):
    server = {"SONAR_HOST_URL": sonarqube.url, "SONAR_TOKEN": "x"}

    workplace.make("code-quality", **server, BRANCH_NAME="main")
    workplace.make("code-quality", **server, BRANCH_NAME="topic")
    workplace.make(
        "code-quality",
        **server,
        BRANCH_NAME="PR-5",
        CHANGE_ID="5",
        CHANGE_BRANCH="topic",
        CHANGE_TARGET="main",
    )

    assert [call.arguments[1:] for call in programs.calls()] == [
        [],
        ["-Dsonar.branch.name=topic"],
        [
            "-Dsonar.pullrequest.key=5",
            "-Dsonar.pullrequest.branch=topic",
            "-Dsonar.pullrequest.base=main",
        ],
    ]


@pytest.mark.slow
def test_a_scanner_that_fails_fails_the_stage(workplace, programs, sonarqube):
    programs.answer("sonar-scanner", err="EXECUTION FAILURE", code=2)

    done = workplace.make("code-quality", SONAR_HOST_URL=sonarqube.url, SONAR_TOKEN="x")

    assert done.returncode != 0
    assert "EXECUTION FAILURE" in done.stderr


def test_the_gate_of_this_very_analysis_is_asked_for_when_it_is_ready(place, sonarqube):
    waiting = [{"task": {"status": status}} for status in ("PENDING", "IN_PROGRESS")]
    sonarqube.answers["/api/ce/task"][:0] = waiting

    done = gate(place, sonarqube)

    assert done.returncode == 0, done.stderr
    task = ("/api/ce/task", {"id": ["TASK-7"]}, "Bearer squ_x")
    verdict = ("/api/qualitygates/project_status", {"analysisId": ["ANALYSIS-9"]}, "Bearer squ_x")
    assert sonarqube.asked == [task, task, task, verdict]


def test_a_failed_gate_names_what_failed(place, sonarqube):
    sonarqube.answers["/api/qualitygates/project_status"] = [FAILED]

    done = gate(place, sonarqube)

    assert done.returncode != 0
    assert "the quality gate is ERROR: new_coverage is 61.5, the limit is 80" in done.stderr


@pytest.mark.slow
def test_a_project_without_a_gate_does_not_pass(place, sonarqube):
    none = {"projectStatus": {"status": "NONE", "conditions": []}}
    sonarqube.answers["/api/qualitygates/project_status"] = [none]

    assert "the quality gate is NONE" in gate(place, sonarqube).stderr


@pytest.mark.slow
@pytest.mark.parametrize("status", ["FAILED", "CANCELED"])
def test_an_analysis_that_failed_does_not_pass(place, sonarqube, status):
    sonarqube.answers["/api/ce/task"] = [{"task": {"status": status, "errorMessage": "no memory"}}]

    assert f"SonarQube's analysis is {status}: no memory" in gate(place, sonarqube).stderr


def test_the_waiting_is_bounded(place, sonarqube):
    sonarqube.answers["/api/ce/task"] = [{"task": {"status": "PENDING"}}]

    done = gate(place, sonarqube, SONAR_PATIENCE_SECONDS="0")

    assert done.returncode != 0
    assert "has not finished within 0 seconds" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("answer", [401, 500])
def test_a_server_that_does_not_answer_does_not_pass(place, sonarqube, answer):
    sonarqube.answers["/api/ce/task"] = [answer]

    done = gate(place, sonarqube)

    assert done.returncode != 0
    assert f"does not answer api/ce/task: HTTP Error {answer}" in done.stderr
    assert "squ_x" not in done.stderr


@pytest.mark.slow
def test_a_gate_without_an_analysis_is_refused(workplace, sonarqube):
    done = gate(workplace, sonarqube)

    assert done.returncode != 0
    assert "`make code-quality` writes it" in done.stderr


def test_every_file_that_the_analysis_reads_is_there_or_is_written_by_the_tests(checkout):
    lines = (checkout / "sonar-project.properties").read_text().splitlines()
    properties = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    makefile = (checkout / "Makefile").read_text().replace("$(REPORTS)", "build/reports")

    for name in ("sonar.sources", "sonar.tests"):
        for folder in properties[name].split(","):
            assert (checkout / folder).exists(), folder
    for name in ("sonar.python.coverage.reportPaths", "sonar.python.xunit.reportPath"):
        assert properties[name] in makefile
    assert properties["sonar.working.directory"] == "build/sonar"
