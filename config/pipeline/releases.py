"""The releases an environment has had, kept in the environment: the way back needs no build."""

import base64
import gzip
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from cluster import Cluster
from manifests import Manifest

NAME = "releases"
KEPT = 5


@dataclass(frozen=True, slots=True)
class Release:
    """What was rolled out, completely: these manifests bring it back."""

    commit: str
    image: str
    by: str
    at: str
    manifests: list[Manifest]


History = Sequence[Release]


def read(cluster: Cluster) -> History:
    """Return the releases whose rollout was completed, the running one last. Raises Refused."""
    kept = cluster.find("configmap", NAME)
    if kept is None:
        return ()
    return tuple(
        Release(**facts, manifests=_unpacked(kept["binaryData"][facts["commit"]]))
        for facts in json.loads(kept["data"]["history"])
    )


def write(cluster: Cluster, history: History) -> None:
    """Remember the newest of them. Raises Refused."""
    newest = history[-KEPT:]
    facts = [
        {name: value for name, value in asdict(each).items() if name != "manifests"}
        for each in newest
    ]
    cluster.apply(
        [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {
                    "name": NAME,
                    "labels": {"app.kubernetes.io/managed-by": "pipeline"},
                },
                "data": {"history": json.dumps(facts, indent=2)},
                "binaryData": {each.commit: _packed(each.manifests) for each in newest},
            }
        ]
    )


def with_release(history: History, release: Release) -> History:
    """Return the history after this release was rolled out."""
    return (*without(history, release.commit), release)


def without(history: History, commit: str) -> History:
    """Return the history as if the commit had never been released."""
    return tuple(each for each in history if each.commit != commit)


def _packed(manifests: list[Manifest]) -> str:
    text = json.dumps(manifests, sort_keys=True).encode()
    return base64.b64encode(gzip.compress(text, mtime=0)).decode()


def _unpacked(packed: str) -> list[Manifest]:
    manifests: list[Manifest] = json.loads(gzip.decompress(base64.b64decode(packed)))
    return manifests
