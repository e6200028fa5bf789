"""What is bought together: counted exactly, kept whole, and good at foretelling baskets."""

import io
from datetime import timedelta

import pgtrigger
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import VariantFactory, companions_of
from apps.kernel.ids import new_id
from apps.kernel.tests.threads import at_once
from apps.orders.models import Order
from apps.orders.selectors.companions import companions
from apps.orders.tests.factories import placed_order
from apps.orders.tests.receipts import BREAD, MILK, Shop, bought, needs_pyarrow, offer

YEAR = timedelta(days=365)


def order_of(*variants, status: str = "paid", days_ago: int = 0) -> None:
    """Place an order, and let it have become that long ago."""
    order, _ = placed_order({variant.pk: 1 for variant in variants})
    with pgtrigger.ignore():
        Order.objects.filter(pk=order.pk).update(
            status=status, placed_at=timezone.now() - timedelta(days=days_ago)
        )


def found(*, within: timedelta = YEAR) -> dict[tuple, tuple]:
    with transaction.atomic():
        return {
            (pair.product_id, pair.other_id): (pair.orders, pair.score)
            for pair in companions(within=within)
        }


def build(**options: int) -> str:
    out = io.StringIO()
    call_command("build_recommendations", stdout=out, **options)
    return out.getvalue()


@pytest.mark.django_db
def test_pairs_of_two_orders_count_both_ways_and_the_score_is_the_damped_share():
    bread, butter, milk = (VariantFactory(stock=10) for _ in range(3))
    order_of(bread, butter)
    order_of(bread, butter, milk)
    order_of(bread)

    assert found() == {
        (bread.product_id, butter.product_id): (2, pytest.approx(2 / (3 * 2**0.3))),
        (butter.product_id, bread.product_id): (2, pytest.approx(2 / (2 * 3**0.3))),
    }


@pytest.mark.django_db
def test_two_variants_of_one_product_are_one_product():
    bread, butter = VariantFactory(stock=10), VariantFactory(stock=10)
    sliced = VariantFactory(product=bread.product, stock=10)
    for _ in range(2):
        order_of(bread, sliced, butter)

    pairs = found()
    assert pairs.keys() == {
        (bread.product_id, butter.product_id),
        (butter.product_id, bread.product_id),
    }
    assert {orders for orders, _ in pairs.values()} == {2}


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["pending_payment", "cancelled", "expired"])
def test_an_order_that_nobody_paid_says_nothing(status):
    bread, butter = VariantFactory(stock=10), VariantFactory(stock=10)
    order_of(bread, butter)
    order_of(bread, butter, status=status)
    assert found() == {}


@pytest.mark.django_db
def test_what_is_older_than_asked_for_says_nothing():
    bread, butter = VariantFactory(stock=10), VariantFactory(stock=10)
    order_of(bread, butter)
    order_of(bread, butter, days_ago=31)
    assert found(within=timedelta(days=30)) == {}
    assert len(found(within=timedelta(days=32))) == 2


@pytest.mark.django_db
def test_a_product_has_its_twenty_best_companions():
    bread, *others = (VariantFactory(stock=100) for _ in range(22))
    for rarest in [0, *range(21)]:
        order_of(bread, *others[rarest:])

    kept = {other for product, other in found() if product == bread.product_id}
    assert kept == {other.product_id for other in others[1:]}


@pytest.mark.django_db
def test_a_build_keeps_what_orders_show_and_a_second_one_changes_nothing():
    bread, butter, milk = (VariantFactory(stock=10) for _ in range(3))
    order_of(bread, butter)
    order_of(bread, butter)

    assert build() == "Bought together: 2 pairs new or changed, 0 gone.\n"
    assert build() == "Bought together: 0 pairs new or changed, 0 gone.\n"
    assert companions_of(bread) == [butter.product_id]

    order_of(bread, milk)
    order_of(bread, milk)
    order_of(bread, milk)
    assert build() == "Bought together: 4 pairs new or changed, 0 gone.\n"
    assert companions_of(bread) == [milk.product_id, butter.product_id]


@pytest.mark.django_db
def test_what_orders_no_longer_show_is_gone():
    bread, butter = VariantFactory(stock=10), VariantFactory(stock=10)
    order_of(bread, butter, days_ago=20)
    order_of(bread, butter, days_ago=20)
    build()
    assert build(days=10) == "Bought together: 0 pairs new or changed, 2 gone.\n"
    assert companions_of(bread) == []


@pytest.mark.django_db
@pytest.mark.parametrize("days", [0, 36_501])
def test_an_absurd_number_of_days_is_refused(days):
    with pytest.raises(CommandError, match="--days takes"):
        build(days=days)


@pytest.mark.django_db
def test_pairs_of_unknown_products_are_left_out():
    bread = VariantFactory()
    kept = catalog.keep_companions(
        companions=[catalog.Companion(bread.product_id, new_id(), 5, 0.5)]
    )
    assert kept == catalog.CompanionsKept(written=0, forgotten=0)


@pytest.mark.django_db(transaction=True)
def test_builds_at_the_same_time_leave_the_whole_answer_of_one_of_them():
    bread, *others = (VariantFactory() for _ in range(5))

    def build_of(other):
        pair = catalog.Companion(bread.product_id, other.product_id, 2, 0.5)
        return lambda: catalog.keep_companions(companions=[pair])

    at_once(*[build_of(other) for other in others])

    assert len(companions_of(bread)) == 1


@needs_pyarrow
@pytest.mark.django_db
def test_the_receipts_of_the_data_set_teach_the_catalogs_products(tmp_path):
    shop = Shop(tmp_path)
    receipts = [bought(basket, product) for basket in (1, 2) for product in (1, 2)]
    shop.write([BREAD, MILK], [*receipts, bought(3, 1), bought(4, 1, 0), bought(4, 2)])

    assert "Bought together: 2 pairs new or changed." in shop.load(recommendations=True)

    bread, milk = offer(1), offer(2)
    assert companions_of(bread) == [milk.product_id]
    assert companions_of(milk) == [bread.product_id]


@needs_pyarrow
@pytest.mark.django_db
def test_the_evaluation_hides_one_product_of_each_later_basket(tmp_path):
    shop = Shop(tmp_path)
    products = [(n, "GROCERY", "National", f"KIND {n}", f"THING {n}", None) for n in range(1, 41)]
    # In the first eight baskets odd things go with the next even one; 21 to 40 are the popular.
    earlier = [bought(basket, n) for basket in (1, 2) for n in (1, 2)]
    earlier += [bought(basket, n) for basket in range(3, 9) for n in range(21, 33)]
    later = [bought(9, 1), bought(9, 2), bought(10, 3)]
    shop.write(products, earlier + later)

    out = io.StringIO()
    call_command("evaluate_recommendations", data=shop.data, held_out=20, stdout=out)

    assert "8 baskets learned, 1 asked." in out.getvalue()
    assert "hit rate at 10, bought together: 1.0000" in out.getvalue()
    assert "hit rate at 10, most popular: 0.0000" in out.getvalue()


@needs_pyarrow
@pytest.mark.django_db
def test_an_evaluation_without_baskets_to_ask_says_so(tmp_path):
    shop = Shop(tmp_path)
    shop.write([BREAD], [bought(1, 1), bought(2, 1)])
    with pytest.raises(CommandError, match="no baskets of two products"):
        call_command("evaluate_recommendations", data=shop.data, held_out=50, stdout=io.StringIO())
