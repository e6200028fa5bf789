"""What is told of products of a type: attributes, their choices, and options to choose by."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.catalog.models.slugs import SLUG, is_a_slug
from apps.kernel.ids import new_id

ATTRIBUTE_CODE = r"^[a-z][a-z0-9_]{0,39}\Z"


class Attribute(models.Model):
    """Something that can be told of a product, such as its material. Code and kind are for good."""

    class Kind(models.TextChoices):
        TEXT = "text", "text"
        NUMBER = "number", "number"
        BOOLEAN = "boolean", "yes or no"
        DATE = "date", "date"
        CHOICE = "choice", "one of its choices"
        MULTI_CHOICE = "multi_choice", "some of its choices"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=Kind)
    unit = models.CharField(max_length=20, blank=True, help_text="Of a number, such as cm.")
    is_filterable = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code"], name="attribute_code_is_unique"),
            models.CheckConstraint(
                condition=Q(code__regex=ATTRIBUTE_CODE), name="attribute_code_is_a_code"
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=["text", "number", "boolean", "date", "choice", "multi_choice"]
                ),
                name="attribute_kind_is_known",
            ),
            models.CheckConstraint(
                condition=Q(unit="") | Q(kind="number"),
                name="attribute_unit_is_of_a_number",
                violation_error_message="Only numbers have a unit.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AttributeChoice(models.Model):
    """A value that an attribute may have. Products keep its code."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    attribute = models.ForeignKey(
        Attribute, on_delete=models.CASCADE, related_name="attribute_choices"
    )
    code = models.CharField(max_length=80, validators=[is_a_slug])
    name = models.CharField(max_length=120)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["attribute", "code"], name="attribute_choice_code_is_unique"
            ),
            models.CheckConstraint(
                condition=Q(code__regex=SLUG), name="attribute_choice_code_is_a_slug"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ProductType(models.Model):
    """What products of a kind have in common. Who writes such a product holds the row for that."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    slug = models.CharField(max_length=160, validators=[is_a_slug])
    options = ArrayField(
        models.CharField(max_length=60),
        default=list,
        blank=True,
        help_text="By what the variants of a product differ, such as size, colour.",
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="product_type_slug_is_unique"),
            models.CheckConstraint(
                condition=Q(slug__regex=SLUG), name="product_type_slug_is_a_slug"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ProductTypeAttribute(models.Model):
    """An attribute that products of a type have; without a required one none is published."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product_type = models.ForeignKey(
        ProductType, on_delete=models.CASCADE, related_name="type_attributes", db_index=False
    )
    attribute = models.ForeignKey(
        Attribute, on_delete=models.PROTECT, related_name="type_attributes"
    )
    is_required = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["product_type", "attribute"], name="product_type_has_an_attribute_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_type_id}: {self.attribute_id}"
