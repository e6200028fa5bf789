"""`manage.py inventory`."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.catalog import interface as catalog
from apps.catalog.models import Reservation, Stock
from apps.catalog.services.stock import set_hot
from apps.catalog.tests.factories import VariantFactory
from apps.catalog.tests.test_stock_goods import bands
from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db


def inventory(*arguments):
    said = StringIO()
    call_command("inventory", *arguments, stdout=said, stderr=said)
    return said.getvalue()


def test_balances_that_the_ledger_explains_are_proven():
    variant = VariantFactory(stock=20)
    set_hot(variant_id=variant.pk, is_hot=True)
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 2})

    assert inventory("verify") == "Every balance is what the ledger says.\n"


@pytest.mark.parametrize("is_hot", [False, True])
def test_what_the_ledger_does_not_explain_is_told_and_repaired(is_hot):
    wrong, right = VariantFactory(sku="OAK", stock=20), VariantFactory(stock=9)
    if is_hot:
        set_hot(variant_id=wrong.pk, is_hot=True)
    order = new_id()
    catalog.reserve(order_id=order, quantities={wrong.pk: 2, right.pk: 1})
    true = list(Stock.objects.order_by("id").values())
    Stock.objects.filter(variant=wrong).update(on_hand=2, reserved=0, allocated=1)

    with pytest.raises(CommandError, match=r"1 balances are not what the ledger says\."):
        inventory("verify")
    assert list(Stock.objects.order_by("id").values()) != true
    said = inventory("verify", "--repair")

    assert said == "1 balances repaired.\nEvery balance is what the ledger says.\n"
    assert list(Stock.objects.order_by("id").values()) == true
    assert bands() == ["in_stock"]
    entry = AuditEntry.objects.get(action="catalog.stock_repaired")
    assert entry.about == str(wrong.pk)
    assert (entry.before["on_hand"], entry.after["on_hand"]) == (2, 20)


def test_reservations_that_contradict_the_ledger_are_for_people():
    variant = VariantFactory(sku="OAK", stock=20)
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 2})
    Reservation.objects.update(state="released")

    with pytest.raises(CommandError, match="1 balances"):
        inventory("verify", "--repair")

    assert Stock.objects.get().reserved == 2


def test_what_was_held_too_long_is_given_back():
    variant = VariantFactory(stock=20)
    for _ in range(2):
        catalog.reserve(
            order_id=new_id(), quantities={variant.pk: 2}, hold_for=timedelta(seconds=-1)
        )

    assert inventory("expire-reservations") == "2 orders hold their stock no more.\n"
    assert inventory("expire-reservations") == "0 orders hold their stock no more.\n"
