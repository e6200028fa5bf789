"""The address of a client is what our own proxies saw, never what the client claims."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client

from ecommerce.client_address import client_address

CLIENT, LIE, BALANCER = "203.0.113.7", "198.51.100.1", "10.0.1.5"


def seen(forwarded: str | None) -> str:
    """Return the address that a view is shown when the balancer asks with this header."""
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = BALANCER
    if forwarded is not None:
        request.META["HTTP_X_FORWARDED_FOR"] = forwarded
    client_address(lambda _: HttpResponse())(request)
    return str(request.META["REMOTE_ADDR"])


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, CLIENT, BALANCER),
        (0, None, BALANCER),
        (1, CLIENT, CLIENT),
        (1, f"{LIE}, {CLIENT}", CLIENT),
        (1, f"{LIE},{LIE} , {CLIENT} ", CLIENT),
        (1, "2001:db8::7", "2001:db8::7"),
        (2, f"{LIE}, {CLIENT}, 10.0.0.9", CLIENT),
        (2, CLIENT, BALANCER),
        (1, None, BALANCER),
        (1, "", BALANCER),
        (1, f"{CLIENT}, somebody", BALANCER),
        (1, f"{CLIENT}, {LIE}:80", BALANCER),
    ],
)
def test_as_many_entries_are_believed_as_there_are_proxies(settings, proxies, forwarded, address):
    settings.TRUSTED_PROXY_COUNT = proxies

    assert seen(forwarded) == address


@pytest.mark.django_db(transaction=True)
def test_failed_logins_of_one_client_do_not_count_for_another_behind_the_same_proxy(settings):
    settings.TRUSTED_PROXY_COUNT = 1
    settings.LOGIN_ATTEMPTS_PER_ADDRESS = 3

    def log_in(address: str, number: int) -> int:
        return (
            Client()
            .post(
                "/api/v1/auth/login",
                {"email": f"nobody-{number}@example.com", "password": "a wrong one"},
                content_type="application/json",
                headers={"X-Forwarded-For": f"{LIE}{number}, {address}"},
            )
            .status_code
        )

    assert [log_in(CLIENT, number) for number in range(4)] == [401, 401, 401, 429]
    assert log_in("203.0.200.9", 9) == 401
