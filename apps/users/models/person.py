"""People and the accounts they log in with."""

from typing import Any, ClassVar

import pgtrigger
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower, Now

from apps.kernel.ids import new_id
from apps.users.models.guards import ADMINISTRATOR_LEAVES

is_ascii = RegexValidator(
    r"\A[\x00-\x7f]*\Z", message="Write the domain in its xn-- form.", code="not_ascii"
)

WAS_ADMINISTRATOR = """
    OLD.is_active AND (
        OLD.is_superuser OR EXISTS (
            SELECT FROM users_user_groups AS membership
            JOIN users_role AS role ON role.group_ptr_id = membership.group_id
            WHERE membership.user_id = OLD.id AND role.code = 'administrator'
        )
    )
"""

E164 = r"\A\+[1-9][0-9]{1,14}\Z"


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
    phone = models.CharField(
        max_length=16, blank=True, default="", db_default="", help_text="E.164: +442071234567."
    )
    locale = models.CharField(
        max_length=35, blank=True, default="", db_default="", help_text="BCP 47: pt-BR."
    )
    is_staff = models.BooleanField(default=False, help_text="May enter the back office.")
    is_active = models.BooleanField(default=True, help_text="Switch off instead of deleting.")
    has_second_factor = models.BooleanField(
        db_default=False, editable=False, help_text="A password alone opens no session."
    )
    date_joined = models.DateTimeField(db_default=Now(), editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    avatar_id = models.UUIDField(null=True, editable=False, help_text="The avatar that is shown.")

    customer_group = models.ForeignKey(
        "CustomerGroup",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="members",
        db_index=False,
    )

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        default_permissions = ("add", "change", "view")
        permissions = [
            ("deactivate_user", "Can switch accounts off and on"),
            ("set_password", "Can set other people's passwords"),
            ("assign_role", "Can give roles to people and take them away"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                name="user_email_is_unique",
                violation_error_message="There is an account with this e-mail address.",
            ),
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="user_email_is_lower_case"
            ),
            models.CheckConstraint(
                condition=models.Q(phone="") | models.Q(phone__regex=E164),
                name="user_phone_is_e164",
                violation_error_message="Write the number as +, country code, number.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["customer_group"],
                name="user_by_customer_group",
                condition=models.Q(customer_group__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="last_administrator_stays_in_office",
                operation=pgtrigger.Update,
                when=pgtrigger.After,
                condition=pgtrigger.Condition(
                    "OLD.is_active AND NOT NEW.is_active"
                    " OR OLD.is_superuser AND NOT NEW.is_superuser"
                ),
                func=ADMINISTRATOR_LEAVES.format(was=WAS_ADMINISTRATOR),
            ),
            pgtrigger.Trigger(
                name="last_administrator_is_not_deleted",
                operation=pgtrigger.Delete,
                when=pgtrigger.After,
                func=ADMINISTRATOR_LEAVES.format(was=WAS_ADMINISTRATOR),
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        self.email = normalised(self.email)

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()
