"""Writing the mails: with what they tell of taken off the list in the same transaction."""

from django.db import transaction

from apps.catalog import interface as catalog
from apps.kernel.mail import send
from apps.users import interface as users

MAILS_A_TURN = 100


@transaction.atomic
def tell_who_waited() -> bool:
    """Write to customers whose variants are back in stock. Returns whether any alert was due."""
    back = catalog.take_due_alerts(limit=MAILS_A_TURN)
    if back is None:
        return False
    contacts = users.contacts_of(user_ids={each.customer_id for each in back})
    for each in back:
        if (contact := contacts.get(each.customer_id)) is not None:
            send(
                "back_in_stock",
                to=contact.email,
                context={"name": each.offer.name, "sku": each.offer.sku},
            )
    return True
