"""Give a store without taxes a few, so that there is something to see."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from apps.orders.models import TaxZone
from apps.orders.selectors.taxes import tax_classes
from apps.orders.services.tax_tables import (
    AreaFields,
    RateFields,
    ZoneFields,
    create_class,
    create_rate,
    create_zone,
)

ZONES: tuple[tuple[ZoneFields, tuple[tuple[str, RateFields], ...]], ...] = (
    (
        ZoneFields(name="Germany", prices_include_tax=True, areas=[AreaFields(country="DE")]),
        (
            ("standard", RateFields(code="vat", name="VAT 19 %", ppm=190_000)),
            ("reduced", RateFields(code="vat", name="VAT 7 %", ppm=70_000)),
        ),
    ),
    (
        ZoneFields(
            name="New York City",
            areas=[
                AreaFields(country="US", postal_prefix=prefix)
                for prefix in "100 101 102 103 104 111 112 113 114 116".split()
            ],
        ),
        (
            ("standard", RateFields(code="state", name="New York State", ppm=40_000)),
            ("standard", RateFields(code="city", name="New York City", ppm=45_000)),
            ("standard", RateFields(code="district", name="Commuter district", ppm=3_750)),
        ),
    ),
)


class Command(BaseCommand):
    """Load two zones. A store that has one of its own stays as it is."""

    help = "Load sample taxes for Germany and New York City. Safe to repeat."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if TaxZone.objects.exists():
            self.stdout.write("Sample taxes: the store has taxes.")
            return
        known = {row["code"] for row in tax_classes()}
        for code in ("standard", "reduced"):
            if code not in known:
                create_class(code=code, name=code.title())
        for zone, rates in ZONES:
            row = create_zone(fields=zone)
            for tax_class, rate in rates:
                create_rate(zone_id=row.pk, tax_class=tax_class, fields=rate)
        self.stdout.write(f"Sample taxes: {len(ZONES)} zones added.")
