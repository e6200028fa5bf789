"""Products come into the shop and leave it when they should, by the database's clock."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.catalog.models import Product
from apps.catalog.services.products import archive_product
from apps.catalog.services.publications import publish_due, publish_product, unpublish_product
from apps.catalog.tests.factories import ProductFactory, VariantFactory
from apps.kernel.errors import DomainError, VersionMismatch
from apps.kernel.ids import new_id
from apps.kernel.models import OutboxEvent
from apps.kernel.tests.threads import at_once

pytestmark = pytest.mark.django_db
LATER = datetime(2999, 1, 1, tzinfo=UTC)


def place(product):
    return f"/api/v1/products/{product.pk}/publications"


def assert_problem(response, status, code):
    assert response.status_code == status, response.content
    assert response.json()["code"] == code


@pytest.fixture
def draft():
    return VariantFactory(product__status="draft", product__published_at=None).product


def make_due(product, *columns):
    past = timezone.now() - timedelta(days=1)
    Product.objects.filter(pk=product.pk).update(**dict.fromkeys(columns, past))


def test_a_product_is_published_at_once_and_taken_out_again(staff, visitor, draft):
    published = staff.post(place(draft), {})

    assert published.status_code == 200, published.content
    assert (published.json()["status"], published.json()["publish_at"]) == ("published", None)
    assert visitor.get(f"/api/v1/products/{draft.pk}").status_code == 200
    assert staff.delete(place(draft), HTTP_IF_MATCH=published["ETag"]).status_code == 204
    assert visitor.get(f"/api/v1/products/{draft.pk}").status_code == 404
    assert staff.delete(place(draft)).status_code == 204
    assert [event.payload["version"] for event in OutboxEvent.objects.all()] == [2, 3]


def test_a_scheduled_product_comes_and_goes_on_time(staff, visitor, draft):
    body = {"publish_at": LATER.isoformat(), "unpublish_at": "2999-02-01T00:00:00Z"}

    scheduled = staff.post(place(draft), body).json()

    assert scheduled["status"] == "scheduled"
    assert (scheduled["publish_at"], scheduled["unpublish_at"]) == (
        "2999-01-01T00:00:00+00:00",
        "2999-02-01T00:00:00+00:00",
    )
    assert publish_due() is False
    assert visitor.get(f"/api/v1/products/{draft.pk}").status_code == 404
    make_due(draft, "publish_at")
    assert publish_due() is True
    shown = visitor.get(f"/api/v1/products/{draft.pk}")
    assert shown.status_code == 200
    assert "publish_at" not in shown.json()
    make_due(draft, "unpublish_at")
    assert publish_due() is True
    assert visitor.get(f"/api/v1/products/{draft.pk}").status_code == 404
    assert publish_due() is False
    draft.refresh_from_db()
    assert (draft.status, draft.publish_at, draft.unpublish_at) == ("draft", None, None)
    assert [event.payload["version"] for event in OutboxEvent.objects.all()] == [2, 3, 4]


def test_what_was_archived_meanwhile_stays_archived(staff, draft):
    staff.post(place(draft), {"publish_at": LATER.isoformat()})
    staff.delete(f"/api/v1/products/{draft.pk}")
    make_due(draft, "publish_at")

    assert publish_due() is False

    draft.refresh_from_db()
    assert draft.status == "archived"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"publish_at": "tomorrow"}, 400, "validation_failed"),
        ({"publish_at": 7}, 400, "validation_failed"),
        ({"publish_at": "9999-12-31T23:59:59-23:59"}, 400, "validation_failed"),
        ({"status": "published"}, 400, "validation_failed"),
        ({"unpublish_at": "2020-01-01T00:00:00Z"}, 422, "ends_before_it_begins"),
        (
            {"publish_at": "2999-02-01T00:00:00Z", "unpublish_at": "2999-01-01T00:00:00Z"},
            422,
            "ends_before_it_begins",
        ),
    ],
    ids=str,
)
def test_times_that_make_no_sense_change_nothing(staff, draft, body, status, code):
    assert_problem(staff.post(place(draft), body), status, code)
    draft.refresh_from_db()
    assert (draft.status, draft.version) == ("draft", 1)


def test_what_cannot_be_sold_is_not_scheduled(staff):
    bare = ProductFactory(status="draft", category=None)

    for body in ({}, {"publish_at": LATER.isoformat()}):
        assert_problem(staff.post(place(bare), body), 422, "not_publishable")
    scheduled = staff.patch(f"/api/v1/products/{bare.pk}", {"status": "scheduled"})
    assert_problem(scheduled, 422, "not_publishable")
    assert_problem(staff.post(place(bare), {}, HTTP_IF_MATCH='"7"'), 412, "version_mismatch")
    bare.pk = new_id()
    assert_problem(staff.post(place(bare), {}), 404, "unknown_product")
    assert_problem(staff.delete(place(bare)), 404, "unknown_product")


def test_the_database_keeps_schedules_whole(draft):
    for values in (
        {"status": "scheduled"},
        {"publish_at": LATER, "unpublish_at": LATER},
        {"status": "sold"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Product.objects.filter(pk=draft.pk).update(**values)


def test_a_scheduled_product_is_written_and_keeps_its_time(staff, draft):
    staff.post(place(draft), {"publish_at": LATER.isoformat()})

    named = staff.patch(f"/api/v1/products/{draft.pk}", {"name": "New"})
    cleared = staff.patch(f"/api/v1/products/{draft.pk}", {"category": None})
    drafted = staff.patch(f"/api/v1/products/{draft.pk}", {"status": "draft"})

    assert (named.json()["status"], named.json()["publish_at"]) == (
        "scheduled",
        "2999-01-01T00:00:00+00:00",
    )
    assert_problem(cleared, 422, "not_publishable")
    assert drafted.json()["publish_at"] is None


@pytest.mark.django_db(transaction=True)
def test_publishing_and_archiving_at_once_leave_one_of_them():
    def outcome(action):
        try:
            return action()
        except DomainError as refusal:
            return refusal

    for _ in range(5):
        product = VariantFactory(product__status="draft").product

        results = at_once(
            lambda p=product: outcome(lambda: publish_product(product_id=p.pk, expected_version=1)),
            lambda p=product: outcome(lambda: archive_product(product_id=p.pk, expected_version=1)),
            lambda p=product: outcome(
                lambda: publish_product(product_id=p.pk, publish_at=LATER, expected_version=1)
            ),
        )

        assert sum(isinstance(result, VersionMismatch) for result in results) == 2
        product.refresh_from_db()
        assert product.version == 2


@pytest.mark.django_db(transaction=True)
def test_what_is_due_is_moved_once_however_many_sweep():
    products = [VariantFactory(product__status="draft").product for _ in range(5)]
    for product in products:
        publish_product(product_id=product.pk, publish_at=LATER)
        make_due(product, "publish_at")

    at_once(*[publish_due] * 4, lambda: unpublish_product(product_id=products[0].pk))

    for product in products[1:]:
        product.refresh_from_db()
        assert (product.status, product.version) == ("published", 3)
        assert OutboxEvent.objects.filter(aggregate_id=product.pk).count() == 2
