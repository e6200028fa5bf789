"""Mails: written with the change, sent afterwards, once; nothing of them stays."""

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from email import message_from_bytes

import pytest
from django.contrib.auth import get_user_model
from django.core import mail as django_mail
from django.core.mail import get_connection
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.kernel import mail
from apps.kernel.figures import open_mails
from apps.kernel.mail import (
    KEPT_FOR,
    LEASE,
    MOST_TRIES,
    forget_old_mails,
    hand_over_next,
    send,
    try_again,
)
from apps.kernel.models import AuditEntry, Mail
from apps.kernel.tasks import send_mails
from apps.kernel.tests.mails import mails_to
from apps.kernel.tests.smtp import MailServer, mail_server
from apps.kernel.tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)

ROBIN = "robin@example.com"


def written(template: str = "session_reuse", **more: object) -> Mail:
    with transaction.atomic():
        send(template, to=ROBIN, **more)  # type: ignore[arg-type]  # what the test is about
    return Mail.objects.latest("created_at")


def later() -> None:
    """Let time pass for every mail: move what it waits for back."""
    Mail.objects.filter(next_action_at__isnull=False).update(next_action_at=Now(), lease_until=None)


@pytest.fixture
def staff(client: Client, enter: Callable[..., Client]) -> Client:
    people = get_user_model()._default_manager
    person = people.create(email="staff@example.com", is_staff=True, is_superuser=True)
    return enter(client, person)


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    """A mail server of this test, spoken to as in production."""
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


# Writing


def test_a_mail_is_written_in_the_transaction_it_tells_of_or_not_at_all() -> None:
    with pytest.raises(RuntimeError):
        send("session_reuse", to=ROBIN)

    with transaction.atomic():
        send("session_reuse", to=ROBIN)
        transaction.set_rollback(True)

    assert not Mail.objects.exists()


def test_a_mail_is_sent_in_text_and_html_and_says_who_wrote_it(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://shop.example.com"
    row = written()

    [message] = mails_to(ROBIN)

    assert message.subject == "One of your logins was ended"
    assert "look through the list of your logins" in message.body
    assert "<p>If you do not know why" in str(message.alternatives[0][0])
    assert message.from_email == settings.DEFAULT_FROM_EMAIL
    assert message.extra_headers == {
        "Message-ID": f"<{row.pk}@shop.example.com>",
        "Auto-Submitted": "auto-generated",
    }


def test_a_sent_mail_is_not_sent_again_and_keeps_nothing_of_what_it_said() -> None:
    row = written(context={"link": "https://shop.example.com/#secret"})

    send_mails()
    send_mails()

    row.refresh_from_db()
    assert len(django_mail.outbox) == 1
    assert (row.sent_at is not None, row.next_action_at, row.context) == (True, None, {})


def test_a_finished_mail_cannot_keep_a_secret() -> None:
    row = written(context={"link": "secret"}, useful_for=timedelta(minutes=10))

    with pytest.raises(IntegrityError, match="mail_keeps_no_secret_once_finished"):
        Mail.objects.filter(pk=row.pk).update(sent_at=Now(), next_action_at=None)
    with pytest.raises(IntegrityError, match="mail_keeps_no_secret_once_finished"):
        Mail.objects.filter(pk=row.pk).update(failed_at=Now(), next_action_at=None)


def test_a_mail_that_comes_too_late_is_not_sent() -> None:
    row = written(context={"link": "secret"}, useful_for=timedelta(minutes=10))
    Mail.objects.update(useful_until=Now() - timedelta(seconds=1))

    assert mails_to(ROBIN) == []

    row.refresh_from_db()
    assert (row.failure, row.context, row.next_action_at) == ("too late", {}, None)


# Handing over


def test_many_workers_at_once_send_each_mail_once(server: MailServer) -> None:
    for _ in range(30):
        written()

    at_once(*[send_mails] * 6)

    ids = [message_from_bytes(content)["Message-ID"] for content in server.accepted]
    assert len(ids) == len(set(ids)) == 30
    assert Mail.objects.filter(sent_at__isnull=False, tries=1).count() == 30


def test_a_mail_that_is_being_handed_over_is_left_alone_until_its_lease_ends() -> None:
    row = written()
    Mail.objects.update(lease_until=Now() + LEASE)

    assert hand_over_next(get_connection()) is False

    Mail.objects.update(lease_until=Now() - timedelta(seconds=1))
    assert hand_over_next(get_connection()) is True
    row.refresh_from_db()
    assert row.sent_at is not None


def test_whoever_dies_after_the_server_took_it_repeats_it_under_the_same_id(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    written()

    def die(mail: Mail) -> None:
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr(mail, "_open", die)
        with pytest.raises(SystemExit):
            send_mails()
    later()
    send_mails()

    first, second = (message_from_bytes(content)["Message-ID"] for content in server.accepted)
    assert first == second


def test_no_transaction_is_open_while_the_server_is_asked(server: MailServer) -> None:
    written()
    row = Mail.objects.get()

    def lock() -> None:
        with transaction.atomic():
            Mail.objects.select_for_update(nowait=True).get(pk=row.pk)

    server.on_data = lambda: at_once(lock)  # fails while anybody else holds the row
    send_mails()

    assert len(server.accepted) == 1


def test_a_server_that_is_away_is_asked_again_later_and_later(server: MailServer) -> None:
    server.close()
    row, other = written(), written()

    send_mails()

    row.refresh_from_db()
    assert (row.tries, row.failure, row.lease_until) == (1, "ConnectionRefusedError", None)
    assert row.next_action_at is not None
    # The run ends with the first one: the others would fail alike.
    other.refresh_from_db()
    assert other.tries == 0
    Mail.objects.filter(pk=other.pk).delete()
    waits = []
    for _ in range(3):
        later()
        send_mails()
        [(wait,)] = Mail.objects.annotate(wait=F("next_action_at") - Now()).values_list("wait")
        waits.append(round(wait.total_seconds()))
    assert waits == [4, 8, 16]


def test_a_mail_is_given_up_visibly_after_a_day(server: MailServer) -> None:
    server.answer = "451 4.3.0 not now"
    row = written(context={"kept": "no secret"})
    Mail.objects.update(tries=MOST_TRIES - 1)

    send_mails()

    row.refresh_from_db()
    assert (row.failed_at is not None, row.failure) == (True, "SMTPDataError 451")
    assert open_mails().open == 0
    # It holds no secret, so staff can have it sent after all.
    assert try_again(mail_ids=[row.pk]) == 1
    server.answer = ""
    send_mails()
    assert len(server.accepted) == 1
    assert AuditEntry.objects.get().action == "kernel.mail_tried_again"


def test_an_address_that_the_server_refuses_is_given_up_and_the_others_are_sent(
    server: MailServer,
) -> None:
    server.refused = {ROBIN}
    row = written()
    with transaction.atomic():
        send("session_reuse", to="ada@example.com")

    send_mails()

    row.refresh_from_db()
    assert row.failure == "refused 550"
    assert [message_from_bytes(content)["To"] for content in server.accepted] == ["ada@example.com"]


def test_a_broken_template_stops_no_other_mail(caplog: pytest.LogCaptureFixture) -> None:
    broken = written("no_such_template")
    written()

    assert len(mails_to(ROBIN)) == 1

    broken.refresh_from_db()
    assert broken.failure == "TemplateDoesNotExist"
    assert "A mail was not handed over." in caplog.messages


def test_a_server_that_says_nothing_costs_the_timeout_and_no_more(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_TIMEOUT = 0.2
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        settings.EMAIL_HOST, settings.EMAIL_PORT = deaf.getsockname()
        row = written()
        send_mails()

    row.refresh_from_db()
    assert row.failure == "SMTPServerDisconnected"


# Keeping and forgetting


def test_mails_are_forgotten_after_a_month() -> None:
    old, new, waiting = written(), written(), written()
    Mail.objects.filter(pk=old.pk).update(
        sent_at=Now() - KEPT_FOR - timedelta(days=1), next_action_at=None
    )
    Mail.objects.filter(pk=new.pk).update(sent_at=Now(), next_action_at=None)

    assert forget_old_mails() == 1
    assert {row.pk for row in Mail.objects.all()} == {new.pk, waiting.pk}


def test_open_mails_are_figures() -> None:
    written()
    Mail.objects.update(
        created_at=Now() - timedelta(seconds=90), next_action_at=Now() - timedelta(seconds=30)
    )
    written()

    found = open_mails()

    assert (found.open, found.due) == (2, 2)
    assert 30 <= found.oldest_due < 60
    assert 90 <= found.oldest < 120


# The back office


def test_staff_see_whom_a_mail_went_to_and_never_what_it_said(staff: Client) -> None:
    row = written(context={"link": "canary"}, useful_for=timedelta(minutes=10))

    pages = [
        staff.get(reverse("admin:kernel_mail_changelist")).content.decode(),
        staff.get(reverse("admin:kernel_mail_change", args=[row.pk])).content.decode(),
    ]

    assert all(ROBIN in page for page in pages)
    assert not any("canary" in page for page in pages)


def test_staff_have_a_mail_tried_again(staff: Client) -> None:
    row = written()
    Mail.objects.update(failed_at=Now(), next_action_at=None)

    staff.post(
        reverse("admin:kernel_mail_changelist"),
        {"action": "send_after_all", "_selected_action": [str(row.pk)]},
    )

    assert len(mails_to(ROBIN)) == 1
