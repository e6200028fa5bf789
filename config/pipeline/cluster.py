"""The cluster of one environment, spoken to through kubectl with a kubeconfig of our own."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from environments import FILE, Environment, use_account
from manifests import Manifest
from programs import Refused, attempt, output, run

KUBECONFIGS = Path("build/pipeline")
PAUSE_SECONDS = 2


class Cluster:
    """Nothing here depends on which cluster kubectl would talk to by itself."""

    def __init__(self, environment: Environment) -> None:
        """Connect. Raises Refused if account or cluster are not the environment's."""
        use_account(environment)
        kubeconfig = KUBECONFIGS / f"kubeconfig-{environment.name}"
        kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        kubeconfig.unlink(missing_ok=True)
        output(
            *("aws", "eks", "update-kubeconfig"),
            f"--name={environment.cluster}",
            f"--region={environment.region}",
            f"--kubeconfig={kubeconfig}",
        )
        current = output("kubectl", f"--kubeconfig={kubeconfig}", "config", "current-context")
        if current != environment.context:
            raise Refused(f"the cluster is {current}, but {FILE} says {environment.context}.")
        self._kubectl = (
            "kubectl",
            f"--kubeconfig={kubeconfig}",
            f"--context={environment.context}",
            f"--namespace={environment.namespace}",
        )

    def apply(self, manifests: Iterable[Manifest], *, dry_run: bool = False) -> None:
        """Have the cluster be as the manifests say, or ask whether it would. Raises Refused."""
        bundle = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        run(
            *(*self._kubectl, "apply", "--server-side", "--field-manager=pipeline"),
            *("--force-conflicts", f"--dry-run={'server' if dry_run else 'none'}", "--filename=-"),
            given=json.dumps(bundle),
        )

    def find(self, kind: str, name: str) -> Manifest | None:
        """Return the object as the cluster has it, or None. Raises Refused."""
        text = output(*self._kubectl, "get", kind, name, "--ignore-not-found", "--output=json")
        return json.loads(text) if text else None

    def create(self, manifest: Manifest) -> bool:
        """Create the object; False if there is one of that name. Raises Refused."""
        return self._won("create", manifest, beaten="AlreadyExists")

    def replace(self, manifest: Manifest) -> bool:
        """Replace the object; False if it has changed since it was read. Raises Refused."""
        return self._won("replace", manifest, beaten="Conflict")

    def _won(self, verb: str, manifest: Manifest, *, beaten: str) -> bool:
        done = attempt(*self._kubectl, verb, "--filename=-", given=json.dumps(manifest))
        if done.returncode and beaten not in done.stderr:
            raise Refused(f"`kubectl {verb}` failed: {done.stderr.strip()}")
        return done.returncode == 0

    def delete(self, kind: str, name: str) -> None:
        """Delete the object and what belongs to it, and wait until it is gone. Raises Refused."""
        run(*self._kubectl, "delete", kind, name, "--cascade=foreground", "--timeout=120s")

    def wait_for_job(self, name: str, seconds: float) -> None:
        """Return when the Job has succeeded; show its log and raise Refused when it has not."""
        deadline = time.monotonic() + seconds
        while True:
            job = self.find("job", name) or {}
            conditions: list[dict[str, Any]] = job.get("status", {}).get("conditions", [])
            ended = {each["type"] for each in conditions if each["status"] == "True"}
            if "Complete" in ended:
                return
            if "Failed" in ended or time.monotonic() > deadline:
                print(attempt(*self._kubectl, "logs", f"job/{name}", "--tail=200").stdout)
                what = "failed" if "Failed" in ended else f"has not ended within {seconds:.0f} s"
                raise Refused(f"the Job {name} {what}; its last lines are above.")
            time.sleep(PAUSE_SECONDS)

    def wait_for_rollouts(self, names: Iterable[str], seconds: float) -> None:
        """Return when every Deployment runs as it was applied. Raises Refused after that time."""
        deadline = time.monotonic() + seconds
        for name in names:
            left = max(1, round(deadline - time.monotonic()))
            run(*self._kubectl, "rollout", "status", f"deployment/{name}", f"--timeout={left}s")
