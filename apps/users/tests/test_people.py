"""Staff look people up, switch them off, and give them roles: never more than they have."""

import pytest

from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry
from apps.kernel.roles import EVERYTHING, DeclaredRole
from apps.users.models import Role, Session, User
from apps.users.selectors.roles import codes_of
from apps.users.services.declared_roles import sync_roles
from apps.users.tests.factories import (
    RoleFactory,
    SessionFactory,
    StaffFactory,
    UserFactory,
    client_of,
)

pytestmark = pytest.mark.django_db

USERS, ROLES = "/api/v1/users", "/api/v1/roles"
HR = ("users.view_user", "users.view_role", "users.deactivate_user", "users.assign_role")
EDITOR = ("users.view_role", "users.add_role", "users.change_role", "users.delete_role")


@pytest.fixture
def hr():
    """Somebody who gives roles and holds nothing else."""
    return client_of(StaffFactory(permissions=HR))


@pytest.fixture
def editor():
    """Somebody who writes roles and holds nothing else."""
    return client_of(StaffFactory(permissions=EDITOR))


@pytest.fixture
def boss():
    """The only administrator."""
    sync_roles(declared={"administrator": DeclaredRole("Administrator", "", EVERYTHING)})
    person = StaffFactory(email="boss@example.com")
    person.groups.add(Role.objects.get(code="administrator"))
    return person


def code(answer):
    return answer.status_code, answer.json()["code"]


def test_people_are_searched_and_narrowed_in_three_statements_however_many(
    hr, django_assert_num_queries
):
    clerks = RoleFactory(name="Clerks")
    for number in range(12):
        person = UserFactory(first_name="Ada", email=f"ada-{number}@example.com")
        person.groups.add(clerks)
    gone = UserFactory(first_name="Ada", last_name="Gone", is_active=False)

    # One for who asks, two for what they hold, one for the page, one for its roles.
    with django_assert_num_queries(5):
        page = hr.get(USERS, {"q": "ada example", "limit": 10}).json()
    assert len(page["results"]) == 10
    assert page["next"]
    assert page["results"][1]["roles"] == [{"id": str(clerks.key), "name": "Clerks"}]
    assert len(hr.get(USERS, {"filter[role]": clerks.key}).json()["results"]) == 12
    for narrowed in ({"q": "ADA gone"}, {"filter[is_active]": "false"}):
        [row] = hr.get(USERS, narrowed).json()["results"]
        assert row["id"] == str(gone.pk)
    [staff] = hr.get(USERS, {"filter[is_staff]": "true"}).json()["results"]
    assert staff["email"].startswith("staff-")


def test_a_person_is_shown_without_password_or_rights_beyond_roles(hr):
    person = UserFactory(first_name="Ada")

    answer = hr.get(f"{USERS}/{person.pk}")

    assert set(answer.json()) == {
        *("id", "email", "first_name", "last_name", "phone", "locale", "is_active", "is_staff"),
        *("is_superuser", "last_login", "created_at", "version", "roles", "customer_group_id"),
    }
    assert answer["ETag"].startswith('"1-')
    assert code(hr.get(f"{USERS}/{new_id()}")) == (404, "unknown_person")


def test_an_account_is_switched_off_with_its_sessions_and_on_again(hr):
    session = SessionFactory()
    path = f"{USERS}/{session.user_id}"

    off = hr.patch(path, {"is_active": False}, headers={"If-Match": '"1"'})
    again = hr.patch(path, {"is_active": False})

    assert (off.status_code, off.json()["is_active"], off.json()["version"]) == (200, False, 2)
    assert again.json()["version"] == 2
    session.refresh_from_db()
    assert session.revoked_reason == "deactivated"
    assert code(hr.patch(path, {"is_active": True}, headers={"If-Match": '"1"'}))[0] == 412
    assert hr.patch(path, {"is_active": True}).json()["is_active"] is True
    actions = AuditEntry.objects.filter(about=str(session.user_id)).order_by("id")
    assert [entry.action for entry in actions] == [
        *("users.sessions_ended", "users.account_deactivated", "users.account_activated"),
    ]


@pytest.mark.parametrize("field", ["is_staff", "is_superuser", "password", "roles", "version"])
def test_nothing_else_of_a_person_is_changed_here(hr, field):
    person = UserFactory()

    answer = hr.patch(f"{USERS}/{person.pk}", {"is_active": True, field: True})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "unknown_field"


def test_roles_are_given_at_once_and_end_the_sessions(hr):
    role = RoleFactory(permissions=["users.view_user"])
    session = SessionFactory()
    path = f"{USERS}/{session.user_id}/roles"

    given = hr.put(path, {"roles": [str(role.key)]}, headers={"If-Match": '"1"'})

    assert given.status_code == 200, given.content
    assert [each["id"] for each in given.json()["results"]] == [str(role.key)]
    assert given["ETag"].startswith('"2-')
    person = User.objects.get(pk=session.user_id)
    assert person.is_staff
    assert person.has_perm("users.view_user")
    session.refresh_from_db()
    assert session.revoked_reason == "rights_changed"
    entry = AuditEntry.objects.get(action="users.roles_assigned")
    assert (entry.before, entry.after) == ({"roles": []}, {"roles": [role.name]})
    assert code(hr.put(path, {"roles": []}, headers={"If-Match": '"1"'}))[0] == 412
    same = hr.put(path, {"roles": [str(role.key)]})
    assert same["ETag"].startswith('"2-')

    assert hr.put(path, {"roles": []}).json() == {"results": []}
    person.refresh_from_db()
    assert not person.is_staff


def test_a_role_that_does_not_exist_is_not_given_in_part(hr):
    person, role = UserFactory(), RoleFactory()

    answer = hr.put(f"{USERS}/{person.pk}/roles", {"roles": [str(role.key), str(new_id())]})

    assert code(answer) == (422, "no_such_role")
    assert not person.groups.exists()


def test_nobody_gives_a_role_that_holds_more_than_they_do(hr):
    strong = RoleFactory(permissions=["users.view_user", "orders.refund_order"])
    person = UserFactory()
    myself = User.objects.get(is_staff=True)

    for each in (person, myself):
        answer = hr.put(f"{USERS}/{each.pk}/roles", {"roles": [str(strong.key)]})
        assert code(answer) == (403, "beyond_your_rights")
        assert not each.groups.exists()


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("superuser", [True, False])
def test_nobody_touches_who_may_do_more(hr, active, superuser):
    StaffFactory(is_superuser=True)
    strong = StaffFactory(
        is_superuser=superuser, is_active=active, permissions=["orders.refund_order"]
    )

    for answer in (
        hr.patch(f"{USERS}/{strong.pk}", {"is_active": not active}),
        hr.put(f"{USERS}/{strong.pk}/roles", {"roles": []}),
    ):
        assert code(answer) == (403, "beyond_your_rights")
    strong.refresh_from_db()
    assert (strong.is_active, strong.version) == (active, 1)


def test_administrators_do_not_touch_superusers(boss):
    superuser = StaffFactory(is_superuser=True)

    answer = client_of(boss).patch(f"{USERS}/{superuser.pk}", {"is_active": False})

    assert code(answer) == (403, "beyond_your_rights")


def test_the_last_administrator_neither_leaves_nor_is_switched_off(boss):
    client = client_of(boss)

    for answer in (
        client.patch(f"{USERS}/{boss.pk}", {"is_active": False}),
        client.put(f"{USERS}/{boss.pk}/roles", {"roles": []}),
    ):
        assert code(answer) == (409, "last_administrator")
    boss.refresh_from_db()
    assert (boss.is_active, boss.is_staff, boss.version) == (True, True, 1)
    assert Session.objects.filter(revoked_at=None).exists()

    second = StaffFactory()
    second.groups.add(Role.objects.get(code="administrator"))
    assert client.put(f"{USERS}/{boss.pk}/roles", {"roles": []}).status_code == 200


def test_a_role_is_written_shown_changed_and_removed(editor):
    made = editor.post(
        ROLES, {"name": "Readers", "permissions": ["users.view_role"], "description": "Read."}
    )
    path = made["Location"]
    assert made.status_code == 201
    assert made.json() == {
        "id": path.rsplit("/")[-1],
        "code": None,
        "name": "Readers",
        "description": "Read.",
        "permissions": ["users.view_role"],
        "version": 1,
    }
    assert editor.get(path).json() == made.json()
    assert [each["name"] for each in editor.get(ROLES).json()["results"]] == ["Readers"]

    changed = editor.patch(
        path, {"permissions": ["users.add_role"]}, headers={"If-Match": made["ETag"]}
    )
    assert (changed.status_code, changed.json()["permissions"]) == (200, ["users.add_role"])
    assert (changed.json()["name"], changed.json()["version"]) == ("Readers", 2)
    assert code(editor.patch(path, {"name": "x"}, headers={"If-Match": made["ETag"]}))[0] == 412
    assert code(editor.post(ROLES, {"name": "Readers", "permissions": []})) == (
        409,
        "role_name_taken",
    )

    assert editor.delete(path).status_code == 204
    assert code(editor.get(path)) == (404, "unknown_role")
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        *("users.role_added", "users.role_changed", "users.role_deleted"),
    ]


def test_a_role_never_gets_or_loses_what_its_writer_does_not_hold(editor):
    strong = RoleFactory(permissions=["orders.refund_order"])

    for answer in (
        editor.post(ROLES, {"name": "Strong", "permissions": ["orders.refund_order"]}),
        editor.patch(f"{ROLES}/{strong.key}", {"permissions": []}),
        editor.patch(f"{ROLES}/{strong.key}", {"name": "Weak"}),
        editor.delete(f"{ROLES}/{strong.key}"),
    ):
        assert code(answer) == (403, "beyond_your_rights")
    assert codes_of(Role.objects.get()) == ["orders.refund_order"]


@pytest.mark.parametrize("name", ["users.fly", "auth.add_group", "nonsense"])
def test_what_is_no_permission_of_the_store_is_not_granted(name):
    boss = client_of(StaffFactory(is_superuser=True))

    answer = boss.post(ROLES, {"name": "Odd", "permissions": [name]})

    assert code(answer) == (422, "unknown_permission")
    assert not Role.objects.exists()


def test_a_role_that_somebody_has_or_every_store_has_is_not_removed(boss):
    client, role = client_of(boss), RoleFactory()
    UserFactory().groups.add(role)
    administrator = Role.objects.get(code="administrator")

    assert code(client.delete(f"{ROLES}/{role.key}")) == (409, "role_in_use")
    assert code(client.delete(f"{ROLES}/{administrator.key}")) == (409, "declared_role_stays")
    answer = client.patch(f"{ROLES}/{administrator.key}", {"permissions": []})
    assert code(answer) == (409, "declared_role_stays")


def test_what_there_is_to_grant_is_listed(editor):
    rows = editor.get("/api/v1/permissions").json()["results"]

    assert {"code": "users.assign_role", "name": "Can give roles to people and take them away"} in (
        rows
    )
    assert not {"auth", "admin"} & {row["code"].split(".")[0] for row in rows}
    assert rows == sorted(rows, key=lambda row: row["code"])


def test_taking_a_permission_from_a_role_counts_at_the_next_request(boss):
    role = RoleFactory(permissions=["users.view_user"])
    person = StaffFactory()
    person.groups.add(role)
    client = client_of(person)
    assert client.get(USERS).status_code == 200

    client_of(boss).patch(f"{ROLES}/{role.key}", {"permissions": []})

    assert client.get(USERS).status_code == 403
