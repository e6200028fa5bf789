"""Letting a guest find an order again: by its number, and by reading the mails of its address."""

from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction

from apps.kernel.ids import new_id
from apps.kernel.mail import send
from apps.orders.models import Order
from apps.orders.models.order_number import number_in
from apps.users import interface as users

LIFETIME = timedelta(hours=24)


def look_up(*, number: str, email: str, ip: str | None) -> None:
    """Mail a link to a guest's order, if number and address are those of one.

    Whether they are shows neither in what is answered nor in what is done: without a match the
    mail is written, too, and taken back. Raises TooManyMails, whether there is a match or not.
    """
    with transaction.atomic():
        users.count_mail(email=email, ip=ip)
        _mail_link(number, email)


def shows(token: str, *, order_id: UUID) -> bool:
    """Whether the token came with a mailed link to this order, which is not too old."""
    try:
        signed = _signer().unsign(token, max_age=LIFETIME)
    except BadSignature:
        return False
    return signed == order_id.hex


def _mail_link(number: str, email: str) -> None:
    wanted = Order.objects.filter(number=number_in(number) or 0, customer_id=None)
    order = wanted.filter(email__iexact=email).first()
    with transaction.atomic():
        send(
            "order_link",
            to=order.email if order else email,
            context={"link": _link_to(order.pk if order else new_id()), "number": number},
            useful_for=LIFETIME,
        )
        transaction.set_rollback(order is None)


def _link_to(order_id: UUID) -> str:
    token = quote(_signer().sign(order_id.hex), safe="")
    return f"{settings.PUBLIC_URL}/api/v1/orders/{order_id}?token={token}"


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="orders.lookups")
