"""Deploy to Staging, Deploy to Production, and the way back.

deploy.py deploy staging
deploy.py roll-back production
"""

import argparse
import datetime
import getpass
import os
import signal
import socket
from types import FrameType
from uuid import uuid4

import released_image
import releases
from cluster import Cluster
from environments import Environment, environment
from lease import held
from manifests import before_migration, deployments, migration_job, render, without_migration
from programs import Refused, carry_out, output
from releases import History, Release

STOPPING = (signal.SIGTERM, signal.SIGINT)  # Jenkins aborts a build with the first
SETTLING_SECONDS = 300  # for everything beside the migration and the two rollouts


def main() -> None:
    """Do what the arguments say. Raises Refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("deploy", "roll-back"))
    parser.add_argument("environment")
    options = parser.parse_args()
    for number in STOPPING:
        signal.signal(number, _stop)
    place = environment(options.environment)
    if options.command == "deploy":
        deploy(place)
    else:
        roll_back(place, os.environ.get("COMMIT") or output("git", "rev-parse", "HEAD"))


def _stop(number: int, frame: FrameType | None) -> None:
    for each in STOPPING:  # the way back is not to be interrupted
        signal.signal(each, signal.SIG_IGN)
    raise Refused("this deployment was told to stop.")


def deploy(place: Environment) -> None:
    """Bring the published image and this checkout's manifests into the environment.

    Nothing runs the new code before the database is migrated. When anything fails the environment
    is put back to its last complete release. Raises Refused.
    """
    approver = os.environ.get("APPROVED_BY", "")
    if place.needs_approval and not approver:
        raise Refused(f"{place.name} needs APPROVED_BY, the name of who has approved this.")
    image = released_image.kept()
    release = Release(
        commit=image.commit,
        image=image.name,
        by=approver or _where(),
        at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        manifests=render(place, image.name),
    )
    cluster = Cluster(place)
    with held(cluster, holder=f"{_where()} ({uuid4()})", seconds=_longest(place)):
        history = releases.read(cluster)
        cluster.apply(release.manifests, dry_run=True)
        try:
            _roll_out(cluster, place, release)
        except Refused as reason:
            print(f"Failed: {reason}")
            _put_back(cluster, place, history)
            raise
        releases.write(cluster, releases.with_release(history, release))
    print(f"{place.name} runs {release.image} of commit {release.commit}.")


def _roll_out(cluster: Cluster, place: Environment, release: Release) -> None:
    cluster.apply(before_migration(release.manifests))
    _migrate(cluster, place, release)
    cluster.apply(without_migration(release.manifests))
    cluster.wait_for_rollouts(deployments(release.manifests), place.rollout_seconds)


def _migrate(cluster: Cluster, place: Environment, release: Release) -> None:
    """Run the migration of this image, unless it has run already."""
    job = migration_job(release.manifests)
    name = job["metadata"]["name"]
    if earlier := cluster.find("job", name):
        conditions = earlier.get("status", {}).get("conditions", [])
        if any(each["type"] == "Failed" for each in conditions):
            cluster.delete("job", name)
    cluster.apply([job])
    cluster.wait_for_job(name, place.migration_seconds)


def roll_back(place: Environment, commit: str) -> None:
    """Take a commit away: bring the environment to the newest other release it has had.

    The database is not taken back; every migration also carries the code before it. Doing this
    twice changes nothing. Raises Refused.
    """
    cluster = Cluster(place)
    with held(cluster, holder=f"{_where()} ({uuid4()})", seconds=_longest(place)):
        history = releases.without(releases.read(cluster), commit)
        if not history:
            raise Refused(f"{place.name} remembers no release but {commit}.")
        _put_back(cluster, place, history)


def _put_back(cluster: Cluster, place: Environment, history: History) -> None:
    if not history:
        print(f"{place.name} has had no other release; there is nothing to go back to.")
        return
    last = history[-1]
    print(f"Going back to {last.image} of commit {last.commit}, released {last.at} by {last.by}.")
    cluster.apply(without_migration(last.manifests))
    releases.write(cluster, history)
    cluster.wait_for_rollouts(deployments(last.manifests), place.rollout_seconds)
    print(f"{place.name} runs {last.image} again.")


def _longest(place: Environment) -> int:
    return place.migration_seconds + 2 * place.rollout_seconds + SETTLING_SECONDS


def _where() -> str:
    return os.environ.get("BUILD_URL") or f"{getpass.getuser()} on {socket.gethostname()}"


if __name__ == "__main__":
    carry_out(main)
