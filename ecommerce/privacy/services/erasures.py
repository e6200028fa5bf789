"""Erasing people: asked for, taken back or not, the account closed, then everything at once.

An erasure is one transaction over all apps. What could still write while it runs, such as requests
that had begun before the account was closed, gets time to end first.
"""

import logging
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from apps.catalog import interface as catalog
from apps.kernel import personal_data as kernel
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, NotFound
from apps.kernel.mail import send
from apps.kernel.models import Mail, OutboxEvent
from apps.kernel.privacy import Person, erase_from
from apps.kernel.work import claim, due_after_failure, due_later
from apps.orders import interface as orders
from apps.users import interface as users
from ecommerce.privacy import personal_data as own
from ecommerce.privacy.models import ErasureRequest
from ecommerce.privacy.services.erased import note
from ecommerce.privacy.services.people import holder_of, known

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)  # longer than a task may run
LAST_REQUESTS_END = timedelta(minutes=2)  # longer than a request or a task may run
LOOK_AGAIN = timedelta(hours=1)
LOOK_FOR_MAIL = timedelta(minutes=1)
MAIL_IS_USEFUL_FOR = timedelta(days=1)
ERASED = "person_erased"
Status = ErasureRequest.Status
Obstacle = ErasureRequest.Obstacle


class ErasureUnderWay(Conflict):
    """This person is being erased already."""

    code = "erasure_under_way"


class UnknownErasureRequest(NotFound):
    """There is no such request, or it is somebody else's."""

    code = "unknown_erasure_request"


def ask(*, user_id: UUID) -> ErasureRequest:
    """Promise to erase the account after the cooling-off time, in which it can be taken back.

    Raises users.StaffAccount, ErasureUnderWay.
    """
    return promise(Person(user_id), erase_in=settings.ERASURE_COOLING_OFF)


@transaction.atomic
def promise(
    person: Person, *, erase_in: timedelta = timedelta(), asked_by: UUID | None = None
) -> ErasureRequest:
    """Write the durable row that erases an account, or the guest of an address, or both.

    Raises users.StaffAccount, ErasureUnderWay.
    """
    if person.user_id:
        users.require_erasable(user_id=person.user_id)
    erase_at = timezone.now() + erase_in
    request = ErasureRequest(
        user_id=person.user_id,
        email=next(iter(person.emails), ""),
        asked_by=asked_by,
        erase_at=erase_at,
        next_action_at=erase_at,
    )
    try:
        with transaction.atomic():
            request.save(force_insert=True)
    except IntegrityError as error:
        if "erasure_request_one" not in str(error):
            raise
        raise ErasureUnderWay("This person is being erased already.") from error
    record("privacy.erasure_requested", about=request.pk, after={"person": person.user_id})
    if address := _address_of(request):
        send("erasure_requested", to=address, context={"erase_at": _written(erase_at)})
    return request


def requests_of(*, user_id: UUID) -> QuerySet[ErasureRequest]:
    """Return what the person has asked for, newest first."""
    return ErasureRequest.objects.filter(user_id=user_id).order_by("-requested_at")


@transaction.atomic
def take_back(*, user_id: UUID | None, request_id: UUID) -> None:
    """Let the account live after all. Raises UnknownErasureRequest, ErasureUnderWay."""
    mine = ErasureRequest.objects.filter(pk=request_id, user_id=user_id)
    changed = mine.filter(status=Status.SCHEDULED).update(
        status=Status.CANCELLED,
        email="",
        waits_for="",
        next_action_at=None,
        lease_until=None,
        finished_at=Now(),
    )
    if changed:
        record("privacy.erasure_taken_back", about=request_id)
    elif mine.exclude(status=Status.CANCELLED).exists():
        raise ErasureUnderWay("The account is being erased already.")
    else:
        raise UnknownErasureRequest("There is no such request.")


def advance_erasure() -> bool:
    """Take the erasure that is due longest one step on. Returns False when none is due."""
    request = claim(ErasureRequest, lease=LEASE)
    if request is None:
        return False
    try:
        match request.status:
            case Status.SCHEDULED:
                _close(request)
            case Status.CLOSING:
                _erase(request)
            case _:
                _forget_the_address(request)
    except Exception:  # one person's odd row must not stop the others' erasures
        log.exception("An erasure failed.", extra={"reference": request.pk})
        due_after_failure(request)
    return True


@transaction.atomic
def _close(request: ErasureRequest) -> None:
    """Close the account unless something still needs it, or it was taken back a moment ago."""
    if not _still(request):
        return
    if orders.open_orders_of(person=_person_of(request)):
        _wait(request, Obstacle.OPEN_ORDERS)
        return
    if request.user_id:
        try:
            users.close_account(user_id=request.user_id)
        except users.StaffAccount:
            _wait(request, Obstacle.STAFF_ACCOUNT)
            return
    ErasureRequest.objects.filter(pk=request.pk).update(
        status=Status.CLOSING,
        waits_for="",
        lease_until=None,
        tries=0,
        next_action_at=Now() + LAST_REQUESTS_END,
    )


@transaction.atomic
def _erase(request: ErasureRequest) -> None:
    """Erase the person in all apps, or nothing of it."""
    if not _still(request):
        return
    person = known(_person_of(request))
    if orders.open_orders_of(person=person):
        _wait(request, Obstacle.OPEN_ORDERS)
        return
    if OutboxEvent.objects.filter(kernel.events_of(person), done_at=None).exists():
        _wait(request, Obstacle.OPEN_EVENTS)
        return
    # Before it is done: a note too many only means that nothing is found after a restore.
    note(person, at=request.erase_at)
    address = _address_of(request)
    erase_from(kernel.TABLES, person=person)
    erase_from(own.TABLES, person=person)
    orders.erase(person=person)
    catalog.erase(person=person)
    users.erase(person=person)
    record("privacy.person_erased", about=request.pk, after={"person": request.user_id})
    if not address:
        _finish(request)
        return
    send(ERASED, to=address, useful_for=MAIL_IS_USEFUL_FOR)
    ErasureRequest.objects.filter(pk=request.pk).update(
        status=Status.TELLING,
        email=address,
        waits_for="",
        lease_until=None,
        tries=0,
        next_action_at=Now() + LOOK_FOR_MAIL,
    )


@transaction.atomic
def _forget_the_address(request: ErasureRequest) -> None:
    """Delete the last mail once it was sent or given up: with it the last trace of the address."""
    if not _still(request):
        return
    mails = Mail.objects.filter(template=ERASED, to=request.email)
    if mails.filter(next_action_at__isnull=False).exists():
        due_later(request, after=LOOK_FOR_MAIL)
        return
    mails.delete()
    _finish(request)


def _finish(request: ErasureRequest) -> None:
    ErasureRequest.objects.filter(pk=request.pk).update(
        status=Status.DONE,
        email="",
        waits_for="",
        next_action_at=None,
        lease_until=None,
        finished_at=Now(),
    )


def _address_of(request: ErasureRequest) -> str:
    """Return where the person is told, or nothing when the account is gone already."""
    if request.user_id is None:
        return request.email
    contacts = users.contacts_of(user_ids=[request.user_id])
    return contacts[request.user_id].email if request.user_id in contacts else request.email


def _written(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _still(request: ErasureRequest) -> bool:
    """Lock the request; tell whether it is where it was when it was claimed."""
    rows = ErasureRequest.objects.select_for_update()
    return rows.filter(pk=request.pk, status=request.status).exists()


def _wait(request: ErasureRequest, obstacle: Obstacle) -> None:
    ErasureRequest.objects.filter(pk=request.pk).update(
        waits_for=obstacle, lease_until=None, tries=0, next_action_at=Now() + LOOK_AGAIN
    )


def _person_of(request: ErasureRequest) -> Person:
    if request.user_id is None:
        return Person(None, frozenset({request.email}))
    return holder_of(request.user_id, also=request.email)
