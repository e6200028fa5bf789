"""Promotions and codes in carts and orders."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from apps.catalog.tests.factories import CategoryFactory, TagFactory, VariantFactory
from apps.orders.models import Coupon, CustomerUses, Order, OrderPromotion, Promotion
from apps.orders.selectors.orders import Holder
from apps.orders.services import cart_prices, carts, checkout, coupons, orders, payments, promotions
from apps.orders.services.invariants import violations
from apps.orders.services.uses import PromotionChanged, PromotionUsedUp, take
from apps.orders.tests.factories import (
    VISA,
    CouponFactory,
    PromotionFactory,
    placed_order,
    ready_cart,
)
from apps.orders.tests.test_api import check_out, statements
from apps.users.tests.factories import CustomerGroupFactory, UserFactory

pytest_plugins = ["ecommerce.local.payment_sandbox.fixtures"]
pytestmark = pytest.mark.django_db

AMOUNT = {"kind": "amount_off", "amount": 300}


def place(cart, holder):
    return checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA).whole.order


def priced(cart, holder):
    cart.refresh_from_db()
    return cart_prices.price_cart(cart, holder=holder)


def test_an_automatic_promotion_takes_its_part_off_and_the_order_remembers_it():
    promotion = PromotionFactory(name="Spring")
    cheap, dear = (
        VariantFactory(price_minor=333, stock=5),
        VariantFactory(price_minor=1000, stock=5),
    )
    cart, holder = ready_cart({cheap.pk: 1, dear.pk: 2})

    order = place(cart, holder)

    order.refresh_from_db()
    assert (order.items_minor, order.discount_minor) == (2333, 233)
    assert order.grand_total_minor == 2333 - 233 + order.shipping_minor
    assert sorted(order.lines.values_list("total_minor", "discount_minor")) == [
        (333, 33),
        (2000, 200),
    ]
    applied = order.promotions.get()
    assert (applied.promotion_id, applied.code, applied.name) == (promotion.pk, "", "Spring")
    assert (applied.amount_minor, applied.position) == (233, 1)
    assert list(violations(ask_providers=False)) == []


def test_free_shipping_is_a_discount_of_the_parcel():
    PromotionFactory(benefit={"kind": "free_shipping"})
    cart, holder = ready_cart()

    order = place(cart, holder)

    assert order.shipping_discount_minor == order.discount_minor == order.shipping_minor > 0
    assert order.grand_total_minor == order.items_minor
    assert list(violations(ask_providers=False)) == []


def test_goods_are_named_by_a_category_above_a_brand_or_a_tag():
    lamps, tag = CategoryFactory(), TagFactory()
    inside = VariantFactory(product__category=CategoryFactory(parent=lamps), stock=5)
    tagged = VariantFactory(stock=5)
    tagged.product.tags.add(tag)
    PromotionFactory(benefit=AMOUNT, currency="USD", goods={"category_ids": [str(lamps.pk)]})
    PromotionFactory(benefit=AMOUNT, currency="USD", goods={"tags": [tag.slug]})
    cart, holder = ready_cart({inside.pk: 1, tagged.pk: 1, VariantFactory(stock=5).pk: 1})

    order = place(cart, holder)

    off = dict(order.lines.values_list("variant_id", "discount_minor"))
    assert [off.pop(inside.pk), off.pop(tagged.pk)] == [300, 300]
    assert list(off.values()) == [0]


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_what_is_not_active_counts_for_nobody(status):
    PromotionFactory(status=status)
    CouponFactory(code="SUN", promotion__status=status)
    cart, holder = ready_cart()

    with pytest.raises(coupons.CouponNotApplicable) as refusal:
        coupons.add_coupon(holder=holder, cart_id=cart.pk, code="SUN", version=None)

    assert refusal.value.facts["reason"] == "unknown_code"
    assert priced(cart, holder).totals.discount.minor == 0


def test_it_counts_from_its_start_on_and_at_its_end_no_more():
    now = timezone.now()
    PromotionFactory(starts_at=now + timedelta(hours=1))
    PromotionFactory(ends_at=now)
    running = PromotionFactory(starts_at=now, ends_at=now + timedelta(hours=1))
    cart, holder = ready_cart()

    assert [each.promotion_id for each in priced(cart, holder).quote.promotions] == [running.pk]


def test_a_code_is_given_in_any_case_shown_and_taken_out_again():
    CouponFactory(code="SUN", promotion__name="Sunny")
    cart, holder = ready_cart()
    guest = APIClient(headers={"X-Cart-Token": holder.token})
    path = f"/api/v1/carts/{cart.pk}"

    added = guest.post(f"{path}/coupons", {"code": "sun"})
    again = guest.post(f"{path}/coupons", {"code": "SUN"})
    removed = guest.delete(f"{path}/coupons/sUn")
    gone = guest.delete(f"{path}/coupons/SUN")

    assert (added.status_code, added.json()["coupons"]) == (200, ["SUN"])
    assert [(d["name"], d["code"], d["amount"]["amount"]) for d in added.json()["discounts"]] == [
        ("Sunny", "SUN", "1.00")
    ]
    assert added.json()["totals"]["discount"] == {"amount": "1.00", "currency": "USD"}
    assert again.json()["coupons"] == ["SUN"]
    assert (removed.json()["coupons"], removed.json()["discounts"]) == ([], [])
    assert (gone.status_code, gone.json()["code"]) == (404, "unknown_coupon")


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({}, "unknown_code"),
        ({"promotion__starts_at": timezone.now() + timedelta(days=1)}, "not_started"),
        ({"promotion__ends_at": timezone.now() - timedelta(days=1)}, "ended"),
        (
            {"promotion__min_subtotal_minor": 1001, "promotion__currency": "USD"},
            "below_min_subtotal",
        ),
        ({"promotion__min_quantity": 2}, "below_min_quantity"),
        ({"promotion__currency": "EUR"}, "other_currency"),
        ({"promotion__goods": {"product_ids": [str(uuid4())]}}, "no_matching_goods"),
        ({"promotion__uses_limit": 1, "promotion__uses": 1}, "used_up"),
        (
            {
                "promotion__budget_minor": 5,
                "promotion__budget_used_minor": 5,
                "promotion__currency": "USD",
            },
            "budget_spent",
        ),
        ({"uses_limit": 1, "uses": 1}, "code_used_up"),
        ({"uses_per_customer": 1}, "customer_unknown"),
        ({"promotion__uses_per_customer": 1}, "customer_unknown"),
        ({"promotion__first_order_only": True}, "customer_unknown"),
        ({"promotion__customer_group_ids": [str(uuid4())]}, "customer_unknown"),
        ({"promotion__needs_code": False}, "code_not_needed"),
    ],
)
def test_a_code_that_takes_nothing_off_is_refused_with_the_reason_and_changes_nothing(made, reason):
    if made:
        CouponFactory(code="SUN", **made)
    cart, holder = ready_cart()
    guest = APIClient(headers={"X-Cart-Token": holder.token})
    before = guest.get(f"/api/v1/carts/{cart.pk}").json()

    answer = guest.post(f"/api/v1/carts/{cart.pk}/coupons", {"code": "SUN"})

    assert (answer.status_code, answer.json()["code"]) == (422, "coupon_not_applicable")
    assert answer.json()["facts"]["reason"] == reason
    assert guest.get(f"/api/v1/carts/{cart.pk}").json() == before


@pytest.mark.parametrize(
    "body", [{}, {"code": ""}, {"code": 7}, {"code": "x" * 41}, {"code": "A", "more": 1}, []]
)
def test_a_bad_code_is_a_bad_request(body):
    cart, holder = ready_cart()
    guest = APIClient(headers={"X-Cart-Token": holder.token})

    answer = guest.post(f"/api/v1/carts/{cart.pk}/coupons", body)

    assert answer.status_code == 400
    cart.refresh_from_db()
    assert cart.coupons == []


def test_a_cart_takes_ten_codes():
    cart, holder = ready_cart(codes=tuple(CouponFactory().code for _ in range(10)))

    with pytest.raises(coupons.TooManyCoupons):
        coupons.add_coupon(holder=holder, cart_id=cart.pk, code=CouponFactory().code, version=None)


def test_who_gave_a_code_that_counts_no_more_is_told_before_the_order():
    coupon = CouponFactory(promotion__min_quantity=1)
    cart, holder = ready_cart(codes=(coupon.code,))
    Promotion.objects.update(min_quantity=2)

    problems = priced(cart, holder).problems
    with pytest.raises(checkout.CartNotReady), transaction.atomic():
        place(cart, holder)

    assert [(p.code, p.detail) for p in problems] == [
        ("coupon_not_applicable", f"{coupon.code}: below_min_quantity.")
    ]
    assert not Order.objects.exists()


def test_free_shipping_by_code_waits_for_the_way_to_be_chosen():
    coupon = CouponFactory(promotion__benefit={"kind": "free_shipping"})
    cart, token = carts.open_cart(customer_id=None)
    holder = Holder(token=token)
    variant = VariantFactory(stock=5)
    carts.add_item(holder=holder, cart_id=cart.pk, variant=variant.pk, quantity=1, version=None)

    found = coupons.add_coupon(holder=holder, cart_id=cart.pk, code=coupon.code, version=None)

    assert "coupon_not_applicable" not in [problem.code for problem in found.problems]


def test_the_first_order_is_the_first_that_counts():
    PromotionFactory(first_order_only=True)
    customer = uuid4()
    cart, holder = ready_cart(customer_id=customer)
    other_cart, _ = ready_cart(customer_id=customer)
    first = place(cart, holder)
    assert priced(other_cart, holder).totals.discount.minor == 0

    orders.cancel_order(holder=holder, order_id=first.pk)

    assert first.discount_minor == 100
    assert priced(other_cart, holder).totals.discount.minor == 100


def test_a_group_pays_less_as_long_as_one_is_in_it():
    group = CustomerGroupFactory()
    PromotionFactory(customer_group_ids=[str(group.pk)])
    customer = UserFactory(customer_group=group)
    cart, _ = ready_cart(customer_id=customer.pk)

    def off(group_id):
        holder = Holder(customer_id=customer.pk, customer_group_id=group_id)
        return priced(cart, holder).totals.discount.minor

    assert [off(group.pk), off(uuid4()), off(None)] == [100, 0, 0]


def test_a_limit_counts_orders_and_what_ends_unpaid_gives_its_use_back_once():
    coupon = CouponFactory(
        uses_limit=1,
        uses_per_customer=1,
        promotion__uses_limit=1,
        promotion__budget_minor=150,
        promotion__currency="USD",
    )
    customer = uuid4()
    cart, holder = ready_cart(customer_id=customer, codes=(coupon.code,))
    other_cart, other = ready_cart(codes=())

    def counted():
        coupon.refresh_from_db()
        row = Promotion.objects.get()
        uses = CustomerUses.objects.order_by("coupon").values_list("uses", flat=True)
        return row.uses, row.budget_used_minor, coupon.uses, list(uses)

    order = place(cart, holder)
    assert counted() == (1, 100, 1, [1, 1])
    with pytest.raises(coupons.CouponNotApplicable):
        coupons.add_coupon(holder=other, cart_id=other_cart.pk, code=coupon.code, version=None)
    assert list(violations(ask_providers=False)) == []

    Order.objects.update(expires_at=timezone.now())
    assert [orders.expire_orders(), orders.expire_orders()] == [1, 0]

    assert counted() == (0, 0, 0, [0, 0])
    assert order.promotions.get().given_back_at
    assert list(violations(ask_providers=False)) == []


def test_an_order_that_is_paid_keeps_its_use_when_it_is_cancelled(provider):
    PromotionFactory(uses_limit=5)
    cart, holder = ready_cart()
    placed = checkout.place_order(holder=holder, cart_id=cart.pk, payment=VISA)
    holder = Holder(token=placed.token)
    while Order.objects.get().status == "pending_payment":
        payments.advance_payment()

    orders.cancel_order(holder=holder, order_id=placed.whole.order.pk)

    assert Promotion.objects.get().uses == 1


def test_a_limit_that_is_hit_between_price_and_order_refuses_and_leaves_nothing():
    coupon = CouponFactory(uses_limit=1)
    cart, holder = ready_cart(codes=(coupon.code,))
    Coupon.objects.update(uses=1)

    guest = APIClient(headers={"X-Cart-Token": holder.token})
    answer = check_out(guest, f"/api/v1/carts/{cart.pk}")

    assert (answer.status_code, answer.json()["code"]) == (409, "promotion_used_up")
    assert answer.json()["facts"]["codes"] == [coupon.code]
    assert not Order.objects.exists()
    cart.refresh_from_db()
    assert (cart.status, cart.coupons) == ("open", [coupon.code])


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"uses": 1}, PromotionUsedUp),
        ({"budget_used_minor": 1}, PromotionUsedUp),
        ({"version": 2}, PromotionChanged),
        ({"status": "archived"}, PromotionChanged),
    ],
    ids=str,
)
def test_taking_refuses_what_is_not_as_it_was_when_the_price_was_asked(change, refusal):
    promotion = PromotionFactory(uses_limit=1, budget_minor=100, currency="USD")
    cart, holder = ready_cart()
    asked = priced(cart, holder)
    promotion.status = "archived"
    promotion.save()
    order, _ = placed_order()
    Promotion.objects.update(**{"status": "active"} | change)

    with pytest.raises(refusal) as refused, transaction.atomic():
        take(order, asked.quote, asked.rules)

    assert refused.value.facts == {"promotion_ids": [str(promotion.pk)]}
    assert not OrderPromotion.objects.exists()
    promotion.refresh_from_db()
    assert promotion.uses == change.get("uses", 0)


def test_what_no_limit_holds_is_not_counted_until_there_is_one():
    promotion = PromotionFactory(currency="USD")
    for _ in range(2):
        place(*ready_cart())
    promotion.refresh_from_db()
    assert promotion.uses == 0

    changed = promotions.change_promotion(
        promotion_id=promotion.pk, fields={"uses_limit": 3, "budget_minor": 1000}
    )

    assert (changed.uses, changed.budget_used_minor) == (2, 200)
    place(*ready_cart())
    promotion.refresh_from_db()
    assert (promotion.uses, promotion.budget_used_minor) == (3, 300)
    assert priced(*ready_cart()).totals.discount.minor == 0
    with pytest.raises(promotions.LimitBelowUses):
        promotions.change_promotion(promotion_id=promotion.pk, fields={"uses_limit": 2})


def test_the_last_of_a_budget_is_all_that_is_taken_off():
    PromotionFactory(budget_minor=130, currency="USD")

    found = [place(*ready_cart()).discount_minor for _ in range(3)]

    assert found == [100, 30, 0]
    assert Promotion.objects.get().budget_used_minor == 130


@pytest.mark.parametrize(
    ("rows", "values", "constraint"),
    [
        (Promotion, {"uses": 2}, "promotion_is_used_within_its_limit"),
        (Promotion, {"budget_used_minor": 101}, "promotion_spends_within_its_budget"),
        (Promotion, {"budget_used_minor": -1}, "promotion_spends_within_its_budget"),
        (Coupon, {"uses": 2}, "coupon_is_used_within_its_limit"),
        (CustomerUses, {"uses": 2}, "customer_uses_stay_within_the_limit"),
        (OrderPromotion, {"amount_minor": 0}, "order_promotion_is_a_document"),
    ],
)
def test_the_database_keeps_every_limit(rows, values, constraint):
    coupon = CouponFactory(
        uses_limit=1,
        promotion__uses_limit=1,
        promotion__uses_per_customer=1,
        promotion__budget_minor=100,
        promotion__currency="USD",
    )
    cart, holder = ready_cart(customer_id=uuid4(), codes=(coupon.code,))
    place(cart, holder)

    with pytest.raises(Exception, match=constraint) as refusal:
        rows.objects.update(**values)

    assert isinstance(refusal.value, IntegrityError) or "document" in constraint


def test_invariants_tell_of_counters_that_orders_do_not_explain():
    CouponFactory(uses_limit=5, uses=1, promotion__uses_limit=5, promotion__uses=1)

    found = list(violations(ask_providers=False))

    assert len(found) == 2
    assert {each.rule for each in found} == {"uses of promotions = their orders"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lines", [1, 100])
def test_promotions_cost_one_statement_more_at_checkout_however_many_apply(lines):
    for _ in range(10):
        PromotionFactory(uses_limit=10, benefit={"kind": "percentage", "basis_points": 100})
    coupon = CouponFactory(uses_limit=10, uses_per_customer=2)
    customer = UserFactory()
    quantities = {VariantFactory(stock=9).pk: 2 for _ in range(lines)}
    cart, holder = ready_cart(quantities, customer_id=customer.pk, codes=(coupon.code,))

    with CaptureQueriesContext(connection) as reading:
        priced(cart, holder)
    with CaptureQueriesContext(connection) as placing:
        order = place(cart, holder)

    assert order.promotions.count() == 11
    assert len(statements(reading)) == 1 + 4
    assert len(statements(placing)) == 14 - 2  # without the key
