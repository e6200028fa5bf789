"""Writing the mails: with what they tell of taken off the list in the same transaction."""

from django.db import transaction

from apps.catalog import interface as catalog
from apps.kernel.mail import send
from apps.users import interface as users

MAILS_A_TURN = 100
MOST_LINES = 50
TOLD_OF_LOW_STOCK = "catalog.be_told_of_low_stock"


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


@transaction.atomic
def tell_what_is_low() -> None:
    """Write to the staff concerned what has run low since the last look, if anything has."""
    digest = catalog.notice_low_stock(most=MOST_LINES)
    if not digest.number:
        return
    lines = [
        f"{low.sku}: {low.available} left of {low.name} (reorder point {low.reorder_point})"
        for low in digest.first
    ]
    if digest.number > len(lines):
        lines.append(f"and {digest.number - len(lines)} more")
    context = {"number": str(digest.number), "lines": "\n".join(lines)}
    for contact in users.contacts_with(permission=TOLD_OF_LOW_STOCK):
        send("low_stock", to=contact.email, context=context)
