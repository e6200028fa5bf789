"""What runs low: noticed once for each time it does, by the SKU's own number or the store's."""

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client
from django.urls import reverse

from apps.catalog.models import LowStock, ReorderPoint, StockLocation
from apps.catalog.services.low_stock import notice_low_stock
from apps.catalog.services.stock import adjust, receive
from apps.catalog.tests.factories import VariantFactory
from apps.kernel.models import AuditEntry
from apps.kernel.tests.threads import at_once

pytestmark = pytest.mark.django_db
LOW, POINTS = "/api/v1/inventory/low-stock", "/api/v1/inventory/reorder-points"


def look(most=10):
    with transaction.atomic():
        digest = notice_low_stock(most=most)
    return digest.number, [(each.sku, each.available) for each in digest.first]


def test_each_time_a_variant_runs_low_is_noticed_once(settings):
    settings.LOW_STOCK_THRESHOLD = 3
    lamp = VariantFactory(sku="LAMP", stock=4)
    assert look() == (0, [])

    adjust(deltas={lamp.pk: -1}, reason="x")
    assert look() == (1, [("LAMP", 3)])
    adjust(deltas={lamp.pk: -3}, reason="x")
    assert look() == (0, [])
    receive(quantities={lamp.pk: 4}, reason="x")
    assert look() == (0, [])
    assert not LowStock.objects.exists()
    adjust(deltas={lamp.pk: -1}, reason="x")

    assert look() == (1, [("LAMP", 3)])


def test_a_sku_may_have_a_number_of_its_own(settings, staff):
    settings.LOW_STOCK_THRESHOLD = 3
    for sku in ("LAMP", "DESK"):
        VariantFactory(sku=sku, stock=20)
    wanted = {"lines": [{"sku": "lamp", "pieces": 20}, {"sku": "DESK", "pieces": 19}]}

    answer = staff.put(POINTS, wanted)

    assert (answer.status_code, answer.json()) == (200, wanted)
    assert look() == (1, [("LAMP", 20)])
    staff.put(POINTS, {"lines": [{"sku": "LAMP", "pieces": None}]})
    assert look() == (0, [])
    assert not LowStock.objects.exists()
    assert [point.pieces for point in ReorderPoint.objects.all()] == [19]
    assert AuditEntry.objects.filter(action="catalog.reorder_points_set").count() == 2


def test_what_is_not_sold_or_never_was_there_does_not_run_low():
    VariantFactory(sku="NEVER")
    VariantFactory(sku="DRAFT", stock=1, product__status="draft", product__published_at=None)
    VariantFactory(sku="RETIRED", stock=1, is_active=False)
    elsewhere = VariantFactory(sku="ATTIC")
    attic = StockLocation.objects.create(code="attic", name="Attic", is_active=False)
    receive(quantities={elsewhere.pk: 100}, reason="x", location_id=attic.pk)

    assert look() == (1, [("ATTIC", 0)])


def test_a_digest_names_the_first_and_counts_all():
    for number in range(4):
        VariantFactory(sku=f"L{number}", stock=1)

    assert look(most=2) == (4, [("L0", 1), ("L1", 1)])


def test_of_many_who_look_at_once_one_tells(transactional_db):
    for number in range(5):
        VariantFactory(sku=f"L{number}", stock=1)

    told = at_once(*[look] * 6)

    assert sum(number for number, _ in told) == 5


@pytest.mark.parametrize("number", [2, 12])
def test_staff_see_what_is_low_in_one_statement(staff, number, django_assert_num_queries):
    for n in range(number):
        VariantFactory(sku=f"L{n}", stock=2, product__name="Lamp")
    look()

    with django_assert_num_queries(1):
        page = staff.get(f"{LOW}?limit=50").json()

    assert len(page["results"]) == number
    one = page["results"][0]
    assert {name: one[name] for name in ("name", "available", "reorder_point")} == {
        "name": "Lamp",
        "available": 2,
        "reorder_point": 5,
    }


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([], 400),
        ([{"sku": "LAMP"}], 400),
        ([{"sku": "LAMP", "pieces": -1}], 400),
        ([{"sku": "LAMP", "pieces": 10**10}], 400),
        ([{"sku": "LAMP", "pieces": "1"}], 400),
        ([{"sku": "LAMP", "pieces": 1}, {"sku": "NONE", "pieces": 1}], 404),
    ],
    ids=range(6),
)
def test_a_reorder_point_that_makes_no_sense_is_refused(staff, lines, status):
    VariantFactory(sku="LAMP")

    assert staff.put(POINTS, {"lines": lines}).status_code == status
    assert not ReorderPoint.objects.exists()


def test_customers_see_nothing_of_it(customer):
    assert customer.get(LOW).status_code == 403
    assert customer.put(POINTS, {}).status_code == 403


def test_staff_see_what_is_low_and_set_the_number_in_the_back_office(enter):
    boss = get_user_model().objects.create_superuser("boss@example.com", "long enough password")
    office = enter(Client(), boss)
    VariantFactory(sku="LAMP", stock=20)
    form = {"variant": "LAMP", "pieces": 20}

    assert office.post(reverse("admin:catalog_reorderpoint_add"), form).status_code == 302
    nothing = office.post(reverse("admin:catalog_reorderpoint_add"), {**form, "variant": "NONE"})
    assert nothing.status_code == 200
    look()

    assert ReorderPoint.objects.get().pieces == 20
    page = office.get(reverse("admin:catalog_lowstock_changelist")).content.decode()
    assert "LAMP" in page
    assert '<td class="field-available">20</td>' in page


@pytest.mark.parametrize("number", [2, 12])
def test_the_numbers_that_skus_have_are_listed_by_sku_in_one_statement(
    staff, number, django_assert_num_queries
):
    VariantFactory(sku="NONE")
    for n in reversed(range(number)):
        ReorderPoint.objects.create(variant=VariantFactory(sku=f"L{n:02}"), pieces=n)

    with django_assert_num_queries(1):
        first = staff.get(f"{POINTS}?limit={number - 1}").json()

    assert [(each["sku"], each["pieces"]) for each in first["results"]] == [
        (f"L{n:02}", n) for n in range(number - 1)
    ]
    assert first["results"][0].keys() == {"variant_id", "sku", "pieces"}
    rest = staff.get(first["next"]).json()
    assert [each["pieces"] for each in rest["results"]] == [number - 1]
    assert rest["next"] is None
