"""What staff see of stock, locations and reservations, and what everybody may ask."""

import pytest
from django.db import IntegrityError, transaction

from apps.catalog import interface as catalog
from apps.catalog.models import Reservation, Stock, StockLocation, StockMovement
from apps.catalog.services.stock import receive
from apps.catalog.tests.factories import VariantFactory
from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry, OutboxEvent

pytestmark = pytest.mark.django_db
LOCATIONS, INVENTORY = "/api/v1/stock-locations", "/api/v1/inventory"
MOVEMENTS, RESERVATIONS = f"{INVENTORY}/movements", f"{INVENTORY}/reservations"


def results(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_a_location_is_added_changed_and_taken_out_of_use(staff):
    made = staff.post(LOCATIONS, {"code": "attic", "name": "Attic", "priority": 5})

    assert made.status_code == 201
    path = made["Location"]
    changed = staff.patch(path, {"name": "Loft", "priority": 900})
    assert changed.json() == {**made.json(), "name": "Loft", "priority": 900}
    assert staff.delete(path).status_code == 204
    assert staff.get(path).json()["is_active"] is False
    assert [place["code"] for place in results(staff, LOCATIONS)] == ["main", "attic"]
    actions = AuditEntry.objects.order_by("id").values_list("action", "before", "after")
    assert list(actions) == [
        ("catalog.stocklocation_added", None, {"code": "attic"}),
        (
            "catalog.stocklocation_changed",
            {"name": "Attic", "priority": 5},
            {"name": "Loft", "priority": 900},
        ),
        ("catalog.stocklocation_changed", {"is_active": True}, {"is_active": False}),
    ]


def test_a_location_that_cannot_be_is_refused(staff):
    main = f"{LOCATIONS}/{StockLocation.objects.get(code='main').pk}"

    for answer, expected in (
        (staff.post(LOCATIONS, {"code": "main", "name": "x"}), (409, "stock_location_code_taken")),
        (staff.post(LOCATIONS, {"code": "Two words", "name": "x"}), (400, "validation_failed")),
        (
            staff.post(LOCATIONS, {"code": "a", "name": "x", "priority": 40_000}),
            (400, "validation_failed"),
        ),
        (staff.patch(main, {"code": "other"}), (400, "validation_failed")),
        (staff.patch(main, {"is_active": False}), (409, "main_location_stays")),
        (staff.delete(main), (409, "main_location_stays")),
        (staff.get(f"{LOCATIONS}/{new_id()}"), (404, "unknown_stock_location")),
        (staff.delete(f"{LOCATIONS}/{new_id()}"), (404, "unknown_stock_location")),
    ):
        assert (answer.status_code, answer.json()["code"]) == expected
    assert StockLocation.objects.count() == 1


ADDRESS = {
    "line1": "Am Speicher 1",
    "line2": "Tor 3",
    "city": "Hamburg",
    "region": "",
    "postal_code": "20457",
    "country": "DE",
}


def test_a_location_has_an_address_or_none(staff):
    short = {name: ADDRESS[name] for name in ("line1", "city", "postal_code", "country")}
    made = staff.post(LOCATIONS, {"code": "attic", "name": "Attic", "address": short})
    path = made["Location"]

    assert made.json()["address"] == {**ADDRESS, "line2": ""}
    assert staff.patch(path, {"address": ADDRESS}).json()["address"] == ADDRESS
    assert staff.patch(path, {"name": "Loft"}).json()["address"] == ADDRESS
    assert staff.patch(path, {"address": short}).json()["address"] == {**ADDRESS, "line2": ""}
    shown = {place["code"]: place["address"] for place in results(staff, LOCATIONS)}
    assert shown == {"main": None, "attic": {**ADDRESS, "line2": ""}}
    assert staff.patch(path, {"address": None}).json()["address"] is None
    assert staff.get(path).json()["address"] is None
    entry = AuditEntry.objects.latest("id")
    assert (entry.before["city"], entry.after["city"]) == ("Hamburg", "")


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ({"country": "XX"}, "unknown_country"),
        ({"country": "de"}, "unknown_country"),
        ({"country": "DEU"}, "max_length"),
        ({"country": ""}, "blank"),
        ({"city": ""}, "blank"),
        ({"line1": None}, "null"),
        ({"line1": "x" * 201}, "max_length"),
        ({"postal_code": 20457}, "invalid"),
        ({"planet": "Earth"}, "unknown_field"),
    ],
    ids=range(9),
)
def test_an_address_that_makes_no_sense_is_refused(staff, broken, code):
    place = f"{LOCATIONS}/{StockLocation.objects.get().pk}"

    answer = staff.patch(place, {"address": {**ADDRESS, **broken}})

    assert answer.status_code == 400
    assert [error["code"] for error in answer.json()["errors"]] == [code]
    assert staff.get(place).json()["address"] is None


@pytest.mark.parametrize("name", ["line1", "city", "postal_code", "country"])
def test_the_database_takes_no_half_address(name):
    with pytest.raises(IntegrityError), transaction.atomic():
        StockLocation.objects.update(**ADDRESS | {name: ""})
    with pytest.raises(IntegrityError), transaction.atomic():
        StockLocation.objects.update(**{name: ADDRESS[name]})


def test_what_lies_at_a_location_that_is_not_active_is_not_for_sale_and_that_is_told(staff):
    lamp, desk = VariantFactory(sku="LAMP"), VariantFactory(sku="DESK", stock=9)
    attic = StockLocation.objects.create(code="attic", name="Attic")
    receive(quantities={lamp.pk: 2, desk.pk: 9}, reason="x", location_id=attic.pk)
    OutboxEvent.objects.all().delete()

    staff.delete(f"{LOCATIONS}/{attic.pk}")
    staff.delete(f"{LOCATIONS}/{attic.pk}")
    off = [event.payload for event in OutboxEvent.objects.all()]
    with pytest.raises(catalog.OutOfStock):
        catalog.reserve(order_id=new_id(), quantities={lamp.pk: 1})
    OutboxEvent.objects.all().delete()
    staff.patch(f"{LOCATIONS}/{attic.pk}", {"is_active": True})
    on = [event.payload for event in OutboxEvent.objects.all()]

    assert [(event["sku"], event["band"]) for event in off] == [("LAMP", "out_of_stock")]
    assert [(event["sku"], event["band"]) for event in on] == [("LAMP", "low_stock")]
    catalog.reserve(order_id=new_id(), quantities={lamp.pk: 1})


def test_the_ledger_is_read_by_whatever_is_looked_for(staff):
    lamp, desk = VariantFactory(sku="LAMP", stock=5), VariantFactory(sku="DESK", stock=5)
    attic = StockLocation.objects.create(code="attic", name="Attic")
    order_id = new_id()
    catalog.reserve(order_id=order_id, quantities={lamp.pk: 2, desk.pk: 1})
    receive(quantities={lamp.pk: 1}, reason="found", location_id=attic.pk)

    def found(query):
        return [(line["sku"], line["kind"]) for line in results(staff, f"{MOVEMENTS}?{query}")]

    [newest, *_] = results(staff, MOVEMENTS)
    assert newest == {
        "number": StockMovement.objects.latest("id").pk,
        "kind": "receive",
        "variant_id": str(lamp.pk),
        "sku": "LAMP",
        "location": "attic",
        "on_hand_delta": 1,
        "reserved_delta": 0,
        "allocated_delta": 0,
        "order_id": None,
        "document_id": None,
        "reason": "found",
        "actor_id": None,
        "created_at": newest["created_at"],
    }
    assert sorted(found("")) == sorted(
        [("LAMP", "receive"), ("DESK", "receive")] * 1
        + [("LAMP", "reserve"), ("DESK", "reserve"), ("LAMP", "receive")]
    )
    assert found("filter[sku]=desk") == [("DESK", "reserve"), ("DESK", "receive")]
    assert found("filter[location]=attic") == [("LAMP", "receive")]
    assert sorted(found(f"filter[order]={order_id}")) == [("DESK", "reserve"), ("LAMP", "reserve")]
    assert found("filter[kind]=count,transfer") == []
    assert len(found("filter[kind]=receive,reserve&filter[sku]=LAMP")) == 3
    assert found(f"filter[document]={new_id()}") == []
    first, last = StockMovement.objects.earliest("id"), StockMovement.objects.latest("id")
    since = last.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert len(found(f"filter[created_at][gte]={since}")) >= 1
    until = first.created_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert found(f"filter[created_at][lte]={until}")[-1][1] == "receive"


def test_the_ledger_is_read_page_by_page(staff, django_assert_num_queries):
    lamp = VariantFactory(sku="LAMP")
    for _ in range(7):
        receive(quantities={lamp.pk: 1}, reason="x")

    seen, path = [], f"{MOVEMENTS}?limit=3"
    while path:
        with django_assert_num_queries(1):
            page = staff.get(path).json()
        seen += [line["number"] for line in page["results"]]
        path = page["next"]

    newest_first = StockMovement.objects.order_by("-id").values_list("id", flat=True)
    assert seen == list(newest_first)


@pytest.mark.parametrize(
    "query",
    [
        *("filter[kind]=stolen", "filter[order]=x", "filter[created_at][gte]=yesterday"),
        *("filter[colour]=red", "after=bm9uZQ", "after=WzEsIDk5OTk5OTk5OTk5OTk5OTk5OTk5OTldCg"),
        *("after=WyJhIiwgImIiXQ", "filter[state]=active", "limit=0"),
    ],
    ids=range(9),
)
def test_a_question_to_the_ledger_that_makes_no_sense_is_refused(staff, query):
    assert staff.get(f"{MOVEMENTS}?{query}").status_code == 400


def test_staff_see_what_an_order_holds_and_give_it_back(staff):
    lamp, desk = VariantFactory(sku="LAMP", stock=5), VariantFactory(sku="DESK", stock=5)
    order_id, other = new_id(), new_id()
    catalog.reserve(order_id=order_id, quantities={lamp.pk: 2, desk.pk: 1})
    catalog.reserve(order_id=other, quantities={lamp.pk: 1})

    assert {line["order_id"] for line in results(staff, f"{RESERVATIONS}?filter[sku]=LAMP")} == {
        str(order_id),
        str(other),
    }
    held = staff.get(f"{RESERVATIONS}/{order_id}").json()
    assert held["order_id"] == str(order_id)
    assert {(x["sku"], x["quantity"], x["location"], x["state"]) for x in held["lines"]} == {
        ("LAMP", 2, "main", "active"),
        ("DESK", 1, "main", "active"),
    }

    assert staff.delete(f"{RESERVATIONS}/{order_id}").status_code == 204

    again = staff.delete(f"{RESERVATIONS}/{order_id}")
    assert (again.status_code, again.json()["code"]) == (409, "reservation_is_over")
    assert set(Reservation.objects.filter(order_id=order_id).values_list("state")) == {
        ("released",)
    }
    assert Reservation.objects.get(order_id=other).state == "active"
    entry = AuditEntry.objects.get(action="catalog.reservation_released")
    assert entry.about == str(order_id)
    assert catalog.stock_differences() == []


def test_what_is_paid_is_not_given_back(staff):
    lamp, order_id = VariantFactory(stock=5), new_id()
    catalog.reserve(order_id=order_id, quantities={lamp.pk: 2})
    catalog.allocate(order_id=order_id)

    paid = staff.delete(f"{RESERVATIONS}/{order_id}")
    nobodys = staff.delete(f"{RESERVATIONS}/{new_id()}")

    assert (paid.status_code, paid.json()["code"]) == (409, "reservation_is_over")
    assert (nobodys.status_code, nobodys.json()["code"]) == (404, "unknown_reservation")
    assert Stock.objects.get().allocated == 2


@pytest.mark.parametrize("number", [2, 40])
def test_many_variants_are_asked_about_in_one_statement(
    visitor, staff, number, django_assert_num_queries
):
    variants = [VariantFactory(stock=n % 3) for n in range(number)]
    ids = [str(variant.pk) for variant in reversed(variants)]

    for client, statements in ((visitor, 1), (staff, 1)):
        with django_assert_num_queries(statements):
            answer = client.post(f"{INVENTORY}/availability", {"variant_ids": ids * 1})
        assert [row["variant_id"] for row in answer.json()["results"]] == ids
    assert "on_hand" in answer.json()["results"][0]


def test_anybody_asks_by_sku_and_sees_bands_alone(visitor, staff):
    lamp = VariantFactory(sku="LAMP", stock=2)
    VariantFactory(sku="GONE")
    VariantFactory(sku="DRAFT", stock=9, product__status="draft", product__published_at=None)
    VariantFactory(sku="RETIRED", stock=9, is_active=False)

    shown = results(visitor, f"{INVENTORY}?sku=gone,LAMP,LAMP,DRAFT,RETIRED,NONE")
    for_staff = results(staff, f"{INVENTORY}?sku=LAMP,DRAFT")

    assert [(row["sku"], row["availability"]) for row in shown] == [
        ("GONE", "out_of_stock"),
        ("LAMP", "low_stock"),
    ]
    assert shown[1] == {
        "product_id": str(lamp.product_id),
        "variant_id": str(lamp.pk),
        "sku": "LAMP",
        "availability": "low_stock",
        "available_on": None,
    }
    assert [(row["sku"], row["on_hand"]) for row in for_staff] == [("LAMP", 2), ("DRAFT", 9)]


@pytest.mark.parametrize(
    "document",
    [
        *({}, {"skus": []}, {"skus": ["A"] * 101}, {"variant_ids": ["x"]}, {"skus": [7]}),
        *({"skus": ["A"], "variant_ids": [str(new_id())]}, {"sku": ["A"]}, [], "A"),
    ],
    ids=range(9),
)
def test_a_question_for_many_that_makes_no_sense_is_refused(visitor, document):
    assert visitor.post(f"{INVENTORY}/availability", document).status_code == 400


def test_a_question_by_sku_may_find_nothing(visitor):
    assert results(visitor, INVENTORY) == []
    assert visitor.get(f"{INVENTORY}?sku={'A,' * 600}").status_code == 400
    assert results(visitor, f"{INVENTORY}?sku=%C3%84") == []


def test_ledger_reservations_and_locations_are_for_staff(customer, visitor):
    for client, status in ((customer, 403), (visitor, 401)):
        for path in (MOVEMENTS, RESERVATIONS, f"{RESERVATIONS}/{new_id()}", LOCATIONS):
            assert client.get(path).status_code == status
        assert client.delete(f"{RESERVATIONS}/{new_id()}").status_code == status
        assert client.post(LOCATIONS, {}).status_code == status
