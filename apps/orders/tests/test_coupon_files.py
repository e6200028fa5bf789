"""The codes of a batch as a file."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from apps.kernel.models import AuditEntry
from apps.orders.models import Coupon
from apps.orders.services import coupon_files
from apps.orders.tests.factories import CouponFactory, PromotionFactory
from apps.orders.tests.test_promotion_api import PATH, batch
from apps.users.tests.factories import StaffFactory

pytestmark = pytest.mark.django_db


def test_the_codes_of_a_batch_are_a_file_piece_by_piece(staff, monkeypatch):
    monkeypatch.setattr(coupon_files, "CODES_A_PIECE", 2)
    promotion = PromotionFactory(needs_code=True)
    some = batch(staff, promotion, "one", codes=["SUN", "SUN-2", "SUN_3"], uses_per_customer=2)
    free = batch(staff, promotion, "two", codes=["ALWAYS"], uses_limit=None)
    Coupon.objects.filter(code="SUN-2").update(uses=1)

    file = staff.get(f"{some['Location']}/codes", headers={"Accept": "text/csv"})

    assert (file.status_code, file["Content-Type"]) == (200, "text/csv")
    assert file["Content-Disposition"] == f'attachment; filename="codes-{some.json()["id"]}.csv"'
    assert list(file.streaming_content) == [
        b"code,uses,uses_limit,uses_per_customer\r\n",
        b"SUN,0,1,2\r\nSUN-2,1,1,2\r\n",
        b"SUN_3,0,1,2\r\n",
    ]
    unlimited = staff.get(f"{free['Location']}/codes")
    assert b"".join(unlimited.streaming_content).endswith(b"ALWAYS,,,\r\n")
    fetched = AuditEntry.objects.filter(action="orders.coupon_codes_fetched")
    assert {entry.about for entry in fetched} == {some.json()["id"], free.json()["id"]}


def test_codes_are_a_file_of_their_own_promotion_alone(staff):
    made = batch(staff, PromotionFactory(needs_code=True), "one", codes=["SUN"])
    other = f"{PATH}/{PromotionFactory().pk}/coupon-batches/{made.json()['id']}/codes"

    answer = staff.get(other)

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_coupon_batch")
    assert not AuditEntry.objects.filter(action="orders.coupon_codes_fetched").exists()


@pytest.mark.parametrize("code", ["=1+1", "+A", "-A", "@A", "\tA", "A=1", "A\n"])
def test_no_code_is_a_formula_to_a_spreadsheet(code):
    with pytest.raises(IntegrityError), transaction.atomic():
        CouponFactory(code=code)


def test_the_back_office_links_the_file_of_a_batch(enter):
    coupon = CouponFactory(code="SUN")
    seen = ["orders.view_promotion", "orders.view_couponbatch"]
    office = enter(Client(), StaffFactory(permissions=seen))
    whole = enter(Client(), StaffFactory(permissions=[*seen, "orders.view_coupon"]))
    page = f"/admin/orders/promotion/{coupon.promotion_id}"
    file = f"{page.rsplit('/', 1)[0]}/{coupon.promotion_id}/batches/{coupon.batch_id}/codes/"

    assert file in whole.get(f"{page}/change/").content.decode()
    assert office.get(file).status_code == 403
    assert b"SUN" in b"".join(whole.get(file).streaming_content)
    assert whole.get(file.replace(str(coupon.batch_id), str(uuid4()))).status_code == 404
