"""The Jenkinsfile: real Groovy reads it, and it is the twelve stages and nothing clever."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from declarative import Pipeline
from house_rules import TWELVE, commands, violations

# What is planted: a name, what stands there, what is put in its place, what the refusal has to say.
NOT_DECLARATIVE = [
    ("misspelt section", "stages {", "stagess {", "pipeline has no stagess"),
    ("misspelt directive", "when {", "whenn {", "stage has no whenn"),
    ("misspelt step", "junit 'build/reports/smoke", "junitt 'build/reports/smoke", "junitt is no"),
    ("misspelt option", "timestamps()", "timestamp()", "has no timestamp,"),
    ("misspelt condition", "unsuccessful {", "unsuccesful {", "post has no unsuccesful"),
    ("no steps", "steps {\n                checkout scm\n            }", "", "stage has no steps"),
    ("no agent at all", "    agent none\n", "", "line 3: pipeline has no agent"),
    ("twice the same stage", "stage('Build')", "stage('Checkout')", "two stages Checkout"),
    ("a step's wrong argument", "junit 'build", "junit result: 'build", "junit has the arguments"),
    ("a script", "sh 'make build'", "script { sh 'make build' }", "script is no step"),
    ("a variable", "sh 'make build'", "def x = 1", "a piece of Groovy"),
    ("a condition", "sh 'make build'", "if (true) { sh 'make build' }", "a piece of Groovy"),
    ("a computed text", "sh 'make build'", 'sh "make ${TARGET}"', "computed in Groovy"),
    ("a called method", "sh 'make build'", "currentBuild.rawBuild.delete()", "method of an object"),
    ("an import", "pipeline {\n", "import hudson.model.User\npipeline {\n", "more than a pipeline"),
    ("an open brace", "stages {", "stages {{", "Unexpected input"),
]
MAKE_BUILD = re.escape("'make build'")
AGAINST_THE_RULES = [
    ("a missing stage", r"        stage\('Security Scan'\).*?\n        }\n", "", "The stages are"),
    (
        "swapped stages",
        "Docker Build(.*?)Security Scan",
        r"Security Scan\1Docker Build",
        "The stages",
    ),
    ("inline shell", MAKE_BUILD, "'make build && echo done'", "is not one make target"),
    ("two targets", MAKE_BUILD, "'make build test'", "is not one make target"),
    ("an unknown target", MAKE_BUILD, "'make biuld'", "has no such target"),
    ("another stage's target", MAKE_BUILD, "'make lint'", "not the target of its name"),
    ("no way back", "roll-back-production", "roll-back-staging", "do not roll production back"),
    ("way back on success", "unsuccessful {", "success {", "do not roll production back"),
    ("no approval", r"            input {.*?\n            }\n", "", "asks nobody by name"),
    ("anybody approves", " *submitter 'production-approvers'\n", "", "asks nobody by name"),
    ("approver unknown", "'APPROVED_BY'", "'SOMEBODY'", "does not hand the approver on"),
    ("branches ask", " *beforeInput true\n", "", "asks for approval of branches"),
    ("an agent waits", "agent none", "agent { label 'ecommerce' }", "holds an agent"),
    ("branches publish", "branch 'main'", "branch 'topic'", "Push to ECR also runs for branches"),
    ("a stage without limit", r"options { timeout\(time: 15[^}]*}", "", "Build has no timeout"),
    ("a pipeline without limit", r"timeout\(time: 36.*?\n", "", "The pipeline has no timeout"),
    ("builds overtake", r"(Builds)\(\)", r"\1(abortPrevious: true)", "overtake or abort"),
    (
        "a written secret",
        r"credentials\('sonar[^)]*\)",
        "'squ_0123456789'",
        "writes SONAR_TOKEN down",
    ),
    ("a stage without rights", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE", "no identity for AWS"),
    ("nothing handed on", "stash name: 'release'", "stash name: 'relase'", "unstashes release"),
]


@pytest.fixture(scope="module")
def jenkinsfile(checkout: Path) -> str:
    return (checkout / "Jenkinsfile").read_text()


@pytest.fixture(scope="module")
def targets(checkout: Path) -> set[str]:
    rules = re.findall(r"^\.PHONY: ([a-z-]+)$", (checkout / "Makefile").read_text(), re.M)
    return set(rules)


@pytest.fixture(scope="module")
def outcome(
    jenkinsfile: str,
    read_jenkinsfiles: Callable[[list[Path]], list[Pipeline | str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Pipeline | str]:
    """Return what becomes of the Jenkinsfile with a fault."""
    folder = tmp_path_factory.mktemp("jenkinsfiles")
    texts: dict[str, str] = {}
    # Reading takes half a second for a whole file; here nine stages fewer do not matter.
    shorter = re.sub(r"stage\('Unit Tests.*(?=stage\('Smoke Tests)", "", jenkinsfile, flags=re.S)
    for name, there, instead, _ in NOT_DECLARATIVE:
        assert there in shorter
        texts[name] = shorter.replace(there, instead, 1)
    for name, there, instead, _ in AGAINST_THE_RULES:
        texts[name] = re.sub(there, instead, jenkinsfile, count=1, flags=re.S)
    assert jenkinsfile not in texts.values()
    files = [folder / f"{number}.Jenkinsfile" for number in range(len(texts))]
    for file, text in zip(files, texts.values(), strict=True):
        file.write_text(text)
    outcomes = dict(zip(texts, read_jenkinsfiles(files), strict=True))
    return outcomes.__getitem__


def test_the_pipeline_is_the_twelve_stages_and_keeps_the_rules(pipeline, targets):
    assert [stage.name for stage in pipeline.stages] == TWELVE
    assert violations(pipeline, targets) == []


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "said"), [(name, said) for name, _, _, said in NOT_DECLARATIVE])
def test_what_jenkins_would_not_take_is_refused_by_name(outcome, fault, said):
    refusal = outcome(fault)

    assert isinstance(refusal, str), refusal
    assert said in refusal


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "said"), [(name, said) for name, _, _, said in AGAINST_THE_RULES]
)
def test_what_breaks_a_rule_is_named(outcome, targets, fault, said):
    faulty = outcome(fault)

    assert isinstance(faulty, Pipeline), faulty
    assert any(said in sentence for sentence in violations(faulty, targets))


def test_every_target_of_the_pipeline_can_be_made(pipeline, checkout):
    for command in (each for stage in pipeline.stages for each in commands(stage)):
        done = subprocess.run(
            [*command.split(), "--dry-run"],
            cwd=checkout,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_every_report_that_jenkins_collects_is_written_by_the_stage(pipeline, checkout):
    for stage in pipeline.stages:
        junits = [step for step in stage.post.get("always", []) if step.word == "junit"]
        for report in (name.strip() for step in junits for name in step.arguments[""].split(",")):
            [target] = [step.arguments[""] for step in stage.steps if step.word == "sh"]
            planned = subprocess.run(
                [*target.split(), "--dry-run"],
                cwd=checkout,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            assert f"--junitxml={report}" in planned


def test_no_secret_stands_in_the_file(jenkinsfile):
    assert not re.search(r"AKIA|ghp_|squ_|sk_live|-----BEGIN|://[^/\s]*:[^/\s]*@", jenkinsfile)
