"""Answers that everybody gets alike, kept in this process for a moment."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch
from django.utils.cache import get_conditional_response

MOST_BYTES = 16 * 1024 * 1024
LIMITS = ("RateLimit", "RateLimit-Policy")

View = Callable[[HttpRequest], HttpResponse]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, what it depended on, and when it was given."""

    content: bytes
    headers: dict[str, str]
    varies_by: dict[str, str | None]
    match: ResolverMatch | None
    at: float


def kept_answers(get_response: View) -> View:
    """Give an answer of the API a second time within `ANSWERS_KEPT_SECONDS` without asking a view.

    Only what is `public` is kept, and only for requests that say nothing of who asks. An answer
    from memory costs less than counting the request, so it counts towards no rate limit.
    """
    if not settings.ANSWERS_KEPT_SECONDS:
        raise MiddlewareNotUsed
    kept: dict[str, Kept] = {}
    size = 0
    lock = Lock()

    def middleware(request: HttpRequest) -> HttpResponse:
        nonlocal size
        if request.method != "GET" or not request.path.startswith("/api/"):
            return get_response(request)
        if "Authorization" in request.headers:
            return get_response(request)
        address = request.build_absolute_uri()
        answer = kept.get(address)
        age = time.monotonic() - answer.at if answer else 0
        if answer and age < settings.ANSWERS_KEPT_SECONDS and _fits(answer, request):
            return _repeated(answer, request, int(age))
        response = get_response(request)
        if answer and _is_still(answer, response) and _fits(answer, request):
            with lock:
                if kept.get(address) is answer:
                    kept[address] = replace(answer, at=time.monotonic())
        elif _is_for_everybody(response):
            with lock:
                if size > MOST_BYTES:
                    kept.clear()
                    size = 0
                kept[address] = _kept(response, request)
                size += len(response.content)
        return response

    return middleware


def _is_for_everybody(response: HttpResponse) -> bool:
    public = "public" in response.get("Cache-Control", "")
    return (
        response.status_code == 200 and public and not response.streaming and not response.cookies
    )


def _is_still(answer: Kept, response: HttpResponse) -> bool:
    """Whether the view has just told somebody that what they have, which we have, is valid."""
    return response.status_code == 304 and response.get("ETag") == answer.headers.get("ETag")


def _kept(response: HttpResponse, request: HttpRequest) -> Kept:
    names = [name.strip() for name in response.get("Vary", "").split(",") if name.strip()]
    return Kept(
        content=response.content,
        headers={name: value for name, value in response.items() if name not in LIMITS},
        varies_by={name: request.headers.get(name) for name in names},
        match=request.resolver_match,
        at=time.monotonic(),
    )


def _fits(answer: Kept, request: HttpRequest) -> bool:
    return all(request.headers.get(name) == value for name, value in answer.varies_by.items())


def _repeated(answer: Kept, request: HttpRequest, age: int) -> HttpResponse:
    request.resolver_match = answer.match  # the metrics and the access log tell the route
    response = HttpResponse(answer.content, headers=answer.headers)
    response["Age"] = str(age)
    etag = answer.headers.get("ETag")
    return get_conditional_response(request, etag=etag, response=response) or response
