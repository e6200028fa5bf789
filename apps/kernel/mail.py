"""Mails: written with the change they tell of, handed to the mail server afterwards."""

import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Least, Now
from django.template.loader import render_to_string

from apps.kernel.audit import record
from apps.kernel.models import Mail
from apps.kernel.work import claim

log = logging.getLogger(__name__)

# Longer than a task may run, so that nobody else takes up a mail that is being handed over.
LEASE = timedelta(minutes=2)
SLOWEST_RETRY = timedelta(minutes=30)
MOST_TRIES = 50  # about a day
KEPT_FOR = timedelta(days=30)


def send(
    template: str,
    *,
    to: str,
    context: Mapping[str, str] | None = None,
    useful_for: timedelta | None = None,
) -> None:
    """Write a mail in the caller's transaction; a worker hands it over after the commit.

    `template` names three files in `templates/email`: NAME.subject.txt, NAME.txt, NAME.html. What
    `context` says is forgotten once the mail is sent; a secret in it needs `useful_for`, after
    which an unsent mail is given up and forgotten as well. Raises RuntimeError outside a
    transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{template} must be sent inside the transaction it tells of.")
    Mail.objects.create(
        template=template,
        to=to,
        context=dict(context or {}),
        next_action_at=Now(),
        useful_until=Now() + useful_for if useful_for else None,
    )


def hand_over_next(server: BaseEmailBackend) -> bool:
    """Hand the mail that is due longest to the server. Returns whether there may be more to do.

    A mail is handed over again only when the process dies, or loses the database, between the
    server's answer and our note of it: then its Message-ID is the same.
    """
    mail = claim(Mail, lease=LEASE)
    if mail is None:
        return False
    if mail.useful_until and _open(mail).filter(useful_until__lt=Now()).exists():
        _give_up(mail, "too late")
        return True
    try:
        server.open()
        server.send_messages([message_of(mail)])
    except SMTPRecipientsRefused as error:
        [(code, _), *_] = error.recipients.values()
        if code >= 500:  # for good
            _give_up(mail, f"refused {code}")
        else:
            _later(mail, error)
        return True
    except Exception as error:  # a template with a fault must not stop the other mails
        _later(mail, error)
        return not isinstance(error, SMTPException | OSError)
    _open(mail).update(sent_at=Now(), next_action_at=None, lease_until=None, context={}, failure="")
    return True


def message_of(mail: Mail) -> EmailMultiAlternatives:
    """Return what the mail says, in text and in HTML."""
    context = {"store": settings.PUBLIC_URL, **mail.context}
    subject, text, html = (
        render_to_string(f"email/{mail.template}.{kind}", context)
        for kind in ("subject.txt", "txt", "html")
    )
    message = EmailMultiAlternatives(
        subject=" ".join(subject.split()),
        body=text.strip() + "\n",
        to=[mail.to],
        headers={
            "Message-ID": f"<{mail.pk}@{urlsplit(settings.PUBLIC_URL).hostname}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(html, "text/html")
    return message


@transaction.atomic
def try_again(*, mail_ids: Iterable[UUID]) -> int:
    """Let mails that were given up be sent after all. Returns how many still can be."""
    failed = Mail.objects.filter(pk__in=mail_ids, failed_at__isnull=False, useful_until=None)
    chosen = list(failed.select_for_update().values_list("pk", flat=True))
    for mail_id in chosen:
        record("kernel.mail_tried_again", about=mail_id)
    return Mail.objects.filter(pk__in=chosen).update(
        failed_at=None, next_action_at=Now(), tries=0, failure=""
    )


def forget_old_mails() -> int:
    """Delete the mails that were sent or given up 30 days ago. Returns how many."""
    long_ago = Now() - KEPT_FOR
    return Mail.objects.filter(Q(sent_at__lt=long_ago) | Q(failed_at__lt=long_ago)).delete()[0]


def _later(mail: Mail, error: Exception) -> None:
    """Wait twice as long after each try, from 2 seconds to 30 minutes; at last give up."""
    reason = type(error).__name__
    if isinstance(error, SMTPResponseException):
        reason = f"{reason} {error.smtp_code}"
    if mail.tries >= MOST_TRIES:
        _give_up(mail, reason)
        return
    log.warning(
        "A mail was not handed over.", exc_info=error, extra={"reference": mail.pk, "code": reason}
    )
    wait = min(timedelta(seconds=2 ** min(mail.tries, 12)), SLOWEST_RETRY)
    _open(mail).update(
        next_action_at=Least(Now() + wait, F("useful_until")), lease_until=None, failure=reason
    )


def _give_up(mail: Mail, reason: str) -> None:
    log.error("A mail was given up.", extra={"reference": mail.pk, "code": reason})
    _open(mail).update(
        failed_at=Now(),
        next_action_at=None,
        lease_until=None,
        failure=reason,
        context={} if mail.useful_until else mail.context,
    )


def _open(mail: Mail) -> QuerySet[Mail]:
    return Mail.objects.filter(pk=mail.pk, next_action_at__isnull=False)
