"""What people ask about products, and who answers what."""

from django.db import models
from django.db.models import Q

from apps.catalog.models.contributions import Contribution, moderated, queue
from apps.catalog.models.products import Product


class Question(Contribution):
    """What a customer wants to know of a product."""

    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, related_name="questions", db_index=False
    )
    body = models.TextField(max_length=1000)

    class Meta:
        default_permissions = ("view",)
        constraints = moderated("question")
        indexes = [
            queue("question"),
            models.Index(fields=["customer_id"], name="question_of_customer"),
            models.Index(
                fields=["product", "created_at", "id"],
                name="question_shown_by_age",
                condition=Q(status="approved"),
            ),
        ]

    def __str__(self) -> str:
        return self.body[:60]


class Answer(Contribution):
    """What a customer, or the store, says to that."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="answers")
    body = models.TextField(max_length=2000)
    is_merchant = models.BooleanField(default=False, help_text="The store itself answers.")

    class Meta:
        default_permissions = ("view",)
        constraints = moderated("answer")
        indexes = [
            queue("answer"),
            models.Index(fields=["customer_id"], name="answer_of_customer"),
        ]

    def __str__(self) -> str:
        return self.body[:60]
