"""One deployment at a time: a Lease in the namespace, so that it also binds people on laptops."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cluster import Cluster
from manifests import Manifest
from programs import Refused

NAME = "deployment"


@contextmanager
def held(cluster: Cluster, *, holder: str, seconds: int) -> Iterator[None]:
    """Hold the environment alone, for no longer than that. Raises Refused while somebody else does.

    The holder is a text for people with something in it that nobody else has. A process that was
    killed keeps the lease until its time is over.
    """
    _take(cluster, holder, seconds)
    try:
        yield
    finally:
        _give_back(cluster, holder)


def _take(cluster: Cluster, holder: str, seconds: int) -> None:
    now = datetime.datetime.now(datetime.UTC)
    wanted = {
        "holderIdentity": holder,
        "acquireTime": now.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "leaseDurationSeconds": seconds,
    }
    lease = cluster.find("lease", NAME)
    if lease is None:
        taken = cluster.create(_lease({"name": NAME}, wanted))
    elif other := _holder(lease["spec"], now):
        raise Refused(
            f"{other} is deploying here since {lease['spec']['acquireTime']}; "
            "docs/pipeline.md says what to do if that has died."
        )
    else:
        # The resourceVersion in the metadata lets only one of two callers win.
        taken = cluster.replace(_lease(lease["metadata"], wanted))
    if not taken:
        raise Refused("somebody else has begun to deploy here at the same moment.")


def _holder(spec: dict[str, Any], now: datetime.datetime) -> str:
    """Return who holds the lease at that time, or nothing."""
    if not spec.get("holderIdentity"):
        return ""
    began = datetime.datetime.fromisoformat(spec["acquireTime"])
    ends = began + datetime.timedelta(seconds=spec["leaseDurationSeconds"])
    return str(spec["holderIdentity"]) if now < ends else ""


def _give_back(cluster: Cluster, holder: str) -> None:
    lease = cluster.find("lease", NAME)
    if lease and lease["spec"].get("holderIdentity") == holder:
        cluster.replace(_lease(lease["metadata"], {**lease["spec"], "holderIdentity": ""}))


def _lease(metadata: dict[str, Any], spec: dict[str, Any]) -> Manifest:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": spec,
    }
