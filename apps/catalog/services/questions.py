"""Everything that changes questions about products and their answers."""

from uuid import UUID

from django.db import connection, transaction

from apps.catalog.models import Answer, Question
from apps.catalog.services.contributions import Status, locked, settle
from apps.catalog.services.products import UnknownProduct
from apps.kernel.audit import record
from apps.kernel.errors import NotFound
from apps.kernel.ids import new_id

ASK = """
INSERT INTO catalog_question (id, product_id, customer_id, author_name, body)
SELECT %(id)s, id, %(customer)s, %(author_name)s, %(body)s
FROM catalog_product WHERE id = %(product)s AND status = 'published'
RETURNING id
"""

ANSWER = """
INSERT INTO catalog_answer
    (id, question_id, customer_id, author_name, body, is_merchant, status)
SELECT %(id)s, id, %(customer)s, %(author_name)s, %(body)s, %(merchant)s,
    CASE WHEN %(merchant)s THEN 'approved' ELSE 'pending' END
FROM catalog_question WHERE id = %(question)s AND (status = 'approved' OR %(merchant)s)
FOR KEY SHARE
RETURNING id
"""


class UnknownQuestion(NotFound):
    """There is no such question, or it is not shown."""

    code = "unknown_question"


class UnknownAnswer(NotFound):
    """There is no such answer, or it is not yours to change."""

    code = "unknown_answer"


@transaction.atomic
def ask(*, product_id: UUID, customer_id: UUID, author_name: str, body: str) -> UUID:
    """Ask something; it waits to be read. Returns its id. Raises UnknownProduct."""
    with connection.cursor() as cursor:
        cursor.execute(
            ASK,
            {
                "id": new_id(),
                "product": product_id,
                "customer": customer_id,
                "author_name": author_name,
                "body": body,
            },
        )
        asked = cursor.fetchone()
    if asked is None:
        raise UnknownProduct("There is no such product.")
    return UUID(str(asked[0]))


@transaction.atomic
def answer(
    *, question_id: UUID, customer_id: UUID, author_name: str, body: str, for_the_store: bool
) -> UUID:
    """Answer a question: a customer's answer waits to be read, the store's is shown at once.

    The store answers what is not shown yet, too. Returns the id. Raises UnknownQuestion.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            ANSWER,
            {
                "id": new_id(),
                "question": question_id,
                "customer": customer_id,
                "author_name": "" if for_the_store else author_name,
                "body": body,
                "merchant": for_the_store,
            },
        )
        answered = cursor.fetchone()
    if answered is None:
        raise UnknownQuestion("There is no such question.")
    answer_id = UUID(str(answered[0]))
    if for_the_store:
        record("catalog.question_answered", about=question_id, after={"answer": answer_id})
    return answer_id


@transaction.atomic
def remove_question(*, question_id: UUID, customer_id: UUID, expected_version: int | None) -> None:
    """Delete one's own question with all answers. Raises UnknownQuestion, VersionMismatch."""
    locked(
        Question,
        pk=question_id,
        customer_id=customer_id,
        expected_version=expected_version,
        refusal=UnknownQuestion,
    ).delete()


@transaction.atomic
def remove_answer(*, answer_id: UUID, customer_id: UUID, expected_version: int | None) -> None:
    """Delete one's own answer. Raises UnknownAnswer, VersionMismatch."""
    row = locked(
        Answer,
        pk=answer_id,
        customer_id=customer_id,
        expected_version=expected_version,
        refusal=UnknownAnswer,
    )
    row.delete()
    if row.is_merchant:
        record("catalog.answer_removed", about=answer_id, before={"question": row.question_id})


@transaction.atomic
def moderate_question(
    *, question_id: UUID, status: Status, reason: str = "", expected_version: int | None = None
) -> None:
    """Show a question or reject it. Raises UnknownQuestion, VersionMismatch, ReasonMissing."""
    question = locked(
        Question, pk=question_id, expected_version=expected_version, refusal=UnknownQuestion
    )
    settle(question, status=status, reason=reason)


@transaction.atomic
def moderate_answer(
    *, answer_id: UUID, status: Status, reason: str = "", expected_version: int | None = None
) -> None:
    """Show an answer or reject it. Raises UnknownAnswer, VersionMismatch, ReasonMissing."""
    row = locked(Answer, pk=answer_id, expected_version=expected_version, refusal=UnknownAnswer)
    settle(row, status=status, reason=reason)
