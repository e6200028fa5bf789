"""What one request changes: documents, the events that tell of them, and how it is answered."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from ecommerce.local.payment_sandbox.cards import Reply
from ecommerce.local.payment_sandbox.refusals import Refusal

Document = dict[str, Any]


@dataclass(slots=True)
class Change:
    """Everything to be stored together. A refusal here is one that left a trace: a decline."""

    documents: dict[str, Document] = field(default_factory=dict)
    events: list[tuple[str, bytes]] = field(default_factory=list)
    answer: Document = field(default_factory=dict)
    refusal: Refusal | None = None
    reply: Reply = Reply.SENT

    def keep(self, *documents: Document) -> None:
        """Store these documents with the change."""
        for document in documents:
            self.documents[document["id"]] = document

    def tell(self, name: str, document: Document) -> None:
        """Announce the document as it is at this moment."""
        self.events.append((name, orjson.dumps(document)))
