"""Staff write price lists and the prices in them: one variant at a time, or many at once."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from apps.catalog import interface as catalog
from apps.catalog.models import Price, PriceChange, PriceList, Product, Variant
from apps.catalog.services.prices.due import apply_due_prices
from apps.catalog.services.prices.lists import change_price_list
from apps.catalog.services.prices.writing import PriceDraft, PricesOverlap, replace_prices
from apps.catalog.tests.factories import PriceFactory, PriceListFactory, VariantFactory
from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry, OutboxEvent
from apps.kernel.money import Money
from apps.kernel.tests.threads import at_once

pytestmark = pytest.mark.django_db

LISTS, BULK = "/api/v1/price-lists", "/api/v1/prices/bulk"
DAY = timedelta(days=1)
SOON, LATER = timezone.now() + DAY, timezone.now() + 2 * DAY


@pytest.fixture
def variant():
    return VariantFactory.since(timezone.now() - 365 * DAY, price_minor=1000, sku="CUP")


def code(answer):
    return answer.status_code, answer.json()["code"]


def usd(amount):
    return {"amount": amount, "currency": "USD"}


def path_of(variant):
    return f"/api/v1/variants/{variant.pk}/prices"


def charged(variant, **asked):
    offer = catalog.offers(variant_ids=[variant.pk], **asked).get(variant.pk)
    return offer and offer.price.amount


def test_a_list_is_made_shown_changed_and_removed(staff):
    group = str(new_id())
    made = staff.post(
        LISTS, {"code": "b2b", "name": "Resellers", "currency": "EUR", "customer_group_id": group}
    )

    assert made.status_code == 201
    document = made.json()
    assert document == {
        "id": document["id"],
        "code": "b2b",
        "name": "Resellers",
        "currency": "EUR",
        "customer_group_id": group,
        "priority": 0,
        "valid_from": None,
        "valid_until": None,
        "is_active": True,
        "version": 1,
    }
    path = f"{LISTS}/{document['id']}"
    shown = staff.get(path)
    assert shown.json() == document == staff.get(LISTS).json()["results"][0]
    changed = staff.patch(path, {"priority": 5}, headers={"If-Match": shown["ETag"]})
    assert changed.json() == document | {"priority": 5, "version": 2}
    stale = staff.patch(path, {"priority": 6}, headers={"If-Match": shown["ETag"]})
    assert code(stale) == (412, "version_mismatch")
    assert staff.delete(path).status_code == 204
    actions = AuditEntry.objects.filter(about=document["id"]).order_by("id")
    assert [entry.action.split(".")[1] for entry in actions] == [
        *("price_list_added", "price_list_changed", "price_list_deleted"),
    ]


@pytest.mark.parametrize(
    ("broken", "answer"),
    [
        ({"currency": "XYZ"}, (400, "validation_failed")),
        ({"currency": None}, (400, "validation_failed")),
        ({"code": "Not A Code"}, (400, "validation_failed")),
        ({"priority": 10**9}, (400, "validation_failed")),
        ({"priority": 1.5}, (400, "validation_failed")),
        ({"is_active": "yes"}, (400, "validation_failed")),
        ({"valid_from": "tomorrow"}, (400, "validation_failed")),
        ({"valid_from": "2030-01-01T00:00:00Z", "valid_until": "2030-01-01T00:00:00Z"}, None),
        ({"version": 3}, (400, "validation_failed")),
        ({"code": "there"}, (409, "price_list_code_taken")),
    ],
    ids=str,
)
def test_a_list_that_makes_no_sense_is_not_made(staff, broken, answer):
    PriceListFactory(code="there")

    refused = staff.post(LISTS, {"code": "new", "name": "x", "currency": "EUR", **broken})

    assert code(refused) == (answer or (422, "ends_before_it_begins"))
    assert PriceList.objects.count() == 1


def test_a_list_with_prices_is_switched_off_not_removed(staff, variant):
    row = PriceFactory(variant=variant, price_list=PriceListFactory(), amount_minor=700)
    path = f"{LISTS}/{row.price_list_id}"
    assert code(staff.delete(path)) == (409, "price_list_in_use")
    assert code(staff.patch(path, {"currency": "EUR"})) == (400, "validation_failed")

    assert staff.patch(path, {"is_active": False}).status_code == 200

    assert charged(variant) == "10.00"
    apply_due_prices()
    noted = PriceChange.objects.filter(price_list=row.price_list_id).order_by("id")
    assert [change.amount_minor for change in noted] == [700, None]


def test_a_change_of_a_list_reaches_products_and_their_history(variant):
    row = PriceFactory(variant=variant, price_list=PriceListFactory(), amount_minor=700)
    apply_due_prices()

    change_price_list(list_id=row.price_list_id, fields={"valid_from": SOON, "valid_until": LATER})
    assert apply_due_prices() is True

    product = Product.objects.get()
    assert (product.price_from_minor, product.version) == (1000, 2)
    assert OutboxEvent.objects.filter(name="catalog.product_changed").count() == 1
    row.refresh_from_db()
    assert row.next_change_at == SOON
    assert apply_due_prices() is False


@pytest.mark.parametrize("size", [2, 12])
def test_a_page_of_lists_costs_one_statement(staff, django_assert_num_queries, size):
    for _ in range(size):
        PriceListFactory()

    with django_assert_num_queries(1):
        assert len(staff.get(f"{LISTS}?limit={size}").json()["results"]) == size


def test_a_variants_prices_are_replaced_as_a_whole(staff, variant):
    PriceListFactory(code="euros", currency="EUR")
    before = staff.get(path_of(variant))
    assert before.json() == {
        "variant_id": str(variant.pk),
        "sku": "CUP",
        "regular_price": usd("10.00"),
        "compare_at_price": None,
        "prices": [],
    }
    wanted = [
        {
            "price_list": "euros",
            "min_quantity": 5,
            "price": {"amount": "7.50", "currency": "EUR"},
        },
        {"price": usd("8.00"), "compare_at_price": usd("11.00"), "valid_until": LATER.isoformat()},
        {"price": usd("12.00"), "valid_from": SOON.isoformat()},
    ]

    answer = staff.put(path_of(variant), {"prices": wanted}, headers={"If-Match": before["ETag"]})

    assert answer.status_code == 200, answer.json()
    shown = answer.json()["prices"]
    assert [
        (each["price_list"], each["min_quantity"], each["price"]["amount"]) for each in shown
    ] == [("euros", 5, "7.50"), (None, 1, "8.00"), (None, 1, "12.00")]
    again = staff.put(path_of(variant), {"prices": shown})
    assert again.json() == answer.json()
    assert PriceChange.objects.filter(variant=variant).count() == 3
    assert charged(variant) == "8.00"
    product = Product.objects.get()
    assert (product.price_from_minor, product.compare_at_minor, product.version) == (800, 1100, 2)
    entry = AuditEntry.objects.get(action="catalog.prices_changed")
    assert entry.about == str(variant.pk)
    assert len(entry.after) == 3

    gone = staff.put(path_of(variant), {"prices": []}, headers={"If-Match": before["ETag"]})
    assert code(gone) == (412, "version_mismatch")
    staff.put(path_of(variant), {"prices": []})
    assert charged(variant) == "10.00"
    assert not Price.objects.exists()


NONSENSE = {
    "negative": ({"price": usd("-1.00")}, 400, "negative"),
    "too large": ({"price": usd("10000000000.01")}, 400, "too_large"),
    "fractions": ({"price": usd("1.001")}, 400, "not_an_amount"),
    "fractions of a yen": ({"price": {"amount": "1.5", "currency": "JPY"}}, 400, "not_an_amount"),
    "not a number": ({"price": usd("NaN")}, 400, "not_an_amount"),
    "exponent": ({"price": usd("1e400")}, 400, "not_an_amount"),
    "a float": ({"price": 1e300}, 400, "invalid"),
    "unknown list": ({"price_list": "nowhere"}, 422, "no_such_price_list"),
    "list's currency": ({"price_list": "euros"}, 422, "price_in_other_currency"),
    "store's currency": (
        {"price": {"amount": "1", "currency": "JPY"}},
        422,
        "price_in_other_currency",
    ),
    "ends first": (
        {"valid_from": LATER.isoformat(), "valid_until": SOON.isoformat()},
        422,
        "ends_before_it_begins",
    ),
    "ends at once": (
        {"valid_from": SOON.isoformat(), "valid_until": SOON.isoformat()},
        422,
        "ends_before_it_begins",
    ),
    "is over": (
        {"valid_from": "2020-01-01T00:00:00Z", "valid_until": "2020-02-01T00:00:00Z"},
        422,
        "price_is_over",
    ),
    "compare at": ({"compare_at_price": usd("8.00")}, 422, "compare_at_not_higher"),
    "quantity": ({"min_quantity": 5}, 422, "quantity_price_needs_list"),
    "no quantity": ({"min_quantity": 0}, 400, "min_value"),
    "regular": ({"valid_until": None}, 422, "not_a_scheduled_price"),
}


@pytest.mark.parametrize("name", list(NONSENSE))
def test_a_price_that_makes_no_sense_leaves_everything_as_it_was(staff, variant, name):
    PriceListFactory(code="euros", currency="EUR")
    kept = PriceFactory(variant=variant, amount_minor=900)
    broken, status, reason = NONSENSE[name]
    good = {"price": usd("8.00"), "valid_until": LATER.isoformat()}

    answer = staff.put(path_of(variant), {"prices": [{**good, **broken}]})

    assert answer.status_code == status
    problem = answer.json()
    assert reason in {problem["code"], *(entry["code"] for entry in problem["errors"])}
    assert list(Price.objects.values_list("pk", flat=True)) == [kept.pk]
    row = {"sku": "CUP", **good, **broken}
    if name != "regular":  # there it is the variant's own
        (result,) = staff.post(BULK, {"rows": [row]}).json()["results"]
        assert (result["status"], result["code"]) == ("refused", reason)


def test_schedules_that_overlap_are_refused(staff, variant):
    row = {"price": usd("8.00"), "valid_until": LATER.isoformat()}
    other = {"price": usd("7.00"), "valid_from": SOON.isoformat(), "valid_until": LATER.isoformat()}

    assert code(staff.put(path_of(variant), {"prices": [row, other]})) == (409, "prices_overlap")
    assert code(staff.put(path_of(variant), {"prices": [row, row]})) == (409, "prices_overlap")
    assert not Price.objects.exists()
    after = {**other, "valid_from": LATER.isoformat(), "valid_until": (LATER + DAY).isoformat()}
    assert staff.put(path_of(variant), {"prices": [row, after]}).status_code == 200


def test_a_price_that_ends_sooner_makes_room_for_the_next_in_whatever_order(staff, variant):
    long = {"price": usd("8.00"), "valid_until": LATER.isoformat()}
    after = {**long, "price": usd("7.00"), "valid_from": SOON.isoformat()}
    staff.put(path_of(variant), {"prices": [long]})

    answer = staff.put(
        path_of(variant), {"prices": [after, {**long, "valid_until": SOON.isoformat()}]}
    )

    assert answer.status_code == 200, answer.json()
    assert [charged(variant), charged(variant, at=SOON)] == ["8.00", "7.00"]


def test_a_sale_and_a_new_regular_price_may_begin_together(staff, variant):
    begins = {"valid_from": SOON.isoformat()}
    sale = {"price": usd("8.00"), "valid_until": LATER.isoformat(), **begins}
    regular = {"price": usd("12.00"), **begins}

    for price in (sale, regular):
        assert staff.post(BULK, {"rows": [{"sku": "CUP", **price}]}).json()["written"] == 1

    assert [charged(variant, at=at) for at in (SOON, LATER)] == ["8.00", "12.00"]
    shown = staff.get(path_of(variant)).json()["prices"]
    assert staff.put(path_of(variant), {"prices": shown}).json()["prices"] == shown
    gone = {"sku": "CUP", **sale, "price": None}
    assert staff.post(BULK, {"rows": [gone]}).json()["written"] == 1
    assert [charged(variant, at=at) for at in (SOON, LATER)] == ["12.00", "12.00"]


def test_a_variant_that_is_not_there_has_no_prices(staff):
    path = f"/api/v1/variants/{new_id()}/prices"

    assert code(staff.get(path)) == (404, "unknown_variant")
    assert code(staff.put(path, {"prices": []})) == (404, "unknown_variant")


def rows_of(*amounts):
    return [{"sku": f"SKU {n}", "price": usd(amount)} for n, amount in enumerate(amounts)]


def test_many_prices_are_set_at_once_and_again_without_a_change(staff):
    variants = [VariantFactory(sku=f"Row-{n}", price_minor=1000) for n in range(3)]
    PriceListFactory(code="many")
    rows = [
        {"sku": "ROW-0", "price": usd("9.00"), "compare_at_price": usd("10.00")},
        {"sku": "row-1", "price_list": "many", "price": usd("8.00")},
        {"sku": "Row-1", "price_list": "many", "min_quantity": 10, "price": usd("7.00")},
        {"sku": "Row-2", "price": usd("6.00"), "valid_until": LATER.isoformat()},
    ]

    answer = staff.post(BULK, {"rows": rows}).json()

    assert (answer["written"], answer["refused"]) == (4, 0)
    assert [charged(variant) for variant in variants] == ["9.00", "8.00", "6.00"]
    tables = (Price, Product, Variant, PriceChange, AuditEntry, OutboxEvent)
    state = [list(table.objects.order_by("pk").values()) for table in tables]
    assert staff.post(BULK, {"rows": rows}).json() == answer
    assert [list(table.objects.order_by("pk").values()) for table in tables] == state
    assert OutboxEvent.objects.count() == 3

    gone = [{"sku": "Row-1", "price_list": "many", "price": None}]
    assert staff.post(BULK, {"rows": gone}).json()["written"] == 1
    assert charged(variants[1]) == "10.00"


@pytest.mark.parametrize("size", [2, 12])
def test_a_row_of_many_costs_four_statements(staff, size):
    variants = [VariantFactory(price_minor=1000) for _ in range(size)]
    PriceListFactory(code="many")
    rows = [{"sku": each.sku, "price_list": "many", "price": usd("9.00")} for each in variants]

    with CaptureQueriesContext(connection) as captured:
        assert staff.post(BULK, {"rows": rows}).json()["written"] == size

    assert len(captured) == 19 + 4 * size


@pytest.mark.parametrize(
    ("policy", "statuses", "left"),
    [
        ("reject_everything", ["not_written", "refused", "refused", "not_written"], "10.00"),
        ("reject_failed_rows", ["written", "refused", "refused", "written"], "9.00"),
    ],
    ids=["everything", "failed rows"],
)
def test_a_refused_row_is_told_and_the_policy_decides_on_the_others(staff, policy, statuses, left):
    first = VariantFactory(sku="A", price_minor=1000)
    VariantFactory(sku="B", price_minor=1000)
    rows = [
        {"sku": "A", "price": usd("9.00")},
        {"sku": "nowhere", "price": usd("9.00")},
        {"sku": "B", "price": None},
        {"sku": "B", "price": usd("9.50")},
    ]

    answer = staff.post(BULK, {"rows": rows, "error_policy": policy}).json()

    assert [result["status"] for result in answer["results"]] == statuses
    assert [result["code"] for result in answer["results"]] == [
        *(None, "unknown_variant", "regular_price_missing", None),
    ]
    assert charged(first) == left


def test_a_row_that_cannot_be_read_is_told_like_the_others(staff):
    first = VariantFactory(sku="A", price_minor=1000)
    rows = [{"sku": "A", "price": usd("9.00")}, "nonsense", {"sku": "A"}, {"sku": "A", "x": 1}]

    skipped = staff.post(BULK, {"rows": rows, "error_policy": "reject_failed_rows"}).json()

    assert [(result["status"], result["code"]) for result in skipped["results"]] == [
        ("written", None),
        ("refused", "invalid"),
        ("refused", "required"),
        ("refused", "unknown_field"),
    ]
    assert charged(first) == "9.00"
    assert staff.post(BULK, {"rows": []}).status_code == 400
    assert staff.post(BULK, {"rows": rows_of("1.00") * 501}).status_code == 400
    assert staff.post(BULK, {"rows": rows, "error_policy": "hope"}).status_code == 400


@pytest.mark.django_db(transaction=True)
def test_of_two_schedules_at_once_one_stands_and_lists_and_rows_never_deadlock():
    variants = [VariantFactory(price_minor=1000) for _ in range(4)]
    price_list = PriceListFactory(code="race")

    def schedule(variant, amount):
        draft = PriceDraft(
            price=Money(amount, "USD"), price_list="race", valid_from=SOON, valid_until=LATER
        )
        now = PriceDraft(price=Money(amount + 1, "USD"), price_list="race", valid_until=SOON)
        try:
            replace_prices(variant_id=variant.pk, drafts=[draft, now])
        except PricesOverlap:
            return None
        return amount

    def switch(turn):
        change_price_list(list_id=price_list.pk, fields={"priority": turn})
        while apply_due_prices():
            pass

    for turn in range(5):
        at_once(
            *[lambda v=v, a=a: schedule(v, a) for v in variants for a in (500, 600)],
            lambda turn=turn: switch(turn),
            apply_due_prices,
        )

    while apply_due_prices():
        pass
    for variant in variants:
        amounts = sorted(Price.objects.filter(variant=variant).values_list("amount_minor"))
        assert amounts in ([(500,), (501,)], [(600,), (601,)])
        offer = catalog.offers(variant_ids=[variant.pk])[variant.pk]
        assert Product.objects.get(variants=variant).price_from_minor == offer.price.minor
        last = PriceChange.objects.filter(variant=variant, price_list=None).latest("at", "id")
        assert last.amount_minor == offer.price.minor


@pytest.mark.django_db(transaction=True)
def test_prices_that_end_while_their_list_is_changed_never_deadlock():
    variants = [VariantFactory(price_minor=1000) for _ in range(6)]
    price_list = PriceListFactory()

    for turn in range(5):
        for variant in variants:
            PriceFactory(variant=variant, price_list=price_list, amount_minor=500 + turn)

        def end(variant):
            replace_prices(variant_id=variant.pk, drafts=[])

        def change(turn=turn):
            change_price_list(list_id=price_list.pk, fields={"priority": turn + 1})

        at_once(change, *[lambda v=v: end(v) for v in variants], apply_due_prices)

    assert not Price.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_clients_with_the_same_version_one_sets_the_price(staff):
    variant = VariantFactory(price_minor=1000)
    user = get_user_model().objects.get()

    def put(amount, tag):
        client = APIClient()
        client.force_authenticate(user, token=SimpleNamespace(second_factor=True))
        row = {"price": usd(amount), "valid_until": LATER.isoformat()}
        return client.put(path_of(variant), {"prices": [row]}, headers={"If-Match": tag})

    for turn in range(5):
        tag = staff.get(path_of(variant))["ETag"]
        amounts = f"8.{turn:02}", f"9.{turn:02}"
        answers = at_once(*[lambda a=a, t=tag: put(a, t) for a in amounts])
        by_status = {each.status_code: a for each, a in zip(answers, amounts, strict=True)}
        assert by_status.keys() == {200, 412}
        assert charged(variant) == by_status[200]


@pytest.mark.django_db(transaction=True)
def test_two_regular_prices_and_the_sweeper_leave_one_truth():
    variant = VariantFactory(price_minor=1000, sku="ONE")
    moments = [timezone.now() + timedelta(milliseconds=n) for n in range(1, 4)]
    for at in moments:
        PriceFactory(variant=variant, amount_minor=700, valid_from=at, valid_until=None)

    def sweep():
        while Price.objects.exists():
            apply_due_prices()

    at_once(sweep, sweep)

    variant = Variant.objects.get()
    assert variant.price_minor == Product.objects.get().price_from_minor == 700
    changes = PriceChange.objects.order_by("id").values_list("amount_minor", flat=True)
    assert list(changes) == [1000, 700]


def test_the_back_office_tells_a_sale_from_the_price_that_begins_with_it(enter, variant):
    boss = get_user_model().objects.create_superuser("boss@example.com", "long enough password")
    client = enter(Client(), boss)
    sale = PriceFactory(variant=variant, valid_from=SOON, valid_until=LATER)
    regular = PriceFactory(variant=variant, amount_minor=1200, valid_from=SOON, valid_until=None)
    endless = {"valid_until_0": "", "valid_until_1": "", "compare_at": ""}

    client.post(f"/admin/catalog/price/{regular.pk}/change/", {**endless, "price": "13.00"})
    assert [charged(variant, at=at) for at in (SOON, LATER)] == ["8.00", "13.00"]
    client.post(f"/admin/catalog/price/{regular.pk}/delete/", {"post": "yes"})
    assert [charged(variant, at=at) for at in (SOON, LATER)] == ["8.00", "10.00"]
    client.post(f"/admin/catalog/price/{sale.pk}/change/", {**endless, "price": "8.00"})

    assert [charged(variant, at=at) for at in (SOON, LATER)] == ["8.00", "8.00"]
    assert Price.objects.get().valid_until is None


def test_the_back_office_writes_prices_as_amounts(enter, variant):
    boss = get_user_model().objects.create_superuser("boss@example.com", "long enough password")
    client = enter(Client(), boss)
    yen = PriceListFactory(code="yen", currency="JPY")
    form = {"variant": str(variant.pk), "price_list": str(yen.pk), "min_quantity": "1"}
    dates = {f"valid_{end}_{part}": "" for end in ("from", "until") for part in (0, 1)}
    add = "/admin/catalog/price/add/"

    refused = client.post(add, {**form, **dates, "price": "1.50", "compare_at": ""})
    assert "no amount of JPY" in refused.content.decode()
    assert (
        client.post(add, {**form, **dates, "price": "150", "compare_at": "200"}).status_code == 302
    )

    row = Price.objects.get()
    assert (row.amount_minor, row.compare_at_minor) == (150, 200)
    change = f"/admin/catalog/price/{row.pk}/change/"
    assert 'value="150"' in client.get(change).content.decode()
    client.post(change, {**dates, "price": "140", "compare_at": ""})
    row.refresh_from_db()
    assert (row.amount_minor, row.compare_at_minor) == (140, None)
    assert client.get("/admin/catalog/pricechange/").status_code == 200
    client.post(f"/admin/catalog/price/{row.pk}/delete/", {"post": "yes"})
    assert not Price.objects.exists()
    client.post(
        f"/admin/catalog/pricelist/{yen.pk}/change/",
        {"code": "yen", "name": "Yen", "priority": "3", **dates},
    )
    yen.refresh_from_db()
    assert (yen.name, yen.priority, yen.is_active, yen.version) == ("Yen", 3, False, 2)
