"""What other apps ask: whether the things they name are in the catalog."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from apps.catalog.models import Brand, Category, Product, Tag


def missing_goods(
    *,
    category_ids: Collection[UUID] = (),
    brand_ids: Collection[UUID] = (),
    product_ids: Collection[UUID] = (),
    tags: Collection[str] = (),
) -> dict[str, list[str]]:
    """Return what of this the catalog does not have, by the argument's name; tags are slugs.

    One statement for each kind that names something.
    """
    missing: dict[str, set[Any]] = {
        "category_ids": set(category_ids).difference(
            Category.objects.filter(pk__in=category_ids).values_list("pk", flat=True)
        ),
        "brand_ids": set(brand_ids).difference(
            Brand.objects.filter(pk__in=brand_ids).values_list("pk", flat=True)
        ),
        "product_ids": set(product_ids).difference(
            Product.objects.filter(pk__in=product_ids).values_list("pk", flat=True)
        ),
        "tags": set(tags).difference(
            Tag.objects.filter(slug__in=tags).values_list("slug", flat=True)
        ),
    }
    return {kind: sorted(map(str, unknown)) for kind, unknown in missing.items() if unknown}
