"""Mails as those get them who are written to."""

from django.core import mail
from django.core.mail import EmailMultiAlternatives

from apps.kernel.tasks import send_mails


def mails_to(address: str) -> list[EmailMultiAlternatives]:
    """Hand over what is due, and return all mails that this address has got, oldest first."""
    send_mails()
    return [message for message in mail.outbox if address in message.to]  # type: ignore[misc]  # ours have both
