"""The address book."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.kernel.ids import new_id
from apps.users.models.person import User


class Address(models.Model):
    """An address that a person keeps for later. Orders copy what they need of it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="addresses")
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    company = models.CharField(max_length=100, blank=True)
    line1 = models.CharField(max_length=200)
    line2 = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100)
    region = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20)
    country = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2.")
    phone = models.CharField(max_length=40, blank=True)
    default_shipping = models.BooleanField(default=False)
    default_billing = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "addresses"
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                name="address_one_default_for_shipping",
                condition=Q(default_shipping=True),
                violation_error_message="Another address is the default for shipping.",
            ),
            models.UniqueConstraint(
                fields=["user"],
                name="address_one_default_for_billing",
                condition=Q(default_billing=True),
                violation_error_message="Another address is the default for billing.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.postal_code} {self.city}, {self.country}"
