"""The kernel in the admin."""

from collections.abc import Callable

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from apps.kernel.ids import new_id
from apps.kernel.models import IdempotencyRecord, InboxEntry, OutboxEvent

pytestmark = pytest.mark.django_db

SECRET = "an answer with an address in it"


@pytest.fixture
def staff(client: Client, enter: Callable[..., Client]) -> Client:
    people = get_user_model()._default_manager
    person = people.create(email="staff@example.com", is_staff=True, is_superuser=True)
    return enter(client, person)


@pytest.fixture
def rows() -> dict[str, object]:
    event = OutboxEvent.objects.create(aggregate_id=new_id(), seq=1, name="a.b", payload={})
    entry = InboxEntry.objects.create(event=event, consumer="c.d")
    record = IdempotencyRecord.objects.create(
        principal="user:1", route="POST x", key="k", fingerprint="f", status=201, body=SECRET
    )
    return {"outboxevent": event.pk, "inboxentry": entry.pk, "idempotencyrecord": record.pk}


@pytest.mark.parametrize("model", ["outboxevent", "inboxentry", "idempotencyrecord"])
def test_staff_may_look_and_never_touch(staff: Client, rows: dict[str, object], model: str) -> None:
    one = [rows[model]]

    assert staff.get(reverse(f"admin:kernel_{model}_changelist")).status_code == 200
    assert staff.get(reverse(f"admin:kernel_{model}_change", args=one)).status_code == 200
    assert staff.get(reverse(f"admin:kernel_{model}_add")).status_code == 403
    assert staff.post(reverse(f"admin:kernel_{model}_change", args=one)).status_code == 403
    assert staff.post(reverse(f"admin:kernel_{model}_delete", args=one)).status_code == 403


def test_no_page_shows_a_stored_answer(staff: Client, rows: dict[str, object]) -> None:
    pages = [
        reverse("admin:kernel_idempotencyrecord_changelist"),
        reverse("admin:kernel_idempotencyrecord_change", args=[rows["idempotencyrecord"]]),
    ]

    for page in pages:
        assert SECRET not in staff.get(page).content.decode()
