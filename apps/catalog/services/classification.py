"""Whether a product fits its type: attributes of the right kinds, variants by the right options."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from apps.catalog.models import Attribute, Product, ProductType, Variant
from apps.kernel.errors import Invalid

LONGEST_TEXT, LARGEST_NUMBER = 500, 10**12
DEFINITIONS = """
SELECT t.id, t.slug, t.options, coalesce((
    SELECT json_agg(json_build_object(
        'code', a.code, 'kind', a.kind, 'is_required', ta.is_required,
        'choices', array(
            SELECT c.code FROM catalog_attributechoice c
            WHERE c.attribute_id = a.id ORDER BY c.position, c.code
        )
    ))
    FROM catalog_producttypeattribute ta JOIN catalog_attribute a ON a.id = ta.attribute_id
    WHERE ta.product_type_id = t.id
), '[]')
FROM catalog_producttype t WHERE t.id = ANY(%s::uuid[])
"""


class UnknownProductType(Invalid):
    """There is no such product type."""

    code = "unknown_product_type"


class UnfitAttribute(Invalid):
    """The product's type has no such attribute, or the value is not of its kind."""

    code = "unfit_attribute"


class AttributeMissing(Invalid):
    """A product is published with all attributes that its type requires."""

    code = "attribute_missing"


class UnfitOptions(Invalid):
    """Each variant names the options of the product's type, and no two name the same."""

    code = "unfit_options"


@dataclass(frozen=True, slots=True)
class Definition:
    """A product type, as it is while the transaction lasts."""

    id: UUID
    options: Sequence[str]
    attributes: Mapping[str, Mapping[str, Any]]


def type_id_of(reference: str | UUID) -> UUID:
    """Return the id of the product type with this id or slug. Raises UnknownProductType."""
    by = "pk" if isinstance(reference, UUID) else "slug"
    found = ProductType.objects.filter(**{by: reference}).values_list("pk", flat=True).first()
    if found is None:
        raise UnknownProductType("There is no such product type.", type=str(reference))
    return found


def check_fit(product: Product, variants: Iterable[Variant]) -> None:
    """Bring the product's attributes into their form, if all of it fits the product's type.

    The type stays as it is until the transaction ends. A product without a type has no attributes,
    and any options. Raises UnfitAttribute, AttributeMissing, UnfitOptions.
    """
    definition = None
    if product.type_id is not None:
        definition = next(iter(definitions_of(ids=[product.type_id]).values()), None)
        if definition is None:
            raise UnknownProductType("There is no such product type.", type=str(product.type_id))
    product.attributes = fitting(definition, product.attributes)
    check_complete(
        definition,
        status=product.status,
        attributes=product.attributes,
        options=[(each.sku, each.options) for each in variants if each.is_active],
    )


def definitions_of(*, ids: Sequence[UUID] = (), slugs: Sequence[str] = ()) -> dict[str, Definition]:
    """Return product types by their slugs; they stay as they are until the transaction ends."""
    with connection.cursor() as cursor:
        # Whoever takes something away from a type waits, or is waited for: so the lock comes
        # first, in a statement of its own.
        cursor.execute(
            """
            SELECT id FROM catalog_producttype WHERE id = ANY(%s::uuid[]) OR slug = ANY(%s)
            ORDER BY id FOR SHARE
            """,
            [list(ids), list(slugs)],
        )
        cursor.execute(DEFINITIONS, [[pk for (pk,) in cursor.fetchall()]])
        return {
            slug: Definition(pk, options, {each["code"]: each for each in attributes})
            for pk, slug, options, attributes in cursor.fetchall()
        }


def fitting(definition: Definition | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes in their form; None stands for no type. Raises UnfitAttribute."""
    if values and definition is None:
        raise UnfitAttribute("Only products of a type have attributes.")
    attributes = definition.attributes if definition else {}
    for code in values:
        if code not in attributes:
            raise UnfitAttribute("The product's type has no such attribute.", attribute=code)
    return {code: _value(attributes[code], value) for code, value in values.items()}


def check_complete(
    definition: Definition | None,
    *,
    status: str,
    attributes: Mapping[str, Any],
    options: Iterable[tuple[str, Mapping[str, str]]],
) -> None:
    """Refuse a product that lacks something; `options` are by SKU, of what is for sale.

    Raises AttributeMissing, UnfitOptions.
    """
    if definition and status in {Product.Status.PUBLISHED, Product.Status.SCHEDULED}:
        for code, attribute in definition.attributes.items():
            if attribute["is_required"] and code not in attributes:
                raise AttributeMissing("A published product needs this.", attribute=code)
    taken: list[Mapping[str, str]] = []
    for sku, chosen in options:
        if definition and set(chosen) != set(definition.options):
            raise UnfitOptions(
                "A variant names exactly the options of the product's type.",
                sku=sku,
                options=list(definition.options),
            )
        if chosen and chosen in taken:
            raise UnfitOptions("Another variant has the same options.", sku=sku)
        taken.append(chosen)


def _value(attribute: Mapping[str, Any], value: Any) -> Any:
    code, kind, choices = attribute["code"], attribute["kind"], attribute["choices"]
    match kind, value:
        case Attribute.Kind.TEXT, str() if 0 < len(value.strip()) <= LONGEST_TEXT:
            return value.strip()
        case Attribute.Kind.BOOLEAN, bool():
            return value
        case Attribute.Kind.NUMBER, int() | float() if (
            not isinstance(value, bool) and math.isfinite(value) and abs(value) <= LARGEST_NUMBER
        ):
            return value
        case Attribute.Kind.DATE, str() if _is_a_date(value):
            return value
        case Attribute.Kind.CHOICE, str() if value in choices:
            return value
        case Attribute.Kind.MULTI_CHOICE, [_, *_] if all(
            isinstance(each, str) for each in value
        ) and set(value) <= set(choices):
            return [choice for choice in choices if choice in value]
    raise UnfitAttribute("The value does not fit the attribute.", attribute=code, kind=kind)


def _is_a_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
