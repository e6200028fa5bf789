"""How the OpenAPI document says what all operations have in common: problems and headers."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from apps.kernel.rest import PROBLEM
from apps.kernel.serializers import Problem

METHODS = frozenset({"get", "post", "put", "patch", "delete"})


def header(name: str, text: str, *, required: bool = False) -> OpenApiParameter:
    """Return a header parameter of an operation."""
    return OpenApiParameter(
        name, OpenApiTypes.STR, OpenApiParameter.HEADER, required=required, description=text
    )


IF_MATCH = header("If-Match", "Refuse (412) unless the resource still has this ETag.")
IDEMPOTENCY_KEY = header(
    "Idempotency-Key", "1 to 255 visible ASCII characters; repeats give one effect.", required=True
)


def problems(*statuses: int) -> dict[Any, OpenApiResponse]:
    """Return the problem responses of an operation, for its `responses`."""
    return {
        (status, PROBLEM): OpenApiResponse(Problem, description="A problem (RFC 9457).")
        for status in sorted(statuses)
    }


def add_general_problems(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Declare the problems that any operation may answer (a hook of drf-spectacular)."""
    schema = {"$ref": "#/components/schemas/Problem"}
    for operations in result["paths"].values():
        for method, operation in operations.items():
            if method not in METHODS:
                continue
            general = ["400", "406", "503"]
            if "security" in operation:
                general.append("401")
            if "requestBody" in operation:
                general += ["413", "415"]
            for status in general:
                operation["responses"].setdefault(
                    status,
                    {
                        "description": "A problem (RFC 9457).",
                        "content": {PROBLEM: {"schema": schema}},
                    },
                )
    return result
