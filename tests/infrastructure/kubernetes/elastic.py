"""What an Elasticsearch or a Kibana of the ECK operator may say here: no package has its schema.

Narrower than the operator's own: only what is used, so that a misspelt property has no place. Pods
and claims inside are the business of the API server's schemas (`schemas.embedded`).
"""

from typing import Any

from jsonschema import Draft202012Validator
from rendering import Object, title

NAME = {"type": "string", "pattern": "^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"}
VERSION = {"type": "string", "pattern": r"^9\.\d+\.\d+$"}
COUNT = {"type": "integer", "minimum": 1}
SETTINGS = {"type": "object", "additionalProperties": {"type": ["string", "boolean", "integer"]}}
POD = {"type": "object", "required": ["spec"]}
DISKS_LIVE = {"enum": ["DeleteOnScaledownOnly", "DeleteOnScaledownAndClusterDeletion"]}


def _exactly(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def _each(item: Any) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": 1}


SECRET = _exactly({"secretName": NAME})
METADATA = {"type": "object", "required": ["name", "namespace"]}
# ECK mounts the claim of this name, and only of this, at the data folder.
DISK = _exactly(
    {"metadata": _exactly({"name": {"const": "elasticsearch-data"}}), "spec": {"type": "object"}}
)
NODES = _exactly(
    {
        "name": NAME,
        "count": COUNT,
        "config": SETTINGS,
        "podTemplate": POD,
        "volumeClaimTemplates": _each(DISK),
    }
)
SCHEMAS = {
    "Elasticsearch": _exactly(
        {
            "apiVersion": {"const": "elasticsearch.k8s.elastic.co/v1"},
            "kind": {"const": "Elasticsearch"},
            "metadata": METADATA,
            "spec": _exactly(
                {"version": VERSION, "nodeSets": _each(NODES)},
                volumeClaimDeletePolicy={
                    "enum": ["DeleteOnScaledownOnly", "DeleteOnScaledownAndClusterDeletion"]
                },
                auth=_exactly({}, roles=_each(SECRET), fileRealm=_each(SECRET)),
            ),
        }
    ),
    "Kibana": _exactly(
        {
            "apiVersion": {"const": "kibana.k8s.elastic.co/v1"},
            "kind": {"const": "Kibana"},
            "metadata": METADATA,
            "spec": _exactly(
                {
                    "version": VERSION,
                    "count": COUNT,
                    "elasticsearchRef": _exactly({"name": NAME}),
                    "config": SETTINGS,
                    "podTemplate": POD,
                }
            ),
        }
    ),
}


def elastic_findings(objects: list[Object]) -> list[str]:
    """Return what the schemas above refuse, one line each."""
    return [
        f"{title(each)}: {'.'.join(map(str, error.path))}: {error.message}"
        for each in objects
        if each["kind"] in SCHEMAS
        for error in Draft202012Validator(SCHEMAS[each["kind"]]).iter_errors(each)
    ]
