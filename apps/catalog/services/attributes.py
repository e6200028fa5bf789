"""Everything that changes attributes and their choices.

What would leave products with values that mean nothing is refused. Whoever takes something away
locks the attribute and then the types that have it; whoever writes a product holds its type.
"""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.catalog.models import Attribute, AttributeChoice, ChangedInCommon, Product, ProductType
from apps.catalog.services.changes import have_changed
from apps.catalog.services.slugs import refusing_taken, slug_of
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, Invalid, NotFound


class UnknownAttribute(NotFound):
    """There is no such attribute, or it has no such choice."""

    code = "unknown_attribute"


class AttributeInUse(Conflict):
    """Product types have the attribute, or products the choice."""

    code = "attribute_in_use"


class UnfitDefinition(Invalid):
    """Only numbers have a unit, and only attributes to choose from have choices."""

    code = "unfit_definition"


CHOOSING = (Attribute.Kind.CHOICE, Attribute.Kind.MULTI_CHOICE)


@transaction.atomic
def add_attribute(
    *, code: str, name: str, kind: str, unit: str = "", is_filterable: bool = False
) -> Attribute:
    """Make an attribute; code and kind are for good. Raises CodeTaken, UnfitDefinition."""
    if unit and kind != Attribute.Kind.NUMBER:
        raise UnfitDefinition("Only numbers have a unit.")
    attribute = Attribute(code=code, name=name, kind=kind, unit=unit, is_filterable=is_filterable)
    with refusing_taken():
        attribute.save(force_insert=True)
    record("catalog.attribute_added", about=attribute.pk, after={"code": code, "kind": kind})
    return attribute


@transaction.atomic
def change_attribute(*, attribute_id: UUID, **changes: Any) -> None:
    """Change name, unit or whether lists are filtered by it; its products have changed then.

    Raises UnknownAttribute, UnfitDefinition.
    """
    attribute = _locked(attribute_id)
    if changes.get("unit") and attribute.kind != Attribute.Kind.NUMBER:
        raise UnfitDefinition("Only numbers have a unit.")
    before = {name: getattr(attribute, name) for name in changes}
    Attribute.objects.filter(pk=attribute_id).update(**changes)
    have_changed(ChangedInCommon.Kind.ATTRIBUTE, attribute_id)
    record("catalog.attribute_changed", about=attribute_id, before=before, after=changes)


@transaction.atomic
def remove_attribute(*, attribute_id: UUID) -> None:
    """Delete an attribute that no product type has. Raises UnknownAttribute, AttributeInUse."""
    _locked(attribute_id)
    removed, _ = Attribute.objects.filter(pk=attribute_id, type_attributes=None).delete()
    if not removed:
        raise AttributeInUse("Product types have this attribute.")
    record("catalog.attribute_removed", about=attribute_id)


@transaction.atomic
def add_choice(
    *, attribute_id: UUID, name: str, code: str = "", position: int = 0
) -> AttributeChoice:
    """Give an attribute one more choice. Raises UnknownAttribute, UnfitDefinition, CodeTaken."""
    attribute = _locked(attribute_id)
    if attribute.kind not in CHOOSING:
        raise UnfitDefinition("Only attributes to choose from have choices.")
    code = code or slug_of(name, longest=80)
    if not code:
        raise UnfitDefinition("The name makes no code: give one.")
    choice = AttributeChoice(attribute=attribute, code=code, name=name, position=position)
    with refusing_taken():
        choice.save(force_insert=True)
    record("catalog.attribute_choice_added", about=attribute_id, after={"code": code})
    return choice


@transaction.atomic
def change_choice(*, attribute_id: UUID, choice_id: UUID, **changes: Any) -> None:
    """Change the name or the place of a choice. Raises UnknownAttribute."""
    attribute = _locked(attribute_id)
    choices = AttributeChoice.objects.filter(pk=choice_id, attribute=attribute)
    if not choices.exists():
        raise UnknownAttribute("The attribute has no such choice.")
    choices.update(**changes)
    have_changed(ChangedInCommon.Kind.ATTRIBUTE, attribute_id)
    record("catalog.attribute_choice_changed", about=attribute_id, after=changes)


@transaction.atomic
def remove_choice(*, attribute_id: UUID, choice_id: UUID) -> None:
    """Take back a choice that no product has made. Raises UnknownAttribute, AttributeInUse."""
    attribute = _locked(attribute_id)
    choice = AttributeChoice.objects.filter(pk=choice_id, attribute=attribute).first()
    if choice is None:
        raise UnknownAttribute("The attribute has no such choice.")
    types = ProductType.objects.filter(type_attributes__attribute=attribute)
    list(types.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
    made = Q(attributes__contains={attribute.code: choice.code})
    made |= Q(attributes__contains={attribute.code: [choice.code]})
    if Product.objects.filter(made).exists():
        raise AttributeInUse("Products have this value.")
    choice.delete()
    record("catalog.attribute_choice_removed", about=attribute_id, before={"code": choice.code})


def _locked(attribute_id: UUID) -> Attribute:
    attribute = Attribute.objects.select_for_update().filter(pk=attribute_id).first()
    if attribute is None:
        raise UnknownAttribute("There is no such attribute.")
    return attribute
