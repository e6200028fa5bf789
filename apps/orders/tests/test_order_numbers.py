"""Order numbers: one after the other in a year, whatever goes wrong between two of them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from rest_framework.test import APIClient

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import StockLocationFactory, VariantFactory
from apps.orders.models import Order, OrderNumbers
from apps.orders.models.order_number import YEAR, number_in, shown
from apps.orders.selectors.order_numbers import missing_numbers
from apps.orders.services import checkout
from apps.orders.services.invariants import Rule, broken_rules, violations
from apps.orders.services.numbers import skip
from apps.orders.tests.factories import VISA, placed_order, ready_cart
from apps.orders.tests.test_races import at_once
from apps.users.tests.factories import StaffFactory, enter

pytestmark = pytest.mark.django_db


def this_year():
    return datetime.now(UTC).year


def place_in(year):
    """Return the places in the year that orders have, in order."""
    numbers = Order.objects.filter(number__gte=year * YEAR).order_by("number")
    return [number - year * YEAR for number in numbers.values_list("number", flat=True)]


def broken():
    return [each for each in violations(ask_providers=False) if each.rule == Rule.NUMBERS]


def test_orders_of_a_year_are_numbered_from_1_on():
    orders = [placed_order()[0] for _ in range(3)]

    assert [order.shown_number for order in orders] == [
        f"{this_year()}-00000{place}" for place in (1, 2, 3)
    ]
    assert OrderNumbers.objects.get().last == 3


def test_the_api_shows_the_number_and_the_order_keeps_it():
    order, holder = placed_order()
    guest = APIClient(headers={"X-Order-Token": holder.token})

    number = guest.get(f"/api/v1/orders/{order.pk}").json()["number"]

    assert number == f"{this_year()}-000001"
    assert str(order) == f"Order {number}"


def test_a_checkout_that_fails_leaves_no_gap():
    variant = VariantFactory(stock=1)
    carts = [ready_cart({variant.pk: 1}) for _ in range(2)]
    refused = 0
    for cart, holder in carts:
        try:
            with transaction.atomic():
                checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)
        except catalog.OutOfStock:
            refused += 1
    with transaction.atomic():
        placed_order()
        transaction.set_rollback(True)

    placed_order()

    assert refused == 1
    assert place_in(this_year()) == [1, 2]
    assert broken() == []


def test_the_next_year_begins_with_1_again():
    OrderNumbers.objects.create(year=this_year() - 1, last=0)
    order, _ = placed_order()
    OrderNumbers.objects.filter(year=this_year()).delete()
    Order.objects.filter(pk=order.pk).update(number=(this_year() - 1) * YEAR + 1)
    OrderNumbers.objects.filter(year=this_year() - 1).update(last=1)

    placed_order()

    assert place_in(this_year() - 1)[0] == 1
    assert place_in(this_year()) == [1]
    assert broken() == []


def test_numbers_from_before_stay_as_they_were():
    order, holder = placed_order()
    Order.objects.filter(pk=order.pk).update(number=100_001)
    OrderNumbers.objects.update(last=0)

    document = APIClient(headers={"X-Order-Token": holder.token}).get(f"/api/v1/orders/{order.pk}")

    assert document.json()["number"] == "100001"
    assert broken() == []


def test_a_number_that_is_gone_breaks_the_rule_and_is_named():
    orders = [placed_order()[0] for _ in range(4)]
    Order.objects.filter(pk=orders[1].pk).update(number=1)
    Order.objects.filter(pk=orders[3].pk).update(number=2)

    assert [each.subject for each in broken()] == [
        f"{this_year()}-000002",
        f"{this_year()}-000004",
    ]
    rules = {each.rule: each.violations for each in broken_rules(placed_since=orders[0].placed_at)}
    assert rules[Rule.NUMBERS] == 2


def test_of_late_only_numbers_from_the_youngest_orders_on_are_looked_at():
    orders = [placed_order()[0] for _ in range(5)]
    Order.objects.filter(pk=orders[1].pk).update(number=1)
    Order.objects.filter(pk=orders[3].pk).update(number=2)
    old = orders[0].placed_at - timedelta(days=9)
    Order.objects.filter(pk__in=[order.pk for order in orders[:2]]).update(placed_at=old)
    base = this_year() * YEAR

    assert list(missing_numbers()) == [(base + 2, base + 2), (base + 4, base + 4)]
    assert list(missing_numbers(placed_since=old + timedelta(days=1))) == [(base + 4, base + 4)]
    assert list(missing_numbers(placed_since=orders[4].placed_at + timedelta(days=1))) == []


def test_numbers_that_a_restore_has_lost_are_skipped_and_are_not_missing():
    placed_order()
    skip(OrderNumbers, 10)
    skip(OrderNumbers, 5)
    order, _ = placed_order()

    assert place_in(this_year()) == [1, 17]
    assert broken() == []
    skipped = OrderNumbers.objects.get().skipped
    assert [(each["from"], each["to"]) for each in skipped] == [(2, 11), (12, 16)]
    Order.objects.filter(pk=order.pk).update(number=3)
    assert [each.subject for each in broken()] == [f"{this_year()}-000017"]


def test_numbers_are_skipped_in_a_year_that_has_none_yet():
    skip(OrderNumbers, 10)
    placed_order()

    assert place_in(this_year()) == [11]
    assert broken() == []


def test_the_database_gives_no_number_twice_and_none_beyond_nine_digits():
    orders = [placed_order()[0] for _ in range(2)]

    with pytest.raises(IntegrityError, match="number"), transaction.atomic():
        Order.objects.filter(pk=orders[0].pk).update(number=orders[1].number)
    with (
        pytest.raises(IntegrityError, match="order_numbers_fit_in_nine_digits"),
        transaction.atomic(),
    ):
        OrderNumbers.objects.update(last=YEAR)
    with pytest.raises(IntegrityError, match="order_numbers_year_has_20xx"), transaction.atomic():
        OrderNumbers.objects.update(year=1999)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2026-000123", 2026 * YEAR + 123),
        (" 2026-000123 ", 2026 * YEAR + 123),
        ("2026-123456789", 2026 * YEAR + 123_456_789),
        ("100001", 100_001),
        ("2026-123", None),
        ("1926-000123", None),
        ("2026000000123", None),
        ("٢٠٢٦-000123", None),
        ("100001x", None),
        ("", None),
        ("-1", None),
    ],
)
def test_what_people_write_is_read_as_it_is_shown(text, number):
    assert number_in(text) == number
    if number:
        assert shown(number) == text.strip()


def test_staff_find_an_order_by_its_number(client):
    order, other = placed_order()[0], placed_order()[0]
    enter(client, StaffFactory(is_superuser=True))

    def found(term, model="order"):
        page = client.get(f"/admin/orders/{model}/", {"q": term})
        return [row.pk for row in page.context["cl"].result_list]

    Order.objects.filter(pk=other.pk).update(number=100_777)
    assert found(order.shown_number) == [order.pk]
    assert found("100777") == [other.pk]
    assert found(str(order.pk)) == [order.pk]
    assert found(order.shown_number, "paymentattempt") == [order.attempts.get().pk]


def test_the_number_is_taken_last():
    cart, holder = ready_cart()
    sent = []

    def written_down(execute, sql, *others):
        sent.append(sql)
        return execute(sql, *others)

    with connection.execute_wrapper(written_down):
        checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)

    assert "orders_ordernumbers" in sent[-1]


@pytest.mark.django_db(transaction=True)
def test_16_clients_of_whom_half_fail_leave_no_gap():
    StockLocationFactory()
    scarce, plenty = VariantFactory(stock=4), VariantFactory(stock=99)
    carts = [ready_cart({(scarce if n % 2 else plenty).pk: 1}) for n in range(16)]

    at_once(
        [
            lambda cart=cart, holder=holder: checkout.place_order(
                holder=holder, cart_id=cart.pk, payment=VISA
            )
            for cart, holder in carts
        ]
    )

    assert place_in(this_year()) == list(range(1, 13))
    assert broken() == []


def test_staff_see_how_far_the_numbers_are(client):
    order, _ = placed_order()
    enter(client, StaffFactory(is_superuser=True))

    page = client.get("/admin/orders/ordernumbers/").content.decode()

    assert f"{order.shown_number} is the last" in page
