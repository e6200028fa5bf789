"""Edits that add: at the prices of now, as they were previewed, and never beyond what is paid."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import (
    PriceFactory,
    PriceListFactory,
    ProductFactory,
    VariantFactory,
)
from apps.kernel.models import AuditEntry
from apps.orders.models import ChangeSet, Order, Refund, TaxRate, TaxZone
from apps.orders.selectors.ledger import refundable_minor
from apps.orders.services import checkout, orders
from apps.orders.tests.factories import (
    VISA,
    PromotionFactory,
    declined_order,
    paid_order,
    pay,
    placed_order,
    tax_rate,
    tax_zone,
)
from apps.orders.tests.test_change_sets import (
    all_is_well,
    available,
    confirm,
    holder_client,
    kept,
    propose,
    refusal,
    staff_client,
    usd,
)
from apps.users.tests.factories import CustomerGroupFactory, UserFactory, access_token_for

pytestmark = pytest.mark.django_db


def new(*variants):
    return [{"variant_id": str(variant.pk), "quantity": quantity} for variant, quantity in variants]


def pay_again(order, holder):
    checkout.pay_again(holder=holder, order_id=order.pk, payment=VISA)
    order.refresh_from_db()
    assert order.attempts.latest("created_at").amount_minor == order.to_pay_minor
    pay(order)
    assert order.status == "paid"


@pytest.fixture
def lamp():
    return VariantFactory(price_minor=1000, stock=10)


@pytest.fixture
def shade():
    return VariantFactory(price_minor=333, stock=10)


@pytest.mark.parametrize("included", [False, True])
def test_what_is_added_to_an_unpaid_order_is_held_taxed_and_paid(lamp, shade, included):
    zone = tax_zone("US", prices_include_tax=included)
    tax_rate(zone, "8.875")
    tax_rate(zone, "4", of="books")
    order, holder = declined_order({lamp.pk: 1})
    book = VariantFactory(price_minor=1500, stock=4, product=ProductFactory(tax_class="books"))
    guest = holder_client(holder)
    was = order.grand_total_minor

    proposed = propose(
        guest, order, "edit", lines=[*kept((order.lines.get(), 3)), *new((shade, 2), (book, 1))]
    )

    assert proposed.status_code == 201, proposed.content
    preview = proposed.json()["preview"]
    assert [(each["sku"], each["quantity"], each["move"]) for each in preview["stock"]] == [
        (lamp.sku, 2, "reserve"),
        (shade.sku, 2, "reserve"),
        (book.sku, 1, "reserve"),
    ]
    assert [(each["variant_id"], each["unit_price"]) for each in preview["added"]] == [
        (str(lamp.pk), usd("10.00")),
        (str(shade.pk), usd("3.33")),
        (str(book.pk), usd("15.00")),
    ]
    assert (preview["refund"], preview["tax"]) == (usd("0.00"), usd("0.00"))
    assert preview["difference"]["amount"].startswith("-")
    assert Order.objects.get(pk=order.pk).grand_total_minor == was
    assert available(shade) == 10

    assert confirm(guest, proposed).status_code == 201

    order.refresh_from_db()
    assert preview["after"]["total"]["amount"] == f"{order.grand_total_minor / 100:.2f}"
    assert order.items_minor == 3 * 1000 + 2 * 333 + 1500
    lines = order.lines.order_by("position")
    assert [(line.sku, line.quantity, line.unit_price_minor) for line in lines] == [
        (lamp.sku, 3, 1000),
        (shade.sku, 2, 333),
        (book.sku, 1, 1500),
    ]
    assert [(tax["ppm"], tax["name"]) for tax in order.taxes] == [(40000, "VAT"), (88750, "VAT")]
    on_books = 1500 * 4 / (104 if included else 100)
    assert abs(order.taxes[0]["amount"] - on_books) < 1
    assert (order.tax_minor == 0) == included
    assert (available(lamp), available(shade), available(book)) == (7, 8, 3)
    assert all_is_well()
    pay_again(order, holder)
    assert refundable_minor(order.pk) == order.grand_total_minor
    assert all_is_well()
    entry = AuditEntry.objects.get(action="orders.order_edited")
    assert sorted(entry.before["lines"].values()) == [0, 0, 1]
    assert sorted(entry.after["lines"].values()) == [1, 2, 3]


def test_a_heavier_parcel_costs_what_so_much_more_weight_costs(lamp):
    order, holder = declined_order({lamp.pk: 2})
    anvil = VariantFactory(price_minor=1, stock=2, weight_grams=4000)
    guest = holder_client(holder)
    assert order.shipping_minor == 500

    assert confirm(guest, propose(guest, order, "edit", lines=new((anvil, 1)))).status_code == 201

    order.refresh_from_db()
    assert (order.shipping_minor, order.grand_total_minor) == (900, 2001 + 900)
    lines = kept((order.lines.get(variant_id=anvil.pk), 0))
    confirm(guest, propose(guest, order, "edit", lines=lines))
    order.refresh_from_db()
    assert order.shipping_minor == 900
    assert all_is_well()


@pytest.mark.parametrize("included", [False, True])
def test_what_a_parcel_that_was_free_costs_more_is_taxed(lamp, included):
    zone = tax_zone("US", prices_include_tax=included)
    tax_rate(zone, "10")
    PromotionFactory(benefit={"kind": "free_shipping"})
    order, holder = declined_order({lamp.pk: 2})
    anvil = VariantFactory(price_minor=1000, stock=2, weight_grams=4000)
    guest = holder_client(holder)
    assert order.shipping_discount_minor == order.shipping_minor == 500

    assert confirm(guest, propose(guest, order, "edit", lines=new((anvil, 1)))).status_code == 201

    order.refresh_from_db()
    assert (order.shipping_minor, order.shipping_discount_minor) == (900, 500)
    assert order.shipping_tax_minor == (36 if included else 40)
    assert order.grand_total_minor == (3400 if included else 3740)
    assert [(tax["name"], tax["amount"]) for tax in order.taxes] == [
        ("VAT", order.tax_minor + order.tax_included_minor)
    ]
    assert all_is_well()


def test_a_line_that_was_free_is_taxed_when_it_is_raised_after_another_edit(lamp):
    zone = tax_zone("US")
    tax_rate(zone, "10")
    tax_rate(zone, "4", of="books")
    book = VariantFactory(price_minor=1500, stock=4, product=ProductFactory(tax_class="books"))
    PromotionFactory(
        benefit={"kind": "percentage", "basis_points": 10_000},
        goods={"product_ids": [str(book.product_id)]},
    )
    order, holder = declined_order({lamp.pk: 2, book.pk: 1})
    guest = holder_client(holder)
    lamps, books = (order.lines.get(variant_id=each.pk) for each in (lamp, book))
    assert confirm(guest, propose(guest, order, "edit", lines=kept((lamps, 1)))).status_code == 201
    order.refresh_from_db()

    confirmed = confirm(guest, propose(guest, order, "edit", lines=kept((books, 2))))

    assert confirmed.status_code == 201, confirmed.content
    order.refresh_from_db()
    assert [(tax["ppm"], tax["net"], tax["amount"]) for tax in order.taxes] == [
        (40000, 1500, 60),
        (100000, 1700, 170),
    ]
    assert all_is_well()


def test_promotions_take_no_more_off_what_is_added(lamp, shade):
    PromotionFactory(benefit={"kind": "percentage", "basis_points": 1000})
    order, holder = declined_order({lamp.pk: 1})
    guest = holder_client(holder)

    proposed = propose(
        guest, order, "edit", lines=[*kept((order.lines.get(), 2)), *new((shade, 1))]
    )

    [effect] = proposed.json()["preview"]["promotions"]
    assert effect["before"] == effect["after"] == usd("1.00")
    confirm(guest, proposed)
    order.refresh_from_db()
    assert (order.discount_minor, order.items_minor) == (100, 2333)
    assert all_is_well()


def test_the_buyer_pays_the_price_of_their_group_whoever_asks(lamp, shade):
    group = CustomerGroupFactory()
    customer = UserFactory(customer_group=group)
    PriceFactory(
        variant=shade, amount_minor=300, price_list=PriceListFactory(customer_group_id=group.pk)
    )
    order, _ = declined_order({lamp.pk: 1}, customer_id=customer.pk)
    me = APIClient(headers={"Authorization": f"Bearer {access_token_for(customer)}"})
    boss = staff_client("orders.view_order", "orders.cancel_order")

    for client in (me, boss):
        proposed = propose(client, order, "edit", lines=new((shade, 1)))
        [added] = proposed.json()["preview"]["added"]
        assert added["unit_price"] == usd("3.00")

    assert confirm(boss, proposed).status_code == 201
    assert all_is_well()


def test_what_costs_something_else_than_was_seen_is_not_added(lamp, shade):
    order, holder = declined_order({lamp.pk: 1})
    guest = holder_client(holder)
    raised = propose(guest, order, "edit", lines=kept((order.lines.get(), 2)))
    both = propose(guest, order, "edit", lines=new((shade, 1)))
    shade.price_minor, lamp.price_minor = 334, 999
    shade.save()
    lamp.save()

    assert refusal(confirm(guest, both)) == (409, "order_changed")
    answer = confirm(guest, raised)

    assert refusal(answer) == (409, "price_changed")
    facts = answer.json()["facts"]
    assert (facts["before"], facts["now"]) == (usd("10.00"), usd("9.99"))
    order.refresh_from_db()
    assert (order.items_minor, order.lines.count(), available(shade)) == (1000, 1, 10)


def test_stock_that_is_gone_is_not_sold_again(lamp, shade):
    order, holder = declined_order({lamp.pk: 1})
    guest = holder_client(holder)
    proposed = propose(
        guest, order, "edit", lines=[*kept((order.lines.get(), 3)), *new((shade, 6))]
    )
    placed_order({shade.pk: 5})

    refused = confirm(guest, proposed)

    assert refusal(refused) == (409, "out_of_stock")
    assert refused.json()["facts"] == {"skus": [shade.sku]}
    assert (available(lamp), available(shade)) == (9, 5)
    assert refusal(propose(guest, order, "edit", lines=new((shade, 6)))) == (409, "out_of_stock")
    assert all_is_well()


def test_what_is_held_for_an_unpaid_order_goes_back_all_at_once(lamp, shade):
    order, holder = declined_order({lamp.pk: 1})
    guest = holder_client(holder)
    confirm(guest, propose(guest, order, "edit", lines=new((shade, 2))))

    ends = {
        held.expires_at
        for variant in (lamp, shade)
        for balance in variant.stock.all()
        for held in balance.reservations.filter(order_id=order.pk)
    }

    assert len(ends) == 1
    assert abs(ends.pop() - order.expires_at) < timedelta(seconds=5)
    past = timezone.now() - timedelta(seconds=1)
    Order.objects.filter(pk=order.pk).update(expires_at=past)
    orders.expire_orders()
    assert (available(lamp), available(shade)) == (10, 10)
    assert all_is_well()


def test_nothing_is_added_once_the_time_to_pay_is_over(lamp, shade):
    order, holder = declined_order({lamp.pk: 1})
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now())

    answer = propose(holder_client(holder), order, "edit", lines=new((shade, 1)))

    assert refusal(answer) == (409, "order_status_conflict")


def test_a_paid_order_swaps_for_what_costs_no_more(lamp, shade):
    tax_rate(tax_zone("US"), "8.875")
    order, holder = paid_order({lamp.pk: 2})
    same = VariantFactory(price_minor=1000, stock=3)
    guest = holder_client(holder)
    line = order.lines.get()
    total = order.grand_total_minor

    confirmed = confirm(
        guest, propose(guest, order, "edit", lines=[*kept((line, 1)), *new((same, 1))])
    )

    assert confirmed.status_code == 201, confirmed.content
    assert confirmed.json()["refund_id"] is None
    order.refresh_from_db()
    assert (order.grand_total_minor, order.reduced_minor) == (total, 0)
    assert (available(lamp), available(same)) == (9, 2)
    assert all_is_well()

    confirmed = confirm(
        guest, propose(guest, order, "edit", lines=[*kept((line, 0)), *new((shade, 2))])
    )

    order.refresh_from_db()
    saved = total - order.grand_total_minor
    assert Refund.objects.get(pk=confirmed.json()["refund_id"]).amount_minor == saved
    assert order.reduced_minor == saved == 255
    assert refundable_minor(order.pk) == order.grand_total_minor
    assert (available(lamp), available(shade)) == (10, 8)
    [held] = shade.stock.get().reservations.all()
    assert (held.state, held.quantity, held.expires_at) == ("allocated", 2, None)
    assert all_is_well()


def test_a_paid_order_gets_nothing_that_needs_another_payment(lamp, shade):
    order, holder = paid_order({lamp.pk: 2})
    guest = holder_client(holder)

    answer = propose(guest, order, "edit", lines=[*kept((order.lines.get(), 2)), *new((shade, 1))])

    assert refusal(answer) == (409, "payment_needed")
    assert answer.json()["facts"]["difference"] == usd("4.33")
    raised = propose(guest, order, "edit", lines=kept((order.lines.get(), 3)))
    assert refusal(raised) == (409, "payment_needed")
    assert not ChangeSet.objects.exists()


def test_a_paid_order_swaps_nothing_for_what_is_taxed_in_another_way(lamp):
    zone = tax_zone("US", prices_include_tax=True)
    tax_rate(zone, "20")
    tax_rate(zone, "5", of="books")
    order, holder = paid_order({lamp.pk: 2})
    book = VariantFactory(price_minor=900, stock=4, product=ProductFactory(tax_class="books"))

    answer = propose(
        holder_client(holder), order, "edit", lines=[*kept((order.lines.get(), 1)), *new((book, 1))]
    )

    assert refusal(answer) == (409, "taxes_differ")


@pytest.mark.parametrize(
    "change",
    [
        lambda: TaxRate.objects.update(ppm=90000),
        lambda: TaxZone.objects.update(prices_include_tax=True),
    ],
)
def test_nothing_is_added_once_the_taxes_were_rewritten(lamp, shade, change):
    tax_rate(tax_zone("US"), "8.875")
    order, holder = declined_order({lamp.pk: 1})
    change()

    answer = propose(holder_client(holder), order, "edit", lines=new((shade, 1)))

    assert refusal(answer) == (409, "taxes_changed")


def test_what_cannot_be_added_is_refused_and_changes_nothing(lamp, shade):
    order, holder = declined_order({lamp.pk: 1})
    guest = holder_client(holder)
    line = order.lines.get()

    def edit(*lines):
        return refusal(propose(guest, order, "edit", lines=list(lines)))

    assert edit(*new((lamp, 1))) == (422, "line_is_there")
    assert edit({"variant_id": str(uuid4()), "quantity": 1}) == (404, "unknown_variant")
    assert edit(*new((shade, 1), (shade, 2))) == (400, "validation_failed")
    assert edit({"quantity": 1}) == (400, "validation_failed")
    both = {"order_line_id": str(line.pk), "variant_id": str(shade.pk), "quantity": 1}
    assert edit(both) == (400, "validation_failed")
    for quantity in (0, -1, 1000, 1.5, "1", True, None):
        assert edit(*new((shade, quantity))) == (400, "validation_failed")
    back = [{"variant_id": str(shade.pk), "quantity": 1, "reason": "other"}]
    assert refusal(propose(guest, order, "return", lines=back)) == (400, "validation_failed")
    lamp.is_active = False
    lamp.save()
    assert edit(*kept((line, 2))) == (404, "unknown_variant")
    alive, alive_holder = placed_order()
    under_way = propose(holder_client(alive_holder), alive, "edit", lines=new((shade, 1)))
    assert refusal(under_way) == (409, "payment_under_way")
    assert not ChangeSet.objects.exists()
    assert available(shade) == 10
    assert catalog.held_units(order_ids=[order.pk]) == {order.pk: 1}
