"""Quantities by variant, as statements take them: checked, summed, in arrays."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from apps.catalog.models import Variant
from apps.kernel.errors import Invalid

LARGEST_QUANTITY = 1_000_000_000

# By variant id, or in lines of which several may name one variant.
Quantities = Mapping[UUID, int] | Iterable[tuple[UUID, int]]


class NotAQuantity(Invalid):
    """A quantity is a whole number within bounds."""

    code = "not_a_quantity"


def summed(quantities: Quantities, *, least: int = 1) -> dict[UUID, int]:
    """Return one quantity for each variant. Raises NotAQuantity."""
    lines = quantities.items() if isinstance(quantities, Mapping) else quantities
    total: dict[UUID, int] = {}
    for variant_id, quantity in lines:
        _check(quantity, least)
        total[variant_id] = total.get(variant_id, 0) + quantity
        _check(total[variant_id], least)
    return total


def columns(quantities: Mapping[UUID, int]) -> dict[str, Any]:
    """Return the parameters `variants` and `quantities` of a statement."""
    return {"variants": list(quantities.keys()), "quantities": list(quantities.values())}


def skus_of(variant_ids: Iterable[UUID]) -> list[str]:
    """Name variants in a refusal: by SKU, or by id where there is none."""
    ids = list(variant_ids)
    known = dict(Variant.objects.filter(pk__in=ids).values_list("pk", "sku"))
    return sorted(known.get(pk, str(pk)) for pk in ids)


def _check(quantity: int, least: int) -> None:
    if type(quantity) is not int or not least <= quantity <= LARGEST_QUANTITY:
        raise NotAQuantity(f"A quantity is a whole number from {least} to {LARGEST_QUANTITY}.")
