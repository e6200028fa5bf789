"""Alerts: who may wait for what, and when an alert is due."""

import pytest
from django.db import OperationalError, connection, transaction

from apps.catalog.models import StockAlert
from apps.catalog.services import alerts
from apps.catalog.services.alerts import TooManyAlerts, look_after_alerts, set_alert
from apps.catalog.services.stock import receive
from apps.catalog.tests.factories import VariantFactory
from apps.kernel.errors import DomainError
from apps.kernel.ids import new_id
from apps.kernel.tests.threads import at_once

pytestmark = pytest.mark.django_db
ALERTS = "/api/v1/users/me/alerts"


def take(limit=100):
    with transaction.atomic():
        return alerts.take_due_alerts(limit=limit)


def test_a_customer_waits_for_what_is_gone_and_stops_waiting(customer):
    variant = VariantFactory(sku="GONE", name="large", product__name="Lamp")

    made = customer.post(ALERTS, {"variant_id": str(variant.pk)})

    assert made.status_code == 201
    assert made.json() == {
        "id": made.json()["id"],
        "kind": "back_in_stock",
        "variant_id": str(variant.pk),
        "product_id": str(variant.product_id),
        "sku": "GONE",
        "name": "Lamp, large",
        "created_at": made.json()["created_at"],
    }
    assert customer.get(ALERTS).json()["results"] == [made.json()]

    assert customer.delete(f"{ALERTS}/{made.json()['id']}").status_code == 204

    assert customer.get(ALERTS).json()["results"] == []
    again = customer.delete(f"{ALERTS}/{made.json()['id']}")
    assert (again.status_code, again.json()["code"]) == (404, "unknown_alert")


def test_waiting_twice_for_the_same_is_waiting_once(customer):
    variant = VariantFactory()
    first = customer.post(ALERTS, {"variant_id": str(variant.pk)})

    second = customer.post(ALERTS, {"variant_id": str(variant.pk)})

    assert (second.status_code, second.json()) == (200, first.json())
    assert StockAlert.objects.count() == 1


def test_what_is_in_stock_or_not_for_sale_is_not_waited_for(customer):
    there = VariantFactory(stock=1)
    draft = VariantFactory(product__status="draft", product__published_at=None)
    retired = VariantFactory(is_active=False)

    for variant_id, answer in (
        (there.pk, (409, "available_already")),
        (draft.pk, (404, "unknown_variant")),
        (retired.pk, (404, "unknown_variant")),
        (new_id(), (404, "unknown_variant")),
        ("no id", (400, "validation_failed")),
    ):
        response = customer.post(ALERTS, {"variant_id": str(variant_id)})
        assert (response.status_code, response.json()["code"]) == answer
    assert not StockAlert.objects.exists()


def test_somebody_elses_alert_is_not_found(customer):
    alert, _ = set_alert(customer_id=new_id(), variant_id=VariantFactory().pk)

    response = customer.delete(f"{ALERTS}/{alert['id']}")

    assert response.status_code == 404
    assert StockAlert.objects.count() == 1
    assert customer.get(ALERTS).json()["results"] == []


def test_a_visitor_waits_for_nothing(visitor):
    assert visitor.post(ALERTS, {"variant_id": str(VariantFactory().pk)}).status_code == 401


@pytest.mark.parametrize("number", [1, 30])
def test_a_page_costs_one_statement(customer, number, django_assert_num_queries):
    for _ in range(number):
        customer.post(ALERTS, {"variant_id": str(VariantFactory().pk)})

    with django_assert_num_queries(1):
        page = customer.get(f"{ALERTS}?limit=100")

    assert len(page.json()["results"]) == number


def test_the_alerts_whose_variant_is_back_are_taken_and_the_others_wait_on():
    back, gone = VariantFactory(), VariantFactory()
    for variant in (back, gone):
        set_alert(customer_id=new_id(), variant_id=variant.pk)
    receive(quantities={back.pk: 1}, reason="test")

    taken = take()

    assert [each.offer.variant_id for each in taken] == [back.pk]
    assert [alert.variant_id for alert in StockAlert.objects.all()] == [gone.pk]
    assert take() is None
    receive(quantities={gone.pk: 1}, reason="test")
    look_after_alerts(product_id=gone.product_id)
    assert [each.offer.variant_id for each in take()] == [gone.pk]
    assert not StockAlert.objects.exists()


def test_goods_that_are_gone_again_are_not_told_of():
    variant = VariantFactory()
    set_alert(customer_id=new_id(), variant_id=variant.pk)
    assert take() == ()

    look_after_alerts(product_id=variant.product_id)

    assert take() == ()
    assert StockAlert.objects.get().due_at is None


def test_nobody_passes_the_limit_by_asking_at_once(transactional_db, monkeypatch):
    monkeypatch.setattr(alerts, "MOST", 3)
    customer_id, variants = new_id(), [VariantFactory().pk for _ in range(8)]

    def ask(variant_id):
        try:
            return set_alert(customer_id=customer_id, variant_id=variant_id)[1]
        except DomainError as refusal:
            return type(refusal)

    answers = at_once(*[lambda pk=pk: ask(pk) for pk in variants])

    assert sorted(answers, key=str) == [TooManyAlerts] * 5 + [True] * 3
    assert StockAlert.objects.count() == 3


def test_every_alert_is_taken_once_however_many_look(transactional_db):
    variant = VariantFactory()
    for _ in range(40):
        set_alert(customer_id=new_id(), variant_id=variant.pk)
    receive(quantities={variant.pk: 1}, reason="test")

    def work():
        told = []
        while (taken := take(limit=7)) is not None:
            told += [each.customer_id for each in taken]
        return told

    told = [customer for told in at_once(*[work] * 6) for customer in told]

    assert len(told) == len(set(told)) == 40
    assert not StockAlert.objects.exists()


def test_goods_that_come_while_an_alert_is_looked_at_are_not_missed(transactional_db):
    variant = VariantFactory()
    set_alert(customer_id=new_id(), variant_id=variant.pk)

    def wake():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
            look_after_alerts(product_id=variant.product_id)

    with transaction.atomic():
        assert alerts.take_due_alerts(limit=10) == ()
        with pytest.raises(OperationalError, match="lock timeout"):
            at_once(wake)  # it waits, and then makes the alert due again
