"""A cluster that is a folder (kubectl_stand_in.py), and releases that are brought to it."""

import datetime
import json
import re
from pathlib import Path
from typing import Any

from stand_ins import ACCOUNT, StandIns, Workplace

KUBECTL = Path(__file__).with_name("kubectl_stand_in.py")
IMAGE = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/ecommerce"
FIRST, SECOND, THIRD = (f"{IMAGE}@sha256:{digit * 64}" for digit in "abc")


class Cluster:
    """What the stand-in keeps, and how a test makes trouble."""

    def __init__(self, folder: Path, environment: str) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "namespace").write_text(f"ecommerce-{environment}")
        self.context(f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/ecommerce-{environment}")

    def context(self, name: str) -> None:
        (self.folder / "context").write_text(name)

    def trouble(self, **kinds: list[str]) -> None:
        (self.folder / "trouble").write_text(json.dumps(kinds))

    @property
    def objects(self) -> dict[str, Any]:
        file = self.folder / "objects"
        return json.loads(file.read_text()) if file.exists() else {}

    def put(self, key: str, value: dict[str, Any]) -> None:
        (self.folder / "objects").write_text(json.dumps(self.objects | {key: value}))

    def images(self) -> set[str]:
        """Return the images that the Deployments and the CronJob run."""
        ours = [each for key, each in self.objects.items() if key.startswith(("deploy", "cron"))]
        return set(re.findall(r'"image": "([^"]*)"', json.dumps(ours)))

    def history(self) -> list[str]:
        """Return the images of the releases it remembers."""
        kept = json.loads(self.objects["configmap/releases"]["data"]["history"])
        return [each["image"] for each in kept]

    def holder(self) -> str:
        return str(self.objects["lease/deployment"]["spec"]["holderIdentity"])


def release(workplace: Workplace, image: str) -> str:
    """Commit something, as if the image had been published from it. Returns the commit."""
    commit = workplace.commit("k8s/base/release.txt", image)
    handed_on = workplace.folder / "build" / "pipeline" / "image.json"
    handed_on.parent.mkdir(parents=True, exist_ok=True)
    handed_on.write_text(json.dumps({"commit": commit, "name": image}))
    return commit


def deploy(workplace: Workplace, image: str) -> str:
    """Release the image to staging. Returns the commit."""
    commit = release(workplace, image)
    done = workplace.make("deploy-to-staging")
    assert done.returncode == 0, done.stdout + done.stderr
    return commit


def steps(programs: StandIns) -> list[str]:
    """Return what was asked of AWS and the cluster, without the words that are always the same."""
    noise = (
        r" --(namespace|server-side|field-manager|force-conflicts|filename|output|kubeconfig)\S*"
    )
    lines = [re.sub(noise, "", str(call)).removeprefix("kubectl ") for call in programs.calls()]
    return [_sorted(line.replace(" --ignore-not-found", "")) for line in lines]


def _sorted(line: str) -> str:
    words, *given = line.split(" <")
    return " <".join([words.replace(" --dry-run=none", ""), *sorted(given)])


def lease(holder: str, *, seconds: int) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")
    return {
        "kind": "Lease",
        "metadata": {"name": "deployment", "resourceVersion": "0"},
        "spec": {
            "holderIdentity": holder,
            "acquireTime": now.replace("+00:00", "Z"),
            "leaseDurationSeconds": seconds,
        },
    }
