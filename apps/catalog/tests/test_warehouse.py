"""Adjustments and counts: all lines or none, once for a key, and what they leave behind."""

from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from apps.catalog import interface as catalog
from apps.catalog.models import Stock, StockCount, StockLocation, StockMovement
from apps.catalog.tests.factories import VariantFactory
from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry
from apps.kernel.tests.threads import at_once

pytestmark = pytest.mark.django_db
ADJUSTMENTS, COUNTS = "/api/v1/inventory/adjustments", "/api/v1/stock-counts"


def post(client, path, document, key=None):
    return client.post(path, document, headers={"Idempotency-Key": key or uuid4().hex})


def lines(**numbers):
    """Return lines by SKU, each with its delta."""
    return [{"sku": sku, "delta": delta} for sku, delta in numbers.items()]


def on_hand(variant, location="main"):
    stock = Stock.objects.filter(variant=variant, location__code=location)
    return stock.values_list("on_hand", flat=True).first()


def codes(response):
    return {(entry["pointer"], entry["code"]) for entry in response.json()["errors"]}


def test_an_adjustment_corrects_several_skus_and_says_why(staff):
    lamp, desk = VariantFactory(sku="LAMP", stock=5), VariantFactory(sku="DESK")

    made = post(staff, ADJUSTMENTS, {"reason": "broken", "lines": lines(lamp=-2, DESK=3)})

    assert made.status_code == 201, made.content
    assert made.json() == {
        "id": made.json()["id"],
        "location": "main",
        "reason": "broken",
        "lines": [
            {"sku": "DESK", "delta": 3, "on_hand": 3},
            {"sku": "LAMP", "delta": -2, "on_hand": 3},
        ],
    }
    assert (on_hand(lamp), on_hand(desk)) == (3, 3)
    movements = StockMovement.objects.filter(document_id=made.json()["id"])
    assert {(m.kind, m.on_hand_delta, m.reason) for m in movements} == {
        ("adjust", -2, "broken"),
        ("adjust", 3, "broken"),
    }
    assert {m.actor_id for m in movements} == {staff.handler._force_user.pk}
    entry = AuditEntry.objects.get(action="catalog.stock_adjusted")
    assert (entry.about, entry.after["lines"]) == (made.json()["id"], [["lamp", -2], ["DESK", 3]])
    assert catalog.stock_differences() == []


def test_an_adjustment_to_a_number_leaves_what_is_right(staff):
    VariantFactory(sku="LAMP", stock=5)
    VariantFactory(sku="DESK", stock=4)
    wanted = [{"sku": "LAMP", "on_hand": 5}, {"sku": "DESK", "on_hand": 1}]

    made = post(staff, ADJUSTMENTS, {"reason": "looked", "lines": wanted})

    assert made.json()["lines"] == [{"sku": "DESK", "delta": -3, "on_hand": 1}]


def test_a_sku_that_is_named_twice_is_summed(staff):
    lamp = VariantFactory(sku="LAMP", stock=5)
    twice = [{"sku": "LAMP", "delta": 2}, {"sku": "lamp", "delta": -4}]

    made = post(staff, ADJUSTMENTS, {"reason": "x", "lines": twice})
    counted = [{"sku": "LAMP", "counted": 4}, {"sku": "LAMP", "counted": 3}]
    count = post(staff, COUNTS, {"lines": counted})

    assert made.json()["lines"] == [{"sku": "LAMP", "delta": -2, "on_hand": 3}]
    assert [(x["expected"], x["counted"]) for x in count.json()["lines"]] == [(3, 7)]
    assert on_hand(lamp) == 7


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"reason": ""}, {("/reason", "blank")}),
        ({"lines": []}, {("/lines", "min_length")}),
        ({"lines": [{"sku": "LAMP"}]}, {("/lines", "invalid")}),
        ({"lines": [{"sku": "LAMP", "delta": 1, "on_hand": 1}]}, {("/lines", "invalid")}),
        (
            {"lines": [{"sku": "LAMP", "delta": 1}, {"sku": "DESK", "on_hand": 1}]},
            {("/lines", "invalid")},
        ),
        ({"lines": [{"sku": "LAMP", "delta": 10**9 + 1}]}, {("/lines/0/delta", "max_value")}),
        ({"lines": [{"sku": "LAMP", "delta": -(10**15)}]}, {("/lines/0/delta", "min_value")}),
        ({"lines": [{"sku": "LAMP", "on_hand": -1}]}, {("/lines/0/on_hand", "min_value")}),
        ({"lines": [{"sku": "LAMP", "delta": 1.0}]}, {("/lines/0/delta", "invalid")}),
        ({"lines": [{"sku": "LAMP", "delta": "1"}]}, {("/lines/0/delta", "invalid")}),
        ({"lines": [{"sku": "no sku", "delta": 1}]}, {("/lines/0/sku", "sku")}),
        ({"lines": [{"sku": "LAMP", "delta": 1}] * 501}, {("/lines", "max_length")}),
        ({"actor_id": "somebody"}, {("/actor_id", "unknown_field")}),
    ],
    ids=range(13),
)
def test_an_adjustment_that_makes_no_sense_is_refused(staff, change, expected):
    VariantFactory(sku="LAMP", stock=5)

    response = post(
        staff, ADJUSTMENTS, {"reason": "x", "lines": [{"sku": "LAMP", "delta": 1}], **change}
    )

    assert (response.status_code, codes(response)) == (400, expected)
    assert Stock.objects.get().on_hand == 5


def test_one_line_that_cannot_be_stops_all_others(staff):
    lamp, desk = VariantFactory(sku="LAMP", stock=5), VariantFactory(sku="DESK", stock=5)
    catalog.reserve(order_id=new_id(), quantities={desk.pk: 3})

    def refusal(document, path=ADJUSTMENTS):
        problem = post(staff, path, document).json()
        return problem["status"], problem["code"], problem.get("facts")

    refusals = [
        refusal({"reason": "x", "lines": lines(LAMP=1, NONE=1, NIL=2)}),
        refusal({"reason": "x", "lines": lines(LAMP=1, DESK=-3)}),
        refusal({"reason": "x", "lines": lines(LAMP=1, DESK=-9)}),
        refusal({"reason": "x", "location": "moon", "lines": lines(LAMP=1)}),
        refusal({"reason": "x", "lines": [{"sku": "LAMP", "delta": 10**9}] * 2}),
        refusal({"lines": [{"sku": "LAMP", "counted": 1}, {"sku": "DESK", "counted": 2}]}, COUNTS),
    ]

    assert refusals == [
        (404, "unknown_variant", {"skus": ["NIL", "NONE"]}),
        (409, "stock_is_reserved", {"skus": ["DESK"]}),
        (409, "stock_is_reserved", {"skus": ["DESK"]}),
        (404, "unknown_stock_location", {"location": "moon"}),
        (422, "not_a_quantity", None),
        (409, "stock_is_reserved", {"skus": ["DESK"]}),
    ]
    assert (on_hand(lamp), on_hand(desk)) == (5, 5)
    assert not StockCount.objects.exists()
    assert not StockMovement.objects.filter(document_id__isnull=False).exists()
    assert not AuditEntry.objects.filter(action__startswith="catalog.stock_").exists()


def test_goods_are_adjusted_where_they_lie(staff):
    attic = StockLocation.objects.create(code="attic", name="Attic")
    lamp = VariantFactory(sku="LAMP", stock=5)

    post(staff, ADJUSTMENTS, {"reason": "x", "location": "attic", "lines": lines(LAMP=2)})

    assert (on_hand(lamp), on_hand(lamp, attic.code)) == (5, 2)


def test_a_key_is_asked_for_and_used_once(staff):
    lamp = VariantFactory(sku="LAMP", stock=5)
    document = {"reason": "x", "lines": lines(LAMP=1)}

    assert staff.post(ADJUSTMENTS, document).json()["code"] == "idempotency_key_required"
    first = post(staff, ADJUSTMENTS, document, key="once")
    again = post(staff, ADJUSTMENTS, document, key="once")
    other = post(staff, ADJUSTMENTS, {**document, "reason": "y"}, key="once")

    assert (again.content, again["Idempotent-Replayed"]) == (first.content, "true")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert on_hand(lamp) == 6


def test_two_adjustments_with_one_key_are_one(transactional_db, staff):
    lamp = VariantFactory(sku="LAMP", stock=5)
    user = staff.handler._force_user

    def adjust():
        client = APIClient()
        client.force_authenticate(user, token=staff.handler._force_token)
        return post(client, ADJUSTMENTS, {"reason": "x", "lines": lines(LAMP=1)}, key="once")

    answers = at_once(*[adjust] * 8)

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert 201 in {answer.status_code for answer in answers}
    assert on_hand(lamp) == 6
    assert StockMovement.objects.filter(kind="adjust").count() == 1


def test_adjustments_in_any_order_never_deadlock(transactional_db, staff):
    skus = [VariantFactory(stock=10).sku for _ in range(6)]
    user = staff.handler._force_user

    def adjust(number):
        client = APIClient()
        client.force_authenticate(user, token=staff.handler._force_token)
        turned = skus[number % 6 :] + skus[: number % 6]
        wanted = [{"sku": sku, "delta": 1} for sku in turned]
        return [
            post(client, ADJUSTMENTS, {"reason": "x", "lines": wanted}).status_code
            for _ in range(4)
        ]

    answers = at_once(*[lambda n=n: adjust(n) for n in range(8)])

    assert answers == [[201] * 4] * 8
    assert set(Stock.objects.values_list("on_hand", flat=True)) == {10 + 32}
    assert catalog.stock_differences() == []


def test_a_count_keeps_what_was_expected_and_puts_the_books_right(staff):
    lamp, desk = VariantFactory(sku="LAMP", stock=5), VariantFactory(sku="DESK", stock=4)
    never = VariantFactory(sku="NEVER")
    found = {"LAMP": 5, "DESK": 6, "NEVER": 0}
    document = {"lines": [{"sku": sku, "counted": n} for sku, n in found.items()]}

    made = post(staff, COUNTS, document)

    assert made.status_code == 201, made.content
    assert [(x["sku"], x["expected"], x["counted"]) for x in made.json()["lines"]] == [
        ("DESK", 4, 6),
        ("LAMP", 5, 5),
        ("NEVER", 0, 0),
    ]
    assert made.json()["differing"] == 1
    assert staff.get(made["Location"]).json() == made.json()
    assert [on_hand(variant) for variant in (lamp, desk, never)] == [5, 6, 0]
    movement = StockMovement.objects.get(document_id=made.json()["id"])
    assert (movement.kind, movement.on_hand_delta) == ("count", 2)
    assert catalog.stock_differences() == []


def test_what_is_sold_while_it_is_counted_is_expected_rightly(transactional_db, staff):
    lamp = VariantFactory(sku="LAMP", stock=50)
    user = staff.handler._force_user

    def count(number):
        client = APIClient()
        client.force_authenticate(user, token=staff.handler._force_token)
        return post(client, COUNTS, {"lines": [{"sku": "LAMP", "counted": 40 + number}]})

    answers = at_once(*[lambda n=n: count(n) for n in range(6)])

    # Each expected what another had counted: together they tell one story.
    said = [answer.json()["lines"][0] for answer in answers]
    last = [x["counted"] for x in said if x["counted"] not in {y["expected"] for y in said}]
    assert last == [on_hand(lamp)]
    assert sum(x["counted"] - x["expected"] for x in said) == on_hand(lamp) - 50
    assert catalog.stock_differences() == []


@pytest.mark.parametrize("number", [2, 12])
def test_a_page_of_counts_costs_one_statement(staff, number, django_assert_num_queries):
    VariantFactory(sku="LAMP", stock=1)
    for n in range(number):
        post(staff, COUNTS, {"lines": [{"sku": "LAMP", "counted": n}]})

    with django_assert_num_queries(1):
        page = staff.get(f"{COUNTS}?limit=50").json()

    assert [x["differing"] for x in page["results"]][:2] == [1, 1]
    assert len(page["results"]) == number


def test_customers_adjust_and_count_nothing(customer, visitor):
    for client, status in ((customer, 403), (visitor, 401)):
        for path in (ADJUSTMENTS, COUNTS):
            assert post(client, path, {}).status_code == status
        assert client.get(COUNTS).status_code == status
