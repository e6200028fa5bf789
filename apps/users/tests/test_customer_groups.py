"""Customer groups: staff make them and say who is in one; a person is in at most one."""

import pytest
from django.urls import reverse

from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry
from apps.kernel.privacy import Person
from apps.kernel.tests.threads import at_once
from apps.users import interface as users
from apps.users.models import CustomerGroup, User
from apps.users.selectors.customer_groups import UnknownCustomerGroup
from apps.users.services.customer_groups import CustomerGroupInUse, put_into_group, remove_group
from apps.users.tests.factories import (
    CustomerGroupFactory,
    StaffFactory,
    UserFactory,
    client_of,
    enter,
)

pytestmark = pytest.mark.django_db

GROUPS = "/api/v1/customer-groups"
RIGHTS = [f"users.{verb}_customergroup" for verb in ("view", "add", "change", "delete")]


@pytest.fixture
def manager():
    """Somebody who manages groups and sees people."""
    return client_of(StaffFactory(permissions=[*RIGHTS, "users.view_user"]))


def code(answer):
    return answer.status_code, answer.json()["code"]


def test_a_group_is_made_shown_changed_and_removed(manager):
    made = manager.post(GROUPS, {"code": "resellers", "name": "Resellers"})

    assert made.status_code == 201
    document = made.json()
    assert document == {
        "id": document["id"],
        "code": "resellers",
        "name": "Resellers",
        "version": 1,
    }
    path = f"{GROUPS}/{document['id']}"
    assert made["Location"] == path
    shown = manager.get(path)
    assert shown.json() == document
    changed = manager.patch(path, {"name": "Dealers"}, headers={"If-Match": shown["ETag"]})
    assert changed.json() == document | {"name": "Dealers", "version": 2}
    stale = manager.patch(path, {"name": "X"}, headers={"If-Match": shown["ETag"]})
    assert code(stale) == (412, "version_mismatch")
    assert manager.delete(path, headers={"If-Match": changed["ETag"]}).status_code == 204
    assert code(manager.get(path)) == (404, "unknown_customer_group")
    actions = ["users.customer_group_added", "users.customer_group_changed"]
    kept = AuditEntry.objects.filter(about=document["id"]).order_by("id")
    assert [entry.action for entry in kept] == [*actions, "users.customer_group_deleted"]
    assert (kept[1].before, kept[1].after) == ({"name": "Resellers"}, {"name": "Dealers"})


@pytest.mark.parametrize("size", [2, 12])
def test_a_page_of_groups_costs_one_statement(manager, django_assert_num_queries, size):
    newest = [CustomerGroupFactory() for _ in range(size)][-1]

    # Two more for who asks and what they hold.
    with django_assert_num_queries(4):
        page = manager.get(GROUPS, {"limit": size}).json()

    assert len(page["results"]) == size
    assert page["results"][0]["id"] == str(newest.pk)


@pytest.mark.parametrize(
    "draft",
    [
        {},
        {"code": "a"},
        {"code": "Big Ones", "name": "x"},
        {"code": "-", "name": "x"},
        {"code": "a" * 41, "name": "x"},
        {"code": "a", "name": ""},
        {"code": "a", "name": "x" * 121},
        {"code": 1, "name": "x"},
        {"code": "a", "name": "x", "version": 7},
    ],
    ids=str,
)
def test_a_group_that_makes_no_sense_is_not_made(manager, draft):
    assert manager.post(GROUPS, draft).status_code == 400
    assert not CustomerGroup.objects.exists()


def test_a_code_is_taken_once(manager):
    CustomerGroupFactory(code="vip")
    other = CustomerGroupFactory(code="other")

    taken = (409, "customer_group_code_taken")
    assert code(manager.post(GROUPS, {"code": "vip", "name": "x"})) == taken
    assert code(manager.patch(f"{GROUPS}/{other.pk}", {"code": "vip"})) == taken


def test_a_person_is_in_one_group_at_most_and_the_last_word_counts(manager):
    first, second, person = CustomerGroupFactory(), CustomerGroupFactory(), UserFactory()

    for group in (first, second, second):
        assert manager.put(f"{GROUPS}/{group.pk}/members/{person.pk}").status_code == 204

    person.refresh_from_db()
    assert (person.customer_group_id, person.version) == (second.pk, 3)
    entries = AuditEntry.objects.filter(action="users.customer_group_assigned").order_by("id")
    assert [(entry.before, entry.after) for entry in entries] == [
        ({"group": None}, {"group": str(first.pk)}),
        ({"group": str(first.pk)}, {"group": str(second.pk)}),
    ]
    listed = manager.get(f"/api/v1/users?filter[customer_group]={second.pk}").json()["results"]
    assert [row["id"] for row in listed] == [str(person.pk)]
    assert listed[0]["customer_group_id"] == str(second.pk)
    not_there = manager.delete(f"{GROUPS}/{first.pk}/members/{person.pk}")
    assert code(not_there) == (404, "unknown_person")
    assert manager.delete(f"{GROUPS}/{second.pk}/members/{person.pk}").status_code == 204
    person.refresh_from_db()
    assert person.customer_group_id is None


def test_what_is_not_there_takes_nobody_in(manager):
    group, person = CustomerGroupFactory(), UserFactory()

    nowhere = manager.put(f"{GROUPS}/{new_id()}/members/{person.pk}")
    nobody = manager.put(f"{GROUPS}/{group.pk}/members/{new_id()}")

    assert code(nowhere) == (404, "unknown_customer_group")
    assert code(nobody) == (404, "unknown_person")


def test_a_group_with_members_stays(manager):
    person = UserFactory(customer_group=CustomerGroupFactory())

    kept = manager.delete(f"{GROUPS}/{person.customer_group_id}")

    assert code(kept) == (409, "customer_group_in_use")
    assert CustomerGroup.objects.exists()


def test_who_authenticates_comes_with_the_group_in_one_statement(django_assert_num_queries):
    group = CustomerGroupFactory()
    client = client_of(UserFactory(customer_group=group))

    with django_assert_num_queries(1):
        client.get("/api/v1/users/me")


def test_the_group_is_among_what_is_kept_of_a_person():
    person = UserFactory(customer_group=CustomerGroupFactory())

    kept = users.personal_data_of(person=Person(person.pk))

    (account,) = next(records.rows for records in kept if records.model == "users.User")
    assert account["customer_group"] == person.customer_group_id


def test_the_back_office_puts_a_person_into_a_group(client):
    group, person = CustomerGroupFactory(), UserFactory()
    boss = StaffFactory(is_superuser=True)
    enter(client, boss)
    empty = {
        f"{rows}-{n}_FORMS": 0 for rows in ("addresses", "consents") for n in ("TOTAL", "INITIAL")
    }
    values = {"email": person.email, "is_active": "on", "customer_group": str(group.pk)}

    answer = client.post(reverse("admin:users_user_change", args=[person.pk]), {**values, **empty})

    assert answer.status_code == 302
    assert User.objects.get(pk=person.pk).customer_group_id == group.pk


def test_the_back_office_puts_nobody_into_a_group_for_who_may_not_change_groups(client):
    group, person = CustomerGroupFactory(), UserFactory()
    enter(client, StaffFactory(permissions=["users.change_user", "users.view_user"]))
    empty = {
        f"{rows}-{n}_FORMS": 0 for rows in ("addresses", "consents") for n in ("TOTAL", "INITIAL")
    }
    values = {"email": person.email, "first_name": "Grace", "customer_group": str(group.pk)}

    answer = client.post(reverse("admin:users_user_change", args=[person.pk]), {**values, **empty})

    assert answer.status_code == 302
    person.refresh_from_db()
    assert (person.first_name, person.customer_group_id) == ("Grace", None)


@pytest.mark.django_db(transaction=True)
def test_a_group_is_either_removed_or_joined():
    people = [UserFactory() for _ in range(4)]
    for _ in range(5):
        group = CustomerGroupFactory()

        def remove(group=group):
            try:
                remove_group(group_id=group.pk)
            except CustomerGroupInUse:
                return False
            return True

        def join(person, group=group):
            try:
                put_into_group(group_id=group.pk, user_id=person.pk)
            except UnknownCustomerGroup:
                return False
            return True

        removed, *joined = at_once(remove, *[lambda p=person: join(p) for person in people])

        members = User.objects.filter(customer_group=group.pk).count()
        assert members == sum(joined)
        assert removed == (not any(joined)) == (not CustomerGroup.objects.exists())
        User.objects.update(customer_group=None)
        CustomerGroup.objects.all().delete()
