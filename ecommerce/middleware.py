"""What happens to every request before and after its view."""

import json
import logging
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID, uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.kernel import audit, trail
from apps.kernel.models import AuditEntry
from apps.kernel.rest import PROBLEM
from ecommerce.logs import TRAIL, route_of
from ecommerce.problems import problem

type_of_id = re.compile(r"[A-Za-z0-9_.:-]{8,128}")
# W3C trace context, version 00; an id of zeros is none.
type_of_trace = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
uploads = re.compile(r"/api/v1/(products/[^/]+/media|(reviews|returns)/[^/]+/photos)")
type_of_length = re.compile(r"[0-9]{1,12}")
access_log = logging.getLogger("ecommerce.access")

View = Callable[[HttpRequest], HttpResponse]


def request_id(get_response: View) -> View:
    """Take the caller's X-Request-Id or make one; log the request; answer with the id.

    The caller's `traceparent` is taken too, so that its trace id is in our lines.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        trace = request.headers.get("traceparent", "")
        own = trail.Trail(_id_of(request), trace if type_of_trace.fullmatch(trace) else "")
        request.META[TRAIL] = own
        token = trail.current.set(own)
        started = time.perf_counter()
        try:
            response = get_response(request)
            trail.current.set(request.META[TRAIL])  # a tracer has put its span there
            response["X-Request-Id"] = trail.request_id()
            access_log.info(
                "request",
                extra={
                    "method": request.method,
                    "route": route_of(request),
                    "status": response.status_code,
                    "duration_ms": round((time.perf_counter() - started) * 1000, 1),
                    **_ids_in(request),
                    **_code_of(response),
                },
            )
            return response
        finally:
            trail.current.reset(token)

    return middleware


def _id_of(request: HttpRequest) -> str:
    given = request.headers.get("X-Request-Id", "")
    return given if type_of_id.fullmatch(given) else uuid4().hex


def _ids_in(request: HttpRequest) -> dict[str, UUID]:
    """Return what the path names by id; other words in it may be anybody's."""
    arguments = request.resolver_match.kwargs if request.resolver_match else {}
    return {name: value for name, value in arguments.items() if isinstance(value, UUID)}


def _code_of(response: HttpResponse) -> dict[str, str]:
    """Return the code of a refusal, which says more than its status."""
    if response.status_code < HTTPStatus.BAD_REQUEST or response.get("Content-Type") != PROBLEM:
        return {}
    return {"code": json.loads(response.content)["code"]}


def who_asks(get_response: View) -> View:
    """Let the audit log name whoever sent the request, once a view knows who that is."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with audit.on_behalf_of(lambda: _actor_of(request)):
            return get_response(request)

    return middleware


def _actor_of(request: HttpRequest) -> audit.Actor:
    # The REST framework puts whom it has recognised on Django's request, too.
    user, proof = request.user, getattr(request, "auth", None)
    ip = request.META.get("REMOTE_ADDR") or None
    if key_id := getattr(user, "key_id", None):
        return audit.Actor(kind=AuditEntry.ActorKind.API_KEY, id=key_id, ip=ip)
    known = user.is_authenticated
    return audit.Actor(
        kind=AuditEntry.ActorKind.PERSON if known else AuditEntry.ActorKind.ANONYMOUS,
        id=user.pk if known else None,
        session_id=getattr(proof, "pk", None),
        ip=ip,
    )


def content_policy(get_response: View) -> View:
    """Tell the browser what a page may load and run: our own files, never what stands in it.

    A view that needs another policy sets it (CSP level 3).
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        api = request.path.startswith("/api/")
        policy = settings.CONTENT_POLICY_OF_API if api else settings.CONTENT_POLICY_OF_PAGES
        response.headers.setdefault("Content-Security-Policy", policy)
        return response

    return middleware


def api_guard(get_response: View) -> View:
    """Refuse what no API view should meet; what a view does not declare public stays private."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/api/"):
            return get_response(request)
        response = _refusal(request) or get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware


def _refusal(request: HttpRequest) -> HttpResponse | None:
    if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
        return problem(request, 400, "nul_character", "A URL may not hold NUL characters.")
    length = request.META.get("CONTENT_LENGTH") or "0"
    limit = settings.API_BODY_LIMITS.get(request.path, settings.API_BODY_LIMIT_BYTES)
    if uploads.fullmatch(request.path):
        limit = settings.API_UPLOAD_LIMIT_BYTES
    if not type_of_length.fullmatch(length) or int(length) > limit:
        detail = f"The request body is larger than {limit // 1024**2} MiB."
        return problem(request, 413, "body_too_large", detail)
    if "HTTP_TRANSFER_ENCODING" in request.META:  # Django would read it as an empty body
        return problem(request, 411, "length_required", "Say the length of the body beforehand.")
    return None
