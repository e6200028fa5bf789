"""Django's own tables in the inventory of personal data."""

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import Q

from apps.kernel.privacy import EVIDENCE, Kind, Person, Table
from ecommerce.privacy.models import DataExport, ErasureRequest


def _sessions_of(person: Person) -> Q:
    """What a session says is signed and packed; only opening each tells whose it is."""
    mine = [
        session.pk
        for session in Session.objects.iterator()
        if session.get_decoded().get("_auth_user_id") == str(person.user_id)
    ]
    return Q(pk__in=mine)


def _log_about(person: Person) -> Q:
    things = [str(thing) for thing in person.traces.things]
    return (
        person.by_id("user")
        | Q(object_id__in=things)
        | person.named_in("object_repr")
        | person.named_in("change_message")
    )


TABLES = (
    Table(model=ContentType, columns={Kind.NONE: "id app_label model"}),
    Table(model=Permission, columns={Kind.NONE: "id name content_type codename"}),
    Table(model=Group, columns={Kind.NONE: "id name"}),
    Table(model=Group.permissions.through, columns={Kind.NONE: "id group permission"}),
    Table(
        model=Session,
        of=_sessions_of,
        columns={
            Kind.SECRET: "session_key session_data",
            Kind.TECHNICAL: "expire_date",
        },
    ),
    # What an erased member of staff did goes with the account; the audit log has it, too.
    Table(
        model=LogEntry,
        of=_log_about,
        columns={
            Kind.REFERENCE: "id user object_id object_repr",
            Kind.CONTENT: "action_time content_type action_flag change_message",
        },
        emptied={"object_repr": "", "change_message": ""},
        kept=EVIDENCE,
    ),
    Table(
        model=DataExport,
        of=lambda person: person.by_id("user_id"),
        columns={
            Kind.REFERENCE: "id user_id asked_by",
            Kind.CONTENT: "status requested_at ready_at expires_at",
            Kind.TECHNICAL: "request_id traceparent",
            Kind.SECRET: "archive",  # all of it stands beside this row already
            Kind.NONE: "next_action_at lease_until tries",
        },
    ),
    Table(
        model=ErasureRequest,
        of=lambda person: person.by_id("user_id") | person.by_word("email"),
        columns={
            Kind.REFERENCE: "id user_id asked_by",
            Kind.CONTACT: "email",
            Kind.CONTENT: "status waits_for requested_at erase_at finished_at",
            Kind.TECHNICAL: "request_id traceparent",
            Kind.NONE: "next_action_at lease_until tries",
        },
        emptied={"email": "", "waits_for": "", "request_id": "", "traceparent": ""},
        kept="proof that the erasure was done, art. 5(2)",
    ),
)
