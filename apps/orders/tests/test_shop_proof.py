"""The proof of the machine asks again when something was written, and only then."""

import pytest
from django.utils import timezone

from apps.catalog.tests.factories import (
    StockLocationFactory,
    StockTransferFactory,
    VariantFactory,
)
from apps.orders.services.invariants import Rule
from apps.orders.tests.shop_proof import Proof

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_written_is_seen_and_what_is_not_costs_two_statements(django_assert_num_queries):
    StockLocationFactory.create()
    lamp = VariantFactory.create(stock=5)
    transfer = StockTransferFactory.create(status="in_transit", sent_at=timezone.now())
    proof = Proof(since=timezone.now())
    assert proof.violations() == []

    with django_assert_num_queries(2):
        assert proof.violations() == []

    line = transfer.lines.create(variant=lamp, quantity=2)
    assert [wrong.rule for wrong in proof.violations()] == [Rule.STOCK]
    line.delete()
    assert proof.violations() == []
