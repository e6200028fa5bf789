"""Code Quality and Quality Gate: have SonarQube analyse the code, and ask what it thinks of it."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from programs import Refused, carry_out, run
from released_image import checked_out_commit

TASK = Path("build/sonar/report-task.txt")
PATIENCE_SECONDS = float(os.environ.get("SONAR_PATIENCE_SECONDS", "300"))
PAUSE_SECONDS = 2
UNFINISHED = {"PENDING", "IN_PROGRESS"}


def analyse() -> None:
    """Send this commit to SonarQube; sonar-project.properties says what of it. Raises Refused."""
    _server()
    TASK.unlink(missing_ok=True)
    run("sonar-scanner", f"-Dsonar.projectVersion={checked_out_commit()}", *_of_branch())


def _of_branch() -> list[str]:
    """Return what SonarQube has to know of a branch beside main, from Jenkins' variables."""
    known = os.environ
    if "CHANGE_ID" in known:
        return [
            f"-Dsonar.pullrequest.key={known['CHANGE_ID']}",
            f"-Dsonar.pullrequest.branch={known['CHANGE_BRANCH']}",
            f"-Dsonar.pullrequest.base={known['CHANGE_TARGET']}",
        ]
    branch = known.get("BRANCH_NAME", "main")
    return [] if branch == "main" else [f"-Dsonar.branch.name={branch}"]


def gate() -> None:
    """Wait until SonarQube is done with this analysis; refuse what fails its gate."""
    _server()
    if not TASK.exists():
        raise Refused(f"there is no {TASK}; `make code-quality` writes it.")
    known = dict(line.split("=", 1) for line in TASK.read_text().splitlines() if "=" in line)
    analysis = _finished_analysis(known["ceTaskId"])
    status = _ask("api/qualitygates/project_status", analysisId=analysis)["projectStatus"]
    if status["status"] != "OK":
        raise Refused(f"the quality gate is {status['status']}: {_failed(status['conditions'])}")
    print("The quality gate is passed.")


def _finished_analysis(task_id: str) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        task = _ask("api/ce/task", id=task_id)["task"]
        if task["status"] == "SUCCESS":
            return str(task["analysisId"])
        if task["status"] not in UNFINISHED:
            why = task.get("errorMessage", "it gives no reason")
            raise Refused(f"SonarQube's analysis is {task['status']}: {why}.")
        if time.monotonic() > deadline:
            raise Refused(f"SonarQube has not finished within {PATIENCE_SECONDS:.0f} seconds.")
        time.sleep(PAUSE_SECONDS)


def _failed(conditions: list[dict[str, Any]]) -> str:
    bad = (each for each in conditions if each["status"] != "OK")
    found = [
        f"{each['metricKey']} is {each.get('actualValue', 'unknown')}, "
        f"the limit is {each.get('errorThreshold', 'unknown')}"
        for each in bad
    ]
    return "; ".join(found) or "no condition is named"


def _ask(path: str, **question: str) -> dict[str, Any]:
    """Ask the server that the environment names: the file of the scanner may not choose one."""
    url, token = _server()
    request = Request(
        f"{url.rstrip('/')}/{path}?{urlencode(question)}",
        headers={"Authorization": f"Bearer {token}"},
    )
    try:
        with urlopen(request, timeout=30) as answer:
            content: dict[str, Any] = json.load(answer)
            return content
    except (URLError, TimeoutError, ValueError) as error:
        raise Refused(f"SonarQube at {url} does not answer {path}: {error}.") from error


def _server() -> tuple[str, str]:
    url, token = os.environ.get("SONAR_HOST_URL", ""), os.environ.get("SONAR_TOKEN", "")
    if not url or not token:
        raise Refused(
            "set SONAR_HOST_URL and SONAR_TOKEN, the address of a SonarQube server and a token of "
            "it; without them only `make check` judges the code."
        )
    return url, token


if __name__ == "__main__":
    carry_out({"analyse": analyse, "gate": gate}[sys.argv[1]])
