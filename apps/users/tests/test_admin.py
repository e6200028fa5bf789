"""What staff may see and do about accounts and sessions in the back office."""

import pytest
from django.test import Client

from apps.kernel.models import AuditEntry
from apps.users.admin import PersonChange
from apps.users.models import Consent, Role, User
from apps.users.services import passwords
from apps.users.tests.factories import (
    PASSWORD,
    AddressFactory,
    RoleFactory,
    SessionFactory,
    StaffFactory,
    UserFactory,
    enter,
    permission,
)

pytestmark = pytest.mark.django_db

ROLES = "/admin/users/role/"
USERS, SESSIONS = "/admin/users/user/", "/admin/users/session/"


def entered(user):
    return enter(Client(), user)


@pytest.fixture
def boss():
    return entered(StaffFactory(is_superuser=True, email="boss@example.com"))


def profile(user, **changes):
    return {
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "is_active": "on",
        "addresses-TOTAL_FORMS": "0",
        "addresses-INITIAL_FORMS": "0",
        "consents-TOTAL_FORMS": "0",
        "consents-INITIAL_FORMS": "0",
        **changes,
    }


def test_customers_stay_outside():
    response = entered(UserFactory()).get(USERS)

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("path", [USERS, f"{USERS}add/", SESSIONS])
def test_staff_without_the_permission_see_nothing(path):
    assert entered(StaffFactory()).get(path).status_code == 403


def test_people_are_listed_searched_and_opened(boss):
    user = UserFactory(email="ada@example.com")
    UserFactory(email="eve@example.com")

    page = boss.get(USERS, {"q": "ada"}).content.decode()

    assert "ada@example.com" in page
    assert "eve@example.com" not in page
    assert boss.get(f"{USERS}{user.pk}/change/").status_code == 200
    assert boss.get(f"{USERS}{user.pk}/history/").status_code == 200


def test_a_person_is_added_with_a_password(boss):
    passwords = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}

    response = boss.post(f"{USERS}add/", {"email": "New@Example.com", **passwords})

    assert response.status_code == 302
    user = User.objects.get(email="new@example.com")
    assert user.check_password(PASSWORD)
    assert not user.is_staff


def test_a_taken_address_is_a_form_error(boss):
    UserFactory(email="ada@example.com")
    passwords = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}

    response = boss.post(f"{USERS}add/", {"email": "Ada@example.com", **passwords})

    assert response.status_code == 200
    assert "There is an account with this e-mail address." in response.content.decode()


def test_changing_a_person_makes_a_new_version(boss):
    user = UserFactory()

    response = boss.post(f"{USERS}{user.pk}/change/", profile(user, first_name="Grace"))

    assert response.status_code == 302
    user.refresh_from_db()
    assert (user.first_name, user.version) == ("Grace", 2)


def test_a_password_changed_while_staff_save_a_person_stays(boss, monkeypatch):
    user, original = UserFactory(), PersonChange.clean

    def slow(form):
        passwords.change_password(user_id=user.pk, password="another long password")
        return original(form)

    monkeypatch.setattr(PersonChange, "clean", slow)

    response = boss.post(f"{USERS}{user.pk}/change/", profile(user, first_name="Grace"))

    assert response.status_code == 302
    user.refresh_from_db()
    assert user.check_password("another long password")
    assert (user.first_name, user.version) == ("Grace", 3)


def test_a_password_set_by_staff_ends_the_sessions(boss):
    session = SessionFactory()

    response = boss.post(
        f"{USERS}{session.user_id}/password/",
        {
            "usable_password": "true",
            "password1": "a fresh password",
            "password2": "a fresh password",
        },
    )

    assert response.status_code == 302
    session.refresh_from_db()
    assert session.revoked_reason == "password_changed"
    assert session.user.check_password("a fresh password")


def test_a_password_that_staff_disable_is_none_that_anybody_could_type(boss):
    session = SessionFactory()
    form = {"usable_password": "false", "password1": "short", "password2": "short"}

    response = boss.post(
        f"{USERS}{session.user_id}/password/", {**form, "unset-password": "Disable"}
    )

    assert response.status_code == 302
    session.refresh_from_db()
    assert session.revoked_reason == "password_changed"
    assert not session.user.has_usable_password()


def test_staff_correct_an_address_and_only_read_consents(boss):
    address = AddressFactory(line1="1 Mian Street")
    Consent.objects.create(
        user=address.user, purpose="marketing", granted=True, text_version="wording-7"
    )
    book = {
        name: getattr(address, name)
        for name in ("id", "first_name", "last_name", "city", "postal_code", "country")
    }
    rows = {f"addresses-0-{name}": value for name, value in book.items()} | {
        "addresses-TOTAL_FORMS": "1",
        "addresses-INITIAL_FORMS": "1",
        "consents-TOTAL_FORMS": "1",
        "consents-INITIAL_FORMS": "1",
        "addresses-0-user": str(address.user_id),
        "addresses-0-line1": "1 Main Street",
        "addresses-0-default_shipping": "on",
    }

    response = boss.post(f"{USERS}{address.user_id}/change/", profile(address.user, **rows))

    assert response.status_code == 302
    address.refresh_from_db()
    assert (address.line1, address.default_shipping) == ("1 Main Street", True)
    page = boss.get(f"{USERS}{address.user_id}/change/").content.decode()
    assert "wording-7" in page
    assert 'name="consents-0-text_version"' not in page


@pytest.mark.parametrize(
    ("said", "kept", "refusals"),
    [
        ({"region": "Illinois"}, ("IL", "62701"), []),
        ({"region": "il", "postal_code": "62701-1234 "}, ("IL", "62701-1234"), []),
        ({"postal_code": "62702"}, None, ["Addresses of this country have it."]),
        ({"region": "Bavaria"}, None, ["The country has no such region."]),
        ({"country": "XX"}, None, ["This is no country code."]),
        ({"country": "DE"}, ("", "62701"), []),
        ({"country": "HK", "region": "Kowloon", "postal_code": ""}, ("Kowloon", ""), []),
        ({"country": "DE", "postal_code": "6270"}, None, ["postal code"]),
    ],
)
def test_staff_keep_to_the_rules_of_an_address_s_country(boss, said, kept, refusals):
    address = AddressFactory()
    before = (address.region, address.postal_code, address.country)
    book = {
        name: getattr(address, name)
        for name in ("id", "first_name", "last_name", "line1", "city", "postal_code", "country")
    }
    rows = {f"addresses-0-{name}": value for name, value in (book | said).items()} | {
        "addresses-TOTAL_FORMS": "1",
        "addresses-INITIAL_FORMS": "1",
        "addresses-0-user": str(address.user_id),
    }

    response = boss.post(f"{USERS}{address.user_id}/change/", profile(address.user, **rows))

    assert response.status_code == (200 if refusals else 302)
    for refusal in refusals:
        assert refusal in response.content.decode()
    address.refresh_from_db()
    if kept:
        assert (address.region, address.postal_code) == kept
    else:
        assert (address.region, address.postal_code, address.country) == before


def test_nobody_is_deleted_here(boss):
    user = UserFactory()

    assert boss.post(f"{USERS}{user.pk}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=user.pk).exists()


def test_who_may_change_people_may_not_grant_rights():
    clerk = entered(StaffFactory(permissions=["users.change_user", "users.view_user"]))
    user = UserFactory()

    response = clerk.post(
        f"{USERS}{user.pk}/change/", profile(user, is_staff="on", is_superuser="on")
    )

    assert response.status_code == 302
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_who_may_change_people_may_not_take_over_staff():
    clerk = entered(StaffFactory(permissions=["users.change_user", "users.view_user"]))
    boss = StaffFactory(is_superuser=True)
    passwords = {"usable_password": "true", "password1": "taken over!", "password2": "taken over!"}

    assert clerk.post(f"{USERS}{boss.pk}/password/", passwords).status_code == 403
    assert clerk.post(f"{USERS}{boss.pk}/change/", profile(boss)).status_code == 403
    boss.refresh_from_db()
    assert boss.check_password(PASSWORD)


def test_who_may_give_roles_gives_those_that_hold_no_more(boss):
    weak, strong = RoleFactory(), RoleFactory(permissions=["orders.refund_order"])
    person, session = UserFactory(), SessionFactory()
    hr = entered(
        StaffFactory(permissions=["users.change_user", "users.view_user", "users.assign_role"])
    )
    path = f"{USERS}{session.user_id}/change/"

    refused = hr.post(path, profile(session.user, roles=[strong.pk]), follow=True)
    assert "more rights than you have" in refused.content.decode()
    assert not session.user.groups.exists()
    given = hr.post(path, profile(session.user, roles=[weak.pk], is_superuser="on"))
    assert given.status_code == 302
    session.user.refresh_from_db()
    assert (session.user.is_staff, session.user.is_superuser) == (True, False)
    assert list(session.user.groups.all()) == [weak.group_ptr]
    session.refresh_from_db()
    assert session.revoked_reason == "rights_changed"
    boss.post(f"{USERS}{person.pk}/change/", profile(person, roles=[strong.pk]))
    assert list(person.groups.all()) == [strong.group_ptr]
    hr.post(f"{USERS}{person.pk}/change/", profile(person, roles=[]))
    assert person.groups.exists()


def test_who_may_not_give_roles_sees_and_keeps_them():
    clerk = entered(StaffFactory(permissions=["users.change_user", "users.view_user"]))
    role, user = RoleFactory(name="Gardeners"), UserFactory()
    user.groups.add(role)

    page = clerk.get(f"{USERS}{user.pk}/change/").content.decode()
    clerk.post(f"{USERS}{user.pk}/change/", profile(user, first_name="Grace", is_active=""))

    assert "Gardeners" in page
    user.refresh_from_db()
    assert (user.first_name, user.is_active) == ("Grace", True)
    assert user.groups.exists()


def test_a_person_is_switched_off_with_the_sessions(boss):
    session = SessionFactory()
    switched_off = profile(session.user)
    del switched_off["is_active"]

    boss.post(f"{USERS}{session.user_id}/change/", switched_off)

    session.refresh_from_db()
    session.user.refresh_from_db()
    assert (session.user.is_active, session.revoked_reason) == (False, "deactivated")
    assert session.user.version == 3


def test_the_last_administrator_is_told_to_stay(boss):
    me = User.objects.get(email="boss@example.com")

    page = boss.post(f"{USERS}{me.pk}/change/", profile(me, is_staff="on"), follow=True)

    assert "without an administrator" in page.content.decode()
    me.refresh_from_db()
    assert me.is_superuser


def test_a_password_is_set_only_by_who_may_set_passwords():
    clerk = StaffFactory(permissions=["users.change_user", "users.view_user"])
    setter = StaffFactory(
        permissions=["users.change_user", "users.view_user", "users.set_password"]
    )
    path = f"{USERS}{UserFactory().pk}/password/"

    assert entered(clerk).get(path).status_code == 403
    assert entered(setter).get(path).status_code == 200


def test_roles_are_written_through_the_services():
    editor = entered(
        StaffFactory(
            permissions=[f"users.{verb}_role" for verb in ("add", "change", "delete", "view")]
        )
    )
    mine, foreign = permission("users.view_role"), permission("orders.refund_order")

    page = editor.post(ROLES + "add/", {"name": "Mine", "permissions": [mine.pk]})
    refused = editor.post(
        ROLES + "add/", {"name": "Strong", "permissions": [foreign.pk]}, follow=True
    )

    assert page.status_code == 302
    assert "more rights than you have" in refused.content.decode()
    role = Role.objects.get()
    assert list(role.permissions.all()) == [mine]
    assert AuditEntry.objects.get().action == "users.role_added"
    editor.post(f"{ROLES}{role.pk}/change/", {"name": "Ours", "permissions": []})
    role.refresh_from_db()
    assert (role.name, role.version, role.permissions.count()) == ("Ours", 2, 0)
    editor.post(f"{ROLES}{role.pk}/delete/", {"post": "yes"})
    assert not Role.objects.exists()


def test_a_role_in_use_stays_also_when_many_are_deleted(boss):
    used, unused = RoleFactory(), RoleFactory()
    UserFactory().groups.add(used)
    chosen = {"action": "delete_selected", "_selected_action": [used.pk, unused.pk], "post": "yes"}

    page = boss.post(ROLES, chosen, follow=True)

    assert "Somebody has this role" in page.content.decode()
    assert Role.objects.filter(pk=used.pk).exists()


def test_sessions_are_read_only(boss):
    session = SessionFactory()

    assert session.user.email in boss.get(SESSIONS, {"q": session.user.email}).content.decode()
    assert boss.get(f"{SESSIONS}{session.pk}/change/").status_code == 200
    assert boss.post(f"{SESSIONS}{session.pk}/change/", {}).status_code == 403
    assert boss.post(f"{SESSIONS}{session.pk}/delete/", {"post": "yes"}).status_code == 403
    assert boss.get(f"{SESSIONS}add/").status_code == 403


def test_chosen_sessions_are_revoked(boss):
    chosen, other = SessionFactory(), SessionFactory()

    boss.post(SESSIONS, {"action": "revoke", "_selected_action": [str(chosen.pk)]})

    other.refresh_from_db()
    assert other.revoked_at is None
    chosen.refresh_from_db()
    assert chosen.revoked_reason == "revoked_by_staff"


def test_who_may_only_look_at_sessions_cannot_revoke_them():
    viewer = entered(StaffFactory(permissions=["users.view_session"]))
    session = SessionFactory()

    viewer.post(SESSIONS, {"action": "revoke", "_selected_action": [str(session.pk)]})

    session.refresh_from_db()
    assert session.revoked_at is None
