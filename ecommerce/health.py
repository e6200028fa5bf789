"""What the platform asks: alive, ready, metrics. Answered before the host is checked."""

from collections.abc import Callable

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django_prometheus import exports

View = Callable[[HttpRequest], HttpResponse]


def probes(get_response: View) -> View:
    """Answer /health/live, /health/ready and /metrics; pass everything else on.

    The platform asks directly. What comes through a proxy comes from outside, whatever way it found
    around the proxy's own rules, and there are no such pages for it.
    """
    answers: dict[str, View] = {
        "/health/live": live,
        "/health/ready": ready,
        "/metrics": exports.ExportToDjangoView,
    }

    def middleware(request: HttpRequest) -> HttpResponse:
        if "HTTP_X_FORWARDED_FOR" in request.META:
            return get_response(request)
        return answers.get(request.path, get_response)(request)

    return middleware


def live(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> HttpResponse:
    """200 while the database answers, else 503. The cache is told, but never decides."""
    database = _answers(_select_one)
    checks = {"database": database, "cache": _answers(_cache_round_trip)}
    return JsonResponse(
        {"status": "ok" if database else "unavailable", "checks": checks},
        status=200 if database else 503,
    )


def _answers(check: Callable[[], object]) -> bool:
    try:
        return bool(check())
    except (DatabaseError, OSError):
        return False


def _select_one() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone() == (1,)


def _cache_round_trip() -> bool:
    cache.set("health", 1, 5)
    return cache.get("health") == 1
