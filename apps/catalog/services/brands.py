"""Everything that changes brands."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from apps.catalog.models import Brand
from apps.catalog.services.slugs import free_slug


def brand_ids(*, references: Iterable[str]) -> dict[str, UUID]:
    """Return the brands by slug or by name in any case; what is missing is made by that name."""
    wanted = sorted(set(references))
    known = _known(wanted)
    if missing := [name for name in wanted if name not in known]:
        taken = set(Brand.objects.values_list("slug", flat=True))
        Brand.objects.bulk_create(
            [Brand(name=name, slug=free_slug([name], taken, longest=160)) for name in missing],
            ignore_conflicts=True,
        )
        known |= _known(missing)
    return known


def _known(references: list[str]) -> dict[str, UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT wanted.name, b.id FROM unnest(%(wanted)s::text[]) AS wanted(name)
            JOIN catalog_brand b ON b.slug = wanted.name
            UNION ALL SELECT wanted.name, b.id FROM unnest(%(wanted)s::text[]) AS wanted(name)
            JOIN catalog_brand b ON upper(b.name) = upper(wanted.name)
            """,
            {"wanted": references},
        )
        return dict(cursor.fetchall())
