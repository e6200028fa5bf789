"""Questions about products over HTTP."""

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.selectors.questions import (
    answers_of,
    question_rows,
    shown_questions,
    waiting_questions,
)
from apps.catalog.selectors.reviews import is_published
from apps.catalog.serializers.questions import (
    OwnAnswerDocument,
    OwnAnswerPage,
    QuestionDocument,
    QuestionPage,
    own_answer_document,
    question_document,
)
from apps.catalog.serializers.reviews import Reader
from apps.catalog.services import questions
from apps.catalog.services.contributions import author_name_of
from apps.catalog.services.products import UnknownProduct
from apps.catalog.services.questions import UnknownQuestion
from apps.catalog.views.moderation import OLDEST_FIRST, Decision, QueueQuery
from apps.catalog.views.reviews import MODERATE, NEWEST_FIRST, WrittenByPeople
from apps.kernel.conditional import cacheable, expected_version, tagged
from apps.kernel.openapi import IF_MATCH, problems
from apps.kernel.pagination import PageQuery, page_of, read_query
from apps.kernel.permissions import PeopleOnly, is_staff_with, staff_with
from apps.kernel.serializers import StrictCharField, StrictSerializer


class ProductQuestions(WrittenByPeople):
    """What customers ask about a product."""

    class QuestionText(StrictSerializer):
        """What somebody wants to know."""

        body = StrictCharField(max_length=1000)

    @extend_schema(
        operation_id="questions_list",
        parameters=[PageQuery],
        responses={200: QuestionPage, **problems(400, 404)},
    )
    def get(self, request: Request, product_id: UUID) -> Response:
        """Show the questions about a product, newest first, with their answers."""
        query = read_query(request, PageQuery)
        if not is_published(product_id=product_id):
            raise UnknownProduct("There is no such product.")
        rows = shown_questions(product_id=product_id)
        page = page_of(rows, ordering=NEWEST_FIRST, query=query, request=request)
        page["results"] = [question_document(row) for row in page["results"]]
        return cacheable(Response(page), request)

    @extend_schema(
        operation_id="questions_create",
        request=QuestionText,
        responses={201: QuestionDocument, **problems(400, 401, 403, 404, 413, 415)},
    )
    def post(self, request: Request, product_id: UUID) -> Response:
        """Ask something. It is shown once somebody of the store has read it."""
        text = self.QuestionText(data=request.data)
        text.is_valid(raise_exception=True)
        me = cast("Any", request.user)
        question_id = questions.ask(
            product_id=product_id,
            customer_id=me.pk,
            author_name=author_name_of(first_name=me.first_name, last_name=me.last_name),
            body=text.validated_data["body"],
        )
        return _question(question_id, reader=Reader.AUTHOR, status=201)


class QuestionAnswers(APIView):
    """What is said to a question."""

    permission_classes = (IsAuthenticated, PeopleOnly)

    class AnswerText(StrictSerializer):
        """What somebody knows."""

        body = StrictCharField(max_length=2000)

    @extend_schema(
        operation_id="questions_answer",
        request=AnswerText,
        responses={201: OwnAnswerDocument, **problems(400, 401, 403, 404, 413, 415)},
    )
    def post(self, request: Request, question_id: UUID) -> Response:
        """Answer a question. What customers answer is read first; staff answer for the store."""
        text = self.AnswerText(data=request.data)
        text.is_valid(raise_exception=True)
        me = cast("Any", request.user)
        staff = is_staff_with(request, MODERATE)
        answer_id = questions.answer(
            question_id=question_id,
            customer_id=me.pk,
            author_name=author_name_of(first_name=me.first_name, last_name=me.last_name),
            body=text.validated_data["body"],
            for_the_store=staff,
        )
        [row] = answers_of(customer_id=me.pk).filter(pk=answer_id)
        return Response(own_answer_document(row), status=201)


class OneQuestion(APIView):
    """A question of mine."""

    permission_classes = (IsAuthenticated, PeopleOnly)

    @extend_schema(
        operation_id="questions_delete",
        parameters=[IF_MATCH],
        responses={204: None, **problems(400, 401, 403, 404, 412)},
    )
    def delete(self, request: Request, question_id: UUID) -> Response:
        """Delete my question with all answers."""
        questions.remove_question(
            question_id=question_id,
            customer_id=cast("UUID", request.user.pk),
            expected_version=expected_version(request),
        )
        return Response(status=204)


class OneAnswer(APIView):
    """An answer of mine."""

    permission_classes = (IsAuthenticated, PeopleOnly)

    @extend_schema(
        operation_id="answers_delete",
        parameters=[IF_MATCH],
        responses={204: None, **problems(400, 401, 403, 404, 412)},
    )
    def delete(self, request: Request, answer_id: UUID) -> Response:
        """Delete my answer."""
        questions.remove_answer(
            answer_id=answer_id,
            customer_id=cast("UUID", request.user.pk),
            expected_version=expected_version(request),
        )
        return Response(status=204)


class MyQuestions(APIView):
    """What I have asked."""

    @extend_schema(
        operation_id="users_me_questions",
        parameters=[PageQuery],
        responses={200: QuestionPage, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """Show my questions, newest first, also those that nobody else sees."""
        query = read_query(request, PageQuery)
        rows = question_rows(customer_id=cast("UUID", request.user.pk))
        page = page_of(rows, ordering=NEWEST_FIRST, query=query, request=request)
        page["results"] = [question_document(row, reader=Reader.AUTHOR) for row in page["results"]]
        return Response(page)


class MyAnswers(APIView):
    """What I have answered."""

    @extend_schema(
        operation_id="users_me_answers",
        parameters=[PageQuery],
        responses={200: OwnAnswerPage, **problems(400, 401)},
    )
    def get(self, request: Request) -> Response:
        """Show my answers, newest first, also those that nobody else sees."""
        query = read_query(request, PageQuery)
        rows = answers_of(customer_id=cast("UUID", request.user.pk))
        page = page_of(rows, ordering=NEWEST_FIRST, query=query, request=request)
        page["results"] = [own_answer_document(row) for row in page["results"]]
        return Response(page)


class Questions(APIView):
    """All questions."""

    permission_classes = (staff_with(MODERATE),)

    @extend_schema(
        operation_id="questions_queue",
        parameters=[QueueQuery],
        responses={200: QuestionPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """List questions that have this status or an answer that has it, oldest first."""
        query = read_query(request, QueueQuery)
        rows = waiting_questions(status=query["status"])
        page = page_of(rows, ordering=OLDEST_FIRST, query=query, request=request)
        page["results"] = [question_document(row, reader=Reader.STAFF) for row in page["results"]]
        return Response(page)


class QuestionModerations(APIView):
    """What is decided about a question."""

    permission_classes = (staff_with(MODERATE),)

    @extend_schema(
        operation_id="questions_moderate",
        parameters=[IF_MATCH],
        request=Decision,
        responses={200: QuestionDocument, **problems(400, 401, 403, 404, 412, 413, 415, 422)},
    )
    def post(self, request: Request, question_id: UUID) -> Response:
        """Approve a question, or reject it with a reason."""
        questions.moderate_question(
            question_id=question_id,
            **Decision(data=request.data).decided(),
            expected_version=expected_version(request),
        )
        return _question(question_id, reader=Reader.STAFF)


class AnswerModerations(APIView):
    """What is decided about an answer."""

    permission_classes = (staff_with(MODERATE),)

    @extend_schema(
        operation_id="answers_moderate",
        parameters=[IF_MATCH],
        request=Decision,
        responses={204: None, **problems(400, 401, 403, 404, 412, 413, 415, 422)},
    )
    def post(self, request: Request, answer_id: UUID) -> Response:
        """Approve an answer, or reject it with a reason."""
        questions.moderate_answer(
            answer_id=answer_id,
            **Decision(data=request.data).decided(),
            expected_version=expected_version(request),
        )
        return Response(status=204)


def _question(question_id: UUID, *, reader: Reader, status: int = 200) -> Response:
    row = question_rows(pk=question_id).first()
    if row is None:
        raise UnknownQuestion("There is no such question.")
    document = question_document(row, reader=reader)
    return tagged(Response(document, status=status), version=row["version"])
