"""Reads of questions with their answers: one statement a page."""

# ruff: noqa: S611 - the SQL is put together from constants; values are parameters

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from apps.catalog.models import Answer, Question

Rows = QuerySet[Question, dict[str, Any]]

ANSWERS = """coalesce((
    SELECT json_agg(json_build_object(
        'id', a.id, 'author', nullif(a.author_name, ''), 'merchant', a.is_merchant,
        'body', a.body, 'created_at', a.created_at, 'status', a.status
    ) ORDER BY a.is_merchant DESC, a.created_at, a.id)
    FROM catalog_answer a WHERE a.question_id = catalog_question.id {which}
), '[]')"""
SHOWN = RawSQL(ANSWERS.format(which="AND a.status = 'approved'"), [])
EVERY = RawSQL(ANSWERS.format(which=""), [])

COLUMNS = (
    "id",
    "product_id",
    "product__slug",
    "product__name",
    "customer_id",
    "author_name",
    "body",
    "status",
    "reason",
    "version",
    "created_at",
)

OWN_ANSWER = (
    "id",
    "author_name",
    "is_merchant",
    "body",
    "created_at",
    "status",
    "reason",
    "version",
    "question_id",
    "question__body",
    "question__product_id",
    "question__product__slug",
    "question__product__name",
)


def shown_questions(*, product_id: UUID) -> Rows:
    """Return what everybody may read about a product."""
    rows = Question.objects.filter(product=product_id, status=Question.Status.APPROVED)
    return rows.values(*COLUMNS, told=SHOWN)


def question_rows(**which: Any) -> Rows:
    """Return questions with all their answers, for their author and staff."""
    return Question.objects.filter(**which).values(*COLUMNS, told=EVERY)


def answers_of(*, customer_id: UUID) -> QuerySet[Answer, dict[str, Any]]:
    """Return what somebody has answered, and to what."""
    return Answer.objects.filter(customer_id=customer_id).values(*OWN_ANSWER)


def waiting_questions(*, status: str) -> Rows:
    """Return questions of a status, or that have an answer of it, for staff."""
    own = Question.objects.filter(status=status).values("pk")
    answered = Answer.objects.filter(status=status).values("question")
    return question_rows(pk__in=own.union(answered))
