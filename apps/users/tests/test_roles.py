"""The roles that a release declares, and what becomes of them in a store that changes them."""

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from apps.kernel.models import AuditEntry
from apps.kernel.roles import EVERYTHING, DeclaredRole
from apps.users.models import Role, User
from apps.users.selectors.roles import codes_of, grantable
from apps.users.services.declared_roles import UndeclaredPermission, sync_roles
from apps.users.tests.factories import StaffFactory, UserFactory, permission

pytestmark = pytest.mark.django_db

VIEW, CHANGE, ADD = "users.view_user", "users.change_user", "users.add_user"


def declare(*permissions, code="clerk", name="Clerk"):
    return {code: DeclaredRole(name, "Does what clerks do.", frozenset(permissions))}


def held(code="clerk"):
    return set(codes_of(Role.objects.get(code=code)))


def test_a_declared_role_is_made_once_and_recorded():
    assert sync_roles(declared=declare(VIEW, CHANGE)) == ["clerk"]
    assert sync_roles(declared=declare(VIEW, CHANGE)) == []

    role = Role.objects.get(code="clerk")
    assert (role.name, role.description) == ("Clerk", "Does what clerks do.")
    assert held() == {VIEW, CHANGE}
    entry = AuditEntry.objects.get(action="users.role_synchronised")
    assert entry.about == str(role.key)
    assert entry.after == {"code": "clerk", "gained": [CHANGE, VIEW], "lost": []}


def test_what_staff_have_changed_stays_and_what_a_release_changes_arrives():
    sync_roles(declared=declare(VIEW, CHANGE))
    role = Role.objects.get(code="clerk")
    role.permissions.remove(permission(CHANGE))
    role.permissions.add(permission("users.view_session"))
    Role.objects.filter(pk=role.pk).update(name="Front desk")

    assert sync_roles(declared=declare(VIEW, CHANGE)) == []
    assert held() == {VIEW, "users.view_session"}

    assert sync_roles(declared=declare(CHANGE, ADD)) == ["clerk"]
    assert held() == {ADD, "users.view_session"}
    role.refresh_from_db()
    assert role.name == "Front desk"


def test_a_role_is_reset_on_demand_alone():
    sync_roles(declared=declare(VIEW, CHANGE))
    Role.objects.get(code="clerk").permissions.set([permission(ADD)])

    assert sync_roles(declared=declare(VIEW, CHANGE), reset=["clerk"]) == ["clerk"]

    assert held() == {VIEW, CHANGE}


def test_a_role_of_everything_holds_all_that_the_apps_declare_and_nothing_else():
    sync_roles(declared={"administrator": DeclaredRole("Boss", "", EVERYTHING)})
    role = Role.objects.get(code="administrator")
    role.permissions.remove(permission(VIEW))

    assert sync_roles(declared={"administrator": DeclaredRole("Boss", "", EVERYTHING)})

    everything = set(grantable())
    assert held("administrator") == everything
    labels = {name.split(".")[0] for name in everything}
    assert labels == {"kernel", "users", "catalog", "orders", "privacy"}


def test_a_role_of_the_staffs_own_is_never_touched_even_under_a_declared_name():
    own = Role.objects.create(name="Clerk")
    own.permissions.add(permission(ADD))

    sync_roles(declared=declare(VIEW))

    assert set(codes_of(own)) == {ADD}
    assert Role.objects.get(code="clerk").name == "clerk"


def test_a_permission_that_nobody_declares_stops_it_before_anything_is_written():
    with pytest.raises(UndeclaredPermission, match=r"users\.view_usr"):
        sync_roles(declared=declare(VIEW) | declare("users.view_usr", code="typo", name="Typo"))

    assert not Group.objects.exists()


def test_the_command_makes_the_roles_of_this_release(settings, capsys):
    call_command("sync_roles")
    call_command("sync_roles")

    assert set(Role.objects.values_list("code", flat=True)) == set(settings.ROLES)
    assert capsys.readouterr().out.splitlines()[-1] == "Roles changed: none."
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("sync_roles", "--reset", "nobody")


@pytest.fixture
def administrators():
    """The role that makes one."""
    sync_roles(declared={"administrator": DeclaredRole("Boss", "", EVERYTHING)})
    return Role.objects.get(code="administrator")


def leaves(change):
    """Whether the database lets it happen."""
    try:
        with transaction.atomic():
            change()
    except IntegrityError as error:
        return "last_administrator_stays" not in str(error)
    return True


@pytest.mark.parametrize("superuser", [True, False])
def test_the_last_administrator_can_be_neither_switched_off_nor_stripped_nor_deleted(
    administrators, superuser
):
    boss = StaffFactory(is_superuser=superuser)
    if not superuser:
        boss.groups.add(administrators)
    UserFactory()
    person = User.objects.filter(pk=boss.pk)

    assert not leaves(lambda: person.update(is_active=False))
    assert not leaves(person.delete)
    if superuser:
        assert not leaves(lambda: person.update(is_superuser=False))
    else:
        assert not leaves(boss.groups.clear)

    StaffFactory().groups.add(administrators)
    assert leaves(lambda: person.update(is_active=False))
    assert leaves(person.delete)


def test_whoever_is_no_administrator_costs_no_look_at_the_others():
    customer = UserFactory()

    assert leaves(lambda: User.objects.filter(pk=customer.pk).update(is_active=False))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'"
        )
        assert cursor.fetchone() == (0,)
