"""What people may do, by the work they do."""

from typing import ClassVar

import pgtrigger
from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.kernel.ids import new_id
from apps.users.models.guards import ADMINISTRATOR_LEAVES
from apps.users.models.person import User

CUSTOMER, ADMINISTRATOR = "customer", "administrator"


class Role(Group):
    """A named set of permissions: Django's group, and what the store knows of it beyond that."""

    key = models.UUIDField(default=new_id, editable=False)
    code = models.CharField(
        max_length=40, blank=True, editable=False, help_text="Of a role that every store has."
    )
    description = models.CharField(max_length=300, blank=True)
    declared = ArrayField(
        models.CharField(max_length=201),
        default=list,
        editable=False,
        help_text="What the release said that was synchronised last.",
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects: ClassVar[models.Manager["Role"]] = models.Manager()  # type: ignore[assignment]  # of roles alone

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], name="role_key_is_unique"),
            models.UniqueConstraint(
                fields=["code"], name="role_code_is_unique", condition=~models.Q(code="")
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(User.groups.through):  # type: ignore[name-defined]  # made by Django
    """That a person has a role."""

    class Meta:
        proxy = True
        default_permissions = ()
        triggers = [
            pgtrigger.Trigger(
                name="last_administrator_keeps_the_role",
                operation=pgtrigger.Delete,
                when=pgtrigger.After,
                func=ADMINISTRATOR_LEAVES.format(
                    was="""
                        EXISTS (SELECT FROM users_user WHERE id = OLD.user_id AND is_active)
                        AND EXISTS (
                            SELECT FROM users_role
                            WHERE group_ptr_id = OLD.group_id AND code = 'administrator'
                        )
                    """
                ),
            )
        ]
