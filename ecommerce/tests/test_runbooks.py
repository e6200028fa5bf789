"""The questions that the runbooks ask the database are questions that it understands."""

import re

import pytest
from django.conf import settings
from django.db import ProgrammingError, connection

DOCUMENTS = sorted((settings.BASE_DIR / "docs").glob("**/*.md"))
QUESTION = re.compile(r"`{1,3}\s*(SELECT [^`]+? FROM [^`]+)`")


def questions() -> list[str]:
    return [found for page in DOCUMENTS for found in QUESTION.findall(page.read_text())]


def ask(question: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(question)


@pytest.mark.django_db
@pytest.mark.parametrize("question", questions())
def test_a_question_of_a_runbook_has_an_answer(question: str):
    ask(question)


def test_there_are_such_questions():
    assert any("orders_paymentattempt" in question for question in questions())


@pytest.mark.django_db
def test_a_question_about_a_column_that_is_not_there_is_found():
    [question] = QUESTION.findall("`SELECT due FROM orders_refund`")

    with pytest.raises(ProgrammingError, match='"due" does not exist'):
        ask(question)
