"""Everything that changes product types. What products of a type would not fit is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict
from uuid import UUID

from django.db import connection, transaction

from apps.catalog.models import (
    Attribute,
    ChangedInCommon,
    Product,
    ProductType,
    ProductTypeAttribute,
)
from apps.catalog.services.changes import have_changed
from apps.catalog.services.classification import UnfitAttribute
from apps.catalog.services.slugs import refusing_taken, slug_for
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, NotFound, VersionMismatch

UNFIT = """
SELECT EXISTS (
    SELECT FROM catalog_product p WHERE p.type_id = %(type)s AND (
        NOT (p.attributes - %(codes)s::text[]) = '{}'
        OR p.status IN ('published', 'scheduled') AND NOT p.attributes ?& %(required)s::text[]
    )
) OR EXISTS (
    SELECT FROM catalog_variant v JOIN catalog_product p ON p.id = v.product_id
    WHERE p.type_id = %(type)s AND v.is_active AND NOT (
        v.options ?& %(options)s::text[] AND v.options - %(options)s::text[] = '{}'
    )
)
"""


class UnknownType(NotFound):
    """There is no such product type."""

    code = "unknown_type"


class TypeInUse(Conflict):
    """Products of the type would not fit any more, or have nothing to fit to."""

    code = "type_in_use"


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeAttribute:
    """An attribute of a type, by its code."""

    code: str
    is_required: bool = False


class TypeFields(TypedDict, total=False):
    """What may be said about a product type; what is left out stays as it is."""

    name: str
    slug: str
    options: Sequence[str]
    attributes: Sequence[TypeAttribute]


@transaction.atomic
def add_product_type(*, fields: TypeFields) -> ProductType:
    """Make a product type. Without a slug it gets one. Raises SlugTaken, UnfitAttribute."""
    product_type = ProductType(version=0)
    if not fields.get("slug"):
        fields = {**fields, "slug": slug_for(ProductType, fields["name"], longest=160)}
    _write(product_type, fields)
    return product_type


@transaction.atomic
def change_product_type(
    *, type_id: UUID, fields: TypeFields, expected_version: int | None = None
) -> ProductType:
    """Change what `fields` names, as long as the products of the type fit it.

    Raises UnknownType, VersionMismatch, TypeInUse, SlugTaken, UnfitAttribute.
    """
    _write(_locked(type_id, expected_version), fields)
    have_changed(ChangedInCommon.Kind.TYPE, type_id)
    return ProductType.objects.get(pk=type_id)


@transaction.atomic
def remove_product_type(*, type_id: UUID, expected_version: int | None = None) -> None:
    """Delete a type that no product has. Raises UnknownType, VersionMismatch, TypeInUse."""
    product_type = _locked(type_id, expected_version)
    if Product.objects.filter(type=product_type).exists():
        raise TypeInUse("Products are of this type.")
    product_type.delete()
    record("catalog.product_type_removed", about=type_id)


def _locked(type_id: UUID, expected_version: int | None) -> ProductType:
    product_type = ProductType.objects.select_for_update().filter(pk=type_id).first()
    if product_type is None:
        raise UnknownType("There is no such product type.")
    if expected_version not in {None, product_type.version}:
        raise VersionMismatch("The product type has changed.", version=product_type.version)
    return product_type


def _write(product_type: ProductType, fields: TypeFields) -> None:
    product_type.name = fields.get("name", product_type.name)
    product_type.slug = fields.get("slug", product_type.slug)
    product_type.options = list(fields.get("options", product_type.options))
    product_type.version += 1
    with refusing_taken():
        product_type.save()
    if "attributes" in fields:
        _set_attributes(product_type, fields["attributes"])
    if product_type.version > 1:
        _check_products(product_type)
    record(
        "catalog.product_type_written",
        about=product_type.pk,
        after={
            "slug": product_type.slug,
            "options": product_type.options,
            "version": product_type.version,
            "attributes": [each.code for each in fields.get("attributes", ())],
        },
    )


def _set_attributes(product_type: ProductType, wanted: Sequence[TypeAttribute]) -> None:
    named = Attribute.objects.filter(code__in=[each.code for each in wanted])
    held = named.select_for_update(no_key=True).order_by("pk")  # from being removed meanwhile
    ids = dict(held.values_list("code", "pk"))
    if unknown := [each.code for each in wanted if each.code not in ids]:
        raise UnfitAttribute("There is no such attribute.", attribute=unknown[0])
    if len(ids) < len(wanted):
        raise UnfitAttribute("An attribute is named twice.")
    product_type.type_attributes.all().delete()
    ProductTypeAttribute.objects.bulk_create(
        ProductTypeAttribute(
            product_type=product_type,
            attribute_id=ids[each.code],
            is_required=each.is_required,
            position=position,
        )
        for position, each in enumerate(wanted)
    )


def _check_products(product_type: ProductType) -> None:
    attributes = list(product_type.type_attributes.values_list("attribute__code", "is_required"))
    with connection.cursor() as cursor:
        cursor.execute(
            UNFIT,
            {
                "type": product_type.pk,
                "codes": [code for code, _ in attributes],
                "required": [code for code, is_required in attributes if is_required],
                "options": product_type.options,
            },
        )
        (unfit,) = cursor.fetchone()
    if unfit:
        raise TypeInUse("Products of the type would not fit it any more.")
