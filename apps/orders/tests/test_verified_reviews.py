"""What arrives is a purchase, and the review of who has bought it is a verified one."""

from uuid import UUID

import pgtrigger
import pytest

from apps.catalog.tests.factories import ReviewFactory, VariantFactory
from apps.kernel.delivery import relay_batch
from apps.kernel.ids import new_id
from apps.orders.services.shipments import deliver
from apps.orders.tests.factories import placed_order

pytestmark = pytest.mark.django_db(transaction=True)


def arrived(variant_id: UUID, *, customer_id: UUID | None) -> None:
    """Let an order of one variant arrive."""
    order, _ = placed_order({variant_id: 1})
    with pgtrigger.ignore():
        order.customer_id, order.status = customer_id, "fulfilling"
        order.save()
    shipment = order.shipments.create(carrier="table_rates", status="handed_over")
    deliver(shipment_id=shipment.pk)
    while relay_batch():
        pass


def test_a_delivered_order_verifies_the_review_of_its_customer_alone() -> None:
    variant, customer_id = VariantFactory.create(stock=5), new_id()
    mine, other = (
        ReviewFactory.create(product=variant.product, customer_id=each)
        for each in (customer_id, new_id())
    )

    arrived(variant.pk, customer_id=customer_id)
    arrived(variant.pk, customer_id=None)

    for review in (mine, other):
        review.refresh_from_db()
    assert (mine.is_verified, other.is_verified) == (True, False)
