"""What must be true at any moment, when it is not."""

import pytest
from django.utils import timezone

from apps.catalog.tests.factories import StockTransferFactory, VariantFactory
from apps.orders.services.invariants import Rule, violations

pytestmark = pytest.mark.django_db


def test_a_transfer_that_the_ledger_contradicts_breaks_the_rule_of_stock():
    lamp = VariantFactory(stock=5)
    transfer = StockTransferFactory(status="in_transit", sent_at=timezone.now())
    transfer.lines.create(variant=lamp, quantity=2)

    found = list(violations(ask_providers=False, workers_run=False))

    assert [(each.rule, each.subject) for each in found] == [(Rule.STOCK, lamp.sku)]
