"""What is sold: brands, products and their variants."""

import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import MD5, Cast, Now, Upper
from django.db.models.lookups import Exact

from apps.catalog.models.categories import Category
from apps.catalog.models.product_types import ProductType
from apps.catalog.models.ratings import PRIOR_STARS, rating_is_left_to_reviews
from apps.catalog.models.slugs import SLUG, is_a_slug, keeps_former_slugs
from apps.catalog.models.tags import Tag
from apps.catalog.pricing import FIRST_NOTE, NOTED, noting
from apps.kernel.ids import new_id

CURRENCY = r"^[A-Z]{3}\Z"
SKU = r"^[!-~]{1,64}\Z"
is_a_sku = RegexValidator(SKU, "Use up to 64 visible ASCII characters, no spaces.", code="sku")
TAX_CLASS = r"^([a-z0-9]+(-[a-z0-9]+)*)?\Z"
is_a_tax_class = RegexValidator(
    TAX_CLASS, "Use small letters, digits and single hyphens.", code="tax_class"
)


def _is_an_object(column: str) -> Exact:
    kind = Func(F(column), function="jsonb_typeof", output_field=models.TextField())
    return Exact(kind, Value("object"))


class Brand(models.Model):
    """Who makes a product."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    slug = models.CharField(max_length=160, validators=[is_a_slug])

    class Meta:
        constraints = [
            models.UniqueConstraint(Upper("name"), name="brand_name_is_unique_in_any_case"),
            models.UniqueConstraint(fields=["slug"], name="brand_slug_is_unique"),
            models.CheckConstraint(condition=Q(slug__regex=SLUG), name="brand_slug_is_a_slug"),
        ]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """Something with a page of its own; what is bought is one of its variants.

    The prices here are those of the cheapest active variant, copied by the services in the
    transaction that changes a variant, so that lists can be sorted and filtered by an index.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "draft"
        SCHEDULED = "scheduled", "scheduled"
        PUBLISHED = "published", "published"
        ARCHIVED = "archived", "archived"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.CharField(max_length=220, validators=[is_a_slug])
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, max_length=20_000)
    brand = models.ForeignKey(
        Brand, null=True, blank=True, on_delete=models.PROTECT, related_name="products"
    )
    category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.PROTECT, related_name="products"
    )
    type = models.ForeignKey(
        ProductType,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="products",
        db_index=False,
    )
    attributes = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="Value by code, of those of the type."
    )
    tags = models.ManyToManyField(Tag, blank=True, related_name="products")
    seo_title = models.CharField(max_length=120, blank=True, db_default="")
    seo_description = models.CharField(max_length=320, blank=True, db_default="")
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    published_at = models.DateTimeField(null=True, editable=False)
    publish_at = models.DateTimeField(null=True, blank=True, help_text="Of a scheduled product.")
    unpublish_at = models.DateTimeField(
        null=True, blank=True, help_text="When it leaves the shop again."
    )
    package_size = models.CharField(max_length=60, blank=True)
    tax_class = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        validators=[is_a_tax_class],
        help_text="Code of the tax class; empty, or unknown there: the default one.",
    )
    external_ref = models.CharField(
        max_length=80, blank=True, help_text="Where an import found it; unique when set."
    )
    currency = models.CharField(max_length=3, editable=False)
    price_from_minor = models.BigIntegerField(null=True, editable=False)
    compare_at_minor = models.BigIntegerField(null=True, editable=False)
    lowest_minor = models.BigIntegerField(
        null=True, editable=False, help_text="In the 30 days before the reduction."
    )
    rating_average = models.DecimalField(max_digits=3, decimal_places=2, default=0, editable=False)
    rating_count = models.PositiveIntegerField(default=0, editable=False)
    rating_stars = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    rating_score = models.FloatField(
        default=PRIOR_STARS,
        db_default=PRIOR_STARS,
        editable=False,
        help_text="By which lists are sorted; kept by the database like all of the rating.",
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="product_slug_is_unique"),
            models.UniqueConstraint(
                fields=["external_ref"],
                condition=~Q(external_ref=""),
                name="product_external_ref_is_unique",
            ),
            models.CheckConstraint(condition=Q(slug__regex=SLUG), name="product_slug_is_a_slug"),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "scheduled", "published", "archived"]),
                name="product_status_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(status="published")
                | Q(
                    category__isnull=False,
                    price_from_minor__isnull=False,
                    published_at__isnull=False,
                ),
                name="product_published_has_category_price_and_date",
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=CURRENCY), name="product_currency_is_a_code"
            ),
            models.CheckConstraint(
                condition=Q(price_from_minor=None) | Q(price_from_minor__gte=0),
                name="product_price_is_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(compare_at_minor=None)
                | Q(price_from_minor__isnull=False, compare_at_minor__gt=F("price_from_minor")),
                name="product_compare_at_is_higher",
            ),
            models.CheckConstraint(
                condition=Q(rating_average__gte=0, rating_average__lte=5),
                name="product_rating_is_0_to_5",
            ),
            models.CheckConstraint(
                condition=Q(
                    rating_stars__gte=F("rating_count"), rating_stars__lte=F("rating_count") * 5
                ),
                name="product_rating_has_1_to_5_stars_a_review",
            ),
            models.CheckConstraint(
                condition=Q(version__gte=1), name="product_version_starts_at_one"
            ),
            models.CheckConstraint(
                condition=_is_an_object("attributes"), name="product_attributes_are_an_object"
            ),
            models.CheckConstraint(
                condition=Q(type__isnull=False) | Q(attributes={}),
                name="product_attributes_are_those_of_a_type",
            ),
            models.CheckConstraint(
                condition=~Q(status="scheduled")
                | Q(
                    category__isnull=False,
                    price_from_minor__isnull=False,
                    publish_at__isnull=False,
                ),
                name="product_scheduled_has_category_price_and_date",
            ),
            models.CheckConstraint(
                condition=Q(unpublish_at=None)
                | Q(publish_at=None)
                | Q(unpublish_at__gt=F("publish_at")),
                name="product_ends_after_it_began",
            ),
            models.CheckConstraint(
                condition=Q(tax_class__regex=TAX_CLASS), name="product_tax_class_is_a_code"
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at", "id"],
                name="product_published_by_age",
                condition=Q(status="published"),
            ),
            models.Index(
                fields=["category", "created_at", "id"],
                name="product_published_in_category",
                condition=Q(status="published"),
            ),
            models.Index(
                fields=["category", "price_from_minor", "id"],
                name="product_in_category_by_price",
                condition=Q(status="published"),
            ),
            models.Index(
                fields=["price_from_minor", "id"],
                name="product_published_by_price",
                condition=Q(status="published"),
            ),
            models.Index(
                fields=["name", "id"],
                name="product_published_by_name",
                condition=Q(status="published"),
            ),
            models.Index(
                fields=["rating_score", "id"],
                name="product_published_by_rating",
                condition=Q(status="published"),
            ),
            models.Index(fields=["type"], name="product_by_type"),
            models.Index(
                fields=["publish_at"],
                name="product_to_publish",
                condition=Q(status="scheduled"),
            ),
            models.Index(
                fields=["unpublish_at"],
                name="product_to_unpublish",
                condition=Q(status="published", unpublish_at__isnull=False),
            ),
            GinIndex(
                fields=["attributes"], opclasses=["jsonb_path_ops"], name="product_by_attributes"
            ),
        ]
        triggers = [
            rating_is_left_to_reviews,
            keeps_former_slugs(of="product", when="OLD.published_at IS NOT NULL"),
            pgtrigger.Trigger(
                name="prices_are_noted_when_published",
                operation=pgtrigger.Update,
                when=pgtrigger.After,
                condition=pgtrigger.Condition(
                    "((OLD.status = 'published') <> (NEW.status = 'published'))"
                ),
                declare=NOTED,
                func=noting("SELECT id FROM catalog_variant WHERE product_id = NEW.id"),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Variant(models.Model):
    """What is bought: one SKU of a product. Never deleted, because orders name it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="variants")
    sku = models.CharField(max_length=64, validators=[is_a_sku])
    name = models.CharField(
        max_length=120, blank=True, help_text="What is added to the product's name, such as Large."
    )
    options = models.JSONField(default=dict, blank=True)
    price_minor = models.BigIntegerField(null=True, blank=True)
    compare_at_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, editable=False)
    position = models.PositiveIntegerField(default=0)
    weight_grams = models.PositiveIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Upper("sku"),
                name="variant_sku_is_unique_in_any_case",
                violation_error_message="There is a variant with this SKU.",
            ),
            models.UniqueConstraint(
                "product",
                MD5(Cast("options", models.TextField())),
                condition=Q(is_active=True) & ~Q(options={}),
                name="variant_options_are_unique_in_a_product",
                violation_error_message="Another variant of the product has these options.",
            ),
            models.CheckConstraint(
                condition=Q(sku__regex=SKU), name="variant_sku_is_visible_ascii"
            ),
            models.CheckConstraint(
                condition=Q(price_minor=None) | Q(price_minor__gte=0),
                name="variant_price_is_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(price_minor__isnull=False),
                name="variant_active_has_a_price",
                violation_error_message="What is for sale needs a price.",
            ),
            models.CheckConstraint(
                condition=Q(compare_at_minor=None)
                | Q(price_minor__isnull=False, compare_at_minor__gt=F("price_minor")),
                name="variant_compare_at_is_higher",
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=CURRENCY), name="variant_currency_is_a_code"
            ),
            models.CheckConstraint(
                condition=_is_an_object("options")
                & Func(
                    F("options"),
                    template="""NOT jsonb_path_exists(
                        %(expressions)s, '$.* ? (@.type() != "string")')""",
                    output_field=models.BooleanField(),
                ),
                name="variant_options_are_strings",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="first_prices_are_noted",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                level=pgtrigger.Statement,
                referencing=pgtrigger.Referencing(new="fresh"),
                func=FIRST_NOTE,
            ),
            pgtrigger.Trigger(
                name="prices_are_noted",
                operation=pgtrigger.Update,
                when=pgtrigger.After,
                condition=pgtrigger.Condition(
                    "((OLD.price_minor, OLD.compare_at_minor, OLD.is_active)"
                    " IS DISTINCT FROM (NEW.price_minor, NEW.compare_at_minor, NEW.is_active))"
                ),
                declare=NOTED,
                func=noting("NEW.id"),
            ),
        ]

    def __str__(self) -> str:
        return self.sku
