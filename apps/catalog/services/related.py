"""Everything that changes which products are shown beside which."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.catalog.models import Product, RelatedProduct
from apps.catalog.services.changes import ProductChanged
from apps.catalog.services.collections import UnknownProducts, product_ids
from apps.catalog.services.products import UnknownProduct
from apps.kernel.audit import record
from apps.kernel.errors import VersionMismatch
from apps.kernel.events import publish


@transaction.atomic
def relate(
    *,
    product_id: UUID,
    related: Mapping[str, Sequence[str]],
    expected_version: int | None = None,
) -> int:
    """Show these products, by id or slug, beside the product: by kind, in order, and no others.

    Returns the product's new version. Raises UnknownProduct, VersionMismatch, UnknownProducts.
    """
    product = Product.objects.select_for_update(no_key=True).filter(pk=product_id).first()
    if product is None:
        raise UnknownProduct("There is no such product.")
    if expected_version not in {None, product.version}:
        raise VersionMismatch("The product has changed.", version=product.version)
    rows = [
        RelatedProduct(product=product, other_id=other, kind=kind, position=position)
        for kind, references in related.items()
        for position, other in enumerate(product_ids(references))
    ]
    if any(row.other_id == product_id for row in rows):
        raise UnknownProducts("A product is not shown beside itself.")
    RelatedProduct.objects.filter(product=product).delete()
    RelatedProduct.objects.bulk_create(rows)
    Product.objects.filter(pk=product_id).update(version=F("version") + 1, updated_at=Now())
    version = product.version + 1
    publish(ProductChanged(product_id=product_id, version=version), aggregate_id=product_id)
    record(
        "catalog.product_related",
        about=product_id,
        after={kind: len(references) for kind, references in related.items()},
    )
    return version
