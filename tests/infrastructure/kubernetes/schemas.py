"""What the schemas say: those of the API servers, and those of the operators' custom resources."""

import json
import os
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from rendering import Object, title

# Group of a custom resource -> the npm package with its schemas.
PACKAGES = {
    "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
    "external-secrets.io": "@kubernetes-models/external-secrets",
    "generators.external-secrets.io": "@kubernetes-models/external-secrets",
    "cert-manager.io": "@kubernetes-models/cert-manager",
}
# The package knows v1beta1, which became v1; the operator serves only v1 now.
PUBLISHED_AS = {"external-secrets.io/v1": "external-secrets.io/v1beta1"}
# Group -> kinds without a schema in any package that could be had; `elastic.py` says what may be.
ELASTIC = {
    "elasticsearch.k8s.elastic.co/v1": {"Elasticsearch"},
    "kibana.k8s.elastic.co/v1": {"Kibana"},
}

VALIDATE = """
import { readFileSync } from "node:fs";
for (const { title, from, kind, object } of JSON.parse(readFileSync("tasks.json"))) {
  const resource = (await import(`${from}/${kind}`))[kind];
  try {
    new resource(object).validate();
  } catch (error) {
    console.log(`${title}: ${error.message}`);
  }
}
"""


def group_of(each: Object) -> str:
    """Return the API group, which is nothing for the oldest kinds."""
    return str(each["apiVersion"].rpartition("/")[0])


def builtin_findings(
    validator: Path, version: str, objects: list[Object], folder: Path
) -> list[str]:
    """Return what the schemas of that Kubernetes version refuse or do not know, one line each.

    Only kinds with a schema elsewhere (PACKAGES, ELASTIC) may be unknown here.
    """
    findings = []
    known = [each for each in objects if not _is_custom(each)]
    for number, each in enumerate(known):
        (folder / f"{number}.json").write_text(json.dumps(each))
    files = [f"{number}.json" for number in range(len(known))]
    done = subprocess.run(
        [validator, "--strict", "--kubernetes-version", version, *files],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
    )
    for line in (done.stdout + done.stderr).splitlines():
        level, _, rest = line.partition(" ")
        if level == "INFO":
            continue
        name, _, text = rest.partition(" ")
        number = name.removesuffix(".json")
        who = title(known[int(number)]) if number.isdigit() else name
        findings.append(f"{who}: {text}")
    if done.returncode and not findings:
        findings.append(f"the validator ended with {done.returncode}")
    return findings


def _is_custom(each: Object) -> bool:
    return group_of(each) in PACKAGES or each["kind"] in ELASTIC.get(each["apiVersion"], ())


def custom_findings(modules: Path, objects: list[Object], folder: Path) -> list[str]:
    """Return what the schemas of the operators refuse: values, then properties they do not know."""
    work = [_task(each) for each in objects if group_of(each) in PACKAGES]
    (folder / "tasks.json").write_text(json.dumps(work))
    (folder / "validate.mjs").write_text(VALIDATE)
    (folder / "node_modules").symlink_to(modules)
    values = _lines(["node", "validate.mjs"], folder)
    return values or list(_unknown_properties(modules, work, folder))


def _task(each: Object) -> Object:
    version = PUBLISHED_AS.get(each["apiVersion"], each["apiVersion"])
    package = PACKAGES[group_of(each)]
    return {
        "title": title(each),
        "from": f"{package}/{version}",
        "kind": each["kind"],
        "object": _as_published({**each, "apiVersion": version}),
    }


def _as_published(each: Object) -> Object:
    """Return the object with what the package invents: a claim inside another has a kind."""
    if each["kind"] not in {"Prometheus", "Alertmanager"}:
        return each
    copy = deepcopy(each)
    copy["spec"]["storage"]["volumeClaimTemplate"] |= {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "EmbeddedPersistentVolumeClaim",
    }
    return copy


def _unknown_properties(modules: Path, work: list[Object], folder: Path) -> Iterator[str]:
    """Have TypeScript compare each object with its type: a literal may hold no other property."""
    sources = {}
    for number, task in enumerate(work):
        name = f"object{number}.ts"
        (folder / name).write_text(
            f'import type {{ I{task["kind"]} as Type }} from "{task["from"]}/{task["kind"]}";\n'
            f"export const value: Type = {json.dumps(task['object'])};\n"
        )
        sources[name] = task["title"]
    options = ["--noEmit", "--strict", "--skipLibCheck", "--pretty", "false"]
    options += ["--module", "esnext", "--moduleResolution", "bundler"]
    for line in _lines([modules / ".bin" / "tsc", *options, *sources], folder):
        name = line.partition("(")[0]
        yield f"{sources.get(name, name)}: {line.partition(': ')[2]}"


def _lines(command: list[Any], folder: Path) -> list[str]:
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
    )
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith(" ")]
    if done.returncode and not lines:
        raise RuntimeError(done.stderr.strip())
    return lines


def embedded(objects: list[Object]) -> list[Object]:
    """Return pods and claims that stand inside custom resources, as objects of their own.

    So the strict schemas of the API server count for them as well.
    """
    return [inner for each in objects for inner in _embedded(each)]


def _embedded(each: Object) -> Iterator[Object]:
    name = each["metadata"]["name"]
    match each["kind"]:
        case "Elasticsearch":
            for nodes in each["spec"]["nodeSets"]:
                yield _template(f"{name}-{nodes['name']}", nodes["podTemplate"])
                for claim in nodes["volumeClaimTemplates"]:
                    yield _claim(claim["metadata"]["name"], claim["spec"])
        case "Kibana":
            yield _template(name, each["spec"]["podTemplate"])
        case "Prometheus" | "Alertmanager":
            yield _claim(name, each["spec"]["storage"]["volumeClaimTemplate"]["spec"])


def _template(name: str, template: Object) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PodTemplate",
        "metadata": {"name": name},
        "template": template,
    }


def _claim(name: str, spec: Object) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": spec,
    }
