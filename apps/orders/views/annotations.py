"""Notes about orders over HTTP, for staff."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.idempotency import idempotent
from apps.kernel.openapi import IDEMPOTENCY_KEY, problems
from apps.kernel.permissions import staff_with
from apps.orders.selectors.orders import STORE, order_of
from apps.orders.serializers.annotations import NoteDocument, NoteDraft, NoteList, note_document
from apps.orders.services.annotations import add_note


class OrderNotes(APIView):
    """The notes of staff about an order."""

    admits_api_keys = True

    def get_permissions(self) -> list[BasePermission]:
        writes = self.request is not None and self.request.method == "POST"
        return [staff_with("orders.annotate_order" if writes else "orders.view_ordernote")()]

    @extend_schema(
        operation_id="order_notes_list",
        responses={200: NoteList, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        """List what staff have written about an order."""
        order = order_of(holder=STORE, order_id=order_id)
        notes = order.notes.order_by("at", "id")
        return Response({"results": [note_document(note) for note in notes]})

    @extend_schema(
        operation_id="order_notes_create",
        parameters=[IDEMPOTENCY_KEY],
        request=NoteDraft,
        responses={201: NoteDocument, **problems(400, 401, 403, 404, 409, 422)},
    )
    @idempotent
    def post(self, request: Request, order_id: UUID) -> Response:
        """Write a note about an order. Shoppers never see it, and nobody changes it."""
        draft = NoteDraft(data=request.data)
        draft.is_valid(raise_exception=True)
        author_id: Any = request.user.pk
        note = add_note(order_id=order_id, author_id=author_id, **draft.validated_data)
        return Response(note_document(note), status=201)
