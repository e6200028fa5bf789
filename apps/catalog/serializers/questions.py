"""The documents of questions and answers."""

from typing import Any

from rest_framework import serializers

from apps.catalog.models.contributions import Contribution
from apps.catalog.serializers.reviews import ProductNamed, Reader, product_named
from apps.kernel.pagination import Page


class AnswerDocument(serializers.Serializer[Any]):
    """What somebody says to a question."""

    id = serializers.UUIDField()
    author = serializers.CharField(allow_null=True)
    merchant = serializers.BooleanField(help_text="The store itself answers.")
    body = serializers.CharField()
    created_at = serializers.DateTimeField()
    status = serializers.ChoiceField(
        choices=Contribution.Status.choices, required=False, help_text="For staff."
    )


class QuestionDocument(serializers.Serializer[Any]):
    """What a customer asks. Texts are plain: show them, never as HTML."""

    id = serializers.UUIDField()
    product = ProductNamed()
    author = serializers.CharField(allow_null=True)
    body = serializers.CharField()
    created_at = serializers.DateTimeField()
    answers = AnswerDocument(many=True)
    status = serializers.ChoiceField(
        choices=Contribution.Status.choices, required=False, help_text="For the author and staff."
    )
    reason = serializers.CharField(required=False, help_text="For the author and staff.")
    version = serializers.IntegerField(required=False, help_text="For the author and staff.")


class QuestionNamed(serializers.Serializer[Any]):
    """Which question something answers."""

    id = serializers.UUIDField()
    body = serializers.CharField()
    product = ProductNamed()


class OwnAnswerDocument(AnswerDocument):
    """What one has answered oneself, and to what."""

    question = QuestionNamed()
    status = serializers.ChoiceField(choices=Contribution.Status.choices)
    reason = serializers.CharField()
    version = serializers.IntegerField()


class OwnAnswerPage(Page):
    """A page of one's own answers."""

    results = OwnAnswerDocument(many=True)


class QuestionPage(Page):
    """A page of questions."""

    results = QuestionDocument(many=True)


def question_document(row: dict[str, Any], *, reader: Reader = Reader.ANYBODY) -> dict[str, Any]:
    """Return the document of a row of `selectors.questions`."""
    answers = row["told"]
    if reader is not Reader.STAFF:
        answers = [
            {name: value for name, value in answer.items() if name != "status"}
            for answer in answers
            if answer["status"] == Contribution.Status.APPROVED
        ]
    document = {
        "id": row["id"],
        "product": product_named(row),
        "author": row["author_name"] or None,
        "body": row["body"],
        "created_at": row["created_at"],
        "answers": answers,
    }
    if reader is not Reader.ANYBODY:
        document |= {name: row[name] for name in ("status", "reason", "version")}
    return document


def own_answer_document(row: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a row of `selectors.questions.answers_of`."""
    return {
        "id": row["id"],
        "question": {
            "id": row["question_id"],
            "body": row["question__body"],
            "product": {
                "id": row["question__product_id"],
                "slug": row["question__product__slug"],
                "name": row["question__product__name"],
            },
        },
        "author": row["author_name"] or None,
        "merchant": row["is_merchant"],
        **{name: row[name] for name in ("body", "created_at", "status", "reason", "version")},
    }
