"""What the search cluster has still to be told."""

from django.db import models
from django.db.models import Q

from apps.kernel.models import Work


class IndexingWork(Work):
    """One product's place in the queue for the search index, kept when nothing is due any more.

    `version` counts the product's changes. It is the version of the document in the index, where
    a lower one never replaces a higher one, however late it arrives.
    """

    product_id = models.UUIDField(primary_key=True, editable=False)
    version = models.BigIntegerField(db_default=1)
    waiting_since = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(version__gte=1), name="indexing_version_starts_at_one"
            ),
            models.CheckConstraint(
                condition=Q(next_action_at__isnull=True, waiting_since__isnull=True)
                | Q(next_action_at__isnull=False, waiting_since__isnull=False),
                name="indexing_waits_while_something_is_due",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_action_at"],
                name="indexing_due",
                condition=Q(next_action_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_id} v{self.version}"
