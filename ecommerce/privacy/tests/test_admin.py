"""What staff see and do about exports and erasures in the back office."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.kernel.models import AuditEntry
from apps.users.tests.factories import StaffFactory, UserFactory, enter
from ecommerce.privacy.models import DataExport, ErasureRequest
from ecommerce.privacy.services import erasures, exports

pytestmark = pytest.mark.django_db
EXPORTS, ERASURES = "/admin/privacy/dataexport/", "/admin/privacy/erasurerequest/"


def entered(*permissions: str) -> tuple[Client, Any]:
    staff = StaffFactory.create(permissions=[f"privacy.{name}" for name in permissions])
    client = Client()
    enter(client, staff)
    return client, staff


def test_staff_ask_for_an_archive_in_a_persons_name_and_never_see_inside():
    customer = UserFactory.create()
    client, staff = entered("add_dataexport", "view_dataexport")

    answer = client.post(f"{EXPORTS}add/", {"email": customer.email.upper()})
    exports.advance_export()

    export = DataExport.objects.get()
    assert (answer.status_code, export.user_id, export.asked_by) == (302, customer.pk, staff.pk)
    page = client.get(f"{EXPORTS}{export.pk}/change/")
    assert page.status_code == 200
    assert b"field-status" in page.content
    assert b"field-archive" not in page.content
    assert AuditEntry.objects.get(action="privacy.export_requested").actor_id == staff.pk


def test_staff_have_a_person_erased_at_once_and_take_it_back():
    customer = UserFactory.create()
    client, staff = entered("add_erasurerequest", "view_erasurerequest", "take_back_erasurerequest")

    answer = client.post(f"{ERASURES}add/", {"email": customer.email})

    request = ErasureRequest.objects.get()
    assert (answer.status_code, request.user_id, request.asked_by) == (302, customer.pk, staff.pk)
    assert request.email == customer.email
    assert request.erase_at <= timezone.now()
    listed = client.get(ERASURES)
    assert b"limit" in listed.content
    client.post(ERASURES, {"action": "take_back", "_selected_action": [str(request.pk)]})
    request.refresh_from_db()
    assert request.status == "cancelled"


@pytest.mark.parametrize("path", [EXPORTS, ERASURES])
def test_an_unknown_address_or_a_second_wish_is_told_beside_the_field(path):
    customer = UserFactory.create()
    exports.ask(user_id=customer.pk)
    erasures.ask(user_id=customer.pk)
    client, _ = entered(
        *("add_dataexport", "view_dataexport", "add_erasurerequest", "view_erasurerequest")
    )

    unknown = client.post(f"{path}add/", {"email": "nobody@example.com"})
    second = client.post(f"{path}add/", {"email": customer.email})

    assert b"There is no account with this address." in unknown.content
    assert b"already." in second.content
    assert (DataExport.objects.count(), ErasureRequest.objects.count()) == (1, 1)


def test_a_member_of_staff_is_not_erased():
    client, staff = entered("add_erasurerequest", "view_erasurerequest")

    answer = client.post(f"{ERASURES}add/", {"email": staff.email})

    assert b"Take the rights in the back office first." in answer.content
    assert not ErasureRequest.objects.exists()


@pytest.mark.parametrize("path", [EXPORTS, ERASURES])
def test_without_the_right_nobody_asks_or_looks(path):
    client, _ = entered()

    assert client.get(path).status_code == 403
    assert client.post(f"{path}add/", {"email": UserFactory.create().email}).status_code == 403


@pytest.mark.parametrize("path", [EXPORTS, ERASURES])
def test_a_proof_of_long_ago_is_not_enough_to_ask(path):
    customer = UserFactory.create()
    client, staff = entered("add_dataexport", "add_erasurerequest")
    staff.sessions.update(proven_at=timezone.now() - timedelta(hours=1))

    answer = client.post(f"{path}add/", {"email": customer.email})

    assert answer.status_code == 302
    assert "step" in answer["Location"]
    assert (DataExport.objects.count(), ErasureRequest.objects.count()) == (0, 0)
