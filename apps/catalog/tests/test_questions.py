"""Questions and answers: who asks, who answers, what is shown when."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client
from rest_framework.test import APIClient

from apps.catalog.models import Answer, Question
from apps.catalog.services.erasure import erase
from apps.catalog.tests.factories import AnswerFactory, ProductFactory, QuestionFactory
from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry
from apps.kernel.privacy import Person

pytestmark = pytest.mark.django_db

API = "/api/v1"


@pytest.fixture
def anna() -> Any:
    user = get_user_model().objects.create_user(
        "anna@example.com", "long enough password", first_name="Anna", last_name="Kovacs"
    )
    client: Any = APIClient()
    client.force_authenticate(user)
    client.id = user.pk
    return client


def shown(client: Any, product: Any) -> list[dict[str, Any]]:
    return list(client.get(f"{API}/products/{product.pk}/questions").json()["results"])


def test_a_question_and_a_customers_answer_are_shown_once_they_have_been_read(
    anna, staff, visitor
) -> None:
    product = ProductFactory.create()
    asked = anna.post(f"{API}/products/{product.pk}/questions", {"body": "Is it heavy?"})
    question = f"{API}/questions/{asked.json()['id']}"
    too_early = anna.post(f"{question}/answers", {"body": "No."})
    before = shown(visitor, product)

    staff.post(f"{question}/moderations", {"decision": "approve"})
    answered = anna.post(f"{question}/answers", {"body": "No."})
    [unanswered] = shown(visitor, product)
    waiting = staff.get(f"{API}/questions?status=pending").json()["results"]
    address = f"{API}/answers/{answered.json()['id']}/moderations"
    decided = staff.post(address, {"decision": "approve"})

    assert (asked.status_code, asked.json()["status"]) == (201, "pending")
    assert (too_early.status_code, too_early.json()["code"]) == (404, "unknown_question")
    assert before == []
    assert (answered.status_code, answered.json()["status"]) == (201, "pending")
    assert unanswered["answers"] == []
    assert [row["answers"][0]["status"] for row in waiting] == ["pending"]
    assert decided.status_code == 204
    [now] = shown(visitor, product)
    assert (now["author"], now["body"]) == ("Anna K.", "Is it heavy?")
    assert "status" not in now
    [answer] = now["answers"]
    assert (answer["author"], answer["merchant"], answer["body"]) == ("Anna K.", False, "No.")


def test_the_store_answers_at_once_and_stands_first(staff, visitor) -> None:
    question = AnswerFactory.create().question

    answered = staff.post(f"{API}/questions/{question.pk}/answers", {"body": "12 kg."})

    assert (answered.status_code, answered.json()["status"]) == (201, "approved")
    [row] = shown(visitor, question.product)
    assert [(a["merchant"], a["author"]) for a in row["answers"]] == [(True, None), (False, "Ben")]
    assert AuditEntry.objects.filter(action="catalog.question_answered").count() == 1


def test_what_is_rejected_is_not_shown_and_says_why(staff, visitor) -> None:
    answer = AnswerFactory.create()
    for path in (f"answers/{answer.pk}", f"questions/{answer.question_id}"):
        without = staff.post(f"{API}/{path}/moderations", {"decision": "reject"})
        assert (without.status_code, without.json()["code"]) == (422, "reason_missing")

    staff.post(f"{API}/answers/{answer.pk}/moderations", {"decision": "reject", "reason": "Spam."})
    [row] = shown(visitor, answer.question.product)
    staff.post(
        f"{API}/questions/{answer.question_id}/moderations",
        {"decision": "reject", "reason": "Spam."},
    )

    assert row["answers"] == []
    assert shown(visitor, answer.question.product) == []
    answer.refresh_from_db()
    assert (answer.status, answer.reason) == ("rejected", "Spam.")


@pytest.mark.parametrize("body", ["", "x" * 1001, 5, None], ids=["none", "long", "number", "null"])
def test_what_is_no_question_is_refused(anna, body) -> None:
    product = ProductFactory.create()

    refused = anna.post(f"{API}/products/{product.pk}/questions", {"body": body})

    assert refused.status_code == 400
    assert not Question.objects.exists()


def test_there_is_nothing_to_ask_about_what_is_not_for_sale(anna, visitor) -> None:
    draft = ProductFactory.create(status="draft", published_at=None)
    address = f"{API}/products/{draft.pk}/questions"

    assert anna.post(address, {"body": "When?"}).json()["code"] == "unknown_product"
    assert visitor.get(address).status_code == 404
    assert anna.post(f"{API}/questions/{new_id()}/answers", {"body": "x"}).status_code == 404


def test_pages_cost_two_statements_and_leave_nothing_out(
    visitor, django_assert_num_queries
) -> None:
    product = ProductFactory.create()
    for _ in range(3):
        AnswerFactory.create(question=QuestionFactory.create(product=product))
    address = f"{API}/products/{product.pk}/questions?limit="

    with django_assert_num_queries(2):
        page = visitor.get(f"{address}2").json()
    with django_assert_num_queries(2):
        whole = visitor.get(f"{address}100").json()

    rest = visitor.get(page["next"]).json()
    assert page["results"] + rest["results"] == whole["results"]
    assert len(whole["results"]) == 3


def test_an_erased_author_leaves_what_was_shown_without_a_name(anna) -> None:
    shown_one = AnswerFactory.create(customer_id=anna.id, question__customer_id=anna.id)
    AnswerFactory.create(customer_id=anna.id, status="pending")

    with transaction.atomic():
        erase(person=Person(anna.id))

    kept = Answer.objects.get(author_name="")
    assert (kept.pk, kept.customer_id) == (shown_one.pk, None)
    assert kept.question.author_name == ""
    assert Answer.objects.count() == 1


def test_authors_see_what_has_become_of_what_they_wrote(anna, staff) -> None:
    question = QuestionFactory.create(customer_id=anna.id, status="pending")
    answer = AnswerFactory.create(customer_id=anna.id)
    QuestionFactory.create(status="pending")
    staff.post(
        f"{API}/questions/{question.pk}/moderations", {"decision": "reject", "reason": "Rude."}
    )
    staff.post(f"{API}/answers/{answer.pk}/moderations", {"decision": "reject", "reason": "No."})

    [asked] = anna.get(f"{API}/users/me/questions").json()["results"]
    [answered] = anna.get(f"{API}/users/me/answers").json()["results"]

    assert (asked["id"], asked["status"], asked["reason"]) == (
        str(question.pk),
        "rejected",
        "Rude.",
    )
    assert (answered["id"], answered["status"], answered["reason"]) == (
        str(answer.pk),
        "rejected",
        "No.",
    )
    assert (answered["question"]["id"], answered["version"]) == (str(answer.question_id), 2)
    assert answered["question"]["product"]["id"] == str(answer.question.product_id)


def test_an_author_takes_back_a_question_with_its_answers_and_an_answer_alone(
    anna, visitor
) -> None:
    mine = AnswerFactory.create(question__customer_id=anna.id)
    theirs = AnswerFactory.create(customer_id=anna.id)
    stale = {"HTTP_IF_MATCH": '"9"'}

    for path in (f"questions/{mine.question_id}", f"answers/{theirs.pk}"):
        assert anna.delete(f"{API}/{path}", **stale).json()["code"] == "version_mismatch"
        assert anna.delete(f"{API}/{path}", HTTP_IF_MATCH='"1"').status_code == 204
        assert anna.delete(f"{API}/{path}").status_code == 404

    assert shown(visitor, mine.question.product) == []
    [left] = shown(visitor, theirs.question.product)
    assert left["answers"] == []
    assert not Answer.objects.exists()


def test_nobody_takes_back_what_another_wrote(anna, staff, visitor) -> None:
    answer = AnswerFactory.create()
    paths = (f"questions/{answer.question_id}", f"answers/{answer.pk}")

    said = [who.delete(f"{API}/{path}") for who in (anna, staff, visitor) for path in paths]

    assert [each.status_code for each in said] == [404] * 4 + [401] * 2
    assert {each.json()["code"] for each in said[:4]} == {"unknown_question", "unknown_answer"}
    assert shown(visitor, answer.question.product)[0]["answers"][0]["id"] == str(answer.pk)


def test_an_answer_of_the_store_that_is_taken_back_is_in_the_audit_log(staff) -> None:
    question = QuestionFactory.create()
    answered = staff.post(f"{API}/questions/{question.pk}/answers", {"body": "12 kg."}).json()

    removed = staff.delete(f"{API}/answers/{answered['id']}")

    assert removed.status_code == 204
    entry = AuditEntry.objects.get(action="catalog.answer_removed")
    assert (entry.about, entry.before) == (answered["id"], {"question": str(question.pk)})


@pytest.mark.parametrize("kind", ["question", "answer"])
def test_staff_decide_about_many_at_a_time_in_the_back_office(enter, kind) -> None:
    boss = get_user_model().objects.create_superuser("boss@example.com", "long enough password")
    office = enter(Client(), boss)
    make = QuestionFactory.create if kind == "question" else AnswerFactory.create
    rows = [make(status="pending") for _ in range(3)]
    address = f"/admin/catalog/{kind}/"

    office.post(
        address, {"action": "approve", "_selected_action": [rows[0].pk, rows[1].pk], "reason": ""}
    )
    for reason in ("", "Spam."):
        office.post(
            address, {"action": "reject", "_selected_action": [rows[2].pk], "reason": reason}
        )

    for row in rows:
        row.refresh_from_db()
    assert [row.status for row in rows] == ["approved", "approved", "rejected"]
    assert rows[2].reason == "Spam."
    assert rows[2].version == 2
    assert AuditEntry.objects.filter(action=f"catalog.{kind}_moderated").count() == 3
    assert office.get(f"{address}?status=pending&q=heavy").status_code == 200
    assert office.get(f"{address}{rows[0].pk}/change/").status_code == 200
