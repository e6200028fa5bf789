"""The keys that sign access tokens."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.db.models.lookups import IsNull


class SigningKey(models.Model):
    """A key on P-256. It is published, then signs, then only verifies; all by the database's time.

    While there is no row, JWT_SIGNING_KEY is the only key.
    """

    kid = models.CharField(max_length=43, primary_key=True, help_text="RFC 7638 thumbprint.")
    public_key = models.TextField(help_text="PEM.")
    private_key = models.BinaryField(help_text="PEM, encrypted under SECRET_KEY.")
    published_at = models.DateTimeField(db_default=Now())
    signs_from = models.DateTimeField(db_default=Now())
    retired_at = models.DateTimeField(null=True, help_text="From then on it verifies nothing.")

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(signs_from__gte=F("published_at")),
                name="signing_key_is_published_before_it_signs",
            ),
            models.UniqueConstraint(
                IsNull(F("retired_at"), True),  # noqa: FBT003 - Django's signature
                condition=Q(retired_at=None),
                name="signing_key_one_has_no_end",
            ),
        ]

    def __str__(self) -> str:
        return self.kid
