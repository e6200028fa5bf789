"""ETags given out and taken back."""

import pytest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from apps.kernel.conditional import MalformedETag, expected_version, tagged


def asking(**headers: str) -> Request:
    return Request(APIRequestFactory().put("/", headers=headers))


def test_the_tag_that_was_given_out_names_the_version_again() -> None:
    tag = tagged(Response({"name": "x"}), version=7)["ETag"]

    assert expected_version(asking(**{"If-Match": tag})) == 7
    assert expected_version(asking(**{"If-Match": f"W/{tag}"})) == 7


def test_the_tag_depends_on_the_version_and_on_every_byte() -> None:
    tags = {
        tagged(Response({"name": "x"}), version=1)["ETag"],
        tagged(Response({"name": "x"}), version=2)["ETag"],
        tagged(Response({"name": "y"}), version=1)["ETag"],
    }

    assert len(tags) == 3
    assert (
        tagged(Response({"name": "x"}), version=1)["ETag"]
        == (tagged(Response(b'{"name":"x"}'), version=1)["ETag"])
    )


def test_without_if_match_or_with_a_star_any_version_will_do() -> None:
    assert expected_version(asking()) is None
    assert expected_version(asking(**{"If-Match": "*"})) is None


@pytest.mark.parametrize(
    "header",
    [
        "7",
        '"',
        '""',
        '"x"',
        '"-1"',
        '"1-xyz"',
        '"1", "2"',
        '"1"x',
        '"9999999999"',
        '"١"',
        "W/7",
        "",
    ],
)
def test_a_tag_that_nobody_gave_out_is_malformed(header: str) -> None:
    with pytest.raises(MalformedETag):
        expected_version(asking(**{"If-Match": header}))
