"""Promotions held against past orders: exact, resumable, and nothing else is written."""

import io
from datetime import timedelta
from uuid import uuid4

import pgtrigger
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.catalog.tests.factories import CategoryFactory, StockLocationFactory, VariantFactory
from apps.orders.models import Coupon, Order, OrderPromotion, Promotion, PromotionSimulation
from apps.orders.services import checkout, promotions, simulations
from apps.orders.services.simulations import advance_simulation, start_simulation
from apps.orders.tests.factories import (
    VISA,
    CouponFactory,
    PromotionFactory,
    delivered_order,
    ready_cart,
)
from apps.orders.tests.test_exchanges import exchanged
from apps.orders.tests.test_races import at_once
from apps.users.tests.factories import CustomerGroupFactory, UserFactory

pytestmark = pytest.mark.django_db

YEAR = timedelta(days=365)


def sold(quantities, *, days_ago=1, status="completed", **cart):
    cart, holder = ready_cart(quantities, **cart)
    order = checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA).whole.order
    with pgtrigger.ignore():
        Order.objects.filter(pk=order.pk).update(
            status=status, placed_at=timezone.now() - timedelta(days=days_ago)
        )
    return order


def simulated(promotion, **options):
    now = timezone.now()
    period = {"placed_from": now - YEAR, "placed_until": now} | options
    simulation = start_simulation(promotion_id=promotion.pk, **period)
    while advance_simulation():
        pass
    simulation.refresh_from_db()
    return simulation


@pytest.fixture
def sun():
    """Return a code's promotion of 10 % that one of two orders had: 25.00 and 41.00 in all."""
    lamp = VariantFactory(price_minor=1000, stock=90)
    chair = VariantFactory(price_minor=4000, stock=90)
    coupon = CouponFactory(code="SUN")
    sold({lamp.pk: 2}, days_ago=3)
    sold({chair.pk: 1}, days_ago=2, codes=("SUN",))
    return coupon.promotion


def test_what_it_would_have_taken_off_is_exact_and_says_whom_it_displaces(sun):
    quarter = PromotionFactory(
        status="draft",
        exclusive=True,
        benefit={"kind": "percentage", "basis_points": 2500},
    )

    found = simulated(quarter)

    assert found.state == "completed"
    assert (found.orders_seen, found.orders_affected) == (2, 2)
    assert (found.orders_incomplete, found.orders_differing) == (0, 0)
    # 25.00 + 41.00 before; 20.00 - 5.00 + 5.00 and 40.00 - 10.00 + 5.00 after.
    assert found.amounts == {"USD": {"discount": 1500, "before": 6600, "after": 5500}}
    assert found.conflicts == {str(sun.pk): {"displaced": 1, "keeps_out": 0}}


def test_what_leaves_it_no_room_is_told(sun):
    small = PromotionFactory(exclusive=True, benefit={"kind": "percentage", "basis_points": 500})

    found = simulated(small)

    assert (found.orders_seen, found.orders_affected) == (2, 1)
    assert found.amounts == {"USD": {"discount": 100, "before": 6600, "after": 6500}}
    assert found.conflicts == {str(sun.pk): {"displaced": 0, "keeps_out": 1}}


def test_budget_and_uses_are_used_up_in_the_order_of_time(sun):
    budget = PromotionFactory(currency="USD", budget_minor=300)
    once = PromotionFactory(uses_limit=1)

    spent, used = simulated(budget), simulated(once)

    # 2.00 of the first order; the 1.00 that is left of the second, then 10 % of 39.00.
    assert spent.amounts == {"USD": {"discount": 300, "before": 6600, "after": 6310}}
    assert spent.conflicts == {str(sun.pk): {"displaced": 1, "keeps_out": 0}}
    assert (used.orders_affected, used.amounts["USD"]["discount"]) == (1, 200)


def test_a_code_is_taken_to_be_known_and_a_schedule_is_not_looked_at():
    lamp = VariantFactory(price_minor=1000, stock=90)
    sold({lamp.pk: 1})
    later = timezone.now() + YEAR

    found = simulated(PromotionFactory(needs_code=True, starts_at=later))

    assert found.amounts == {"USD": {"discount": 100, "before": 1500, "after": 1400}}


def test_only_what_was_sold_in_that_time_and_currency_is_looked_at():
    lamp = VariantFactory(price_minor=1000, stock=90)
    for status in ("pending_payment", "expired", "cancelled"):
        sold({lamp.pk: 1}, status=status)
    sold({lamp.pk: 1}, days_ago=40)
    sold({lamp.pk: 3}, days_ago=5)
    sold({lamp.pk: 4}, days_ago=4)
    month = timezone.now() - timedelta(days=30)

    found = simulated(PromotionFactory(), placed_from=month)
    first = simulated(PromotionFactory(), placed_from=month, most_orders=1)
    euros = simulated(PromotionFactory(currency="EUR"), placed_from=month)

    assert (found.orders_seen, found.amounts["USD"]["discount"]) == (2, 700)
    assert (first.orders_seen, first.amounts["USD"]["discount"]) == (1, 300)
    assert (euros.orders_seen, euros.amounts) == (0, {})


def test_what_replaces_goods_that_came_back_was_sold_once():
    small, large = (VariantFactory(price_minor=1000, stock=90) for _ in range(2))
    order, holder = delivered_order({small.pk: 2})
    exchanged(order, holder, large, 2)

    found = simulated(PromotionFactory())

    assert (found.orders_seen, found.orders_affected) == (1, 1)
    assert found.amounts == {"USD": {"discount": 200, "before": 2500, "after": 2300}}


def test_groups_first_orders_and_categories_are_those_that_the_shop_knows():
    chairs = CategoryFactory()
    chair = VariantFactory(price_minor=1000, stock=90, product__category=chairs)
    lamp = VariantFactory(price_minor=1000, stock=90)
    group = CustomerGroupFactory()
    member, other = UserFactory(customer_group=group), UserFactory()
    sold({chair.pk: 1, lamp.pk: 1}, customer_id=member.pk, days_ago=9)
    sold({chair.pk: 2}, customer_id=member.pk, days_ago=8)
    sold({chair.pk: 4}, customer_id=other.pk, days_ago=7)
    sold({chair.pk: 8}, days_ago=6)

    def discount(**fields):
        return simulated(PromotionFactory(**fields)).amounts["USD"]["discount"]

    assert discount(goods={"category_ids": [str(chairs.pk)]}) == 1500
    assert discount(customer_group_ids=[str(group.pk)]) == 400
    assert discount(first_order_only=True) == 600


def test_goods_that_are_sold_no_more_match_as_products_alone_and_are_counted():
    lamp = VariantFactory(price_minor=1000, stock=90)
    sold({lamp.pk: 1})
    lamp.is_active = False
    lamp.save()
    category = {"category_ids": [str(lamp.product.category_id)]}

    by_category = simulated(PromotionFactory(goods=category))
    by_product = simulated(PromotionFactory(goods={"product_ids": [str(lamp.product_id)]}))

    assert (by_category.orders_incomplete, by_category.orders_affected) == (1, 0)
    assert (by_product.orders_incomplete, by_product.orders_affected) == (1, 1)


def test_orders_whose_promotions_say_something_else_now_are_counted(sun):
    Promotion.objects.filter(pk=sun.pk).update(benefit={"kind": "percentage", "basis_points": 2000})

    found = simulated(PromotionFactory(goods={"product_ids": [str(uuid4())]}))

    assert (found.orders_seen, found.orders_differing, found.orders_affected) == (2, 1, 0)
    assert found.amounts == {"USD": {"discount": 0, "before": 6200, "after": 6200}}


def test_what_had_it_already_is_held_against_itself_without_it(sun):
    found = simulated(sun)

    # 25.00 + 45.00 before; 2.00 and 4.00 off.
    assert found.amounts == {"USD": {"discount": 600, "before": 7000, "after": 6400}}
    assert (found.orders_differing, found.conflicts) == (0, {})


def test_nothing_but_the_simulation_is_written(sun):
    tables = (Order, OrderPromotion, Promotion, Coupon)
    limited = PromotionFactory(uses_limit=5)
    before = [list(table.objects.order_by("pk").values()) for table in tables]

    simulated(limited)

    assert [list(table.objects.order_by("pk").values()) for table in tables] == before


def test_a_promotion_that_is_changed_on_the_way_stops_its_simulation(sun):
    promotion = PromotionFactory()
    simulation = start_simulation(
        promotion_id=promotion.pk,
        placed_from=timezone.now() - YEAR,
        placed_until=timezone.now(),
    )
    promotions.change_promotion(promotion_id=promotion.pk, fields={"name": "Other"})

    assert advance_simulation()

    simulation.refresh_from_db()
    assert (simulation.state, simulation.stopped_because) == ("stopped", "promotion_changed")
    assert (simulation.orders_seen, simulation.next_action_at) == (0, None)
    assert not advance_simulation()


def test_who_goes_on_after_a_crash_counts_nothing_twice(monkeypatch):
    lamp = VariantFactory(price_minor=1000, stock=90)
    for _ in range(5):
        sold({lamp.pk: 1})
    monkeypatch.setattr(simulations, "ORDERS_A_BATCH", 2)
    whole, turns = simulations.past_baskets, []

    def fails_in_the_second_turn(**asked):
        turns.append(asked)
        if len(turns) == 2:
            raise RuntimeError
        return whole(**asked)

    monkeypatch.setattr(simulations, "past_baskets", fails_in_the_second_turn)
    simulation = start_simulation(
        promotion_id=PromotionFactory().pk,
        placed_from=timezone.now() - YEAR,
        placed_until=timezone.now(),
    )
    assert advance_simulation()
    simulation.refresh_from_db()
    assert (simulation.state, simulation.orders_seen) == ("running", 2)
    assert not advance_simulation()  # it waits

    PromotionSimulation.objects.update(next_action_at=timezone.now())
    assert advance_simulation()

    simulation.refresh_from_db()
    assert (simulation.state, simulation.orders_seen) == ("completed", 5)
    assert simulation.amounts == {"USD": {"discount": 500, "before": 7500, "after": 7000}}


def test_who_comes_back_late_takes_back_nothing_of_what_others_have_counted(monkeypatch):
    lamp = VariantFactory(price_minor=1000, stock=90)
    for _ in range(4):
        sold({lamp.pk: 1})
    monkeypatch.setattr(simulations, "ORDERS_A_BATCH", 1)
    monkeypatch.setattr(simulations, "SECONDS_A_TURN", 0)
    monkeypatch.setattr(simulations, "LEASE", timedelta(0))
    whole, waits = simulations.past_baskets, [True]

    def is_overtaken(**asked):
        batch = whole(**asked)
        while waits:
            waits.pop()
            assert advance_simulation()
            assert advance_simulation()
        return batch

    monkeypatch.setattr(simulations, "past_baskets", is_overtaken)
    simulation = start_simulation(
        promotion_id=PromotionFactory().pk,
        placed_from=timezone.now() - YEAR,
        placed_until=timezone.now(),
    )

    advance_simulation()

    simulation.refresh_from_db()
    assert (simulation.orders_seen, simulation.amounts["USD"]["discount"]) == (2, 200)


def test_a_batch_costs_the_same_statements_whatever_is_in_it(monkeypatch):
    lamp, chair = VariantFactory(stock=90), VariantFactory(stock=90)
    user = UserFactory()
    CouponFactory(code="SUN")
    counts = []
    for orders in (1, 6):
        for _ in range(orders):
            sold({lamp.pk: 1, chair.pk: 1}, customer_id=user.pk, codes=("SUN",))
        simulation = start_simulation(
            promotion_id=PromotionFactory().pk,
            placed_from=timezone.now() - YEAR,
            placed_until=timezone.now(),
        )
        with CaptureQueriesContext(connection) as captured:
            advance_simulation()
        simulation.refresh_from_db()
        assert simulation.state == "completed"
        counts.append(len(captured))

    assert counts == [9, 9]  # to claim it, its promotion, five of the batch, two to write it down


def test_staff_ask_for_a_simulation_and_see_what_it_has_found(staff, sun):
    promotion = PromotionFactory(exclusive=True, benefit={"kind": "amount_off", "amount": 500},
                                 currency="USD")  # fmt: skip
    path = f"/api/v1/promotions/{promotion.pk}/simulations"
    period = {"from": "2020-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z"}

    asked = staff.post(path, {**period, "limit": 9})
    while advance_simulation():
        pass
    found = staff.get(asked["Location"]).json()

    assert (asked.status_code, asked.json()["state"]) == (202, "running")
    assert (found["state"], found["limit"], found["orders_seen"]) == ("completed", 9, 2)
    assert found["until"] < "2999"
    assert found["amounts"] == [
        {
            "discount": {"amount": "10.00", "currency": "USD"},
            "revenue_before": {"amount": "66.00", "currency": "USD"},
            "revenue_after": {"amount": "60.00", "currency": "USD"},
        }
    ]
    assert found["conflicts"] == [{"promotion_id": str(sun.pk), "displaced": 1, "keeps_out": 0}]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"until": "2019-01-01T00:00:00Z"}, 422),
        ({"from": "2998-01-01T00:00:00Z"}, 422),
        ({"from": "then"}, 400),
        ({"limit": 0}, 400),
        ({"limit": "5"}, 400),
        ({"sample": 5}, 400),
    ],
)
def test_a_simulation_that_makes_no_sense_is_refused(staff, wrong, status):
    path = f"/api/v1/promotions/{PromotionFactory().pk}/simulations"
    period = {"from": "2020-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z"}

    answer = staff.post(path, {**period, **wrong})

    assert answer.status_code == status
    assert not PromotionSimulation.objects.exists()


def test_a_simulation_is_found_under_its_own_promotion_alone(staff, sun):
    simulation = simulated(sun)
    other = PromotionFactory()

    answer = staff.get(f"/api/v1/promotions/{other.pk}/simulations/{simulation.pk}")
    nothing = staff.post(
        f"/api/v1/promotions/{uuid4()}/simulations",
        {"from": "2020-01-01T00:00:00Z", "until": "2999-01-01T00:00:00Z"},
    )

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_simulation")
    assert (nothing.status_code, nothing.json()["code"]) == (404, "unknown_promotion")


def test_the_command_tells_what_it_has_found(sun):
    quarter = PromotionFactory(exclusive=True, benefit={"kind": "percentage", "basis_points": 2500})
    out = io.StringIO()

    call_command(
        "promotions", "simulate", str(quarter.pk), "--from=2020-01-01", "--until=2999-01-01",
        stdout=out,
    )  # fmt: skip

    assert out.getvalue().splitlines() == [
        "2 orders, 2 affected, 0 incomplete, 0 differing.",
        "USD: 15.00 off; 66.00 before, 55.00 after.",
        f"{sun.pk}: displaced in 1 orders, keeps it out of 0.",
    ]
    with pytest.raises(CommandError, match="no such promotion"):
        call_command(
            "promotions", "simulate", str(uuid4()), "--from=2020-01-01", "--until=2999-01-01"
        )


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_count_each_order_once(monkeypatch):
    StockLocationFactory()
    lamp = VariantFactory(price_minor=1000, stock=90)
    for _ in range(12):
        sold({lamp.pk: 1})
    monkeypatch.setattr(simulations, "ORDERS_A_BATCH", 1)
    monkeypatch.setattr(simulations, "LEASE", timedelta(0))  # whoever comes takes it over
    simulation = start_simulation(
        promotion_id=PromotionFactory().pk,
        placed_from=timezone.now() - YEAR,
        placed_until=timezone.now(),
    )

    while PromotionSimulation.objects.filter(state="running").exists():
        at_once([advance_simulation] * 4)

    simulation.refresh_from_db()
    assert (simulation.state, simulation.orders_seen) == ("completed", 12)
    assert simulation.amounts == {"USD": {"discount": 1200, "before": 18000, "after": 16800}}
