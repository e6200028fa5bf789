"""The kernel's tables in the inventory of personal data."""

from django.db.models import Q

from apps.kernel.models import AuditEntry, IdempotencyRecord, InboxEntry, Mail, OutboxEvent
from apps.kernel.privacy import EVIDENCE, Kind, Person, Table


def events_of(person: Person) -> Q:
    """Return the condition for events about the person's things, or that name the person."""
    return Q(aggregate_id__in=person.traces.things) | person.named_in("payload")


def _answers_to(person: Person) -> Q:
    keys = {f"guest:{word}" for word in person.traces.words}
    keys.add(f"user:{person.user_id}")
    return Q(principal__in=keys) | person.named_in("body")


def _acts_of(person: Person) -> Q:
    unknown = AuditEntry.ActorKind.ANONYMOUS
    about = [str(thing) for thing in person.traces.things]
    return person.by_id("actor_id") | Q(actor_kind=unknown, about__in=about)


TABLES = (
    Table(
        model=OutboxEvent,
        of=events_of,
        columns={
            Kind.REFERENCE: "id aggregate_id",
            Kind.CONTENT: "name payload created_at",
            Kind.TECHNICAL: "request_id traceparent",
            Kind.NONE: "seq claimed_until tries done_at",
        },
        emptied={"payload": {}, "request_id": "", "traceparent": ""},
        kept="30 days after delivery: what happened to things that are nobody's any more",
    ),
    Table(model=InboxEntry, columns={Kind.NONE: "id event consumer consumed_at"}),
    Table(
        model=IdempotencyRecord,
        of=_answers_to,
        columns={
            Kind.REFERENCE: "principal key",
            Kind.TECHNICAL: "route fingerprint headers created_at",
            Kind.SECRET: "body",
            Kind.NONE: "id status",
        },
    ),
    Table(
        model=Mail,
        of=lambda person: person.by_word("to"),
        columns={
            Kind.REFERENCE: "id",
            Kind.CONTACT: "to",
            Kind.CONTENT: "template created_at sent_at failed_at",
            Kind.SECRET: "context",
            Kind.TECHNICAL: "request_id traceparent",
            Kind.NONE: "useful_until next_action_at lease_until tries failure",
        },
    ),
    Table(
        model=AuditEntry,
        of=_acts_of,
        columns={
            Kind.REFERENCE: "id actor_id session_id about",
            Kind.CONTENT: "at actor_kind action before after",
            Kind.TECHNICAL: "ip request_id",
            Kind.SECRET: "ip_salt ip_digest",
            Kind.NONE: "seq hash",
        },
        emptied={"ip": None, "ip_salt": None},
        kept=EVIDENCE,
    ),
)
