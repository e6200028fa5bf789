"""How the OpenAPI document says what all operations have in common: problems and headers."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from apps.kernel.rest import PROBLEM
from apps.kernel.serializers import Problem

# draft-ietf-httpapi-ratelimit-headers-11: name, what it says, an example.
LIMIT_HEADERS = {
    "RateLimit": ("By policy: r more requests within t seconds.", '"reads";r=599;t=60'),
    "RateLimit-Policy": ("What counts: q requests in w seconds.", '"reads";q=600;w=60'),
    "Retry-After": ("Seconds to wait.", "60"),
}
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
    """Declare what any operation may answer: problems, limits (a hook of drf-spectacular)."""
    schema = {"$ref": "#/components/schemas/Problem"}
    result["components"]["headers"] = {
        name: {"description": text, "schema": {"type": "string", "example": example}}
        for name, (text, example) in LIMIT_HEADERS.items()
    }
    for operations in result["paths"].values():
        for method, operation in operations.items():
            if method not in METHODS:
                continue
            general = ["400", "406", "429", "503"]
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
            for status, response in operation["responses"].items():
                for name in LIMIT_HEADERS:
                    if name != "Retry-After" or status in ("429", "503"):
                        response.setdefault("headers", {}).setdefault(
                            name, {"$ref": f"#/components/headers/{name}"}
                        )
    return result
