"""What happens to every request before and after its view."""

import logging
import re
import time
from collections.abc import Callable
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from ecommerce.logs import request_id as current_request_id
from ecommerce.problems import problem

type_of_id = re.compile(r"[A-Za-z0-9_.:-]{8,128}")
type_of_length = re.compile(r"[0-9]{1,12}")
access_log = logging.getLogger("ecommerce.access")

View = Callable[[HttpRequest], HttpResponse]


def request_id(get_response: View) -> View:
    """Take the caller's X-Request-Id or make one; log the request; answer with the id."""

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        token = current_request_id.set(given if type_of_id.fullmatch(given) else uuid4().hex)
        started = time.perf_counter()
        try:
            response = get_response(request)
            response["X-Request-Id"] = current_request_id.get()
            access_log.info(
                "request",
                extra={
                    "method": request.method,
                    "path": request.path,
                    "status": response.status_code,
                    "duration_ms": round((time.perf_counter() - started) * 1000, 1),
                },
            )
            return response
        finally:
            current_request_id.reset(token)

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
    if not type_of_length.fullmatch(length) or int(length) > settings.API_BODY_LIMIT_BYTES:
        return problem(request, 413, "body_too_large", "The request body is larger than 1 MiB.")
    return None
