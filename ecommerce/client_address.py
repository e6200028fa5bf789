"""Whose address a request came from, when proxies of ours stand in front."""

from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse

View = Callable[[HttpRequest], HttpResponse]


def client_address(get_response: View) -> View:
    """Put the client's address into REMOTE_ADDR, as the outermost proxy of ours has seen it.

    Each proxy adds who it was asked by to the end of X-Forwarded-For. TRUSTED_PROXY_COUNT of them
    are ours, so that many entries from the end are true; what stands before, the client may have
    written. Login limits count by this address: behind a load balancer that it is not told of, all
    shoppers would be one.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        trusted = settings.TRUSTED_PROXY_COUNT
        hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if trusted and len(hops) >= trusted and _is_address(hop := hops[-trusted].strip()):
            request.META["REMOTE_ADDR"] = hop
        return get_response(request)

    return middleware


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
