"""What people do over HTTP and in the back office is in the audit log, with who and from where."""

import logging

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.catalog.tests.factories import BrandFactory, ProductFactory
from apps.kernel.anchors import anchor, anchors
from apps.kernel.audit import Actor, on_behalf_of, record, seal
from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry
from apps.users.tests.factories import (
    ApiKeyFactory,
    StaffFactory,
    UserFactory,
    access_token_for,
    enter,
)
from ecommerce.logs import JSONLines

pytestmark = pytest.mark.django_db

UNKNOWN = "01990000-0000-7000-8000-000000000000"


def get(path, user, **query):
    return Client().get(path, query, headers={"Authorization": f"Bearer {access_token_for(user)}"})


def test_a_product_changed_over_the_api_names_who_did_it_and_what_was_before():
    product, manager = ProductFactory(name="Old", status="draft"), StaffFactory(is_superuser=True)
    token = access_token_for(manager)

    answer = Client(REMOTE_ADDR="192.0.2.7").patch(
        f"/api/v1/products/{product.pk}",
        {"name": "New"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}", "X-Request-Id": "a-request-id"},
    )

    assert answer.status_code == 200, answer.content
    entry = AuditEntry.objects.get(about=str(product.pk))
    assert (entry.action, entry.before["name"], entry.after["name"]) == (
        "catalog.product_written",
        "Old",
        "New",
    )
    assert (entry.actor_kind, entry.actor_id) == ("person", manager.pk)
    assert entry.session_id == manager.sessions.get().pk
    assert (entry.ip, entry.request_id) == ("192.0.2.7", "a-request-id")


def test_what_a_key_does_is_recorded_as_the_keys():
    product = ProductFactory(name="Old", status="draft")
    manager = StaffFactory(is_superuser=True)
    secret = ApiKeyFactory.secret_of(owner=manager, scopes=["catalog.change_product"])

    answer = Client().patch(
        f"/api/v1/products/{product.pk}",
        {"name": "New"},
        content_type="application/json",
        headers={"Authorization": f"Api-Key {secret}"},
    )

    assert answer.status_code == 200, answer.content
    entry = AuditEntry.objects.get(about=str(product.pk))
    assert (entry.actor_kind, entry.actor_id) == ("api_key", manager.api_keys.get().pk)
    assert entry.session_id is None


def test_a_change_in_the_back_office_is_recorded_with_both_values(client):
    boss, brand = StaffFactory(is_superuser=True), BrandFactory(name="Old")
    enter(client, boss)

    client.post(f"/admin/catalog/brand/{brand.pk}/change/", {"name": "New", "slug": brand.slug})

    brand.refresh_from_db()
    assert brand.name == "New"
    entry = AuditEntry.objects.get(action="catalog.brand_changed")
    assert (entry.about, entry.actor_id) == (str(brand.pk), boss.pk)
    assert (entry.before, entry.after) == ({"name": "Old"}, {"name": "New"})


def test_what_is_changed_about_a_person_is_recorded_without_the_values(client):
    boss, person = StaffFactory(is_superuser=True), UserFactory(first_name="Secretive")
    enter(client, boss)

    client.post(
        f"/admin/users/user/{person.pk}/change/",
        {
            "email": person.email,
            "first_name": "Other",
            "last_name": "Doe",
            "is_active": "on",
            "addresses-TOTAL_FORMS": "0",
            "addresses-INITIAL_FORMS": "0",
            "consents-TOTAL_FORMS": "0",
            "consents-INITIAL_FORMS": "0",
        },
    )

    entry = AuditEntry.objects.get(action="users.user_changed")
    assert (entry.about, entry.before) == (str(person.pk), None)
    assert entry.after == {"fields": ["first_name"]}


def test_a_refused_change_leaves_no_entry():
    product, manager = ProductFactory(), StaffFactory(is_superuser=True)

    Client().patch(
        f"/api/v1/products/{product.pk}",
        {"name": ""},
        content_type="application/json",
        headers={"Authorization": f"Bearer {access_token_for(manager)}"},
    )

    assert not AuditEntry.objects.exists()


def test_without_a_place_for_files_the_log_lines_are_the_anchors(settings, caplog, tmp_path):
    settings.STORAGES = {name: kept for name, kept in settings.STORAGES.items() if name != "audit"}
    for number in range(2):
        record("test.happened", about=number)
    seal()

    with caplog.at_level(logging.INFO, logger="apps.kernel.anchors"):
        anchor(at=timezone.now())

    lines = tmp_path / "lines"
    lines.write_text("".join(JSONLines().format(line) + "\n" for line in caplog.records))
    assert list(anchors()) == []
    call_command("audit", "verify", "--anchors", str(lines))
    with connection.cursor() as cursor:
        cursor.execute("GRANT DELETE ON kernel_auditentry TO CURRENT_USER")
        cursor.execute("ALTER TABLE kernel_auditentry DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM kernel_auditentry WHERE seq = 2")
    call_command("audit", "verify")
    with pytest.raises(CommandError, match="1 findings"):
        call_command("audit", "verify", "--anchors", str(lines))


def test_staff_who_may_read_the_log_and_filter_it(django_assert_num_queries):
    reader = StaffFactory(permissions=["kernel.view_auditentry"])
    someone = new_id()
    for number in range(3):
        record("test.happened", about=number)
    with on_behalf_of(lambda: Actor(kind="person", id=someone)):
        record("test.changed", about="x", after={"a": 1})

    page = get("/api/v1/audit-log", reader, limit=2).json()
    assert [row["action"] for row in page["results"]] == ["test.changed", "test.happened"]
    assert page["next"]
    for narrowed in (
        {"filter[action]": "test.changed"},
        {"filter[about]": "x"},
        {"filter[actor_id]": str(someone)},
    ):
        [row] = get("/api/v1/audit-log", reader, **narrowed).json()["results"]
        assert row["after"] == {"a": 1}
        assert get(f"/api/v1/audit-log/{row['id']}", reader).json() == row
    assert (
        get("/api/v1/audit-log", reader, **{"filter[since]": "2999-01-01T00:00:00Z"}).json()[
            "results"
        ]
        == []
    )
    assert get(f"/api/v1/audit-log/{new_id()}", reader).status_code == 404
    assert get("/api/v1/audit-log", reader, **{"filter[actor_id]": "x"}).status_code == 400


@pytest.mark.parametrize("path", ["/api/v1/audit-log", f"/api/v1/audit-log/{UNKNOWN}"])
def test_nobody_else_reads_it(path):
    assert Client().get(path).status_code == 401
    assert get(path, UserFactory()).status_code == 403
    assert get(path, StaffFactory()).status_code == 403


def test_the_page_in_the_back_office_shows_it_and_changes_nothing(client):
    record("test.happened", about=1)
    enter(client, StaffFactory(permissions=["kernel.view_auditentry"]))
    one = [AuditEntry.objects.get().pk]

    page = client.get(reverse("admin:kernel_auditentry_changelist")).content.decode()
    assert "test.happened" in page
    assert client.get(reverse("admin:kernel_auditentry_change", args=one)).status_code == 200
    assert client.get(reverse("admin:kernel_auditentry_add")).status_code == 403
    assert client.post(reverse("admin:kernel_auditentry_delete", args=one)).status_code == 403
