"""The tables of people in the inventory of personal data."""

import hashlib

from django.db.models import Q
from django.db.models.functions import Now

from apps.kernel.privacy import NOBODY, Kind, Person, Table
from apps.users.models import (
    Address,
    ApiKey,
    Avatar,
    Confirmation,
    Consent,
    CustomerGroup,
    LoginAttempts,
    LoginChallenge,
    RecoveryCode,
    RefreshToken,
    Role,
    SecondFactor,
    Session,
    SigningKey,
    User,
)
from apps.users.models.attempts import tries_of


def _counters_of(person: Person) -> Q:
    hashes = (hashlib.sha256(word.encode()).hexdigest() for word in person.traces.words)
    mine = NOBODY
    for account in hashes:  # what is counted at home has a longer key
        mine |= Q(key__startswith=f"account:{account}") | Q(key=f"mails to:{account}")
    if person.user_id:
        mine |= Q(key=tries_of(person.user_id))
    return mine


# What hangs on an account comes before it: an erasure goes from the top to the bottom.
TABLES = (
    Table(
        model=ApiKey,
        of=lambda person: person.by_id("owner"),
        columns={
            Kind.SECRET: "hash previous_hash",
            Kind.REFERENCE: "id owner",
            Kind.CONTENT: "name hint scopes networks",
            Kind.TECHNICAL: "created_at issued_at expires_at previous_until last_used_at "
            "revoked_at",
        },
    ),
    Table(
        model=RefreshToken,
        of=lambda person: person.by_id("session__user"),
        columns={
            Kind.SECRET: "hash parent",
            Kind.REFERENCE: "session",
            Kind.TECHNICAL: "created_at used_at expires_at",
        },
    ),
    Table(
        model=Session,
        of=lambda person: person.by_id("user"),
        columns={
            Kind.REFERENCE: "id user",
            Kind.TECHNICAL: "created_at last_used_at expires_at revoked_at revoked_reason "
            "second_factor proven_at user_agent ip",
        },
    ),
    Table(
        model=LoginChallenge,
        of=lambda person: person.by_id("user"),
        columns={
            Kind.SECRET: "hash",
            Kind.REFERENCE: "user",
            Kind.TECHNICAL: "created_at expires_at tries",
        },
    ),
    Table(
        model=RecoveryCode,
        of=lambda person: person.by_id("user"),
        columns={
            Kind.SECRET: "hash",
            Kind.REFERENCE: "user",
            Kind.TECHNICAL: "created_at used_at",
        },
    ),
    Table(
        model=SecondFactor,
        of=lambda person: person.by_id("user"),
        columns={
            Kind.SECRET: "secret",
            Kind.REFERENCE: "user",
            Kind.TECHNICAL: "created_at confirmed_at last_step wrong_codes",
        },
    ),
    Table(
        model=Confirmation,
        of=lambda person: person.by_id("user") | person.by_word("email"),
        columns={
            Kind.SECRET: "hash password",
            Kind.REFERENCE: "user",
            Kind.CONTACT: "email",
            Kind.IDENTITY: "first_name last_name",
            Kind.CONTENT: "purpose",
            Kind.TECHNICAL: "created_at expires_at",
        },
    ),
    Table(
        model=LoginAttempts,
        of=_counters_of,
        columns={Kind.TECHNICAL: "key window_ends_at failures"},
    ),
    Table(
        model=Consent,
        of=lambda person: person.by_id("user"),
        guard="consent_is_history",
        columns={
            Kind.REFERENCE: "id user",
            Kind.CONTENT: "purpose granted text_version at",
            Kind.TECHNICAL: "ip user_agent",
        },
    ),
    Table(
        # A worker deletes the files, then the row.
        model=Avatar,
        of=lambda person: person.by_id("user"),
        emptied={
            "user": None,
            "status": Avatar.Status.LEAVING,
            "next_action_at": Now(),
            "request_id": "",
            "traceparent": "",
        },
        kept="until the files are deleted, within minutes",
        columns={
            Kind.REFERENCE: "id user",
            Kind.TECHNICAL: "created_at form_until request_id traceparent",
            Kind.NONE: "status next_action_at lease_until tries",
        },
    ),
    Table(
        model=Address,
        of=lambda person: person.by_id("user"),
        columns={
            Kind.REFERENCE: "id user",
            Kind.IDENTITY: "first_name last_name company",
            Kind.CONTACT: "line1 line2 city region postal_code country phone",
            Kind.CONTENT: "default_shipping default_billing",
            Kind.TECHNICAL: "created_at updated_at",
        },
    ),
    Table(
        model=User.groups.through,
        of=lambda person: person.by_id("user"),
        columns={Kind.REFERENCE: "id user", Kind.CONTENT: "group"},
    ),
    Table(
        model=User.user_permissions.through,
        of=lambda person: person.by_id("user"),
        columns={Kind.REFERENCE: "id user", Kind.CONTENT: "permission"},
    ),
    Table(
        model=User,
        of=lambda person: person.by_id("pk"),
        columns={
            Kind.REFERENCE: "id avatar_id",
            Kind.IDENTITY: "first_name last_name",
            Kind.CONTACT: "email phone",
            Kind.CONTENT: "locale is_staff is_superuser is_active customer_group",
            Kind.TECHNICAL: "has_second_factor last_login date_joined version",
            Kind.SECRET: "password",
        },
    ),
    Table(model=CustomerGroup, columns={Kind.NONE: "id code name version"}),
    Table(
        model=Role,
        columns={Kind.NONE: "id name group_ptr key code description declared version"},
    ),
    Table(
        model=SigningKey,
        columns={Kind.NONE: "kid public_key private_key published_at signs_from retired_at"},
    ),
)
