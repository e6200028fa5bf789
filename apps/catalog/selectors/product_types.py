"""Reads of product types and attributes."""

# ruff: noqa: S611 - the SQL is constant

from typing import Any

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from apps.catalog.models import Attribute, ProductType

CHOICES = """coalesce((
    SELECT json_agg(json_build_object(
        'id', c.id, 'code', c.code, 'name', c.name, 'position', c.position
    ) ORDER BY c.position, c.code)
    FROM catalog_attributechoice c WHERE c.attribute_id = catalog_attribute.id
), '[]')"""

ATTRIBUTES = """coalesce((
    SELECT json_agg(json_build_object(
        'code', a.code, 'name', a.name, 'kind', a.kind, 'unit', a.unit,
        'is_required', ta.is_required
    ) ORDER BY ta.position, a.code)
    FROM catalog_producttypeattribute ta JOIN catalog_attribute a ON a.id = ta.attribute_id
    WHERE ta.product_type_id = catalog_producttype.id
), '[]')"""


def attribute_rows() -> QuerySet[Any, dict[str, Any]]:
    """Return the attributes with their choices, as their documents have them."""
    rows: Any = Attribute.objects.values(
        "id", "code", "name", "kind", "unit", "is_filterable", choices=RawSQL(CHOICES, [])
    )
    return rows


def type_rows() -> QuerySet[Any, dict[str, Any]]:
    """Return the product types with their attributes, as their documents have them."""
    rows: Any = ProductType.objects.values(
        "id", "slug", "name", "options", "version", attributes=RawSQL(ATTRIBUTES, [])
    )
    return rows
