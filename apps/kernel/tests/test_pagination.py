"""Walking through a list by cursor."""

import base64
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import pytest
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from apps.kernel import pagination
from apps.kernel.ids import new_id
from apps.kernel.models import OutboxEvent
from apps.kernel.pagination import Ordering, PageQuery, page_of, read_query

pytestmark = pytest.mark.django_db

FLAG = "0198c2d5-0000-7000-8000-000000000001"


def whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError("no number")
    return value


BY_TRIES = Ordering("tries", descending=False, parse=whole)
BY_TRIES_DOWN = Ordering("tries", descending=True, parse=whole)
BY_NAME = Ordering("name", descending=False, parse=str)
BY_ID = Ordering("id", descending=True, parse=UUID)


class NamedQuery(PageQuery):
    """A list with one filter."""

    name = serializers.CharField(required=False)


def fill(count: int, *, values: int = 3) -> None:
    """Store rows of which many share the value they are sorted by."""
    OutboxEvent.objects.bulk_create(
        OutboxEvent(
            aggregate_id=new_id(),
            seq=1,
            name=f"n{number % values}",
            payload={},
            tries=number % values,
        )
        for number in range(count)
    )


def asking(**parameters: object) -> Request:
    return Request(APIRequestFactory().get(f"/things?{urlencode(parameters)}"))


def page(ordering: Ordering = BY_TRIES, /, **parameters: Any) -> dict[str, Any]:
    request = asking(**parameters)
    query = read_query(request, NamedQuery)
    rows = OutboxEvent.objects.values("id", "tries", "name")
    if name := query.get("name"):
        rows = rows.filter(name=name)
    return page_of(rows, ordering=ordering, query=query, request=request)


def following(link: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}


def walk(ordering: Ordering, way: str, **parameters: object) -> Iterator[list[UUID]]:
    asked: dict[str, object] = dict(parameters)
    while True:
        found = page(ordering, **asked)
        yield [row["id"] for row in found["results"]]
        if not found[way]:
            return
        asked = {**following(found[way])}


def cursor(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize("ordering", [BY_TRIES, BY_TRIES_DOWN, BY_NAME])
@pytest.mark.parametrize("limit", [1, 3, 7, 22, 23, 24])
def test_walking_forward_meets_every_row_once_in_order(ordering: Ordering, limit: int) -> None:
    fill(23)
    sign = "-" if ordering.descending else ""
    expected = list(
        OutboxEvent.objects.order_by(f"{sign}{ordering.column}", f"{sign}id").values_list(
            "id", flat=True
        )
    )

    pages = list(walk(ordering, "next", limit=limit))

    assert [row for found in pages for row in found] == expected
    assert all(len(found) == limit for found in pages[:-1])
    assert pages[-1]


@pytest.mark.parametrize("ordering", [BY_TRIES, BY_TRIES_DOWN])
@pytest.mark.parametrize("limit", [1, 4, 12])
def test_walking_back_from_the_end_meets_the_same_rows(ordering: Ordering, limit: int) -> None:
    fill(23)
    forward = [row for found in walk(ordering, "next", limit=limit) for row in found]
    asked: dict[str, Any] = {"limit": limit}
    while link := (found := page(ordering, **asked))["next"]:
        asked = following(link)
    last = [row["id"] for row in found["results"]]

    back = list(walk(ordering, "previous", **following(found["previous"])))

    assert [row for found_ids in reversed(back) for row in found_ids] + last == forward


def test_the_first_page_has_no_previous_and_the_last_no_next() -> None:
    fill(4)

    first = page(limit=2)
    last = page(**following(first["next"]))

    assert first["previous"] is None
    assert last["next"] is None
    assert page(**following(last["previous"]))["results"] == first["results"]
    assert page(**following(last["previous"]))["previous"] is None


def test_an_empty_list_is_one_empty_page() -> None:
    assert page() == {"results": [], "next": None, "previous": None}


def test_rows_that_come_and_go_on_the_way_shift_nothing() -> None:
    fill(9, values=9)
    first = page(limit=3)
    OutboxEvent.objects.filter(pk__in=[row["id"] for row in first["results"]]).delete()
    OutboxEvent.objects.create(aggregate_id=new_id(), seq=1, name="new", payload={}, tries=0)

    second = page(**following(first["next"]))

    assert [row["tries"] for row in second["results"]] == [3, 4, 5]


def test_links_keep_the_filters_and_the_limit() -> None:
    fill(9)

    link = page(limit=2, name="n1")["next"]

    assert urlsplit(link)._replace(query="").geturl() == "http://testserver/things"
    assert (following(link)["limit"], following(link)["name"]) == ("2", "n1")
    assert {row["name"] for row in page(**following(link))["results"]} == {"n1"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"x",
        b"{}",
        b"[]",
        b"null",
        b"1",
        b'"ab"',
        b"[1]",
        b"[1, 2, 3]",
        b"[1, 2]",
        b"[1, null]",
        b'[1, "x"]',
        b"[1, {}]",
        b'[1, "\\u0000"]',
        b'["1", "%s"]' % FLAG.encode(),
        b'[1.5, "%s"]' % FLAG.encode(),
        b'[true, "%s"]' % FLAG.encode(),
        b'[null, "%s"]' % FLAG.encode(),
        b'[NaN, "%s"]' % FLAG.encode(),
        b'[1e999, "%s"]' % FLAG.encode(),
        b'[[], "%s"]' % FLAG.encode(),
        b'["\\u0000", "%s"]' % FLAG.encode(),
        b'[1, "%s"' % FLAG.encode(),
        b"\xff\xfe",
        b"[" * 2000,
    ],
)
@pytest.mark.parametrize("way", ["after", "before"])
def test_a_cursor_that_nobody_gave_out_is_refused(raw: bytes, way: str) -> None:
    fill(2)
    # An empty value or one beyond 500 characters is refused before it is read.
    with pytest.raises(ValidationError) as refusal:
        page(**{way: cursor(raw)})

    assert list(refusal.value.detail) == [way]


@pytest.mark.parametrize("value", ["5", "1.5", "true", "null", "[]", "{}", '"x"'])
def test_a_cursor_of_a_list_by_id_holds_an_id(value: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        page(BY_ID, after=cursor(f'[{value}, "{FLAG}"]'.encode()))

    assert list(refusal.value.detail) == ["after"]


@pytest.mark.parametrize("text", ["%", "ü", "=", "a", "🛒", "AAAA AAAA", "..", "x" * 501, "\0"])
def test_a_cursor_that_is_no_base64_is_refused(text: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        page(after=text)

    assert list(refusal.value.detail) == ["after"]


@pytest.mark.parametrize("value", [2**31, 2**63, -(2**63), 10**18])
def test_a_cursor_beyond_the_columns_range_is_an_ordinary_place(value: int) -> None:
    fill(3)

    found = page(after=cursor(f'[{value}, "{FLAG}"]'.encode()))

    assert len(found["results"]) == (3 if value < 0 else 0)


def test_a_cursor_with_nul_never_reaches_a_text_column() -> None:
    with pytest.raises(ValidationError):
        page(BY_NAME, after=cursor(f'["\\u0000", "{FLAG}"]'.encode()))


@pytest.mark.parametrize("limit", ["0", "-1", "101", "x", "1.5", "", "1e2", "9" * 30, " "])
def test_a_limit_outside_1_to_100_is_refused(limit: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        page(limit=limit)

    assert list(refusal.value.detail) == ["limit"]


def test_the_limit_is_25_unless_asked() -> None:
    fill(30)

    assert len(page()["results"]) == 25
    assert len(page(limit=100)["results"]) == 30


@pytest.mark.parametrize(
    "parameters", [{"page": 1}, {"limit": 5, "Limit": 5}, {"after": "x", "before": "y"}, {"": 1}]
)
def test_an_unknown_or_contradictory_parameter_is_refused(parameters: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        page(**parameters)


def test_a_parameter_given_twice_is_refused() -> None:
    request = Request(APIRequestFactory().get("/things?limit=5&limit=6"))

    with pytest.raises(ValidationError) as refusal:
        read_query(request, NamedQuery)

    assert refusal.value.get_codes() == {"limit": ["repeated"]}


def test_the_count_is_of_the_whole_filtered_list(
    django_assert_num_queries: Callable[[int], Any],
) -> None:
    fill(9)

    with django_assert_num_queries(2):
        found = page(limit=2, name="n1", include="count")

    assert (found["count"], found["count_capped"]) == (3, False)
    with django_assert_num_queries(1):
        assert "count" not in page(limit=2)


def test_the_count_stops_at_its_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagination, "LARGEST_COUNT", 5)
    fill(5)
    exact = page(include="count")
    fill(1)

    capped = page(include="count")

    assert (exact["count"], exact["count_capped"]) == (5, False)
    assert (capped["count"], capped["count_capped"]) == (5, True)
