"""Strict in, fast out."""

import io
import json
from contextlib import suppress

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from apps.kernel.rest import DEEPEST, BodyTooLarge, FastJSONRenderer, StrictJSONParser

documents = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(min_value=-(2**53), max_value=2**53)
        | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


def parse(body: bytes) -> dict[str, object]:
    return StrictJSONParser().parse(io.BytesIO(body))


def nested(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


@given(documents)
def test_what_is_rendered_parses_to_the_same_document(document: dict[str, object]) -> None:
    assert parse(FastJSONRenderer().render(document)) == document
    assert parse(json.dumps(document).encode()) == document


@given(st.binary(max_size=60))
def test_any_bytes_are_a_document_or_refused(body: bytes) -> None:
    with suppress(ParseError):
        assert isinstance(parse(body), dict)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": 1} x',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\udc00\\ud800"}',
        b'{"a": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'{"a": "\0"}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        '{"a": "ü"}'.encode("utf-16"),
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b"true",
        nested(DEEPEST + 1),
        nested(5000),
        b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_no_plain_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(ParseError):
        parse(body)


def test_a_deep_document_is_read_to_the_limit_and_brackets_in_text_do_not_count() -> None:
    assert parse(nested(DEEPEST))
    assert parse(b'{"a": "' + b"[" * 500 + b'"}') == {"a": "[" * 500}
    assert parse(b'{"a": [' + b",".join([b"[]"] * 500) + b"]}") == {"a": [[]] * 500}


def test_of_equal_names_the_last_one_counts() -> None:
    assert parse(b'{"a": 1, "a": 2}') == {"a": 2}


def test_a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not() -> None:
    frame = b'{"a":""}'
    full = b'{"a":"' + b"x" * (settings.API_BODY_LIMIT_BYTES - len(frame)) + b'"}'

    assert len(parse(full)["a"]) == settings.API_BODY_LIMIT_BYTES - len(frame)  # type: ignore[arg-type]  # a string
    with pytest.raises(BodyTooLarge):
        parse(full.replace(b"x", b"xx", 1))


def test_bytes_are_passed_on_as_they_are_and_nothing_is_no_bytes() -> None:
    renderer = FastJSONRenderer()

    assert renderer.render(b'{"a" : 1}') == b'{"a" : 1}'
    assert renderer.render(None) == b""
    assert renderer.render({"a": 1}) == b'{"a":1}'
