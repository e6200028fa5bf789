"""Two environments in the shape of k8s/, as small as a release can be."""

import json
from pathlib import Path

SETTINGS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {GREETING: hello}
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec: {template: {spec: {containers: [{name: NAME, image: ecommerce}]}}}
"""
JOB = """
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, labels: {app.kubernetes.io/component: migrate}}
spec: {template: {spec: {containers: [{name: migrate, image: ecommerce}]}}}
"""
CRON_JOB = """
apiVersion: batch/v1
kind: CronJob
metadata: {name: clearsessions}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: it, image: ecommerce}]}}}}}
"""
BASE = {
    "settings.yaml": SETTINGS,
    "web.yaml": DEPLOYMENT.replace("NAME", "web"),
    "worker-payments.yaml": DEPLOYMENT.replace("NAME", "worker-payments"),
    "migrate.yaml": JOB,
    "clearsessions.yaml": CRON_JOB,
}


def write_overlays(folder: Path) -> None:
    """Write the base, and an overlay for each environment, into the folder."""
    base = folder / "base"
    base.mkdir(parents=True)
    for name, text in BASE.items():
        (base / name).write_text(text)
    (base / "kustomization.yaml").write_text(json.dumps({"resources": list(BASE)}))
    for name in ("staging", "production"):
        overlay = folder / "overlays" / name
        overlay.mkdir(parents=True)
        content = {"namespace": f"ecommerce-{name}", "resources": ["../../base"]}
        (overlay / "kustomization.yaml").write_text(json.dumps(content))
