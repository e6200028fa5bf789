"""Fill an empty store with a small catalog of its own."""

import json
from decimal import Decimal
from itertools import product as combinations
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from apps.catalog.management import sample
from apps.catalog.management.sample.pictures import draw
from apps.catalog.models import Product
from apps.catalog.services.categories import count_products
from apps.catalog.services.images import add_pictures
from apps.catalog.services.imports.programs import ProductRecord, VariantRecord, import_products
from apps.kernel.money import EXPONENTS, Money
from apps.kernel.pictures import Picture

PREFIX = "sample-"


class Command(BaseCommand):
    """Load the sample catalog. What is there already, staff's edits included, stays as it is."""

    help = "Load about 60 sample products with pictures and stock. Safe to repeat."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        entries = {
            f"{PREFIX}{entry['ref']}": entry
            for entry in json.loads((Path(sample.__file__).parent / "products.json").read_bytes())
        }
        report = import_products(records=[_record(ref, entry) for ref, entry in entries.items()])
        ids = dict(
            Product.objects.filter(external_ref__in=report.created).values_list(
                "external_ref", "pk"
            )
        )
        add_pictures(
            pictures=[
                (ids[ref], entries[ref]["name"], _picture(entries[ref])) for ref in report.created
            ]
        )
        count_products()
        self.stdout.write(
            f"Sample catalog: {len(report.created)} products added,"
            f" {len(report.kept)} were there, {len(report.refused)} refused."
        )


def _record(ref: str, entry: dict[str, Any]) -> ProductRecord:
    return ProductRecord(
        external_ref=ref,
        name=entry["name"],
        description=entry["text"],
        brand=entry["brand"],
        category_path=tuple(entry["category"]),
        variants=_variants(entry),
    )


def _variants(entry: dict[str, Any]) -> list[VariantRecord]:
    choices: dict[str, list[str]] = entry.get("choices", {})
    variants = []
    for chosen, on_hand in zip(combinations(*choices.values()), entry["stock"], strict=True):
        extra = Money.sum(
            (_money(entry["extra"][value]) for value in chosen if value in entry.get("extra", {})),
            currency=settings.STORE_CURRENCY,
        )
        compare_at = entry.get("compare_at")
        code = "-".join([entry["ref"], *chosen])
        variants.append(
            VariantRecord(
                sku="".join(c if c.isalnum() else "-" for c in code).upper(),
                price=_money(entry["price"]) + extra,
                compare_at=_money(compare_at) + extra if compare_at else None,
                on_hand=on_hand,
                name=", ".join(chosen),
                options=dict(zip(choices, chosen, strict=True)),
                weight_grams=entry["weight"],
            )
        )
    return variants


def _money(amount: str) -> Money:
    """The amounts of the file are in the store's currency, whichever that is."""
    digits = EXPONENTS.get(settings.STORE_CURRENCY, 2)
    return Money(int(Decimal(amount).scaleb(digits)), settings.STORE_CURRENCY)


def _picture(entry: dict[str, Any]) -> Picture:
    return draw(drawing=entry["drawing"], colour=entry["colour"], name=entry["name"])
