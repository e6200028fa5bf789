"""Reads of the pictures of products."""

from typing import Any
from uuid import UUID

from apps.catalog.models import Image, Product

COLUMNS = ("id", "file", "alt", "width", "height", "position", "has_renditions")


def is_there(*, product_id: UUID, published_only: bool) -> bool:
    """Whether there is such a product, or one that the public sees."""
    products = Product.objects.filter(pk=product_id)
    if published_only:
        products = products.filter(status=Product.Status.PUBLISHED)
    return products.exists()


def images_of(*, product_id: UUID) -> list[dict[str, Any]]:
    """Return the pictures of a product in their order."""
    rows = Image.objects.filter(product=product_id).order_by("position", "id")
    return list(rows.values(*COLUMNS))
