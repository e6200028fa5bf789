"""Deleting the carts that nobody comes back to."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from apps.orders.models import Cart

BATCH = 500


@transaction.atomic
def delete_old_carts() -> bool:
    """Delete a batch of open carts that nobody has changed for CART_KEPT_DAYS, with all in them.

    A cart that somebody is changing or ordering at this moment is passed over; one that has become
    an order stays with it. Returns whether there may be more.
    """
    days = settings.CART_KEPT_DAYS
    long_ago = {whose: Now() - timedelta(days=number) for whose, number in days.items()}
    old = Cart.objects.filter(
        Q(customer_id=None, updated_at__lt=long_ago["guests"])
        | Q(customer_id__isnull=False, updated_at__lt=long_ago["customers"]),
        status=Cart.Status.OPEN,
        created_at__lt=Now() - timedelta(days=min(days.values())),
    )
    locked = old.order_by("created_at").select_for_update(skip_locked=True)
    ids = list(locked.values_list("pk", flat=True)[:BATCH])
    Cart.objects.filter(pk__in=ids).delete()
    return len(ids) == BATCH
