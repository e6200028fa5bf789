"""Programs for PATH that write down how they were called, and answer as a test has told them."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOREIGN = (
    *("AWS_", "KUBE", "DOCKER_", "SONAR_", "STORE_"),
    *("BUILD_", "BRANCH_", "CHANGE_", "COMMIT", "APPROVED_BY"),
)
ACCOUNT = "111122223333"  # of environments.toml
ANSWERING = """#!{python}
import json, os, pathlib, sys
folder = pathlib.Path({folder!r})
call = {{"program": {name!r}, "arguments": sys.argv[1:]}}
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(call) + "\\n")
answers = json.loads((folder / "answers").read_text())
for answer in answers:
    if answer["program"] == {name!r} and set(answer["words"]) <= set(sys.argv[1:]):
        if answer["given"] is not None and sys.stdin.read() != answer["given"]:
            sys.exit("something else was given")
        for variable, path in answer["shows"].items():
            pathlib.Path(path).write_text(os.environ.get(variable, ""))
        print(answer["out"])
        print(answer["err"], file=sys.stderr)
        answer["out"] = answer["next_out"]
        (folder / "answers").write_text(json.dumps(answers))
        sys.exit(answer["code"])
"""


@dataclass(frozen=True, slots=True)
class Call:
    program: str
    arguments: list[str]

    def __str__(self) -> str:
        return " ".join([self.program, *self.arguments])


class StandIns:
    """A folder of programs. The latest answer whose words are all in a call is given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / "bin"
        self.path.mkdir(parents=True)
        self._answers: list[dict[str, Any]] = []
        self._write_answers()

    def add(self, name: str) -> None:
        """Have a program of that name, which succeeds and says nothing until it is told."""
        text = ANSWERING.format(python=sys.executable, folder=str(self._folder), name=name)
        self._install(name, text)

    def add_script(self, name: str, script: Path, **variables: str) -> None:
        """Have a program of that name that is written in Python; it records its calls itself."""
        settings = json.dumps(variables | {"CALLS": str(self._folder / "calls")})
        self._install(
            name,
            f"#!{sys.executable}\nimport os, runpy\nos.environ.update({settings})\n"
            f"runpy.run_path({str(script)!r}, run_name='__main__')\n",
        )

    def add_shell(self, name: str, line: str) -> None:
        """Have a program of that name that is one line of shell."""
        self._install(name, f"#!/bin/sh\n{line}\n")

    def _install(self, name: str, text: str) -> None:
        file = self.path / name
        file.write_text(text)
        file.chmod(0o755)

    def answer(
        self,
        program: str,
        *words: str,
        out: str = "",
        next_out: str | None = None,
        err: str = "",
        code: int = 0,
        given: str | None = None,
        shows: dict[str, str] | None = None,
    ) -> None:
        """Have the program answer so when all the words are among its arguments.

        From the second call on it prints `next_out`. `given` is what it has to be given on stdin,
        `shows` are variables of its environment with the files into which it writes them.
        """
        answer = {"program": program, "words": words, "out": out, "err": err, "code": code}
        answer |= {"next_out": out if next_out is None else next_out}
        answer |= {"given": given, "shows": shows or {}}
        self._answers.insert(0, answer)
        self._write_answers()

    def _write_answers(self) -> None:
        (self._folder / "answers").write_text(json.dumps(self._answers))

    def calls(self, *programs: str) -> list[Call]:
        """Return the calls of these programs in their order, and begin anew."""
        file = self._folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        calls = [Call(**json.loads(line)) for line in lines]
        return [call for call in calls if not programs or call.program in programs]


class Workplace:
    """A checkout of its own in which make finds the stand-ins before the real programs."""

    def __init__(self, folder: Path, programs: StandIns) -> None:
        self.folder = folder
        self.programs = programs

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
        return subprocess.run(
            ["git", *identity, *arguments],
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def commit(self, path: str, text: str) -> str:
        """Commit a file and return the commit."""
        (self.folder / path).write_text(text)
        self.git("add", path)
        self.git("commit", "--quiet", "--allow-empty", f"--message={path}")
        return self.git("rev-parse", "HEAD")

    def make(self, target: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Make the target for real and return what became of it."""
        return self.run("make", "--no-print-directory", target, **variables)

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a program in the checkout and return what became of it."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            check=False,
        )

    def environment(self, **variables: str) -> dict[str, str]:
        """Return this process's environment with the stand-ins, and without anybody's cloud."""
        foreign = (
            "AWS_",
            "SONAR_",
            "STORE_",
            "KUBE",
            "DOCKER_",
            "BUILD_",
            "BRANCH_",
            "COMMIT",
            "APPROVED_BY",
            "CHANGE_",
        )
        ours = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return ours | {"PATH": f"{self.programs.path}:{os.environ['PATH']}"} | variables
