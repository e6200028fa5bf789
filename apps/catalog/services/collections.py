"""Everything that changes collections."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.catalog.models import (
    Attribute,
    Brand,
    Category,
    Collection,
    CollectionProduct,
    Product,
    Tag,
)
from apps.catalog.services.slugs import refusing_taken, slug_for
from apps.kernel.audit import record
from apps.kernel.converters import reference_of
from apps.kernel.errors import Conflict, Invalid, NotFound, VersionMismatch


class UnknownCollection(NotFound):
    """There is no such collection."""

    code = "unknown_collection"


class UnfitRule(Invalid):
    """A rule names what does not exist, or a collection has rules that shall have none."""

    code = "unfit_rule"


class UnknownProducts(Invalid):
    """A product that is named does not exist, or is named twice."""

    code = "unknown_products"


class ChosenByRules(Conflict):
    """The products of the collection follow from its rules."""

    code = "chosen_by_rules"


class CollectionFields(TypedDict, total=False):
    """What may be said about a collection; what is left out stays as it is."""

    name: str
    slug: str
    description: str
    seo_title: str
    seo_description: str
    kind: str
    match: str
    rules: Sequence[Mapping[str, Any]]


@transaction.atomic
def add_collection(*, fields: CollectionFields) -> Collection:
    """Make a collection. Without a slug it gets one. Raises SlugTaken, UnfitRule."""
    if not fields.get("slug"):
        fields = {**fields, "slug": slug_for(Collection, fields["name"], longest=160)}
    collection = Collection(version=0)
    _write(collection, fields)
    return collection


@transaction.atomic
def change_collection(
    *, collection_id: UUID, fields: CollectionFields, expected_version: int | None = None
) -> None:
    """Change what `fields` names. One that is by rules from now on forgets what was chosen.

    Raises UnknownCollection, VersionMismatch, SlugTaken, UnfitRule.
    """
    _write(_locked(collection_id, expected_version), fields)


@transaction.atomic
def remove_collection(*, collection_id: UUID, expected_version: int | None = None) -> None:
    """Delete a collection; its products stay. Raises UnknownCollection, VersionMismatch."""
    _locked(collection_id, expected_version).delete()
    record("catalog.collection_removed", about=collection_id)


@transaction.atomic
def choose_products(
    *, collection_id: UUID, products: Sequence[str], expected_version: int | None = None
) -> None:
    """Put these products, by id or slug, into the collection, in this order, and no others.

    Raises UnknownCollection, VersionMismatch, ChosenByRules, UnknownProducts.
    """
    collection = _locked(collection_id, expected_version)
    if collection.kind == Collection.Kind.RULE:
        raise ChosenByRules("The products of the collection follow from its rules.")
    ids = product_ids(products)
    collection.entries.all().delete()
    CollectionProduct.objects.bulk_create(
        CollectionProduct(collection=collection, product_id=pk, position=position)
        for position, pk in enumerate(ids)
    )
    collection.version += 1
    collection.save()
    record("catalog.collection_filled", about=collection_id, after={"products": len(ids)})


def product_ids(references: Sequence[str]) -> list[UUID]:
    """Return the ids of products by id or slug, in order. Raises UnknownProducts."""
    named = [reference_of(each) for each in references]
    found = Product.objects.filter(
        Q(pk__in=[each for each in named if isinstance(each, UUID)])
        | Q(slug__in=[each for each in named if isinstance(each, str)])
    ).values_list("pk", "slug")
    known: dict[UUID | str | None, UUID] = {}
    for pk, slug in found:
        known |= {pk: pk, slug: pk}
    if missing := [str(each) for each in named if each not in known]:
        raise UnknownProducts("There is no such product.", product=missing[0])
    ids = [known[each] for each in named]
    if len(set(ids)) < len(ids):
        raise UnknownProducts("A product is named twice.")
    return ids


def _write(collection: Collection, fields: CollectionFields) -> None:
    for name, value in fields.items():
        setattr(collection, name, value)
    if (collection.kind == Collection.Kind.RULE) != bool(collection.rules):
        raise UnfitRule("A collection by rules has some, and one by hand has none.")
    if "rules" in fields:
        collection.rules = [_resolved(rule) for rule in fields["rules"]]
    collection.version += 1
    with refusing_taken():
        collection.save()
    if collection.kind == Collection.Kind.RULE:
        collection.entries.all().delete()
    record(
        "catalog.collection_written",
        about=collection.pk,
        after={"slug": collection.slug, "kind": collection.kind, "version": collection.version},
    )


def _locked(collection_id: UUID, expected_version: int | None) -> Collection:
    collection = Collection.objects.select_for_update().filter(pk=collection_id).first()
    if collection is None:
        raise UnknownCollection("There is no such collection.")
    if expected_version not in {None, collection.version}:
        raise VersionMismatch("The collection has changed.", version=collection.version)
    return collection


def _resolved(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rule with ids instead of slugs, which may change."""
    ((name, value),) = rule.items()
    match name:
        case "category":
            return {name: _ids_of(Category, [value])[0]}
        case "brands":
            return {name: _ids_of(Brand, value)}
        case "tags":
            return {name: _ids_of(Tag, value)}
        case "attribute" if not Attribute.objects.filter(code=value["code"]).exists():
            raise UnfitRule("There is no such attribute.", attribute=value["code"])
        case _:
            return {name: value}


def _ids_of(kind: type[Category | Brand | Tag], references: Sequence[str]) -> list[str]:
    rows: Any = kind._default_manager
    ids = []
    for reference in references:
        key = reference_of(reference)
        by = "pk" if isinstance(key, UUID) else "slug"
        pk = rows.filter(**{by: key}).values_list("pk", flat=True).first()
        if pk is None:
            raise UnfitRule("A rule names what does not exist.", reference=reference)
        ids.append(str(pk))
    return ids
