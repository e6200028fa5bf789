"""Repeating a request under its key."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from threading import Event as Signal
from types import SimpleNamespace
from typing import ClassVar, cast

import pytest
from django.db.models.functions import Now
from django.http import HttpResponse
from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from apps.kernel.conditional import tagged
from apps.kernel.errors import Conflict, Invalid, NotFound
from apps.kernel.events import Event, publish
from apps.kernel.idempotency import KEPT_FOR, forget_old_answers, idempotent
from apps.kernel.ids import new_id
from apps.kernel.models import IdempotencyRecord, OutboxEvent
from apps.kernel.tests.threads import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinDropped(Event):
    """The effect that these tests count."""

    name: ClassVar[str] = "kernel.coin_dropped"


class Machine(APIView):
    """Takes a coin, and then does what the request says."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    running = Signal()
    may_end = Signal()

    @idempotent
    def post(self, request: Request, slot: str = "") -> Response:
        publish(CoinDropped(), aggregate_id=new_id())
        match dict(request.data).get("then"):
            case "invalid":
                raise Invalid("The coin is of wood.", coin="wood")
            case "missing":
                raise NotFound("There is no such drink.")
            case "conflict":
                raise Conflict("The machine is empty.")
            case "bug":
                raise ZeroDivisionError
            case "exit":
                raise SystemExit
            case "wait":
                self.running.set()
                assert self.may_end.wait(timeout=10)
        drink = Response({"drink": new_id()}, status=201, headers={"Location": "/drinks/1"})
        return tagged(drink, version=3)


urlpatterns = [
    path("machine", Machine.as_view()),
    path("machines/<slug:slot>", Machine.as_view()),
]


@pytest.fixture(autouse=True)
def _signals_are_down() -> Iterator[None]:
    Machine.running.clear()
    Machine.may_end.clear()
    yield
    Machine.may_end.set()


def drop(
    *, key: str | None = "key-1", who: str = "", url: str = "/machine", **body: object
) -> HttpResponse:
    client = APIClient(raise_request_exception=False)
    headers = {"Idempotency-Key": key} if key is not None else {}
    if who.startswith("user-"):
        client.force_authenticate(SimpleNamespace(pk=who, is_authenticated=True))  # type: ignore[arg-type]  # all that is asked of a user
    elif who:
        headers["X-Cart-Token"] = who
    return cast("HttpResponse", client.post(url, body, headers=headers))


def coins() -> int:
    return OutboxEvent.objects.count()


def code_of(answer: HttpResponse) -> str:
    assert answer["Content-Type"] == "application/problem+json"
    code: str = answer.json()["code"]  # type: ignore[attr-defined]  # the test client's answer
    return code


def test_the_same_request_gets_the_first_answer_again_byte_for_byte() -> None:
    first = drop(coin=1)
    second = drop(coin=1)

    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    for header in ("ETag", "Location", "Content-Type"):
        assert first[header] == second[header]
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert coins() == 1


def test_another_body_under_the_same_key_is_refused() -> None:
    drop(coin=1)

    answer = drop(coin=2)

    assert (answer.status_code, code_of(answer)) == (422, "idempotency_key_reused")
    assert coins() == 1
    assert drop(coin=1).status_code == 201


def test_another_path_or_query_under_the_same_key_is_refused() -> None:
    drop(url="/machines/a")

    for url in ("/machines/b", "/machines/a?x=1"):
        assert code_of(drop(url=url)) == "idempotency_key_reused"
    assert coins() == 1


def test_another_key_is_another_request() -> None:
    first, second = drop(key="key-1"), drop(key="key-2")

    assert first.content != second.content
    assert coins() == 2


@pytest.mark.parametrize("key", [None, "", "x" * 256, "tab\there", "ключ", "del\x7f"])
def test_a_missing_or_malformed_key_is_refused(key: str | None) -> None:
    answer = drop(key=key)

    assert (answer.status_code, code_of(answer)) == (400, "idempotency_key_required")
    assert coins() == 0
    assert not IdempotencyRecord.objects.exists()


def test_the_longest_key_is_taken() -> None:
    assert drop(key="~" * 255).status_code == 201
    assert drop(key="~" * 255)["Idempotent-Replayed"] == "true"


def test_while_the_first_runs_the_second_is_told_to_come_again() -> None:
    def ask_meanwhile() -> HttpResponse:
        assert Machine.running.wait(timeout=10)
        answer = drop(then="wait")
        Machine.may_end.set()
        return answer

    first, meanwhile = at_once(lambda: drop(then="wait"), ask_meanwhile)

    assert (meanwhile.status_code, code_of(meanwhile)) == (409, "idempotency_key_in_use")
    assert meanwhile["Retry-After"] == "1"
    assert first.status_code == 201
    assert drop(then="wait").content == first.content
    assert coins() == 1


def test_sixteen_at_once_have_one_effect() -> None:
    answers = at_once(*[lambda: drop(coin=1)] * 16)

    assert coins() == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    bodies = {answer.content for answer in answers if answer.status_code == 201}
    assert bodies == {drop(coin=1).content}


@pytest.mark.parametrize(
    ("then", "status", "code"), [("invalid", 422, "invalid"), ("missing", 404, "not_found")]
)
def test_a_final_refusal_is_stored_without_its_effect(then: str, status: int, code: str) -> None:
    first = drop(then=then)
    second = drop(then=then)

    assert (first.status_code, code_of(first)) == (status, code)
    assert (second.status_code, code_of(second)) == (status, code)
    assert first.content == second.content
    assert second["Idempotent-Replayed"] == "true"
    assert coins() == 0


def test_a_conflict_is_not_stored_so_that_the_key_may_succeed_later() -> None:
    first = drop(then="conflict")

    assert (first.status_code, code_of(first)) == (409, "conflict")
    assert coins() == 0
    assert not IdempotencyRecord.objects.exists()
    assert "Idempotent-Replayed" not in drop(then="conflict")
    assert drop(coin=1).status_code == 201


def test_a_bug_leaves_neither_effect_nor_key() -> None:
    answer = drop(then="bug")

    assert answer.status_code == 500
    assert coins() == 0
    assert not IdempotencyRecord.objects.exists()


def test_a_process_that_ends_between_effect_and_commit_leaves_neither_effect_nor_key() -> None:
    with pytest.raises(SystemExit):
        drop(then="exit")

    assert coins() == 0
    assert not IdempotencyRecord.objects.exists()
    assert drop(coin=1).status_code == 201


@pytest.mark.parametrize(
    "others",
    [("user-1", "user-2"), ("token-a", "token-b"), ("user-1", "token-a"), ("", "token-a")],
)
def test_two_people_may_use_the_same_key(others: tuple[str, str]) -> None:
    one, other = (drop(who=who) for who in others)

    assert one.content != other.content
    assert coins() == 2
    assert drop(who=others[1]).content == other.content


def test_the_secret_of_a_guest_is_not_stored() -> None:
    drop(who="very-secret-token")

    assert "very-secret" not in IdempotencyRecord.objects.get().principal


def test_old_answers_are_forgotten_and_the_key_is_free_again() -> None:
    first = drop(coin=1)
    assert forget_old_answers() == 0

    IdempotencyRecord.objects.update(created_at=Now() - KEPT_FOR - timedelta(seconds=1))

    assert forget_old_answers() == 1
    assert drop(coin=1).content != first.content
    assert coins() == 2
