"""What staff keep about orders for themselves: notes, and tags to find orders again."""

import unicodedata
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import F

from apps.kernel.audit import record
from apps.kernel.errors import Conflict, Invalid, VersionMismatch
from apps.orders.models import LONGEST_NOTE, Order, OrderNote
from apps.orders.models.order import LONGEST_TAG, MOST_TAGS
from apps.orders.selectors.orders import STORE, order_of
from apps.orders.services.transitions import locked

MOST_NOTES = 500


class NotATag(Invalid):
    """A tag has 1 to 40 characters and no comma; an order has at most 20 of them."""

    code = "not_a_tag"


class NotANote(Invalid):
    """A note has 1 to 2,000 characters."""

    code = "not_a_note"


class TooManyNotes(Conflict):
    """The order has 500 notes, and takes no more."""

    code = "too_many_notes"


@transaction.atomic
def add_note(*, order_id: UUID, author_id: UUID, text: str) -> OrderNote:
    """Write a note about an order. The order's version stays as it is.

    Raises UnknownOrder, NotANote, TooManyNotes.
    """
    text = text.strip()
    if not 1 <= len(text) <= LONGEST_NOTE:
        raise NotANote("A note has 1 to 2,000 characters.")
    order = locked(order_of(holder=STORE, order_id=order_id).pk)
    if order.notes.count() >= MOST_NOTES:
        raise TooManyNotes("The order takes no more notes.")
    note = OrderNote.objects.create(order=order, author_id=author_id, text=text)
    note.refresh_from_db(fields=["at"])
    record("orders.note_added", about=order.pk, after={"note": note.pk})
    return note


@transaction.atomic
def tag_order(*, order_id: UUID, tags: Iterable[str], version: int | None = None) -> Order:
    """Give an order these tags, normalised, in the order of the alphabet, and no others.

    Raises UnknownOrder, NotATag, VersionMismatch.
    """
    wanted = sorted({normalised(tag) for tag in tags})
    if len(wanted) > MOST_TAGS:
        raise NotATag("An order has at most 20 tags.")
    order = locked(order_of(holder=STORE, order_id=order_id).pk)
    if version is not None and version != order.version:
        raise VersionMismatch("The order has changed since.", version=order.version)
    if wanted == order.tags:
        return order
    # Entries outlive persons: they say how many, since a tag may name somebody.
    Order.objects.filter(pk=order.pk).update(tags=wanted, version=F("version") + 1)
    record(
        "orders.order_tagged",
        about=order.pk,
        before={"tags": len(order.tags)},
        after={"tags": len(wanted)},
    )
    order.tags, order.version = wanted, order.version + 1
    return order


def normalised(tag: str) -> str:
    """Return a tag as it is kept: in small letters, with single spaces. Raises NotATag."""
    text = " ".join(unicodedata.normalize("NFKC", tag).casefold().split())
    unseen = any(unicodedata.category(character)[0] == "C" for character in text)
    if not 1 <= len(text) <= LONGEST_TAG or "," in text or unseen:
        raise NotATag("A tag has 1 to 40 characters and no comma.", tag=tag[:LONGEST_TAG])
    return text
