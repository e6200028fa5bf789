"""Mails about goods: to whom, once, and only when it is true."""

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from apps.catalog.tests.factories import VariantFactory
from apps.kernel.delivery import relay_batch
from apps.kernel.models import Mail
from apps.kernel.tests.mails import mails_to
from apps.kernel.tests.threads import at_once
from apps.users.tests.factories import StaffFactory, UserFactory, client_of
from ecommerce.notices.tasks import tell_what_is_low, tell_who_waited

pytestmark = pytest.mark.django_db
ALERTS = "/api/v1/users/me/alerts"


def wait(user, variant):
    assert client_of(user).post(ALERTS, {"variant_id": str(variant.pk)}).status_code == 201


def change(variant, **fields):
    """Change the product, as staff do; then deliver what follows from it."""
    staff = StaffFactory.create(is_superuser=True)
    answer = client_of(staff).patch(f"/api/v1/products/{variant.product_id}", fields)
    assert answer.status_code == 200, answer.content
    relay_batch()


def fill_up(variant, on_hand):
    price = {"amount": "10.00", "currency": "USD"}
    change(variant, variants=[{"sku": variant.sku, "price": price, "on_hand": on_hand}])


def test_whoever_waited_gets_one_mail_when_the_goods_are_back():
    robin, kim = UserFactory(email="robin@example.com"), UserFactory(email="kim@example.com")
    lamp = VariantFactory(sku="LAMP", product__name="Lamp & <b>Co</b>")
    for user in (robin, kim):
        wait(user, lamp)
    wait(kim, VariantFactory())
    tell_who_waited()
    assert not Mail.objects.exists()

    fill_up(lamp, 2)
    tell_who_waited()

    [mail] = mails_to("robin@example.com")
    assert mail.subject == "Lamp & <b>Co</b> is in stock again"
    assert "Lamp & <b>Co</b> (LAMP) is in stock again" in mail.body
    assert "Lamp &amp; &lt;b&gt;Co&lt;/b&gt; (LAMP)" in mail.alternatives[0].content
    assert len(mails_to("kim@example.com")) == 1
    fill_up(lamp, 0)
    fill_up(lamp, 5)
    tell_who_waited()
    assert len(mails_to("robin@example.com")) == 1


def test_a_product_that_is_published_with_stock_is_told_of():
    robin, lamp = UserFactory(), VariantFactory()
    wait(robin, lamp)
    change(lamp, status="draft")
    fill_up(lamp, 5)
    tell_who_waited()
    assert not Mail.objects.exists()

    change(lamp, status="published")
    tell_who_waited()

    assert [mail.to for mail in Mail.objects.all()] == [robin.email]


def test_two_workers_write_each_mail_once(transactional_db):
    lamp = VariantFactory()
    robins = [UserFactory() for _ in range(12)]
    for robin in robins:
        wait(robin, lamp)
    fill_up(lamp, 1)

    at_once(*[tell_who_waited] * 3)

    assert sorted(mail.to for mail in Mail.objects.all()) == sorted(r.email for r in robins)


def test_whose_account_is_gone_is_not_written_to():
    robin, lamp = UserFactory(), VariantFactory()
    wait(robin, lamp)
    robin.delete()
    fill_up(lamp, 1)

    tell_who_waited()

    assert not Mail.objects.exists()


def test_staff_who_want_to_know_get_one_mail_of_all_that_ran_low():
    call_command("sync_roles", verbosity=0)
    kim = StaffFactory.create(email="kim@example.com")
    kim.groups.add(Group.objects.get(role__code="warehouse"))
    StaffFactory.create().groups.add(Group.objects.get(role__code="finance"))
    gone = StaffFactory.create(is_active=False)
    gone.groups.add(Group.objects.get(role__code="warehouse"))
    for number in range(52):
        VariantFactory(sku=f"L{number:02}", stock=1, product__name="Lamp & Co")

    tell_what_is_low()
    tell_what_is_low()

    [mail] = mails_to("kim@example.com")
    assert [each.to for each in Mail.objects.all()] == ["kim@example.com"]
    assert mail.subject == "52 SKUs have run low"
    assert "L00: 1 left of Lamp & Co (reorder point 5)" in mail.body
    assert "L49: 1 left" in mail.body
    assert "L50" not in mail.body
    assert "and 2 more" in mail.body
    assert "Lamp &amp; Co (reorder point 5)<br>" in mail.alternatives[0].content
