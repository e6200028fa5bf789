"""What a Dockerfile of this project must be, beyond what hadolint knows. Findings are sentences."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|PRIVATE|_KEY\b|\bKEY\b", re.IGNORECASE)
RUNS_SOMETHING = {"RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"}
SHELLS = {"sh", "bash", "ash", "dash", "/bin/sh", "/bin/bash"}
PIP_MUST = ("--require-hashes", "--no-deps", "--only-binary=:all:")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, with the name of the stage it stands in ("" before the first)."""

    stage: str
    word: str
    rest: str

    def command(self) -> list[str] | None:
        """Return the words of an exec form; None for a shell form."""
        start = self.rest.find("[")
        options = self.rest[:start].split()
        if start < 0 or not all(word.startswith("--") or word == "CMD" for word in options):
            return None
        try:
            return [str(word) for word in json.loads(self.rest[start:])]
        except json.JSONDecodeError:
            return None


def instructions(text: str) -> list[Instruction]:
    """Return the instructions, continued lines joined, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    found, stage = [], ""
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            stage = rest.rpartition(" AS ")[2]
        found.append(Instruction(stage, word.upper(), rest.strip()))
    return found


def findings(text: str) -> list[str]:
    """Return what is wrong with the Dockerfile."""
    all_of_it = instructions(text)
    last_stage = all_of_it[-1].stage
    return [
        *_about_the_text(text),
        *(finding for each in all_of_it for finding in _about(each)),
        *_about_what_runs([each for each in all_of_it if each.stage == last_stage]),
    ]


def _about_the_text(text: str) -> Iterator[str]:
    if re.match(r"#\s*syntax\s*=", text):
        yield "A syntax line has the builder fetch a program from a registry."


def _about(each: Instruction) -> Iterator[str]:
    match each.word:
        case "ARG" if re.search(r"IMAGE=", each.rest) and not re.search(
            r":[\w.]*\d[\w.-]*$|@sha256:", each.rest
        ):
            yield f"The base image has no version: {each.rest}."
        case "ARG" | "ENV" if SECRET.search(re.sub(r"=\S*", "=", each.rest)):
            yield f"A secret would stay in the image: {each.word} {each.rest.partition('=')[0]}."
        case "ADD":
            yield f"ADD may fetch and unpack; COPY does neither: {each.rest}."
        case "FROM" if "$" not in each.rest and ":" in each.rest:
            yield f"A base image that no build argument can pin: {each.rest}."
        case word if word in RUNS_SOMETHING:
            yield from _about_command(each)


def _about_command(each: Instruction) -> Iterator[str]:
    command = each.command()
    if command is None:
        yield f"{each.word} needs a shell: {each.rest[:60]}."
        return
    if command[0] in SHELLS:
        yield f"{each.word} calls a shell: {each.rest[:60]}."
    if each.word == "HEALTHCHECK" and command[0] != "python":
        yield f"The health check asks for {command[0]}, which a slim image has not."
    if each.word == "RUN" and "install" in command and any("pip" in word for word in command):
        yield from (f"pip install without {word}." for word in PIP_MUST if word not in command)


def _about_what_runs(stage: list[Instruction]) -> Iterator[str]:
    words = [each.word for each in stage]
    users = [each.rest for each in stage if each.word == "USER"]
    if users[-1:] != ["10001:10001"]:
        yield "The image does not end as user 10001:10001."
    yield from (
        f"The last stage says no {word}."
        for word in ("HEALTHCHECK", "STOPSIGNAL", "EXPOSE", "CMD", "LABEL")
        if word not in words
    )
    if "RUN" in words:
        yield "The last stage runs something: its tools would have to be in the image."
    for each in stage:
        if each.word == "COPY" and not each.rest.startswith("--from="):
            yield f"The last stage copies from the checkout, past the build: {each.rest}."
