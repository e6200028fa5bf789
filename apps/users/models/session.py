"""Logins, and the tokens that prolong them."""

from django.db import models
from django.db.models.functions import Length, Now
from django.db.models.lookups import Exact

from apps.kernel.ids import new_id
from apps.users.models.person import User


class Session(models.Model):
    """One login on one device: the family of all refresh tokens that descend from it."""

    class End(models.TextChoices):
        LOGGED_OUT = "logged_out", "logged out"
        TOKEN_REUSED = "token_reused", "a used refresh token came again"
        REVOKED_BY_STAFF = "revoked_by_staff", "revoked by staff"
        PASSWORD_CHANGED = "password_changed", "the password was changed"
        EMAIL_CHANGED = "email_changed", "the e-mail address was changed"
        RIGHTS_CHANGED = "rights_changed", "the person's rights were changed"
        DEACTIVATED = "deactivated", "the account was switched off"
        FACTOR_CHANGED = "factor_changed", "the second factor was changed"
        DATABASE_RESTORED = "database_restored", "the database was restored"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    created_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(help_text="The end, however often the session is used.")
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=20, choices=End, blank=True)
    second_factor = models.BooleanField(
        db_default=False, help_text="Whether more than a password was shown in it."
    )
    proven_at = models.DateTimeField(
        db_default=Now(), help_text="When the person last showed a password or a code."
    )
    user_agent = models.CharField(max_length=300, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [("revoke_session", "Can end other people's sessions")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")),
                name="session_ends_after_it_began",
            ),
            models.CheckConstraint(
                condition=models.Q(revoked_at=None, revoked_reason="")
                | (models.Q(revoked_at__isnull=False) & ~models.Q(revoked_reason="")),
                name="session_is_revoked_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} since {self.created_at:%Y-%m-%d %H:%M}"


class RefreshToken(models.Model):
    """The SHA-256 of an opaque token that can be traded once for the next one."""

    hash = models.BinaryField(primary_key=True, max_length=32)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="refresh_tokens")
    parent = models.ForeignKey(
        "self", null=True, on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(help_text="The end of idleness, or of the session.")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["parent"], name="refresh_token_has_one_successor"),
            models.CheckConstraint(
                condition=models.Q(Exact(Length("hash"), 32)),
                name="refresh_token_is_a_sha256",
            ),
        ]

    def __str__(self) -> str:
        return bytes(self.hash).hex()[:8]
