"""Reads of people, as staff look them up."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db.models import F, Q, QuerySet

from apps.kernel.errors import NotFound
from apps.users.models import Role, User

COLUMNS = (
    *("id", "email", "first_name", "last_name", "phone", "locale", "is_active", "is_staff"),
    *("is_superuser", "last_login", "version", "customer_group_id"),
)


class UnknownPerson(NotFound):
    """There is no such person."""

    code = "unknown_person"


def people(*, search: str = "") -> QuerySet[User, dict[str, Any]]:
    """Return people as dictionaries, if their address or name holds each word of the search."""
    found = User.objects.all()
    for word in search.split():
        found = found.filter(
            Q(email__icontains=word) | Q(first_name__icontains=word) | Q(last_name__icontains=word)
        )
    return found.values(*COLUMNS, created_at=F("date_joined"))


def person_of(*, user_id: UUID) -> dict[str, Any]:
    """Return a person as a dictionary. Raises UnknownPerson."""
    row = people().filter(pk=user_id).first()
    if row is None:
        raise UnknownPerson("There is no such person.")
    return row


def roles_by_person(*, user_ids: Collection[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """Return ids and names of the roles of these people. One statement."""
    found: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    rows = Role.objects.filter(user__in=user_ids).order_by("name")
    for user_id, key, name in rows.values_list("user", "key", "name"):
        found[user_id].append({"id": key, "name": name})
    return found


def rights_of(*, user_id: UUID) -> set[str]:
    """Return what a person may do once the account is on, as `app.codename`."""
    rows = Permission.objects.filter(Q(group__user=user_id) | Q(user=user_id))
    return {
        f"{app_label}.{codename}"
        for app_label, codename in rows.values_list("content_type__app_label", "codename")
    }


def staff_given(*, permission: str) -> QuerySet[User]:
    """Return the active staff who were given `app.permission`, by a role or by themselves."""
    app_label, codename = permission.split(".")
    given = Permission.objects.filter(content_type__app_label=app_label, codename=codename)
    by_role = Role.objects.filter(permissions__in=given)
    return User.objects.filter(
        Q(groups__in=by_role) | Q(user_permissions__in=given), is_active=True, is_staff=True
    ).distinct()
