"""Reads of roles, permissions and who has which."""

from uuid import UUID

from django.apps import apps
from django.contrib.auth.models import Permission
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Concat

from apps.kernel.errors import NotFound
from apps.users.models import Role


class UnknownRole(NotFound):
    """There is no such role."""

    code = "unknown_role"


def permissions_of_the_store() -> QuerySet[Permission]:
    """Return what can be granted: the permissions of our own apps, each with its `code`.

    Django's own (groups, content types, …) open nothing here.
    """
    ours = [config.label for config in apps.get_app_configs() if config.name.startswith("apps.")]
    return (
        Permission.objects.filter(content_type__app_label__in=ours)
        .annotate(code=Concat(F("content_type__app_label"), Value("."), F("codename")))
        .order_by("code")
    )


def roles() -> QuerySet[Role]:
    """Return all roles with their permissions, in three statements."""
    return Role.objects.prefetch_related("permissions__content_type").order_by("name")


def roles_of(*, user_id: UUID) -> QuerySet[Role]:
    """Return the roles that a person was given."""
    return roles().filter(user=user_id)


def role_of(*, key: UUID) -> Role:
    """Return a role. Raises UnknownRole."""
    role = roles().filter(key=key).first()
    if role is None:
        raise UnknownRole("There is no such role.")
    return role


def codes_of(role: Role) -> list[str]:
    """Return a role's permissions as `app.codename`, sorted."""
    return sorted(
        f"{permission.content_type.app_label}.{permission.codename}"
        for permission in role.permissions.all()
    )
