"""The one table from refusals to HTTP, in the form of RFC 9457 (problem details)."""

import logging
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from apps.kernel.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    TooMany,
    Unproven,
    VersionMismatch,
)
from apps.kernel.rest import PROBLEM, FastJSONRenderer
from apps.kernel.trail import request_id

log = logging.getLogger(__name__)

STATUS: dict[type[DomainError], int] = {
    NotFound: 404,
    Invalid: 422,
    Conflict: 409,
    VersionMismatch: 412,
    Forbidden: 403,
    Unproven: 401,
    TooMany: 429,
}

# Codes that no exception class of ours carries.
CODES: dict[str, tuple[int, str]] = {
    "validation_failed": (400, "A field or parameter is missing, unknown or has a wrong value."),
    "malformed_body": (400, "The body is no JSON object."),
    "malformed_request": (400, "The request could not be read."),
    "malformed_id": (400, "An id in the path is no UUID."),
    "nul_character": (400, "A URL may not hold NUL characters."),
    "not_authenticated": (401, "Log in first."),
    "authentication_failed": (401, "The access token is not valid."),
    "permission_denied": (403, "You may not do this."),
    "not_found": (404, "There is nothing here."),
    "method_not_allowed": (405, "This resource has no such method."),
    "not_acceptable": (406, "Only JSON is spoken here."),
    "body_too_large": (413, "The request body is larger than the API takes."),
    "unsupported_media_type": (415, "Send JSON."),
    "throttled": (429, "Too many requests for one gateway. Wait a second."),
    "too_many_requests": (429, "Too many requests. Wait a while."),
    "internal_error": (500, "The store failed; the request id helps to find out why."),
    "busy": (503, "The store is busy. Try again shortly."),
}


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn a refusal into a problem (DRF's exception handler). Returns None for a bug."""
    request = context["request"]
    headers: dict[str, str] = {}
    entries: list[dict[str, str]] = []
    facts: dict[str, object] = {}
    match error:
        case DomainError():
            status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
            code, detail = error.code, error.detail
            facts = dict(error.facts)
            if status == HTTPStatus.UNAUTHORIZED:
                headers["WWW-Authenticate"] = "Bearer"
            if "retry_after" in facts:
                headers["Retry-After"] = str(facts.pop("retry_after"))
                if isinstance(error, TooMany):
                    headers["RateLimit"] = f'"{code}";r=0;t={headers["Retry-After"]}'
        case exceptions.ValidationError():
            status, code, detail = 400, "validation_failed", CODES["validation_failed"][1]
            entries = list(_entries(error.get_full_details(), ""))
        case exceptions.ParseError():
            status, code, detail = 400, "malformed_body", str(error.detail)
        case exceptions.APIException():
            status, detail = error.status_code, str(error.detail)
            codes = error.get_codes()
            code = codes if isinstance(codes, str) else error.default_code
            if header := getattr(error, "auth_header", None):
                headers["WWW-Authenticate"] = header
            if wait := getattr(error, "wait", None):
                headers["Retry-After"] = str(int(wait) + 1)
        case Http404():
            status, code, detail = 404, "not_found", CODES["not_found"][1]
        case PermissionDenied():
            status, code, detail = 403, "permission_denied", CODES["permission_denied"][1]
        case OperationalError() | InterfaceError():
            log.warning("The database refused a statement.", exc_info=error)
            status, code, detail = 503, "busy", CODES["busy"][1]
            headers["Retry-After"] = "1"
        case _:
            return None
    body = _problem(request.path, status, code, detail, entries)
    if facts:
        body["facts"] = facts
    # Also where a view writes something else: the documentation page, an archive.
    request.accepted_renderer, request.accepted_media_type = FastJSONRenderer(), PROBLEM
    return Response(body, status=status, headers=headers, content_type=PROBLEM)


def problem(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    """Return a problem from outside the REST framework."""
    return JsonResponse(
        _problem(request.path, status, code, detail, []), status=status, content_type=PROBLEM
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself refuses to read."""
    if isinstance(exception, BadRequest):
        return problem(request, 400, "malformed_id", CODES["malformed_id"][1])
    if isinstance(exception, SuspiciousOperation):
        log.warning("Refused a suspicious request.", exc_info=exception)
    return problem(request, 400, "malformed_request", CODES["malformed_request"][1])


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a refusal outside the REST framework."""
    return problem(request, 403, "permission_denied", CODES["permission_denied"][1])


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that leads nowhere."""
    return problem(request, 404, "not_found", CODES["not_found"][1])


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a bug without telling anything about it."""
    return problem(request, 500, "internal_error", CODES["internal_error"][1])


def catalogue() -> list[dict[str, object]]:
    """Return every code that the API may answer with, sorted."""
    known = {code: (status, text) for code, (status, text) in CODES.items()}
    for kind in _subclasses(DomainError):
        status = next(STATUS[base] for base in kind.__mro__ if base in STATUS)
        known.setdefault(kind.code, (status, (kind.__doc__ or "").strip().splitlines()[0]))
    for exception in _subclasses(exceptions.APIException):
        if exception.__module__.startswith("apps."):
            known[exception.default_code] = (exception.status_code, str(exception.default_detail))
    return [
        {"code": code, "status": status, "title": _title(status), "detail": text}
        for code, (status, text) in sorted(known.items())
    ]


def _problem(
    path: str, status: int, code: str, detail: str, entries: list[dict[str, str]]
) -> dict[str, object]:
    return {
        "type": f"{settings.PUBLIC_URL}/api/v1/errors/{code}",
        "title": _title(status),
        "status": status,
        "detail": detail,
        "instance": path,
        "code": code,
        "request_id": request_id(),
        "errors": entries,
    }


def _title(status: int) -> str:
    return HTTPStatus(status).phrase


def _entries(details: Any, pointer: str) -> Iterator[dict[str, str]]:
    if isinstance(details, dict) and set(details) == {"message", "code"}:
        yield {
            "pointer": pointer or "/",
            "code": str(details["code"]),
            "detail": str(details["message"]),
        }
    elif isinstance(details, dict):
        for name, inner in details.items():
            own = "" if name == "non_field_errors" else f"/{_escaped(str(name))}"
            yield from _entries(inner, pointer + own)
    else:
        for index, inner in enumerate(details):
            leaf = isinstance(inner, dict) and set(inner) == {"message", "code"}
            if inner:
                yield from _entries(inner, pointer if leaf else f"{pointer}/{index}")


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    child: type[Any]
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)
