"""What this project asks of its pipeline beyond being one that Jenkins takes."""

import re
from collections.abc import Collection, Iterator

from declarative import Pipeline, Stage, Step

TWELVE = [
    *("Checkout", "Build", "Unit Tests", "Code Quality", "Quality Gate", "Docker Build"),
    *("Security Scan", "Push to ECR", "Deploy to Staging", "Integration Tests"),
    *("Deploy to Production", "Smoke Tests"),
]
FROM_MAIN_ONLY = set(TWELVE[TWELVE.index("Push to ECR") :])
WITH_AWS = {"Push to ECR", "Deploy to Staging", "Deploy to Production", "Smoke Tests"}
ONE_TARGET = re.compile(r"make ([a-z-]+)")
UNITS = {"MINUTES", "HOURS"}


def violations(pipeline: Pipeline, targets: Collection[str]) -> list[str]:
    """Return a sentence for everything that is not as it should be; `targets` are make's."""
    return [*_of_the_whole(pipeline), *_of_the_stages(pipeline, targets)]


def _of_the_whole(pipeline: Pipeline) -> Iterator[str]:
    names = [stage.name for stage in pipeline.stages]
    if names != TWELVE:
        yield f"The stages are {', '.join(names)}; the document says {', '.join(TWELVE)}."
    if pipeline.agent is not None:
        yield "The pipeline holds an agent, also while it waits for people."
    if pipeline.options.get("disableConcurrentBuilds") != {}:
        yield "Builds may overtake or abort each other."
    if not _is_limited(pipeline.options):
        yield "The pipeline has no timeout."
    yield from _of_the_stashes(pipeline)


def _of_the_stashes(pipeline: Pipeline) -> Iterator[str]:
    stashed: set[str] = set()
    for stage in pipeline.stages:
        for step in stage.steps:
            if step.word == "unstash" and step.arguments[""] not in stashed:
                yield f"{stage.name} unstashes {step.arguments['']}, which no stage before stashes."
            if step.word == "stash":
                stashed.add(step.arguments["name"])


def _of_the_stages(pipeline: Pipeline, targets: Collection[str]) -> Iterator[str]:
    for stage in pipeline.stages:
        yield from _of_one_stage(stage)
        yield from _of_its_commands(stage, targets)
    by_name = {stage.name: stage for stage in pipeline.stages}
    production, smoke = by_name.get("Deploy to Production"), by_name.get("Smoke Tests")
    if production and not {"submitter", "submitterParameter"} <= set(production.input):
        yield "Deploy to Production asks nobody by name, or does not note who has approved."
    if production and production.input.get("submitterParameter") != "APPROVED_BY":
        yield "Deploy to Production does not hand the approver on as APPROVED_BY."
    if production and production.when.get("beforeInput") is not True:
        yield "Deploy to Production asks for approval of branches, too."
    if smoke and _commands(smoke.post.get("unsuccessful", [])) != ["make roll-back-production"]:
        yield "Smoke Tests that end badly do not roll production back."


def _of_one_stage(stage: Stage) -> Iterator[str]:
    if not stage.agent:
        yield f"{stage.name} says not where it runs."
    if not _is_limited(stage.options):
        yield f"{stage.name} has no timeout."
    if stage.name in FROM_MAIN_ONLY and stage.when.get("branch") != "main":
        yield f"{stage.name} also runs for branches."
    if stage.when and stage.when.get("beforeAgent") is not True:
        yield f"{stage.name} takes an agent before it knows whether it runs."
    for name, value in stage.environment.items():
        if not (isinstance(value, dict) and value.get("word") == "credentials"):
            yield f"{stage.name} writes {name} down instead of naming a credential of Jenkins."
    if stage.name in WITH_AWS and "AWS_WEB_IDENTITY_TOKEN_FILE" not in stage.environment:
        yield f"{stage.name} has no identity for AWS."


def _of_its_commands(stage: Stage, targets: Collection[str]) -> Iterator[str]:
    own = [] if stage.name == "Checkout" else [f"make {stage.name.lower().replace(' ', '-')}"]
    if _commands(stage.steps) != own:
        yield f"{stage.name} runs {_commands(stage.steps)}, not the target of its name."
    for command in _commands(
        [*stage.steps, *(step for each in stage.post.values() for step in each)]
    ):
        match = ONE_TARGET.fullmatch(command)
        if not match:
            yield f"{stage.name} runs {command!r}, which is not one make target."
        elif match[1] not in targets:
            yield f"{stage.name} runs make {match[1]}, and the Makefile has no such target."


def commands(stage: Stage) -> list[str]:
    """Return what the stage has a shell run, also afterwards."""
    return _commands([*stage.steps, *(step for steps in stage.post.values() for step in steps)])


def _commands(steps: list[Step]) -> list[str]:
    return [str(step.arguments[""]) for step in steps if step.word == "sh"]


def _is_limited(options: dict[str, dict[str, object]]) -> bool:
    limit = options.get("timeout", {})
    return isinstance(limit.get("time"), int) and limit.get("unit") in UNITS
