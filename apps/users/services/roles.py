"""Everything that changes roles, and who has them. Nobody gives away what they do not hold."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, Permission
from django.db import IntegrityError, transaction

from apps.kernel.audit import record
from apps.kernel.errors import Conflict, Forbidden, Invalid, VersionMismatch
from apps.users.models import ADMINISTRATOR, CUSTOMER, Role, Session, User
from apps.users.selectors.people import UnknownPerson, rights_of
from apps.users.selectors.roles import UnknownRole, codes_of, grantable, roles
from apps.users.services import sessions


class UnknownPermission(Invalid):
    """There is no such permission."""

    code = "unknown_permission"


class NoSuchRole(Invalid):
    """A role that was named does not exist."""

    code = "no_such_role"


class RoleNameTaken(Conflict):
    """There is a role of this name."""

    code = "role_name_taken"


class RoleInUse(Conflict):
    """Somebody has this role."""

    code = "role_in_use"


class DeclaredRoleStays(Conflict):
    """Every store has this role; it cannot be removed, nor can the administrator's be changed."""

    code = "declared_role_stays"


class LastAdministrator(Conflict):
    """The store would be left without an administrator."""

    code = "last_administrator"


class BeyondYourRights(Forbidden):
    """That takes more rights than you have."""

    code = "beyond_your_rights"


@dataclass(frozen=True, slots=True)
class Granter:
    """Who gives and takes rights: only such as they hold, only from such as hold no more."""

    permissions: frozenset[str]
    is_superuser: bool = False

    def must_hold(self, permissions: Collection[str]) -> None:
        """Raise BeyondYourRights unless the granter holds all of them."""
        if not self.is_superuser and not self.permissions.issuperset(permissions):
            raise BeyondYourRights("That takes more rights than you have.")

    def must_outrank(self, person: User) -> None:
        """Raise BeyondYourRights for a person who may do what the granter may not."""
        if person.is_superuser and not self.is_superuser:
            raise BeyondYourRights("Only superusers change superusers.")
        self.must_hold(rights_of(user_id=person.pk))


def granter(user: User | AnonymousUser) -> Granter:
    """Return who asks as one who gives and takes rights."""
    return Granter(frozenset(user.get_all_permissions()), is_superuser=user.is_superuser)


@transaction.atomic
def create_role(
    *, by: Granter, name: str, permissions: Collection[str], description: str = ""
) -> Role:
    """Make a role of the store's own. Raises BeyondYourRights, UnknownPermission, RoleNameTaken."""
    by.must_hold(permissions)
    wanted = _known(permissions)
    with _one_of_the_name():
        role = Role.objects.create(name=name, description=description)
    role.permissions.set(wanted)
    record("users.role_added", about=role.key, after={"permissions": sorted(permissions)})
    return roles().get(pk=role.pk)


@transaction.atomic
def change_role(
    *, by: Granter, key: UUID, expected_version: int | None = None, **changes: Any
) -> Role:
    """Set what is given of name, description and permissions. It counts at the next request.

    Raises UnknownRole, VersionMismatch, DeclaredRoleStays for the administrator's role,
    BeyondYourRights, UnknownPermission, RoleNameTaken.
    """
    role = _locked(key, expected_version)
    if role.code == ADMINISTRATOR:
        raise DeclaredRoleStays("Administrators always hold everything.")
    before = codes_of(role)
    after = sorted(changes.pop("permissions", before))
    by.must_hold({*before, *after})
    role.permissions.set(_known(after))
    for column, value in changes.items():
        setattr(role, column, value)
    role.version += 1
    with _one_of_the_name():
        role.save(update_fields=[*changes, "version"])
    record(
        "users.role_changed",
        about=role.key,
        before={"permissions": before},
        after={"permissions": after, "fields": sorted(changes)},
    )
    return roles().get(pk=role.pk)


@transaction.atomic
def remove_role(*, by: Granter, key: UUID, expected_version: int | None = None) -> None:
    """Remove a role of the store's own that nobody has.

    Raises UnknownRole, VersionMismatch, DeclaredRoleStays, BeyondYourRights, RoleInUse.
    """
    role = _locked(key, expected_version)
    if role.code:
        raise DeclaredRoleStays("Every store has this role.")
    by.must_hold(codes_of(role))
    if role.user_set.exists():
        raise RoleInUse("Somebody has this role.")
    record("users.role_deleted", about=role.key, before={"permissions": codes_of(role)})
    role.delete()


@transaction.atomic
def assign_roles(
    *, by: Granter, user_id: UUID, keys: Iterable[UUID], expected_version: int | None = None
) -> User:
    """Let a person have exactly these roles. Who has one is staff; a change ends the sessions.

    Raises UnknownPerson, VersionMismatch, NoSuchRole, BeyondYourRights, LastAdministrator.
    """
    person = person_for_change(by=by, user_id=user_id, expected_version=expected_version)
    wanted = set(keys)
    # Locked, so that a role cannot be removed while it is being given.
    given = list(Role.objects.select_for_update(of=("self",)).filter(key__in=wanted).order_by("pk"))
    if len(given) < len(wanted):
        raise NoSuchRole("A role that was named does not exist.")
    held = list(Role.objects.filter(user=person).order_by("pk"))
    if held == given:
        return person
    for role in given:
        by.must_hold(codes_of(role))
    person.is_staff = (
        any(role.code != CUSTOMER for role in given)
        or person.is_superuser
        or person.user_permissions.exists()
    )
    person.version += 1
    person.save(update_fields=["is_staff", "version"])
    with one_administrator_stays():
        person.groups.set(given)
    sessions.end_all(user_id=person.pk, reason=Session.End.RIGHTS_CHANGED)
    record(
        "users.roles_assigned",
        about=person.pk,
        before={"roles": [role.name for role in held]},
        after={"roles": [role.name for role in given]},
    )
    return person


def person_for_change(*, by: Granter, user_id: UUID, expected_version: int | None) -> User:
    """Lock a person whom the granter may change.

    Raises UnknownPerson, VersionMismatch, BeyondYourRights.
    """
    person = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if person is None:
        raise UnknownPerson("There is no such person.")
    if expected_version not in {None, person.version}:
        raise VersionMismatch("The person was changed in the meantime.")
    by.must_outrank(person)
    return person


@contextmanager
def one_administrator_stays() -> Iterator[None]:
    """Turn the database's refusal into LastAdministrator."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "last_administrator_stays" not in str(error):
            raise
        raise LastAdministrator("The store would be left without an administrator.") from error


@contextmanager
def _one_of_the_name() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "auth_group_name" not in str(error):
            raise
        raise RoleNameTaken("There is a role of this name.") from error


def _locked(key: UUID, expected_version: int | None) -> Role:
    role = Role.objects.select_for_update(of=("self",)).filter(key=key).first()
    if role is None:
        raise UnknownRole("There is no such role.")
    if expected_version not in {None, role.version}:
        raise VersionMismatch("The role was changed in the meantime.")
    return role


def _known(permissions: Collection[str]) -> list[Permission]:
    known = grantable()
    if not known.keys() >= set(permissions):
        raise UnknownPermission("There is no such permission.")
    return [known[code] for code in permissions]
