"""Ids in paths."""

from uuid import UUID

import pytest
from django.core.exceptions import BadRequest
from hypothesis import given
from hypothesis import strategies as st

from apps.kernel.converters import IdConverter


@given(st.uuids())
def test_an_id_is_read_as_it_was_written(made: UUID) -> None:
    converter = IdConverter()

    assert converter.to_python(converter.to_url(made)) == made
    assert converter.to_python(str(made).upper()) == made


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "current",
        "0198c2d5000070008000000000000001",
        "{0198c2d5-0000-7000-8000-000000000001}",
        "urn:uuid:0198c2d5-0000-7000-8000-000000000001",
        "0198c2d5-0000-7000-8000-00000000000g",
        "0198c2d5-0000-7000-8000-000000000001\n",
        "0198c2d5-0000-7000-8000-0000000000011",
    ],
)
def test_what_is_no_uuid_is_a_bad_request(text: str) -> None:
    with pytest.raises(BadRequest, match="malformed_id"):
        IdConverter().to_python(text)
