"""What people have agreed to, and when they took it back."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.users.models.person import User


class Consent(models.Model):
    """One decision about one purpose. The newest one counts; none is ever changed."""

    class Purpose(models.TextChoices):
        MARKETING = "marketing", "news and offers by mail"
        ANALYTICS = "analytics", "measuring how the store is used"

    # A sequence, because the clocks of two machines may differ.
    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="consents", db_index=False
    )
    purpose = models.CharField(max_length=20, choices=Purpose)
    granted = models.BooleanField()
    text_version = models.CharField(max_length=40, help_text="Which wording the person saw.")
    at = models.DateTimeField(db_default=Now())
    ip = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose__in=["marketing", "analytics"]),
                name="consent_purpose_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(text_version=""), name="consent_names_the_text_that_was_seen"
            ),
        ]
        indexes = [models.Index(fields=["user", "purpose", "-id"], name="consent_newest_first")]
        triggers = [
            pgtrigger.Protect(
                name="consent_is_history", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose}: {'yes' if self.granted else 'no'} ({self.text_version})"
