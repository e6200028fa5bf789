"""Bringing the roles that a release declares into the database, beside what staff have changed."""

from collections.abc import Collection, Mapping

from django.contrib.auth.models import Permission
from django.db import transaction

from apps.kernel.audit import record
from apps.kernel.errors import Invalid
from apps.kernel.roles import EVERYTHING, DeclaredRole
from apps.users.models import Role
from apps.users.selectors.roles import grantable


class UndeclaredPermission(Invalid):
    """A role names a permission that no model declares."""

    code = "undeclared_permission"


@transaction.atomic
def sync_roles(*, declared: Mapping[str, DeclaredRole], reset: Collection[str] = ()) -> list[str]:
    """Make the declared roles, and carry over what the declaration has gained or lost since.

    What staff have added to or taken from a role stays, unless its code is in `reset`. A role that
    declares EVERYTHING always holds all there is. Returns the codes of the roles that changed.
    Raises UndeclaredPermission.
    """
    known = grantable()
    return [
        code
        for code, said in declared.items()
        if _sync(code, said, known, exactly=code in reset or said.permissions == EVERYTHING)
    ]


def _sync(code: str, said: DeclaredRole, known: Mapping[str, Permission], *, exactly: bool) -> bool:
    wanted = set(known) if said.permissions == EVERYTHING else set(said.permissions)
    if missing := wanted - set(known):
        raise UndeclaredPermission(f"{code}: there is no permission {min(missing)}.")
    role = Role.objects.select_for_update(of=("self",)).filter(code=code).first()
    if role is None:
        taken = Role.objects.filter(name=said.name).exists()
        role = Role.objects.create(
            code=code, name=code if taken else said.name, description=said.description
        )
    given = set(role.permissions.values_list("pk", flat=True))
    held = {name for name, permission in known.items() if permission.pk in given}
    before = held if exactly else set(role.declared)
    gained, lost = wanted - before - held, (before - wanted) & held
    if sorted(wanted) == role.declared and not gained and not lost:
        return False
    role.permissions.add(*(known[name] for name in gained))
    role.permissions.remove(*(known[name] for name in lost))
    role.declared, role.version = sorted(wanted), role.version + 1
    role.save(update_fields=["declared", "version"])
    record(
        "users.role_synchronised",
        about=role.key,
        after={"code": code, "gained": sorted(gained), "lost": sorted(lost)},
    )
    return True
