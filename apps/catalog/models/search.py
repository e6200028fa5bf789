"""What PostgreSQL's search reads: products as one document each, their facets, their words."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q

from apps.catalog.models.products import Product


class SearchFacet(models.Model):
    """Something that hits can be narrowed by, with a small number that entries know it by.

    `reference` is what stays: the id of a category or brand, the value of an attribute. `value` is
    what the filter takes and `label` what people read; they follow a new slug or name.
    """

    CATEGORY, BRAND, ATTRIBUTE = "category", "brand", "attribute:"

    id = models.AutoField(primary_key=True)
    facet = models.CharField(max_length=80, help_text="category, brand, or attribute:CODE")
    reference = models.CharField(max_length=200)
    value = models.CharField(max_length=200)
    label = models.CharField(max_length=200)
    words = SearchVectorField(null=True, help_text="The words of the label.")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["facet", "reference"], name="search_facet_is_known_once"
            ),
        ]
        indexes = [
            models.Index(fields=["facet", "value"], name="search_facet_by_value"),
            GinIndex(fields=["words"], name="search_facet_by_word", fastupdate=False),
        ]

    def __str__(self) -> str:
        return f"{self.facet} {self.label}"


class SearchEntry(models.Model):
    """A published product as the search knows it. Written by services/search_index.py alone."""

    product = models.OneToOneField(Product, primary_key=True, on_delete=models.CASCADE)
    version = models.BigIntegerField(help_text="Of the sequence catalog_search_version.")
    name = models.CharField(max_length=200)
    document = SearchVectorField()
    facets = ArrayField(
        models.IntegerField(), help_text="Rows of SearchFacet; below 0 availability and price."
    )
    sold_out = models.BooleanField(db_default=False)
    price_minor = models.BigIntegerField()
    rating = models.FloatField()
    popularity = models.FloatField(help_text="What the rank of the text is multiplied by.")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(popularity__gt=0), name="search_entry_popularity_is_positive"
            ),
        ]
        indexes = [
            # An import's entries are put into it together; up to then each search reads them, too.
            GinIndex(
                fields=["document", "facets"],
                name="search_entry_by_word",
                gin_pending_list_limit=1024,
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SearchWord(models.Model):
    """A word that products use: what partial and misspelt words are looked up in."""

    word = models.CharField(max_length=40, primary_key=True, db_collation="C")
    stem = models.CharField(max_length=40)
    # The word less each one of its letters: words one typo apart have one of these in common.
    shortened = ArrayField(models.CharField(max_length=40))
    products = models.PositiveIntegerField(db_default=1, help_text="As last counted.")

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["stem"], name="search_word_by_stem"),
            GinIndex(
                OpClass(F("word"), name="gin_trgm_ops"),
                name="search_word_by_part",
                fastupdate=False,
            ),
            GinIndex(fields=["shortened"], name="search_word_by_typo", fastupdate=False),
        ]

    def __str__(self) -> str:
        return self.word
