"""Conditional requests (RFC 9110, section 13): a version in every ETag, checked by If-Match."""

import hashlib
import re

from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from apps.kernel.json import dumps

TAG = re.compile(r'(?:W/)?"([0-9]{1,9})(?:-[0-9a-f]{16})?"')


class MalformedETag(APIException):
    """The If-Match header holds no ETag that this API gave out."""

    status_code = 400
    default_code = "etag_malformed"
    default_detail = "If-Match takes an ETag as this API sends it."


def cacheable(response: Response, request: Request) -> Response:
    """Let caches keep for half a minute what everybody sees alike."""
    if not request.user.is_authenticated:
        response["Cache-Control"] = "public, max-age=30"
    patch_vary_headers(response, ["Authorization"])
    return response


def tagged(response: Response, *, version: int) -> Response:
    """Give the response an ETag of the row's version and the bytes that are sent."""
    body = response.data if isinstance(response.data, bytes) else dumps(response.data)
    response.data = body
    response["ETag"] = f'"{version}-{hashlib.blake2b(body, digest_size=8).hexdigest()}"'
    return response


def expected_version(request: Request) -> int | None:
    """Return the version that If-Match asks for, or None when any will do.

    Raises MalformedETag.
    """
    header = request.headers.get("If-Match", "*").strip()
    if header == "*":
        return None
    if not (match := TAG.fullmatch(header)):
        raise MalformedETag
    return int(match[1])
