"""Docker Build and Push to ECR, by make, with a Docker and an AWS that only pretend."""

import json
import shutil

import pytest
from stand_ins import ACCOUNT, Call

HOST = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
DIGEST = f"sha256:{'d' * 64}"
ASK_ECR = (
    "aws ecr batch-get-image --repository-name=ecommerce --image-ids=imageTag={} "
    "--query=images[0].imageId.imageDigest --output=text"
)


@pytest.fixture
def commit(workplace):
    archive = workplace.folder / "build" / "pipeline" / "image.tar"
    archive.parent.mkdir(parents=True)
    archive.touch()
    return workplace.git("rev-parse", "HEAD")


@pytest.fixture
def registry(programs):
    """A registry that takes what is pushed: it is asked before and after."""
    programs.answer("aws", "batch-get-image", out="None", next_out=DIGEST)
    programs.answer("aws", "get-login-password", out="a password")
    programs.answer("docker", "login", given="a password")
    programs.answer("docker", "inspect", out=f"elsewhere/ecommerce@x\n{HOST}/ecommerce@{DIGEST}")
    return programs


def handed_on(workplace):
    return json.loads((workplace.folder / "build" / "pipeline" / "image.json").read_text())


def test_the_image_is_pushed_under_its_commit_and_its_digest_is_handed_on(
    workplace, registry, commit
):
    done = workplace.make("push-to-ecr")

    assert done.returncode == 0, done.stderr
    tag = f"{HOST}/ecommerce:{commit}"
    assert [str(call) for call in registry.calls()] == [
        "aws sts get-caller-identity --query=Account --output=text",
        ASK_ECR.format(commit),
        "aws ecr get-login-password",
        f"docker login --username=AWS --password-stdin {HOST}",
        "docker load --input=build/pipeline/image.tar",
        f"docker tag ecommerce:{commit} {tag}",
        f"docker push --quiet {tag}",
        f'docker image inspect --format={{{{join .RepoDigests "\\n"}}}} {tag}',
        ASK_ECR.format(commit),
    ]
    assert handed_on(workplace) == {"commit": commit, "name": f"{HOST}/ecommerce@{DIGEST}"}
    assert done.stdout.endswith(f"{HOST}/ecommerce@{DIGEST}\n")
    assert "a password" not in done.stdout + done.stderr


def test_a_commit_that_is_in_the_registry_is_not_pushed_again(workplace, registry, commit):
    registry.answer("aws", "batch-get-image", out=DIGEST)

    done = workplace.make("push-to-ecr")

    assert done.returncode == 0, done.stderr
    assert [call.program for call in registry.calls()] == ["aws", "aws"]
    assert handed_on(workplace) == {"commit": commit, "name": f"{HOST}/ecommerce@{DIGEST}"}


def test_a_registry_that_has_another_digest_than_docker_is_refused(workplace, registry, commit):
    registry.answer("aws", "batch-get-image", out="None", next_out="sha256:another")

    done = workplace.make("push-to-ecr")

    assert done.returncode != 0
    assert (
        f"sha256:another is in the registry under {commit}, but {DIGEST} was pushed" in done.stderr
    )
    assert not (workplace.folder / "build" / "pipeline" / "image.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "word"),
    [("docker", "login"), ("docker", "load"), ("docker", "push"), ("aws", "get-login-password")],
)
def test_a_step_that_fails_ends_it_and_hands_nothing_on(workplace, registry, commit, program, word):
    registry.answer(program, word, err="it went wrong", code=3)

    done = workplace.make("push-to-ecr")

    assert done.returncode != 0
    assert "it went wrong" in done.stderr
    assert registry.calls()[-1].arguments[: 2 if program == "aws" else 1][-1] == word
    assert not (workplace.folder / "build" / "pipeline" / "image.json").exists()


@pytest.mark.slow
def test_another_account_is_refused(workplace, registry, commit):
    registry.answer("aws", "sts", out="999988887777")

    done = workplace.make("push-to-ecr")

    assert done.returncode != 0
    assert "credentials are of the AWS account 999988887777" in done.stderr
    assert len(registry.calls()) == 1


@pytest.mark.slow
def test_without_a_built_archive_nothing_is_pushed(workplace, registry):
    done = workplace.make("push-to-ecr")

    assert done.returncode != 0
    assert "`make docker-build` writes it" in done.stderr
    assert registry.calls("docker") == []


@pytest.mark.slow
def test_jenkins_identity_becomes_the_role_of_the_pipeline(workplace, registry, commit, tmp_path):
    seen = tmp_path / "seen"
    registry.answer("aws", "sts", out=ACCOUNT, shows={"AWS_ROLE_ARN": str(seen)})

    workplace.make("push-to-ecr", AWS_WEB_IDENTITY_TOKEN_FILE="/tmp/token")  # noqa: S108

    assert seen.read_text() == f"arn:aws:iam::{ACCOUNT}:role/ecommerce-pipeline"


@pytest.mark.slow
def test_a_missing_program_is_named(workplace, registry, commit, tmp_path):
    for name in ("aws", "git"):
        (tmp_path / name).symlink_to(shutil.which(name, path=workplace.environment()["PATH"]))

    done = workplace.run(".venv/bin/python", "config/pipeline/publish.py", PATH=str(tmp_path))

    assert done.returncode != 0
    assert "docker is not installed; docs/pipeline.md lists what an agent needs" in done.stderr


def test_the_built_image_is_saved_as_a_file(workplace, programs):
    commit = workplace.git("rev-parse", "HEAD")

    done = workplace.make("docker-build")

    assert done.returncode == 0, done.stderr
    saved = Call("docker", ["save", "--output=build/pipeline/image.tar", f"ecommerce:{commit}"])
    assert programs.calls("docker")[-1] == saved
