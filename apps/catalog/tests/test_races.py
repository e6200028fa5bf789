"""Many at once, on real threads and a real database: exact, and without a deadlock."""

from collections.abc import Callable

import pytest

from apps.catalog import interface as catalog
from apps.catalog.models import Category, Product, Reservation, Stock
from apps.catalog.services.categories import CategoryCycle, place_category
from apps.catalog.services.products import SkuTaken, VariantDraft, change_product, create_product
from apps.catalog.tests.factories import CategoryFactory, VariantFactory
from apps.kernel.errors import DomainError, VersionMismatch
from apps.kernel.ids import new_id
from apps.kernel.models import OutboxEvent
from apps.kernel.money import Money
from apps.kernel.tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 32


def outcome(action: Callable[[], object]) -> Callable[[], object]:
    """Return the action as one that returns what it would raise."""

    def attempt() -> object:
        try:
            return action()
        except DomainError as refusal:
            return refusal

    return attempt


def test_an_order_is_settled_once_however_many_try():
    variants = [VariantFactory(stock=10) for _ in range(3)]
    for _ in range(5):
        order = new_id()
        catalog.reserve(order_id=order, quantities={v.pk: 2 for v in variants})

        settled = at_once(
            *[lambda order=order: catalog.release(order_id=order)] * 8,
            *[lambda order=order: catalog.ship(order_id=order)] * 8,
        )

        assert sorted(settled) == [False] * 15 + [True]
        assert len(set(Reservation.objects.filter(order_id=order).values_list("state"))) == 1
    assert set(Stock.objects.values_list("reserved", flat=True)) == {0}
    assert catalog.stock_differences() == []


def test_the_first_goods_of_a_variant_may_come_from_everywhere_at_once():
    variant = VariantFactory()

    results = at_once(
        *[lambda: catalog.receive(quantities={variant.pk: 3}, reason="test")] * THREADS
    )

    assert results == [None] * THREADS
    assert Stock.objects.get().on_hand == 3 * THREADS
    assert catalog.stock_differences() == []


def test_a_sku_is_given_to_one_of_those_who_want_it():
    lines = [VariantDraft(sku="OAK", price=Money(100, "USD"))]

    def create(number: int) -> object:
        return create_product(fields={"name": f"Oak {number}", "variants": lines})

    results = at_once(*[outcome(lambda n=n: create(n)) for n in range(8)])

    assert sum(isinstance(result, Product) for result in results) == 1
    assert sum(isinstance(result, SkuTaken) for result in results) == 7
    assert Product.objects.count() == 1


def test_of_two_changes_to_one_version_the_second_is_refused():
    product = VariantFactory().product

    def change() -> int:
        return change_product(
            product_id=product.pk, fields={"description": "x"}, expected_version=1
        ).version

    results = at_once(*[outcome(change)] * 8)

    assert sum(result == 2 for result in results) == 1
    assert sum(isinstance(result, VersionMismatch) for result in results) == 7
    assert OutboxEvent.objects.count() == 1


def test_two_moves_cannot_make_a_cycle_between_them():
    def move(category: Category, parent: Category) -> None:
        place_category(
            category=Category.objects.get(pk=category.pk),
            parent=Category.objects.get(pk=parent.pk),
        )

    for _ in range(5):
        first, second = CategoryFactory(), CategoryFactory()

        results = at_once(
            outcome(lambda a=first, b=second: move(a, b)),
            outcome(lambda a=first, b=second: move(b, a)),
        )

        assert sum(isinstance(result, CategoryCycle) for result in results) == 1
        assert sum(result is None for result in results) == 1
