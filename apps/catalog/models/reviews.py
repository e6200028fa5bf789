"""What customers say of products, and what others say of that."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.catalog.models.contributions import Contribution, moderated, queue
from apps.catalog.models.products import Product
from apps.catalog.models.ratings import counts_in_the_rating


class Purchase(models.Model):
    """A customer has bought a product and got it. Orders tell; the catalog does not ask."""

    customer_id = models.UUIDField()
    product_id = models.UUIDField()
    bought_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["customer_id", "product_id"], name="purchase_is_noted_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} by {self.customer_id}"


class Review(Contribution):
    """What one customer thinks of one product.

    `helpful_count` and the product's rating are kept by triggers. Reports count since the text was
    last read.
    """

    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, related_name="reviews", db_index=False
    )
    rating = models.PositiveSmallIntegerField(help_text="1 to 5 stars.")
    title = models.CharField(max_length=120, blank=True)
    body = models.TextField(max_length=5000, blank=True)
    is_verified = models.BooleanField(
        default=False, db_default=False, help_text="The author has bought it."
    )
    helpful_count = models.PositiveIntegerField(default=0, db_default=0)
    report_count = models.PositiveIntegerField(default=0, db_default=0)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        permissions = [("moderate_review", "Can approve, reject and answer reviews and questions")]
        constraints = moderated(
            "review",
            models.UniqueConstraint(
                fields=["customer_id", "product"], name="review_is_written_once_a_product"
            ),
            models.CheckConstraint(
                condition=Q(rating__gte=1, rating__lte=5), name="review_has_1_to_5_stars"
            ),
        )
        indexes = [
            queue("review"),
            models.Index(fields=["customer_id", "created_at", "id"], name="review_of_customer"),
            *(
                models.Index(
                    fields=["product", column, "id"],
                    name=f"review_shown_by_{word}",
                    condition=Q(status="approved"),
                )
                for column, word in (
                    ("created_at", "age"),
                    ("helpful_count", "help"),
                    ("rating", "stars"),
                )
            ),
        ]
        triggers = [
            counts_in_the_rating,
            pgtrigger.ReadOnly(name="review_stays_with_its_product", fields=["product"]),
        ]

    def __str__(self) -> str:
        return f"{self.rating} stars: {self.title or self.pk}"


class ReviewVote(models.Model):
    """Somebody found a review helpful."""

    review = models.ForeignKey(
        Review, on_delete=models.CASCADE, related_name="votes", db_index=False
    )
    customer_id = models.UUIDField(null=True, db_index=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["review", "customer_id"], name="review_vote_is_given_once"
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="review_votes_are_counted",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Delete,
                func="""
                    IF TG_OP = 'INSERT' THEN
                        UPDATE catalog_review SET helpful_count = helpful_count + 1
                        WHERE id = NEW.review_id;
                    ELSE
                        UPDATE catalog_review SET helpful_count = helpful_count - 1
                        WHERE id = OLD.review_id;
                    END IF;
                    RETURN NULL;
                """,
            ),
            pgtrigger.ReadOnly(name="review_vote_stays_with_its_review", fields=["review"]),
        ]

    def __str__(self) -> str:
        return f"{self.review_id} is helpful"


class ReviewReport(models.Model):
    """Somebody says that a review should not be shown."""

    class Cause(models.TextChoices):
        SPAM = "spam", "advertising"
        OFFENSIVE = "offensive", "insults somebody"
        OFF_TOPIC = "off_topic", "not about the product"
        PRIVATE = "private", "tells of somebody's private life"
        OTHER = "other", "something else"

    review = models.ForeignKey(
        Review, on_delete=models.CASCADE, related_name="reports", db_index=False
    )
    customer_id = models.UUIDField(db_index=True)
    cause = models.CharField(max_length=10, choices=Cause)
    detail = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["review", "customer_id"], name="review_report_is_made_once"
            ),
            models.CheckConstraint(
                condition=Q(cause__in=["spam", "offensive", "off_topic", "private", "other"]),
                name="review_report_cause_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cause}: {self.detail}"


class ReviewReply(models.Model):
    """What the store answers to a review, for everybody to read."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="replies")
    body = models.TextField(max_length=2000)
    actor_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "review replies"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.body[:60]
