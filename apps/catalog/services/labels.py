"""Everything that changes brands and tags: names that products have in common."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Model

from apps.catalog.models import Brand, ChangedInCommon, Tag
from apps.catalog.services.changes import have_changed
from apps.catalog.services.slugs import free_slug, refusing_taken, slug_for
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, NotFound

Label = type[Brand] | type[Tag]


class UnknownLabel(NotFound):
    """There is no such brand or tag."""

    code = "unknown_label"


class LabelInUse(Conflict):
    """Products have this brand or tag."""

    code = "label_in_use"


def brand_ids(*, references: Iterable[str]) -> dict[str, UUID]:
    """Return the brands by slug or by name in any case; what is missing is made by that name."""
    return _ids(Brand, references)


def tag_ids(*, references: Iterable[str]) -> dict[str, UUID]:
    """Return the tags by slug or by name in any case; what is missing is made by that name."""
    return _ids(Tag, references)


@transaction.atomic
def add_label(*, kind: Label, name: str, slug: str = "") -> UUID:
    """Make a brand or a tag. Without a slug it gets one. Raises NameTaken, SlugTaken."""
    label = kind(name=name, slug=slug or slug_for(kind, name, longest=_longest(kind)))
    with refusing_taken():
        label.save(force_insert=True)
    record(f"catalog.{_word(kind)}_added", about=label.pk, after={"name": name, "slug": label.slug})
    return label.pk


@transaction.atomic
def change_label(*, kind: Label, label_id: UUID, **changes: str) -> None:
    """Give a brand or a tag another name or slug; products that have it have changed then.

    Raises UnknownLabel, NameTaken, SlugTaken.
    """
    rows: Any = kind._default_manager
    before = rows.select_for_update().filter(pk=label_id).values("name", "slug").first()
    if before is None:
        raise UnknownLabel("There is no such brand or tag.")
    with refusing_taken():
        rows.filter(pk=label_id).update(**changes)
    common = ChangedInCommon.Kind
    have_changed(common.BRAND if kind is Brand else common.TAG, label_id)
    changed = {name: value for name, value in changes.items() if value != before[name]}
    record(
        f"catalog.{_word(kind)}_changed",
        about=label_id,
        before={name: before[name] for name in changed},
        after=changed,
    )


@transaction.atomic
def remove_label(*, kind: Label, label_id: UUID) -> None:
    """Delete a brand or a tag that no product has. Raises UnknownLabel, LabelInUse."""
    rows: Any = kind._default_manager
    # Products that are given it right now hold the row, and the next statement sees them.
    if not rows.select_for_update().filter(pk=label_id).exists():
        raise UnknownLabel("There is no such brand or tag.")
    removed, _ = rows.filter(pk=label_id, products=None).delete()
    if not removed:
        raise LabelInUse("Products have this brand or tag.")
    record(f"catalog.{_word(kind)}_removed", about=label_id)


def _word(kind: type[Model]) -> str:
    return str(kind._meta.model_name)


def _longest(kind: Label) -> int:
    return int(kind._meta.get_field("slug").max_length or 0)


def _ids(kind: Label, references: Iterable[str]) -> dict[str, UUID]:
    rows: Any = kind._default_manager
    wanted = sorted(set(references))
    known = _known(kind, wanted)
    if missing := [name for name in wanted if name not in known]:
        taken = set(rows.values_list("slug", flat=True))
        made = [
            kind(name=name, slug=free_slug([name], taken, longest=_longest(kind)))
            for name in missing
        ]
        rows.bulk_create(made, ignore_conflicts=True)
        known |= _known(kind, missing)
    return known


def _known(kind: Label, references: list[str]) -> dict[str, UUID]:
    table = kind._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT found.name, held.id FROM (
                SELECT wanted.name, l.id FROM unnest(%(wanted)s::text[]) AS wanted(name)
                JOIN {table} l ON l.slug = wanted.name
                UNION ALL SELECT wanted.name, l.id FROM unnest(%(wanted)s::text[]) AS wanted(name)
                JOIN {table} l ON upper(l.name) = upper(wanted.name)
            ) found JOIN {table} held ON held.id = found.id
            FOR SHARE OF held
            """,  # noqa: S608 - the table is one of two
            {"wanted": references},
        )
        return dict(cursor.fetchall())
