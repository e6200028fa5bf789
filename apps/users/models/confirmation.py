"""What whoever reads the mails of an address may do with it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length, Now
from django.db.models.lookups import Exact

from apps.users.models.person import User


class Confirmation(models.Model):
    """The SHA-256 of a token that was mailed: good once, for ten minutes, deleted when it is used.

    A newer one takes the place of an older one for the same thing.
    """

    class Purpose(models.TextChoices):
        REGISTER = "register", "open an account"
        RESET_PASSWORD = "reset_password", "set a new password"
        CHANGE_EMAIL = "change_email", "use another address"

    hash = models.BinaryField(primary_key=True, max_length=32)
    purpose = models.CharField(max_length=20, choices=Purpose)
    user = models.ForeignKey(
        User, null=True, on_delete=models.CASCADE, related_name="confirmations", db_index=False
    )
    email = models.EmailField(max_length=254, help_text="Where the token was sent.")
    password = models.CharField(
        max_length=128, blank=True, help_text="The hash, of a registration."
    )
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                condition=Q(purpose="register"),
                name="confirmation_newest_of_an_address",
            ),
            models.UniqueConstraint(
                fields=["user", "purpose"], name="confirmation_newest_of_an_account"
            ),
            models.CheckConstraint(
                condition=Q(Exact(Length("hash"), 32)), name="confirmation_is_a_sha256"
            ),
            models.CheckConstraint(
                condition=Q(Q(purpose="register", user=None), ~Q(password=""))
                | Q(
                    purpose__in=["reset_password", "change_email"],
                    user__isnull=False,
                    password="",
                ),
                name="confirmation_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} until {self.expires_at:%H:%M}"
