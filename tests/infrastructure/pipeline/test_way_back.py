"""Going back to an earlier release, by make."""

import shutil

import pytest
from stand_in_cluster import FIRST, SECOND, THIRD, deploy, release


def test_going_back_brings_exactly_the_release_before_and_can_be_repeated(workplace, cluster):
    deploy(workplace, FIRST)
    first = cluster.objects
    settings = workplace.folder / "k8s" / "base" / "settings.yaml"
    workplace.commit("k8s/base/settings.yaml", settings.read_text().replace("hello", "welcome"))
    deploy(workplace, SECOND)
    assert cluster.objects["configmap/settings"]["data"] == {"GREETING": "welcome"}

    for _ in range(2):
        done = workplace.make("roll-back-staging")

        assert done.returncode == 0, done.stderr
        assert f"staging runs {FIRST} again" in done.stdout
        assert cluster.images() == {FIRST}
        assert cluster.objects["configmap/settings"]["data"] == first["configmap/settings"]["data"]
        assert cluster.history() == [FIRST]


@pytest.mark.slow
def test_a_named_commit_is_taken_away(workplace, cluster):
    deploy(workplace, FIRST)
    deploy(workplace, SECOND)
    bad = deploy(workplace, THIRD)
    workplace.commit("k8s/base/release.txt", "main has moved on")

    assert workplace.make("roll-back-staging", COMMIT=bad).returncode == 0

    assert cluster.images() == {SECOND}
    assert cluster.history() == [FIRST, SECOND]


@pytest.mark.slow
def test_the_only_release_cannot_be_taken_away(workplace, cluster):
    deploy(workplace, FIRST)

    done = workplace.make("roll-back-staging")

    assert done.returncode != 0
    assert "staging remembers no release but" in done.stderr
    assert cluster.images() == {FIRST}


@pytest.mark.slow
def test_a_production_that_looks_wrong_from_outside_is_brought_back_by_the_stage(
    workplace, cluster_of, checkout, pipeline
):
    [stage] = [stage for stage in pipeline.stages if stage.name == "Smoke Tests"]
    [look], [bring_back] = stage.steps, stage.post["unsuccessful"]
    for name in ("conftest.py", "pytest.ini", "running_store.py", "shopper.py", "smoke"):
        source, there = checkout / "tests" / name, workplace.folder / "tests" / name
        there.parent.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, there)
    cluster = cluster_of("production")
    for image in (FIRST, SECOND):
        release(workplace, image)
        assert workplace.make("deploy-to-production", APPROVED_BY="Ada").returncode == 0

    nobody_there = {"STORE_URL": "http://127.0.0.1:9"}
    assert workplace.run(*look.arguments[""].split(), **nobody_there).returncode != 0
    assert workplace.run(*bring_back.arguments[""].split()).returncode == 0

    assert cluster.images() == {FIRST}
