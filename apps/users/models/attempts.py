"""The counters that slow guessing down."""

from uuid import UUID

from django.db import models


class LoginAttempts(models.Model):
    """How many logins failed, or are undecided, in the current window of one key."""

    key = models.CharField(max_length=80, primary_key=True)
    window_ends_at = models.DateTimeField()
    failures = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "login attempts"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.failures} until {self.window_ends_at:%H:%M}"


def tries_of(customer_id: UUID) -> str:
    """Return the key under which a customer's tries of codes are counted."""
    return f"codes tried by:{customer_id}"
