"""What is counted of every HTTP request: two metrics, because each costs every request."""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Gauge, Histogram

# The objectives are among the bounds, so that "within 100, 500, 1000 ms" is counted, not guessed.
DURATION_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
View = Callable[[HttpRequest], HttpResponse]

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})

REQUESTS = Counter(
    "http_requests", "Requests answered, by route name.", ["route", "method", "status"]
)
DURATION = Histogram(
    "http_request_duration_seconds",
    "From the first to the last middleware and back.",
    ["route"],
    buckets=DURATION_BOUNDS,
)
SEARCHES = Counter(
    "search_answers",
    "Searches and suggestions answered, by who found them; degraded: another should have.",
    ["backend", "degraded"],
)
IN_PROGRESS = Gauge(
    "http_requests_in_progress", "Requests being worked on now.", multiprocess_mode="livesum"
)
THREADS = Gauge(
    "http_threads", "Requests that can be worked on at once.", multiprocess_mode="livesum"
)


def measured(get_response: View) -> View:
    """Count and time every request, also one that failed."""

    def middleware(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        IN_PROGRESS.inc()
        try:
            response = get_response(request)
        finally:
            IN_PROGRESS.dec()
        match = request.resolver_match
        # Never the path: it holds ids, and anybody may invent another one.
        route = (match and match.view_name) or "unmatched"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(route, method, response.status_code).inc()
        DURATION.labels(route).observe(time.perf_counter() - started)
        if backend := response.get("X-Search-Backend"):
            SEARCHES.labels(backend, response.get("X-Search-Degraded", "false")).inc()
        return response

    return middleware
