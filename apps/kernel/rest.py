"""How the REST framework reads and writes JSON here: strict in, fast out."""

from typing import IO, Any

import orjson
from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from apps.kernel.json import dumps

PROBLEM = "application/problem+json"
DEEPEST = 64


class BodyTooLarge(APIException):
    """The request body is larger than the API takes."""

    status_code = 413
    default_detail = "The request body is larger than 1 MiB."
    default_code = "body_too_large"


class StrictJSONParser(BaseParser):
    """Read a JSON object of at most `API_BODY_LIMIT_BYTES`.

    Raises BodyTooLarge; ParseError for malformed JSON, NaN, lone surrogates, NUL characters, more
    than DEEPEST levels and for a document that is no object. The last of equal names counts.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: object = None,
    ) -> dict[str, object]:
        limit: int = settings.API_BODY_LIMIT_BYTES
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge
        if b"\\u0000" in body:
            raise ParseError("Text may not hold NUL characters.")
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError("The body is not valid JSON.") from error
        if not isinstance(document, dict):
            raise ParseError("The body has to be a JSON object.")
        # Counting brackets is cheap and never too low, so hardly any document is walked.
        if body.count(b"{") + body.count(b"[") > DEEPEST and _depth(document) > DEEPEST:
            raise ParseError("The body is nested too deeply.")
        return document


def _depth(document: object) -> int:
    depth, level = 0, [document]
    while level := [value for value in level if isinstance(value, dict | list)]:
        depth += 1
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    return depth


class FastJSONRenderer(BaseRenderer):
    """Write JSON by orjson, bytes untouched: a view may hand over what is rendered already."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: object,
        accepted_media_type: str | None = None,
        renderer_context: object = None,
    ) -> bytes:
        if data is None:
            return b""
        return data if isinstance(data, bytes) else dumps(data)
