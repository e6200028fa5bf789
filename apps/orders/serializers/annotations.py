"""Notes about orders, and their tags: for staff alone."""

from typing import Any

from rest_framework import serializers

from apps.kernel.serializers import StrictCharField, StrictSerializer
from apps.orders.models import LONGEST_NOTE, OrderNote


class NoteDraft(StrictSerializer):
    """What is to be remembered about an order."""

    text = StrictCharField(max_length=LONGEST_NOTE)


class NoteDocument(serializers.Serializer[Any]):
    """What somebody of the staff wrote, and when."""

    id = serializers.UUIDField()
    author_id = serializers.UUIDField()
    text = serializers.CharField()
    at = serializers.DateTimeField()


class NoteList(serializers.Serializer[Any]):
    """The order's notes, oldest first; there are at most 500."""

    results = NoteDocument(many=True)


class OrderChanges(StrictSerializer):
    """All the tags of an order: they replace those it has."""

    tags = serializers.ListField(child=StrictCharField(max_length=200), max_length=100)


def note_document(note: OrderNote) -> dict[str, Any]:
    """Return the note as NoteDocument says."""
    return {"id": note.pk, "author_id": note.author_id, "text": note.text, "at": note.at}
