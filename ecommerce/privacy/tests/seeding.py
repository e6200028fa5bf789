"""A person with a row in every table, and a word in every column that can hold one."""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from importlib import import_module
from typing import Any

import pgtrigger
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError, models, transaction
from django.db.models.fields import NOT_PROVIDED
from django.utils import timezone

from apps.catalog.tests.factories import AnswerFactory, ReviewFactory, ReviewPhotoFactory
from apps.kernel.audit import Actor, on_behalf_of, record
from apps.kernel.ids import new_id
from apps.kernel.mail import send
from apps.kernel.privacy import Column, Fate, Kind, Person, Table, columns_of
from apps.orders.tests.factories import (
    ADDRESS,
    PromotionFactory,
    completed_order,
    credited_order,
    ready_cart,
    return_photo,
)
from apps.users.tests.factories import (
    AddressFactory,
    ApiKeyFactory,
    SessionFactory,
    StaffFactory,
    UserFactory,
)
from ecommerce.privacy.services import erasures, exports
from ecommerce.privacy.services.people import known

LISTS = (
    *("apps.users.personal_data", "apps.orders.personal_data", "apps.catalog.personal_data"),
    *("apps.kernel.personal_data", "ecommerce.privacy.personal_data"),
)
TABLES: list[Table] = [table for name in LISTS for table in import_module(name).TABLES]
MODELS: dict[str, Any] = {table.model._meta.label: table.model for table in TABLES}
# All but what only an erasure writes.
PERSONAL = [
    table for table in TABLES if table.of and table.model is not MODELS["orders.RetainedInvoice"]
]

WORD = "zebrafinch"  # in all that an erasure takes away
KEPT = "quollmoss"  # in all that it keeps
IP = "203.0.113.77"
EMAIL = f"{WORD}@example.com"


def seeded_person() -> Person:
    """Return somebody who has a row in every table that may hold rows of a person."""
    user = UserFactory.create(email=EMAIL, first_name=WORD, last_name=WORD)
    session = SessionFactory.create(user=user, ip=IP, user_agent=WORD)
    token = {"session": session, "expires_at": session.expires_at}
    MODELS["users.RefreshToken"].objects.create(hash=bytes(32), **token)
    AddressFactory.create(user=user)
    MODELS["users.Consent"].objects.create(
        user=user, purpose="marketing", granted=True, text_version="1", ip=IP
    )
    MODELS["users.Avatar"].objects.create(user=user, status="published", form_until=timezone.now())
    account = hashlib.sha256(EMAIL.encode()).hexdigest()
    MODELS["users.LoginAttempts"].objects.create(
        key=f"account:{account}", window_ends_at=timezone.now() + timedelta(hours=1), failures=3
    )
    MODELS["users.Confirmation"].objects.create(
        hash=bytes(32), purpose="register", email=EMAIL, password="x", expires_at=session.expires_at
    )
    user.groups.add(Group.objects.get_or_create(name="Some role")[0])
    user.user_permissions.add(*Permission.objects.all()[:1])
    order, _ = completed_order(customer_id=user.pk, email=EMAIL)
    completed_order(email=EMAIL)
    credited_order(customer_id=user.pk, email=EMAIL)
    ready_cart(customer_id=user.pk, email=EMAIL)
    MODELS["orders.ChangeSet"].objects.create(
        order=order,
        kind="cancel",
        order_version=1,
        body={},
        preview={},
        expires_at=timezone.now(),
    )
    given_back = MODELS["orders.Return"].objects.create(order=order, status="cancelled")
    return_photo(given_back)
    line = MODELS["orders.ReturnLine"].objects.create(
        parent=given_back, order_line=order.lines.get(), quantity=1, reason="other"
    )
    MODELS["orders.Exchange"].objects.create(
        line=line,
        product_id=order.lines.get().product_id,
        variant_id=order.lines.get().variant_id,
        sku="SKU",
        name="A lamp",
        list_price_minor=1,
        unit_price_minor=1,
    )
    MODELS["orders.Replacement"].objects.create(parent=given_back, order=order, paid_minor=0)
    promotion = PromotionFactory.create()
    MODELS["orders.OrderPromotion"].objects.create(
        order=order, position=1, promotion=promotion, name=promotion.name, amount_minor=1
    )
    MODELS["orders.CustomerUses"].objects.create(promotion=promotion, customer_id=user.pk, uses=1)
    for delta in (1, -1):
        MODELS["catalog.StockMovement"].objects.create(
            stock=MODELS["catalog.Stock"].objects.first(),
            kind="adjust",
            on_hand_delta=delta,
            reserved_delta=0,
            actor_id=user.pk,
        )
    MODELS["catalog.StockAlert"].objects.create(
        customer_id=user.pk, variant=MODELS["catalog.Variant"].objects.first()
    )
    mine = ReviewPhotoFactory.create(review__customer_id=user.pk).review
    theirs = ReviewFactory.create(product=mine.product)
    AnswerFactory.create(customer_id=user.pk, question__customer_id=user.pk)
    MODELS["catalog.ReviewVote"].objects.create(review=theirs, customer_id=user.pk)
    MODELS["catalog.ReviewReport"].objects.create(review=theirs, customer_id=user.pk, cause="spam")
    MODELS["catalog.ReviewReply"].objects.create(review=theirs, actor_id=user.pk, body="x")
    MODELS["catalog.Purchase"].objects.create(product_id=mine.product_id, customer_id=user.pk)
    MODELS["catalog.StockCount"].objects.create(
        location=MODELS["catalog.StockLocation"].objects.first(), actor_id=user.pk
    )
    MODELS["catalog.Import"].objects.create(file_name=WORD, format="csv", actor_id=user.pk)
    MODELS["catalog.Export"].objects.create(format="csv", actor_id=user.pk)
    MODELS["kernel.IdempotencyRecord"].objects.create(
        principal=f"user:{user.pk}", key="1", route="POST x", status=201, body=WORD
    )
    with transaction.atomic():
        send("session_reuse", to=EMAIL)
    with on_behalf_of(lambda: Actor("person", user.pk, session.pk, IP)), transaction.atomic():
        record("test.happened", about=order.pk)
    staff = StaffFactory.create()
    LogEntry.objects.log_actions(staff.pk, [order], CHANGE, change_message=WORD)
    staff_session = SessionStore()
    staff_session.update({"_auth_user_id": str(user.pk), "note": WORD})
    staff_session.save()
    ApiKeyFactory.create(owner=user)
    exports.ask(user_id=user.pk)
    exports.advance_export()
    MODELS["kernel.OutboxEvent"].objects.update(done_at=timezone.now())
    person = known(Person(user.pk, frozenset({EMAIL})))
    erasures.promise(person)
    for table in PERSONAL:
        if not table.rows(person).exists():
            _make_row(table, user)
    return person


def seed(person: Person) -> dict[Fate, set[str]]:
    """Put WORD or KEPT into every column of the person's rows that takes it.

    Returns which columns of which fate hold one now. What the database refuses, and what its
    person is found by, stays.
    """
    seeded: dict[Fate, set[str]] = {fate: set() for fate in Fate}
    for table in PERSONAL:
        there = table.rows(person).count()
        assert there, f"Nobody has a row of {table.model._meta.label}; make one in seeding.py."
        for column in _free_columns(table):
            word = KEPT if column.fate is Fate.KEPT else WORD
            if _put(table, person, column.name, word, there):
                seeded[column.fate].add(f"{column.table}.{column.name}")
    return seeded


def _free_columns(table: Table) -> Iterator[Column]:
    for column in columns_of([table]):
        if column.free and column.kind is not Kind.NONE:
            yield column


def _put(table: Table, person: Person, name: str, word: str, there: int) -> bool:
    field = table.model._meta.get_field(name)
    value: object = word
    if isinstance(field, models.JSONField):
        value = {key: f"{word} {key}" for key in (*ADDRESS, "phone", "invoice")}
    elif isinstance(field, models.EmailField):
        value = f"{word}@example.com"
    elif isinstance(field, models.CharField) and (field.max_length or 1_000) < len(word):
        return False
    try:
        with pgtrigger.ignore(), transaction.atomic():
            table.rows(person).update(**{name: value})
            if table.rows(person).count() != there:
                raise DatabaseError
    except DatabaseError:
        return False
    return True


def _make_row(table: Table, user: Any) -> None:
    """Make a row of a table that this module does not know, if its columns are simple enough."""
    values: dict[str, object] = {}
    for field in table.model._meta.concrete_fields:
        has_default = field.default is not NOT_PROVIDED or field.db_default is not NOT_PROVIDED
        if field.name in {"user_id", "person_id"}:
            values[field.name] = user.pk
        elif field.is_relation and field.related_model is type(user):
            values[field.name] = user
        elif not (has_default or field.null or isinstance(field, models.AutoField)):
            values[field.name] = _value_for(field, table)
    table.model._default_manager.create(**values)


def _value_for(field: Any, table: Table) -> object:
    match field:
        case models.ForeignKey():
            return field.related_model._default_manager.first()
        case models.EmailField():
            return EMAIL
        case models.CharField() | models.TextField():
            return "x" if not field.choices else field.choices[0][0]
        case models.UUIDField():
            return new_id()
        case models.BooleanField():
            return False
        case models.IntegerField():
            return 1
        case models.DateTimeField():
            return datetime.now(tz=timezone.get_current_timezone()) + timedelta(days=1)
        case models.DateField():
            return date(2040, 12, 31)
        case models.BinaryField():
            return bytes(32)
        case models.JSONField():
            return {}
    raise AssertionError(f"Make a row of {table.model._meta.label} in seeding.py.")
