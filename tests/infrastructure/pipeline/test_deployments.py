"""Deploying, by make, to a cluster that is a folder."""

import json
import os
import shutil
import signal
import subprocess

import pytest
from running_store import eventually
from stand_in_cluster import FIRST, SECOND, deploy, lease, release, steps


def test_the_database_is_migrated_before_anything_runs_the_new_code(workplace, programs, cluster):
    release(workplace, FIRST)

    done = workplace.make("deploy-to-staging")

    assert done.returncode == 0, done.stdout + done.stderr
    job = f"migrate-{'a' * 12}"
    running = "<cronjob/clearsessions <deployment/web <deployment/worker-payments"
    assert steps(programs) == [
        "aws sts get-caller-identity --query=Account",
        "aws eks update-kubeconfig --name=ecommerce-staging --region=us-east-1",
        "config current-context",
        "get lease deployment",
        "create <lease/deployment",
        "get configmap releases",
        f"apply --dry-run=server <configmap/settings {running} <job/{job}",
        "apply <configmap/settings",
        f"get job {job}",
        f"apply <job/{job}",
        f"get job {job}",
        f"apply <configmap/settings {running}",
        "rollout status deployment/web --timeout=900s",
        "rollout status deployment/worker-payments --timeout=900s",
        "apply <configmap/releases",
        "get lease deployment",
        "replace <lease/deployment",
    ]
    assert cluster.images() == {FIRST}
    assert cluster.history() == [FIRST]
    assert cluster.holder() == ""
    assert f"staging runs {FIRST}" in done.stdout


def test_a_failed_migration_rolls_nothing_out(workplace, cluster):
    deploy(workplace, FIRST)
    before = cluster.objects["deployment/web"]["spec"]
    release(workplace, SECOND)
    cluster.trouble(migration=[SECOND])

    done = workplace.make("deploy-to-staging")

    assert done.returncode != 0
    assert "the last line of the migration" in done.stdout
    assert f"Refused: the Job migrate-{'b' * 12} failed" in done.stderr
    assert cluster.objects["deployment/web"]["spec"] == before
    assert cluster.images() == {FIRST}
    assert cluster.history() == [FIRST]
    assert cluster.holder() == ""


@pytest.mark.slow
def test_a_failed_migration_is_tried_again_by_the_next_run(workplace, programs, cluster):
    release(workplace, FIRST)
    cluster.trouble(migration=[FIRST])
    assert workplace.make("deploy-to-staging").returncode != 0
    cluster.trouble()
    steps(programs)

    assert workplace.make("deploy-to-staging").returncode == 0

    job = f"migrate-{'a' * 12}"
    assert f"delete job {job} --cascade=foreground --timeout=120s" in steps(programs)
    assert cluster.images() == {FIRST}


@pytest.mark.slow
def test_a_migration_that_does_not_end_is_waited_for_only_so_long(workplace, cluster):
    places = workplace.folder / "config" / "pipeline" / "environments.toml"
    impatient = places.read_text().replace("migration_seconds = 900", "migration_seconds = 0")
    workplace.commit("config/pipeline/environments.toml", impatient)
    release(workplace, FIRST)
    cluster.trouble(endless=[FIRST])

    done = workplace.make("deploy-to-staging")

    assert done.returncode != 0
    assert "has not ended within 0 s" in done.stderr
    assert cluster.images() == set()


def test_a_rollout_that_does_not_get_ready_is_taken_back_to_the_digest_before(workplace, cluster):
    deploy(workplace, FIRST)
    release(workplace, SECOND)
    cluster.trouble(rollout=[SECOND])

    done = workplace.make("deploy-to-staging")

    assert done.returncode != 0
    assert f"Going back to {FIRST}" in done.stdout
    assert f"staging runs {FIRST} again" in done.stdout
    assert "Refused: `kubectl rollout status` failed" in done.stderr
    assert cluster.images() == {FIRST}
    assert cluster.history() == [FIRST]
    assert cluster.holder() == ""


@pytest.mark.slow
def test_a_first_release_that_fails_has_nothing_to_go_back_to(workplace, cluster):
    release(workplace, FIRST)
    cluster.trouble(rollout=[FIRST])

    done = workplace.make("deploy-to-staging")

    assert done.returncode != 0
    assert "there is nothing to go back to" in done.stdout
    assert cluster.holder() == ""


@pytest.mark.slow
def test_a_repetition_that_fails_takes_nothing_away_that_was_complete(workplace, cluster):
    deploy(workplace, FIRST)
    deploy(workplace, SECOND)
    cluster.trouble(rollout=[SECOND])

    assert workplace.make("deploy-to-staging").returncode != 0

    assert cluster.images() == {SECOND}
    assert cluster.history() == [FIRST, SECOND]


@pytest.mark.slow
def test_a_deployment_that_is_told_to_stop_goes_back_first(workplace, cluster):
    deploy(workplace, FIRST)
    release(workplace, SECOND)
    cluster.trouble(hanging=[SECOND])
    process = subprocess.Popen(
        ["make", "--no-print-directory", "deploy-to-staging"],
        cwd=workplace.folder,
        env=workplace.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    eventually(cluster.images, lambda images: images == {SECOND}, patience=120)

    os.killpg(process.pid, signal.SIGTERM)  # as Jenkins aborts a build

    printed, _ = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "Refused: this deployment was told to stop." in printed
    assert cluster.images() == {FIRST}
    assert cluster.history() == [FIRST]
    assert cluster.holder() == ""


@pytest.mark.slow
def test_the_same_commit_again_changes_nothing(workplace, cluster):
    deploy(workplace, FIRST)
    deploy(workplace, SECOND)
    before = cluster.objects

    assert workplace.make("deploy-to-staging").returncode == 0

    for key in ("deployment/web", "cronjob/clearsessions", f"job/migrate-{'b' * 12}"):
        assert cluster.objects[key]["spec"] == before[key]["spec"]
    assert cluster.history() == [FIRST, SECOND]


def test_only_one_deploys_at_a_time(workplace, programs, cluster):
    release(workplace, FIRST)
    cluster.put("lease/deployment", lease("build 41", seconds=3000))

    done = workplace.make("deploy-to-staging")

    assert done.returncode != 0
    assert "Refused: build 41 is deploying here since" in done.stderr
    assert steps(programs)[-1] == "get lease deployment"
    assert set(cluster.objects) == {"lease/deployment"}


@pytest.mark.slow
def test_a_lease_whose_time_is_over_is_taken(workplace, cluster):
    cluster.put("lease/deployment", lease("a build that died", seconds=0))

    deploy(workplace, FIRST)

    assert cluster.images() == {FIRST}


@pytest.mark.slow
@pytest.mark.parametrize("holders", [[], ["a build that died"]])
def test_of_two_who_begin_at_the_same_moment_one_is_refused(workplace, cluster, holders):
    release(workplace, FIRST)
    for holder in holders:
        cluster.put("lease/deployment", lease(holder, seconds=0))
    cluster.trouble(race=["lease"])

    done = workplace.make("deploy-to-staging")

    assert done.returncode != 0
    assert "Refused: somebody else has begun to deploy" in done.stderr
    assert cluster.images() == set()


@pytest.mark.slow
def test_credentials_of_another_account_are_refused(workplace, programs, cluster):
    release(workplace, FIRST)
    programs.answer("aws", "sts", out="999988887777")

    done = workplace.make("deploy-to-staging")

    assert done.returncode != 0
    assert "these credentials are of the AWS account 999988887777" in done.stderr
    assert steps(programs) == ["aws sts get-caller-identity --query=Account"]


def test_another_cluster_is_refused(workplace, programs, cluster):
    release(workplace, FIRST)
    cluster.context("minikube")

    done = workplace.make("deploy-to-staging")

    assert done.returncode != 0
    assert "the cluster is minikube, but" in done.stderr
    assert steps(programs)[-1] == "config current-context"


@pytest.mark.slow
def test_what_the_server_would_refuse_stops_it_before_anything_has_changed(workplace, cluster):
    deploy(workplace, FIRST)
    release(workplace, SECOND)
    cluster.trouble(refused=["CronJob"])

    done = workplace.make("deploy-to-staging")

    assert done.returncode != 0
    assert "admission webhook denied the request: CronJob" in done.stderr
    assert cluster.images() == {FIRST}
    assert f"job/migrate-{'b' * 12}" not in cluster.objects


@pytest.mark.slow
@pytest.mark.parametrize(
    "plant",
    [
        (
            "base/web.yaml",
            "image: ecommerce",
            "image: elsewhere/ecommerce:1",
            "runs elsewhere/ecom",
        ),
        ("base/migrate.yaml", "component: migrate", "component: web", "0 Jobs with the label"),
        (
            "overlays/staging/kustomization.yaml",
            "ecommerce-staging",
            "default",
            "namespace default",
        ),
        ("base/kustomization.yaml", '"web.yaml", "worker-payments.yaml", ', "", "no Deployment"),
        ("base/kustomization.yaml", "web.yaml", "wep.yaml", "wep.yaml"),
    ],
)
def test_manifests_that_do_not_fit_are_refused_before_the_cluster_is_asked(
    workplace, programs, cluster, plant
):
    file, there, instead, said = plant
    path = workplace.folder / "k8s" / file
    assert there in path.read_text()
    workplace.commit(f"k8s/{file}", path.read_text().replace(there, instead))
    release(workplace, FIRST)

    done = workplace.make("deploy-to-staging")

    assert done.returncode != 0
    assert said in done.stderr
    assert steps(programs) == []


@pytest.mark.slow
def test_an_image_of_another_commit_is_refused(workplace, cluster):
    commit = release(workplace, FIRST)
    later = workplace.commit("k8s/base/release.txt", "later")

    done = workplace.make("deploy-to-staging")

    assert done.returncode != 0
    assert f"the image is of commit {commit}, but this checkout is {later}" in done.stderr


@pytest.mark.slow
def test_what_is_in_no_commit_is_refused(workplace, cluster):
    release(workplace, FIRST)
    (workplace.folder / "k8s" / "base" / "web.yaml").write_text("")

    done = workplace.make("deploy-to-staging")

    assert done.returncode != 0
    assert "changes that are in no commit: k8s/base/web.yaml" in done.stderr


@pytest.mark.slow
def test_without_a_published_image_there_is_nothing_to_deploy(workplace):
    done = workplace.make("deploy-to-staging")

    assert done.returncode != 0
    assert "`make push-to-ecr` writes it" in done.stderr


@pytest.mark.slow
def test_production_wants_to_know_who_has_approved_and_remembers_it(workplace, cluster_of):
    cluster = cluster_of("production")
    release(workplace, FIRST)

    refused = workplace.make("deploy-to-production")
    assert refused.returncode != 0
    assert "production needs APPROVED_BY" in refused.stderr
    assert cluster.objects == {}

    assert workplace.make("deploy-to-production", APPROVED_BY="Ada").returncode == 0
    [kept] = json.loads(cluster.objects["configmap/releases"]["data"]["history"])
    assert (kept["image"], kept["by"]) == (FIRST, "Ada")


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_the_overlays_of_this_project_can_be_deployed(workplace, cluster_of, checkout, environment):
    for name in ("k8s", "config"):
        shutil.rmtree(workplace.folder / name)
        shutil.copytree(checkout / name, workplace.folder / name)
    workplace.git("add", "k8s", "config")
    cluster = cluster_of(environment)
    release(workplace, FIRST)

    done = workplace.make(f"deploy-to-{environment}", APPROVED_BY="Ada")

    assert done.returncode == 0, done.stdout + done.stderr
    assert cluster.images() == {FIRST}
    assert cluster.objects[f"job/migrate-{'a' * 12}"]["status"]["conditions"]
