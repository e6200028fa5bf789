"""Django's own tables in the inventory of personal data."""

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import Q

from apps.kernel.privacy import EVIDENCE, Kind, Person, Table


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
)
