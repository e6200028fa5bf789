"""Putting products into the shop and taking them out, now or later, by the database's clock."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from apps.catalog.models import Product
from apps.catalog.services.changes import ProductChanged
from apps.catalog.services.products import UnknownProduct, settle_product
from apps.catalog.services.search_index import refresh
from apps.kernel.audit import record
from apps.kernel.errors import Invalid, VersionMismatch
from apps.kernel.events import publish_all

BATCH = 100


class EndsBeforeItBegins(Invalid):
    """A product leaves the shop after it came, and not in the past."""

    code = "ends_before_it_begins"


@transaction.atomic
def publish_product(
    *,
    product_id: UUID,
    publish_at: datetime | None = None,
    unpublish_at: datetime | None = None,
    expected_version: int | None = None,
) -> None:
    """Publish a product, at once or at a time to come; it leaves the shop at `unpublish_at`.

    Raises UnknownProduct, VersionMismatch, EndsBeforeItBegins, NotPublishable, and what `check_fit`
    raises.
    """
    product = _locked(product_id, expected_version)
    clock: datetime = product.clock  # type: ignore[attr-defined]  # annotated
    begins = max(publish_at or clock, clock)
    if unpublish_at is not None and unpublish_at <= begins:
        raise EndsBeforeItBegins("It would leave the shop before it comes, or in the past.")
    Product.objects.filter(pk=product_id).update(publish_at=begins, unpublish_at=unpublish_at)
    later = begins > clock
    settle_product(
        product_id=product_id,
        status=Product.Status.SCHEDULED if later else Product.Status.PUBLISHED,
    )
    record(
        "catalog.product_scheduled" if later else "catalog.product_published",
        about=product_id,
        before={"status": product.status},
        after={"publish_at": begins, "unpublish_at": unpublish_at},
    )


@transaction.atomic
def unpublish_product(*, product_id: UUID, expected_version: int | None = None) -> None:
    """Make a published or scheduled product a draft; any other stays what it is.

    Raises UnknownProduct, VersionMismatch.
    """
    product = _locked(product_id, expected_version)
    if product.status in {Product.Status.PUBLISHED, Product.Status.SCHEDULED}:
        settle_product(product_id=product_id, status=Product.Status.DRAFT)
        record("catalog.product_unpublished", about=product_id, before={"status": product.status})


@transaction.atomic
def publish_due() -> bool:
    """Publish and unpublish what is due, a batch; whoever writes a product right now comes first.

    Returns whether there was anything due.
    """
    with connection.cursor() as cursor:
        # Locked by a statement of its own: the next one sees no version that was overtaken.
        cursor.execute(
            """
            SELECT id FROM catalog_product
            WHERE status = 'scheduled' AND publish_at <= now()
                OR status = 'published' AND unpublish_at <= now()
            ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
            """,
            [BATCH],
        )
        due = [pk for (pk,) in cursor.fetchall()]
        if not due:
            return False
        cursor.execute(
            """
            UPDATE catalog_product p SET
                status = CASE status WHEN 'scheduled' THEN 'published' ELSE 'draft' END,
                published_at = coalesce(published_at, now()),
                publish_at = NULL,
                unpublish_at = CASE status WHEN 'scheduled' THEN unpublish_at END,
                version = version + 1, updated_at = now()
            WHERE id = ANY(%s)
            RETURNING id, version, status
            """,
            [due],
        )
        moved = cursor.fetchall()
    refresh(product_ids=due)
    publish_all({pk: ProductChanged(product_id=pk, version=version) for pk, version, _ in moved})
    for pk, _, status in moved:
        verb = "published" if status == Product.Status.PUBLISHED else "unpublished"
        record(f"catalog.product_{verb}", about=pk, after={"on_time": True})
    return True


def _locked(product_id: UUID, expected_version: int | None) -> Product:
    rows = Product.objects.select_for_update().annotate(clock=Now())
    product = rows.filter(pk=product_id).first()
    if product is None:
        raise UnknownProduct("There is no such product.")
    if expected_version not in {None, product.version}:
        raise VersionMismatch("The product has changed.", version=product.version)
    return product
