"""Two who write taxes at once: real threads on real PostgreSQL."""

from collections import Counter
from threading import Event
from time import sleep

import pytest
from django.db import transaction

from apps.kernel.errors import DomainError
from apps.kernel.tests.threads import at_once
from apps.orders.models import TaxArea, TaxClass, TaxRate, TaxZone
from apps.orders.services import tax_tables
from apps.orders.tests.factories import tax_class, tax_rate, tax_zone

pytestmark = pytest.mark.django_db(transaction=True)
VAT = {"code": "vat", "name": "VAT", "ppm": 190_000}


def outcome(work):
    """Return what a call refuses with, or that it did its work."""

    def run():
        try:
            work()
        except DomainError as refusal:
            return refusal.code
        return "done"

    return run


def test_of_many_who_save_the_same_rate_one_wins():
    zone, standard = tax_zone("DE"), tax_class()

    outcomes = at_once(
        *[
            outcome(
                lambda: tax_tables.create_rate(zone_id=zone.pk, tax_class=standard.code, fields=VAT)
            )
            for _ in range(8)
        ]
    )

    assert Counter(outcomes) == {"done": 1, "tax_rates_overlap": 7}
    assert TaxRate.objects.count() == 1


def test_of_many_who_change_what_they_have_seen_one_wins():
    rate = tax_rate(tax_zone("DE"), "19")

    outcomes = at_once(
        *[
            outcome(
                lambda ppm=ppm: tax_tables.change_rate(
                    rate_id=rate.pk, fields={"ppm": ppm}, expected_version=1
                )
            )
            for ppm in range(8)
        ]
    )

    assert Counter(outcomes) == {"done": 1, "version_mismatch": 7}
    assert TaxRate.objects.get().version == 2


def test_of_many_zones_that_want_the_same_areas_one_gets_them():
    areas = [{"country": "US", "postal_prefix": str(prefix)} for prefix in range(10, 40)]

    outcomes = at_once(
        *[
            outcome(
                lambda number=number: tax_tables.create_zone(
                    fields={
                        "name": f"Zone {number}",
                        "areas": areas if number % 2 else areas[::-1],
                    }
                )
            )
            for number in range(8)
        ]
    )

    assert Counter(outcomes) == {"done": 1, "tax_area_taken": 7}
    assert (TaxZone.objects.count(), TaxArea.objects.count()) == (1, 30)


def test_of_many_who_choose_a_default_class_the_last_has_the_word():
    tax_class()
    classes = [tax_class(code) for code in ("a", "b", "c", "d")]

    choices = [
        outcome(lambda row=row: tax_tables.change_class(class_id=row.pk, is_default=True))
        for row in classes
    ] + [
        outcome(lambda code=code: tax_tables.create_class(code=code, name=code, is_default=True))
        for code in ("e", "f")
    ]

    assert at_once(*choices) == ["done"] * 6
    assert TaxClass.objects.filter(is_default=True).count() == 1


@pytest.mark.parametrize("removes", ["class", "zone"])
def test_what_somebody_begins_to_use_is_not_removed_meanwhile(removes):
    tax_class()
    zone, reduced = tax_zone("DE"), tax_class("reduced")
    begun = Event()

    def add():
        with transaction.atomic():
            tax_tables.create_rate(zone_id=zone.pk, tax_class="reduced", fields=VAT)
            begun.set()
            sleep(0.5)

    def remove():
        begun.wait(timeout=10)
        if removes == "class":
            tax_tables.remove_class(class_id=reduced.pk)
        else:
            tax_tables.remove_zone(zone_id=zone.pk)

    assert at_once(outcome(add), outcome(remove)) == ["done", f"tax_{removes}_in_use"]
    assert TaxRate.objects.get().tax_class == reduced


@pytest.mark.parametrize("removes", ["class", "zone"])
def test_what_is_being_removed_is_not_used_any_more(removes):
    tax_class()
    zone, reduced = tax_zone("DE"), tax_class("reduced")
    begun = Event()

    def remove():
        with transaction.atomic():
            if removes == "class":
                tax_tables.remove_class(class_id=reduced.pk)
            else:
                tax_tables.remove_zone(zone_id=zone.pk)
            begun.set()
            sleep(0.5)

    def add():
        begun.wait(timeout=10)
        tax_tables.create_rate(zone_id=zone.pk, tax_class="reduced", fields=VAT)

    assert at_once(outcome(remove), outcome(add)) == ["done", f"unknown_tax_{removes}"]
    assert not TaxRate.objects.exists()
