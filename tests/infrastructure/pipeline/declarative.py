"""A Jenkinsfile as Jenkins' declarative syntax has it: which word may stand where, and with what.

The words are a model, written down from Jenkins' documentation; Jenkins itself is not asked. It is
narrower than Jenkins on purpose: a step or an option that this pipeline does not use is unknown.
"""

import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

READER = Path(__file__).with_name("Blocks.groovy")
Node = dict[str, Any]

# Section -> the words that may stand in it, once each.
SECTIONS: dict[str, set[str]] = {
    "pipeline": {"agent", "options", "environment", "stages", "post"},
    "stage": {"agent", "options", "environment", "when", "input", "steps", "post"},
    "agent": {"label"},
    "options of the pipeline": {
        *("buildDiscarder", "disableConcurrentBuilds", "preserveStashes", "skipDefaultCheckout"),
        *("timeout", "timestamps"),
    },
    "options of a stage": {"skipDefaultCheckout", "timeout", "timestamps"},
    "when": {"beforeAgent", "beforeInput", "beforeOptions", "branch"},
    "input": {"message", "id", "ok", "submitter", "submitterParameter"},
    "post": {
        *("always", "changed", "fixed", "regression", "aborted", "failure", "success"),
        *("unstable", "unsuccessful", "cleanup"),
    },
}
REQUIRED = {"pipeline": {"agent", "stages"}, "stage": {"steps"}, "input": {"message"}}
# Step -> its named arguments that must be there, and those that may; "" is the one without name.
STEPS: dict[str, tuple[set[str], set[str]]] = {
    "archiveArtifacts": ({"artifacts"}, {"fingerprint"}),
    "checkout": ({""}, set()),
    "junit": ({""}, set()),
    "recordCoverage": ({"tools"}, set()),
    "sh": ({""}, set()),
    "stash": ({"name", "includes"}, set()),
    "unstash": ({""}, set()),
}


class NotDeclarative(Exception):
    """Jenkins would not take the file; the text names the line and the word."""


@dataclass(frozen=True, slots=True)
class Step:
    word: str
    arguments: dict[str, Any]
    line: int


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    line: int
    agent: str | None = None
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    when: dict[str, Any] = field(default_factory=dict)
    input: dict[str, Any] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    post: dict[str, list[Step]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pipeline:
    agent: str | None
    stages: list[Stage]
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    post: dict[str, list[Step]] = field(default_factory=dict)


def read(files: Sequence[Path], *, java: Path, jars: Sequence[Path]) -> list[Pipeline | str]:
    """Return each file as a pipeline, or the sentence it is refused with."""
    classpath = ":".join(map(str, jars))
    done = subprocess.run(
        [java, "-XX:TieredStopAtLevel=1", "-cp", classpath, "groovy.ui.GroovyMain", READER, *files],
        check=True,
        capture_output=True,
        text=True,
    )
    return [_outcome(each) for each in json.loads(done.stdout)]


def _outcome(answer: dict[str, Any]) -> Pipeline | str:
    if "refused" in answer:
        return str(answer["refused"])
    try:
        return _pipeline(answer["blocks"])
    except NotDeclarative as reason:
        return str(reason)


def _pipeline(blocks: list[Node]) -> Pipeline:
    if [each.get("word") for each in blocks] != ["pipeline"]:
        raise NotDeclarative("the file is not one pipeline block.")
    said = _section(blocks[0], "pipeline")
    return Pipeline(
        agent=_agent(said["agent"]),
        stages=list(_stages(said["stages"])),
        options=_named(said.get("options"), "options of the pipeline"),
        environment=_environment(said.get("environment")),
        post=_post(said.get("post")),
    )


def _stages(node: Node) -> Iterator[Stage]:
    seen: set[str] = set()
    for each in _block(node):
        if each.get("word") != "stage" or len(each["arguments"]) != 1:
            raise NotDeclarative(f"line {each['line']}: stages hold stages, each with its name.")
        [name] = each["arguments"]
        if name in seen:
            raise NotDeclarative(f"line {each['line']}: there are two stages {name}.")
        seen.add(name)
        yield _stage(name, each)
    if not seen:
        raise NotDeclarative(f"line {node['line']}: there is no stage.")


def _stage(name: str, node: Node) -> Stage:
    said = _section(node, "stage")
    return Stage(
        name=name,
        line=node["line"],
        agent=_agent(said["agent"]) if "agent" in said else None,
        options=_named(said.get("options"), "options of a stage"),
        environment=_environment(said.get("environment")),
        when=_single(said.get("when"), "when"),
        input=_single(said.get("input"), "input"),
        steps=_steps(said["steps"]),
        post=_post(said.get("post")),
    )


def _section(node: Node, section: str) -> dict[str, Node]:
    """Return the words of the section; each is known and stands once, and none is missing."""
    said: dict[str, Node] = {}
    for each in _block(node):
        word = each.get("word")
        if word not in SECTIONS[section]:
            known = ", ".join(sorted(SECTIONS[section]))
            what = word or f"{each['name']} = …"
            raise NotDeclarative(f"line {each['line']}: {section} has no {what}, only {known}.")
        if word in said:
            raise NotDeclarative(f"line {each['line']}: {section} says {word} twice.")
        said[word] = each
    if missing := REQUIRED.get(section, set()) - set(said):
        raise NotDeclarative(f"line {node['line']}: {section} has no {', '.join(sorted(missing))}.")
    return said


def _block(node: Node) -> list[Node]:
    if node["block"] is None:
        raise NotDeclarative(f"line {node['line']}: {node['word']} needs a block.")
    block: list[Node] = node["block"]
    return block


def _agent(node: Node) -> str | None:
    """Return the label, or None for `agent none`."""
    if node["arguments"] == [{"variable": "none"}] and node["block"] is None:
        return None
    return str(_single(node, "agent")["label"])


def _named(node: Node | None, section: str) -> dict[str, dict[str, Any]]:
    if node is None:
        return {}
    return {word: _arguments(each) for word, each in _section(node, section).items()}


def _single(node: Node | None, section: str) -> dict[str, Any]:
    """Return the words of the section with the one value of each."""
    named = _named(node, section)
    for word, arguments in named.items():
        if set(arguments) != {""}:
            raise NotDeclarative(f"line {node['line']}: {section} gives {word} not one value.")
    return {word: arguments[""] for word, arguments in named.items()}


def _environment(node: Node | None) -> dict[str, Any]:
    if node is None:
        return {}
    for each in _block(node):
        if "name" not in each:
            raise NotDeclarative(f"line {each['line']}: environment holds NAME = value.")
    return {each["name"]: each["value"] for each in _block(node)}


def _post(node: Node | None) -> dict[str, list[Step]]:
    if node is None:
        return {}
    return {condition: _steps(each) for condition, each in _section(node, "post").items()}


def _steps(node: Node) -> list[Step]:
    steps = [_step(each) for each in _block(node)]
    if not steps:
        raise NotDeclarative(f"line {node['line']}: {node['word']} holds no step.")
    return steps


def _step(node: Node) -> Step:
    word = node.get("word")
    if word not in STEPS or node["block"] is not None:
        what = word or f"{node['name']} = …"
        raise NotDeclarative(f"line {node['line']}: {what} is no step that is known here.")
    must, may = STEPS[word]
    arguments = _arguments(node)
    if not must <= set(arguments) <= must | may:
        raise NotDeclarative(
            f"line {node['line']}: {word} has the arguments {sorted(arguments)}, "
            f"not {sorted(must)} and perhaps {sorted(may)}."
        )
    return Step(word, arguments, node["line"])


def _arguments(node: Node) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for each in node["arguments"]:
        if isinstance(each, dict) and not {"variable", "word"} & set(each):
            named |= each
        elif "" in named:
            raise NotDeclarative(f"line {node['line']}: {node['word']} has two unnamed arguments.")
        else:
            named[""] = each
    return named
