"""Accounts, their sessions, and the counters that slow guessing down."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Length, Lower, Now
from django.db.models.lookups import Exact

from apps.kernel.ids import new_id

is_ascii = RegexValidator(
    r"\A[\x00-\x7f]*\Z", message="Write the domain in its xn-- form.", code="not_ascii"
)


def normalised(email: str) -> str:
    """Return the address as it is stored and looked up."""
    return email.strip().lower()


class UserManager(BaseUserManager["User"]):
    """Makes accounts for Django's own commands; people register through the service."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=normalised(username or ""))

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=normalised(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account. The e-mail address is the login, whatever its case."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(max_length=254, validators=[is_ascii])
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    is_staff = models.BooleanField(default=False, help_text="May enter the back office.")
    is_active = models.BooleanField(default=True, help_text="Switch off instead of deleting.")
    date_joined = models.DateTimeField(db_default=Now(), editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                name="user_email_is_unique",
                violation_error_message="There is an account with this e-mail address.",
            ),
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="user_email_is_lower_case"
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        self.email = normalised(self.email)

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class Session(models.Model):
    """One login on one device: the family of all refresh tokens that descend from it."""

    class End(models.TextChoices):
        LOGGED_OUT = "logged_out", "logged out"
        TOKEN_REUSED = "token_reused", "a used refresh token came again"
        REVOKED_BY_STAFF = "revoked_by_staff", "revoked by staff"
        PASSWORD_CHANGED = "password_changed", "the password was changed"
        DATABASE_RESTORED = "database_restored", "the database was restored"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    created_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(help_text="The end, however often the session is used.")
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=20, choices=End, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
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
        constraints = [
            models.UniqueConstraint(fields=["parent"], name="refresh_token_has_one_successor"),
            models.CheckConstraint(
                condition=models.Q(Exact(Length("hash"), 32)),
                name="refresh_token_is_a_sha256",
            ),
        ]

    def __str__(self) -> str:
        return bytes(self.hash).hex()[:8]


class LoginAttempts(models.Model):
    """How many logins failed, or are undecided, in the current window of one key."""

    key = models.CharField(max_length=80, primary_key=True)
    window_ends_at = models.DateTimeField()
    failures = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "login attempts"

    def __str__(self) -> str:
        return f"{self.failures} until {self.window_ends_at:%H:%M}"
