"""What the database holds taxes to, whoever writes them."""

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from apps.orders.models import TaxClass
from apps.orders.tests.factories import tax_class

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_class_keeps_its_code():
    standard = tax_class()

    with pytest.raises(ProgrammingError, match="Cannot update rows"), transaction.atomic():
        TaxClass.objects.filter(pk=standard.pk).update(code="other")

    assert TaxClass.objects.get(pk=standard.pk).code == "standard"


@pytest.mark.parametrize("loss", ["unset", "delete"])
def test_of_the_classes_one_is_the_default_at_the_end_of_each_transaction(loss):
    standard, reduced = tax_class(), tax_class("reduced")
    rows = TaxClass.objects.filter(pk=standard.pk)

    with pytest.raises(IntegrityError, match="One of the tax classes has to be the default one"):
        rows.delete() if loss == "delete" else rows.update(is_default=False)
    with transaction.atomic():
        rows.update(is_default=False)
        TaxClass.objects.filter(pk=reduced.pk).update(is_default=True)

    assert TaxClass.objects.get(is_default=True).code == "reduced"
    TaxClass.objects.all().delete()
    assert not TaxClass.objects.exists()
