"""Many products in one request: each row for itself, or all together."""

import json
from uuid import uuid4

import pytest

from apps.catalog.models import Product
from apps.catalog.tests.factories import CategoryFactory, ProductFactory
from apps.kernel.models import OutboxEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def bulk(staff):
    def bulk(*rows, key=None, **more):
        return staff.generic(
            "POST",
            "/api/v1/products/bulk",
            json.dumps({"rows": rows, **more}),
            content_type="application/json",
            headers={"Idempotency-Key": key or uuid4().hex},
        )

    return bulk


def create(**fields):
    return {"action": "create", "product": {"name": "New", **fields}}


def told(answer):
    return [
        (row["index"], row["status"], [(e["pointer"], e["code"]) for e in row["errors"]])
        for row in answer.json()["results"]
    ]


def test_rows_create_change_and_archive(bulk):
    first, second = ProductFactory.create(name="Old", status="draft"), ProductFactory.create()

    answer = bulk(
        create(),
        {"action": "update", "id": str(first.pk), "version": 1, "product": {"name": "Newer"}},
        {"action": "archive", "id": str(second.pk)},
    )

    assert told(answer) == [(0, "created", []), (1, "updated", []), (2, "archived", [])]
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.name, first.version, second.status) == ("Newer", 2, "archived")
    assert answer.json()["results"][1]["version"] == 2
    assert OutboxEvent.objects.filter(name="catalog.product_changed").count() == 3


def wrong(product):
    CategoryFactory.create(slug="food")
    return [
        create(slug="good"),
        {"action": "update", "id": str(product.pk), "version": 7, "product": {"name": "Late"}},
        create(slug="good"),
        create(slug="NO SLUG", description="Kept"),
        {"action": "update", "id": str(uuid4()), "product": {}},
        {"action": "burn"},
        {"action": "archive"},
        create(status="published"),
        create(nmae="x", variants=[{"sku": "A", "price": {"amount": "x", "currency": "USD"}}]),
    ]


FAULTS = [
    (1, "failed", [("/rows/1", "version_mismatch")]),
    (2, "failed", [("/rows/2", "slug_taken")]),
    (3, "failed", [("/rows/3/product/slug", "slug")]),
    (4, "failed", [("/rows/4", "unknown_product")]),
    (5, "failed", [("/rows/5/action", "invalid_choice")]),
    (6, "failed", [("/rows/6/id", "required")]),
    (7, "failed", [("/rows/7", "not_publishable")]),
    (8, "failed", [("/rows/8/product/nmae", "unknown_field")]),
]


def test_rows_that_fail_are_left_out(bulk):
    product = ProductFactory.create(name="Old")

    answer = bulk(*wrong(product))

    assert answer.status_code == 200
    assert told(answer) == [(0, "created", []), *FAULTS]
    assert Product.objects.count() == 2
    assert Product.objects.get(pk=product.pk).name == "Old"


def test_one_error_rejects_everything(bulk):
    answer = bulk(*wrong(ProductFactory.create()), on_error="reject_everything")

    assert told(answer) == [(0, "rejected", []), *FAULTS]
    assert answer.json()["results"][0]["id"] is None
    assert Product.objects.count() == 1
    assert not OutboxEvent.objects.exists()


def test_fields_with_errors_are_left_out(bulk):
    answer = bulk(
        create(slug="NO SLUG", description="Kept"),
        {"action": "create", "product": {}},
        on_error="ignore_failed",
    )

    assert told(answer) == [
        (0, "created", [("/rows/0/product/slug", "slug")]),
        (1, "failed", [("/rows/1/product/name", "required")]),
    ]
    assert Product.objects.get().description == "Kept"


def test_the_same_key_gives_the_first_answer(bulk):
    first, again = bulk(create(), key="k"), bulk(create(), key="k")

    assert again.content == first.content
    assert again["Idempotent-Replayed"] == "true"
    assert Product.objects.count() == 1


@pytest.mark.parametrize("rows", [0, 201])
def test_there_is_a_limit_of_rows(bulk, rows):
    answer = bulk(*[create()] * rows)

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
