"""kubectl with a cluster that is a folder: it keeps objects, and what is told to fail does.

`objects` holds what was applied. `trouble` names images whose migration fails (`migration`) or
never ends (`endless`), whose pods do not get ready (`rollout`) or let one wait (`hanging`), kinds
that the server refuses (`refused`), and whether somebody else takes the lease meanwhile (`race`).
Rendering is the real kubectl's.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["CLUSTER"])
OBJECTS, TROUBLE = FOLDER / "objects", FOLDER / "trouble"


def main() -> None:
    always = ("--kubeconfig=", "--context=")
    always = ("--kubeconfig=", "--context=")
    arguments = [each for each in sys.argv[1:] if not each.startswith(always)]
    if arguments[0] == "kustomize":
        os.execv(os.environ["KUBECTL"], ["kubectl", *arguments])  # noqa: S606 - it takes our place
    given = _given() if "--filename=-" in arguments else []
    _record([*arguments, *(f"<{_key(each)}" for each in given)])
    if arguments == ["config", "current-context"]:
        print((FOLDER / "context").read_text())
        return
    namespace, verb, *rest = arguments
    if namespace != f"--namespace={(FOLDER / 'namespace').read_text()}":
        _end("the wrong namespace")
    objects = json.loads(OBJECTS.read_text()) if OBJECTS.exists() else {}
    {
        "apply": _apply,
        "create": _create,
        "replace": _replace,
        "get": _get,
        "delete": _delete,
        "logs": _logs,
        "rollout": _rollout,
    }[verb](objects, rest, given)
    new = OBJECTS.with_name("objects.new")  # tests look while we write
    new.write_text(json.dumps(objects))
    new.replace(OBJECTS)


def _given() -> list[dict[str, Any]]:
    content = json.load(sys.stdin)
    return list(content["items"]) if content["kind"] == "List" else [content]


def _record(arguments: list[str]) -> None:
    with Path(os.environ["CALLS"]).open("a") as calls:
        calls.write(json.dumps({"program": "kubectl", "arguments": arguments}) + "\n")


def _apply(objects: dict[str, Any], words: list[str], given: list[dict[str, Any]]) -> None:
    for each in given:
        if each["kind"] in _trouble("refused"):
            _end(f"admission webhook denied the request: {each['kind']}")
        if "--dry-run=server" not in words:
            _store(objects, each)


def _create(objects: dict[str, Any], words: list[str], given: list[dict[str, Any]]) -> None:
    if _key(given[0]) in objects:
        _end("Error from server (AlreadyExists)")
    _store(objects, given[0])


def _replace(objects: dict[str, Any], words: list[str], given: list[dict[str, Any]]) -> None:
    known = objects[_key(given[0])]["metadata"]["resourceVersion"]
    if known != given[0]["metadata"]["resourceVersion"]:
        _end("Error from server (Conflict)")
    _store(objects, given[0])


def _store(objects: dict[str, Any], each: dict[str, Any]) -> None:
    each["metadata"]["resourceVersion"] = str(int(objects.get("version", 0)) + 1)
    objects["version"] = int(each["metadata"]["resourceVersion"])
    if each["kind"] == "Job" and not _runs(each, "endless"):
        ended = "Failed" if _runs(each, "migration") else "Complete"
        each["status"] = {"conditions": [{"type": ended, "status": "True"}]}
    objects[_key(each)] = each


def _get(objects: dict[str, Any], words: list[str], given: list[dict[str, Any]]) -> None:
    kind, name, *_ = words
    if found := objects.get(f"{kind}/{name}"):
        print(json.dumps(found))
    if kind == "lease" and _trouble("race"):
        metadata = {"name": name}
        _store(
            objects, {"kind": "Lease", "metadata": metadata, "spec": {"holderIdentity": "other"}}
        )


def _delete(objects: dict[str, Any], words: list[str], given: list[dict[str, Any]]) -> None:
    kind, name, *_ = words
    del objects[f"{kind}/{name}"]


def _logs(objects: dict[str, Any], words: list[str], given: list[dict[str, Any]]) -> None:
    print("the last line of the migration")


def _rollout(objects: dict[str, Any], words: list[str], given: list[dict[str, Any]]) -> None:
    _, deployment, _ = words
    if _runs(objects[deployment], "hanging"):
        time.sleep(60)
    if _runs(objects[deployment], "rollout"):
        _end("error: timed out waiting for the condition")


def _runs(manifest: dict[str, Any], trouble: str) -> bool:
    return any(image in json.dumps(manifest) for image in _trouble(trouble))


def _trouble(kind: str) -> list[str]:
    known: dict[str, list[str]] = json.loads(TROUBLE.read_text()) if TROUBLE.exists() else {}
    return known.get(kind, [])


def _key(manifest: dict[str, Any]) -> str:
    return f"{manifest['kind'].lower()}/{manifest['metadata']['name']}"


def _end(text: str) -> None:
    sys.exit(text)


main()
