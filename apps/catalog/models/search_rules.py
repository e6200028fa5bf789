"""What staff tell the search, and what it tells them: rules, and how often was looked for what."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.catalog.models.categories import Category
from apps.catalog.models.products import Brand, Product
from apps.kernel.ids import new_id

# A path of this store: never the address of another one.
PATH = r"^/([!-.0-\[\]-~][!-\[\]-~]*)?\Z"


class SearchSynonym(models.Model):
    """Words that mean the same. One-way: who looks for the first term finds the others, too."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    terms = ArrayField(models.CharField(max_length=100))
    stems = ArrayField(models.CharField(max_length=200), editable=False)
    two_way = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        default_permissions = ("add", "change", "delete", "view")
        constraints = [
            models.CheckConstraint(
                condition=Q(terms__len__gte=2, terms__len__lte=20, stems__len__gte=2),
                name="search_synonym_has_two_to_twenty_terms",
            ),
        ]

    def __str__(self) -> str:
        return (" = " if self.two_way else " → ").join(self.terms)


class SearchBoost(models.Model):
    """What comes further up or down: in the searches for `query`, or in all of them without one.

    The rank is multiplied by `weight`; what is pinned comes first whether it fits or not.
    """

    LEAST, MOST = 0.01, 100

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    query = models.CharField(max_length=200, blank=True, help_text="Nothing: in every search.")
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    brand = models.ForeignKey(
        Brand, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    weight = models.FloatField(
        default=1, help_text="Below 1 it comes later (0.01 buries it), above 1 sooner."
    )
    pinned = models.BooleanField(
        default=False, help_text="A product for one query: it comes first, whether it fits or not."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        default_permissions = ("add", "change", "delete", "view")
        constraints = [
            models.CheckConstraint(
                condition=Q(product__isnull=False, category=None, brand=None)
                | Q(product=None, category__isnull=False, brand=None)
                | Q(product=None, category=None, brand__isnull=False),
                name="search_boost_is_of_one_thing",
                violation_error_message="Choose one of product, category and brand.",
            ),
            models.CheckConstraint(
                condition=Q(weight__gte=0.01, weight__lte=100),
                name="search_boost_weight_is_bounded",
                violation_error_message="A weight is between 0.01 and 100.",
            ),
            models.CheckConstraint(
                condition=Q(pinned=False) | Q(product__isnull=False) & ~Q(query=""),
                name="search_boost_pins_a_product_for_a_query",
                violation_error_message="What is pinned is a product, for one query.",
            ),
        ]
        indexes = [models.Index(fields=["query"], name="search_boost_by_query")]

    def __str__(self) -> str:
        return f"{self.query or 'every search'}: {'pinned' if self.pinned else self.weight}"


class SearchRedirect(models.Model):
    """A page of the store where everybody is sent who looks for exactly this."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    query = models.CharField(max_length=200)
    path = models.CharField(max_length=500)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        default_permissions = ("add", "change", "delete", "view")
        constraints = [
            models.UniqueConstraint(
                fields=["query"],
                name="search_redirect_is_one_per_query",
                violation_error_message="There is a redirect for this query.",
            ),
            models.CheckConstraint(condition=~Q(query=""), name="search_redirect_has_a_query"),
            models.CheckConstraint(
                condition=Q(path__regex=PATH),
                name="search_redirect_stays_in_the_store",
                violation_error_message="A path of this store begins with one slash.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.query} → {self.path}"


class SearchCount(models.Model):
    """How often something was looked for on a day, and how much was there the last time.

    Nobody's: neither who asked nor when on that day is kept.
    """

    day = models.DateField()
    query = models.CharField(max_length=100, db_collation="C")
    times = models.PositiveIntegerField()
    results = models.PositiveIntegerField()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["query", "day"], name="search_count_is_one_per_day"),
            models.CheckConstraint(condition=Q(times__gt=0), name="search_count_is_positive"),
        ]
        indexes = [
            models.Index(fields=["day"], name="search_count_by_day"),
        ]

    def __str__(self) -> str:
        return self.query
