"""How many requests one client may send in a minute or a day, and what clients are told about it.

Numbers are in settings.RATE_LIMITS, headers follow draft-ietf-httpapi-ratelimit-headers-11.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter
from rest_framework.exceptions import Throttled
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apps.kernel.networks import network_of
from ecommerce.problems import CODES, problem

if TYPE_CHECKING:
    from ecommerce.request_windows import Windows

WINDOW_SECONDS = 60
LONGER_WINDOWS = {"contributions": 24 * 60 * 60}

# Routes that have a policy of their own for writes, for whoever may call them but an API key and,
# where it limits what people outside the house contribute, staff.
ROUTES = {
    "api/v1/products/<id:product_id>/reviews": "contributions",
    "api/v1/reviews/<id:review_id>/reports": "contributions",
    "api/v1/reviews/<id:review_id>/photos": "contributions",
    "api/v1/returns/<id:return_id>/photos": "contributions",
    "api/v1/products/<id:product_id>/questions": "contributions",
    "api/v1/questions/<id:question_id>/answers": "contributions",
    "api/v1/carts/<id:cart_id>/checkout": "payments",
    "api/v1/orders/<id:order_id>/payments": "payments",
    "api/v1/orders/<id:order_id>/cancellations": "payments",
    "api/v1/hooks/payments/stripe": "webhooks",
}

COUNTED = "ecommerce.counted"
REFUSED = Counter("http_requests_over_rate_limit", "Requests refused by a rate limit.", ["policy"])
CODE = "too_many_requests"
DETAIL = CODES[CODE][1]

View = Callable[[HttpRequest], HttpResponse]


@dataclass(frozen=True, slots=True)
class Counted:
    """A request's place among those that its client has sent in the current window."""

    policy: str
    quota: int
    requests: int
    seconds_left: float

    @property
    def refused(self) -> bool:
        return self.requests > self.quota

    @property
    def wait(self) -> int:
        return math.ceil(self.seconds_left)

    def tell(self, response: HttpResponse) -> None:
        """Write the headers; another limit that has refused the request keeps its own."""
        own = f'"{self.policy}";r={max(self.quota - self.requests, 0)};t={self.wait}'
        others = response.get("RateLimit")
        response["RateLimit"] = f"{own}, {others}" if others else own
        response["RateLimit-Policy"] = f'"{self.policy}";q={self.quota};w={_window_of(self.policy)}'


class TooManyRequests(Throttled):
    """The client has used up what it may send in this minute."""

    default_code = CODE

    def __init__(self, counted: Counted) -> None:
        super().__init__(detail=DETAIL)
        self.wait = counted.seconds_left


class RateLimit(BaseThrottle):
    """Counts a request for whom its view has recognised, before the view does anything."""

    def allow_request(self, request: Request, view: object) -> bool:
        """Let the request pass. Raises TooManyRequests."""
        counted = request._request.META[COUNTED] = _count(request._request)
        if counted.refused:
            raise TooManyRequests(counted)
        return True


def rate_limits(get_response: View) -> View:
    """Tell clients of the API where they stand.

    What no view has counted is counted here: a bad token, a missing right, a path to nowhere.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not request.path.startswith("/api/"):
            return response
        counted: Counted | None = request.META.get(COUNTED)
        if counted is None:
            counted = _count(request)
            if counted.refused:
                response = problem(request, 429, CODE, DETAIL)
                response["Retry-After"] = str(counted.wait)
        counted.tell(response)
        return response

    return middleware


def _count(request: HttpRequest) -> Counted:
    policy, client = _client_of(request)
    requests, seconds_left = windows(_window_of(policy)).count(f"{policy}:{client}")
    counted = Counted(policy, settings.RATE_LIMITS[policy], requests, seconds_left)
    if counted.refused:
        REFUSED.labels(policy).inc()
    return counted


def _window_of(policy: str) -> int:
    return LONGER_WINDOWS.get(policy, WINDOW_SECONDS)


@cache
def windows(seconds: int) -> "Windows":
    """Return what this process counts with in windows of that length."""
    # redis brings OpenTelemetry along, a third of a second for every command that limits nothing.
    from ecommerce.request_windows import Windows

    prefix = settings.CACHES["default"]["KEY_PREFIX"]
    return Windows(settings.REDIS_URL, prefix=f"{prefix}:rate", seconds=seconds)


def _client_of(request: HttpRequest) -> tuple[str, str]:
    """Return the policy and the client that a request counts for."""
    kind = "reads" if request.method in SAFE_METHODS else "writes"
    of_route = None
    if kind == "writes" and request.resolver_match:
        of_route = ROUTES.get(request.resolver_match.route)
    proof = getattr(request, "auth", None)  # the REST framework's, of whom it has recognised
    if proof is None:
        ip = request.META.get("REMOTE_ADDR")
        return of_route or f"anonymous-{kind}", f"network:{network_of(ip) if ip else 'none'}"
    if key_id := getattr(request.user, "key_id", None):
        return "api-keys", f"key:{key_id}"
    if of_route == "contributions" and request.user.is_staff:
        of_route = None
    return of_route or kind, f"person:{request.user.pk}"
