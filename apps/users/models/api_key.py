"""Keys with which programs act for a person."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length, Now
from django.db.models.lookups import Exact

from apps.kernel.ids import new_id
from apps.users.models.person import User

LONGEST_LIFE: Final = timedelta(days=366)


class ApiKey(models.Model):
    """What is known of a key: the SHA-256 of its secret, whose it is, and how far it reaches."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    hint = models.CharField(max_length=12, help_text="How the secret begins.")
    hash = models.BinaryField(max_length=32)
    previous_hash = models.BinaryField(max_length=32, null=True)
    previous_until = models.DateTimeField(
        null=True, help_text="Until then the secret before the last rotation is good, too."
    )
    scopes = ArrayField(
        models.CharField(max_length=201), help_text="Permissions, as far as the owner has them."
    )
    networks = ArrayField(
        models.CharField(max_length=43), default=list, help_text="CIDR; empty: from anywhere."
    )
    created_at = models.DateTimeField(db_default=Now())
    issued_at = models.DateTimeField(db_default=Now(), help_text="When the secret was made.")
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, help_text="To the minute.")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "API key"
        default_permissions = ("add", "view")
        permissions = [("revoke_apikey", "Can revoke other people's API keys")]
        constraints = [
            models.UniqueConstraint(fields=["hash"], name="api_key_hash_is_unique"),
            models.UniqueConstraint(fields=["previous_hash"], name="api_key_previous_is_unique"),
            models.CheckConstraint(
                condition=Q(Exact(Length("hash"), 32)), name="api_key_is_a_sha256"
            ),
            models.CheckConstraint(
                condition=Q(previous_hash=None, previous_until=None)
                | Q(previous_hash__isnull=False, previous_until__isnull=False),
                name="api_key_overlap_ends",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("issued_at"))
                & Q(expires_at__lte=F("issued_at") + LONGEST_LIFE),
                name="api_key_ends_within_a_year",
            ),
            models.CheckConstraint(condition=Q(scopes__len__gte=1), name="api_key_has_a_scope"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"


class KeyHolder(User):
    """A person as far as one of their keys reaches."""

    # What the statement that finds the key adds to the person's columns.
    key_id: UUID
    scopes: Collection[str]

    objects: ClassVar[models.Manager["KeyHolder"]] = models.Manager()  # type: ignore[assignment]  # reads

    class Meta:
        proxy = True
        default_permissions = ()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return perm in self.scopes and super().has_perm(perm, obj)

    def get_all_permissions(self, obj: Any = None) -> set[str]:
        return super().get_all_permissions(obj) & set(self.scopes)
