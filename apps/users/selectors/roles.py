"""Reads of roles, permissions and who has which."""

from uuid import UUID

from django.apps import apps
from django.contrib.auth.models import Permission
from django.db.models import QuerySet

from apps.kernel.errors import NotFound
from apps.users.models import Role


class UnknownRole(NotFound):
    """There is no such role."""

    code = "unknown_role"


def grantable() -> dict[str, Permission]:
    """Return what can be granted, by `app.codename`: the permissions of our own apps.

    Django's own (groups, content types, …) open nothing here.
    """
    ours = [
        config.label
        for config in apps.get_app_configs()
        if config.name.startswith(("apps.", "ecommerce."))
    ]
    rows = Permission.objects.filter(content_type__app_label__in=ours)
    return {code_of(permission): permission for permission in rows.select_related("content_type")}


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
    return sorted(code_of(permission) for permission in role.permissions.all())


def code_of(permission: Permission) -> str:
    """Return `app.codename`."""
    return f"{permission.content_type.app_label}.{permission.codename}"
