"""Erasures: asked for, taken back, waiting, done by one worker, and done again after a restore."""

from datetime import timedelta
from io import StringIO
from uuid import UUID

import pgtrigger
import pytest
from celery import current_app
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.kernel.models import AuditEntry, Mail
from apps.kernel.privacy import Person
from apps.kernel.tests.mails import mails_to
from apps.kernel.tests.threads import at_once
from apps.orders.tests.factories import completed_order, placed_order, ready_cart
from apps.users import interface as users
from apps.users.tests.factories import StaffFactory, UserFactory
from ecommerce.logs import JSONLines
from ecommerce.privacy.models import ErasureRequest
from ecommerce.privacy.selectors import open_requests
from ecommerce.privacy.services import erased, erasures
from ecommerce.privacy.services.people import account_of
from ecommerce.privacy.tasks import forget_old_records
from ecommerce.privacy.tests.seeding import MODELS

pytestmark = pytest.mark.django_db
User, Order = MODELS["users.User"], MODELS["orders.Order"]


def ask(user):
    return erasures.ask(user_id=user.pk)


def actions():
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_a_wish_waits_for_the_cooling_off_to_end_and_the_account_lives_on():
    user = UserFactory.create()

    request = ask(user)

    assert timedelta(hours=11) < request.erase_at - timezone.now() <= timedelta(hours=12)
    assert not erasures.advance_erasure()
    user.refresh_from_db()
    assert user.is_active
    assert actions() == ["privacy.erasure_requested"]


def test_the_account_is_closed_first_and_deleted_once_its_last_requests_have_ended(later):
    user = UserFactory.create()
    ask(user)
    ErasureRequest.objects.update(next_action_at=timezone.now())

    assert erasures.advance_erasure()

    user.refresh_from_db()
    closing = ErasureRequest.objects.get()
    assert (user.is_active, closing.status) == (False, "closing")
    assert closing.next_action_at > timezone.now() + timedelta(minutes=1)
    assert not erasures.advance_erasure()

    later()

    done = ErasureRequest.objects.get()
    assert (done.status, done.email, done.user_id) == ("done", "", user.pk)
    assert not User.objects.filter(pk=user.pk).exists()
    assert actions() == [
        "privacy.erasure_requested",
        "users.sessions_ended",
        "users.account_closed",
        "privacy.person_erased",
    ]


def test_a_wish_is_taken_back_until_it_has_begun(later):
    user = UserFactory.create()
    request = ask(user)

    erasures.take_back(user_id=user.pk, request_id=request.pk)
    later()

    assert User.objects.filter(pk=user.pk, is_active=True).exists()
    assert ErasureRequest.objects.get().status == "cancelled"
    with pytest.raises(erasures.UnknownErasureRequest):
        erasures.take_back(user_id=user.pk, request_id=request.pk)

    again = ask(user)
    ErasureRequest.objects.filter(pk=again.pk).update(next_action_at=timezone.now())
    erasures.advance_erasure()
    with pytest.raises(erasures.ErasureUnderWay):
        erasures.take_back(user_id=user.pk, request_id=again.pk)


def test_staff_are_refused_and_a_second_wish_too():
    user, staff = UserFactory.create(), StaffFactory.create()
    ask(user)

    with pytest.raises(users.StaffAccount):
        ask(staff)
    with pytest.raises(erasures.ErasureUnderWay):
        ask(user)
    assert ErasureRequest.objects.count() == 1


def test_open_orders_are_waited_for_with_the_account_as_it_was(later):
    user = UserFactory.create()
    order, _ = placed_order()
    Order.objects.filter(pk=order.pk).update(customer_id=user.pk, token_hash="")
    ask(user)

    later()

    waiting = ErasureRequest.objects.get()
    assert (waiting.status, waiting.waits_for) == ("scheduled", "open_orders")
    assert User.objects.filter(pk=user.pk, is_active=True).exists()
    with pgtrigger.ignore():
        Order.objects.update(status="expired")
        MODELS["orders.PaymentAttempt"].objects.update(status="voided", next_action_at=None)
    MODELS["kernel.OutboxEvent"].objects.update(done_at=timezone.now())

    later()

    order.refresh_from_db()
    assert ErasureRequest.objects.get().status == "done"
    assert (order.email, order.shipping_address) == ("", {})
    assert not MODELS["orders.RetainedInvoice"].objects.exists()  # nothing was ever paid


def test_events_that_subscribers_still_need_are_waited_for(later):
    user = UserFactory.create()
    completed_order(customer_id=user.pk)
    ask(user)

    later()

    waiting = ErasureRequest.objects.get()
    assert (waiting.status, waiting.waits_for) == ("closing", "open_events")
    assert User.objects.filter(pk=user.pk).exists()


def test_a_failure_undoes_all_of_it_and_the_next_try_finishes(later, settings, audit_root):
    user = UserFactory.create(email="ada@example.com")
    order, _ = completed_order(customer_id=user.pk)
    MODELS["kernel.OutboxEvent"].objects.update(done_at=timezone.now())
    ask(user)
    (audit_root / "erasures").touch()  # a file where the folder should be

    later()

    order.refresh_from_db()
    assert ErasureRequest.objects.get().status == "closing"
    assert order.email != ""
    (audit_root / "erasures").unlink()

    later()

    order.refresh_from_db()
    assert ErasureRequest.objects.get().status == "done"
    assert order.email == ""


def test_what_a_person_bought_as_a_guest_goes_too_also_under_the_address_from_before(later):
    user = UserFactory.create(email="ada@example.com")
    orders = [completed_order(email=f"{name}@example.com")[0] for name in ("ada", "new", "bob")]
    MODELS["kernel.OutboxEvent"].objects.update(done_at=timezone.now())
    erasures.promise(account_of("ada@example.com"))
    User.objects.filter(pk=user.pk).update(email="new@example.com")

    later()

    for order in orders:
        order.refresh_from_db()
    assert [order.email for order in orders] == ["", "", "bob@example.com"]
    assert len(list(erased.entries())) == 2


def test_an_address_that_somebody_else_has_typed_is_theirs(later):
    me, other = UserFactory.create(email="ada@example.com"), UserFactory.create()
    theirs, _ = completed_order(customer_id=other.pk, email="ada@example.com")
    MODELS["kernel.OutboxEvent"].objects.update(done_at=timezone.now())
    erasures.promise(account_of("ada@example.com"))

    later()

    theirs.refresh_from_db()
    assert not User.objects.filter(pk=me.pk).exists()
    assert theirs.email == "ada@example.com"


def test_a_guest_is_erased_by_address_in_whatever_case(later):
    mine, holder = completed_order(email="Ada@Example.com")
    ready_cart(email="ada@example.com")
    other, _ = completed_order(email="bob@example.com")
    MODELS["kernel.OutboxEvent"].objects.update(done_at=timezone.now())
    out = StringIO()

    call_command("privacy", "erase", "--email", "ADA@example.com", stdout=out)
    later()

    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.email, mine.shipping_address, mine.token_hash) == ("", {}, "")
    invoice = mine.billing_documents.get(kind="invoice")
    assert invoice.content["buyer"]["last_name"] == "Doe"
    assert not MODELS["orders.RetainedInvoice"].objects.exists()
    assert other.email == "bob@example.com"
    assert MODELS["orders.Cart"].objects.count() == 1
    assert "Request" in out.getvalue()
    assert holder.token


def test_whose_money_has_no_invoice_is_forgotten_the_day_after_the_last(later):
    order, _ = completed_order(email="ada@example.com")
    with pgtrigger.ignore():
        MODELS["orders.BillingDocument"].objects.all().delete()
    MODELS["kernel.OutboxEvent"].objects.update(done_at=timezone.now())
    erasures.promise(Person(None, frozenset({"ada@example.com"})))
    later()
    invoices = MODELS["orders.RetainedInvoice"].objects
    assert "phone" not in order.retained_invoice.address
    assert order.retained_invoice.legal_basis == "bookkeeping"
    forget_invoices = current_app.tasks["orders.forget_old_records"]
    today = timezone.now().date()
    invoices.update(keep_until=today)
    forget_invoices()
    assert invoices.count() == 1

    invoices.update(keep_until=today - timedelta(days=1))
    forget_invoices()
    assert invoices.count() == 0
    order.refresh_from_db()
    assert order.grand_total_minor > 0


def test_after_a_restore_everybody_on_the_list_is_erased_again(later, audit_root):
    user = UserFactory.create(email="ada@example.com")
    guest, _ = completed_order(email="bob@example.com")
    MODELS["kernel.OutboxEvent"].objects.update(done_at=timezone.now())
    ask(user)
    erasures.promise(Person(None, frozenset({"bob@example.com"})))
    later()
    names = [path.name for path in (audit_root / "erasures").iterdir()]
    assert len(names) == 2
    assert not [name for name in names if "ada" in name or "bob" in name]
    # The restored database knows them again, and nothing of their erasure.
    ErasureRequest.objects.all().delete()
    User.objects.create(pk=user.pk, email="ada@example.com")
    Order.objects.filter(pk=guest.pk).update(email="bob@example.com", shipping_address={"a": "b"})
    newcomer = UserFactory.create(email="carol@example.com")
    out = StringIO()

    call_command("privacy", "reapply", stdout=out)
    later()

    assert "2 erasures are listed; 2 persons are erased again." in out.getvalue()
    guest.refresh_from_db()
    assert guest.email == ""
    assert list(User.objects.values_list("pk", flat=True)) == [newcomer.pk]


def test_the_list_is_read_from_log_lines_under_a_former_key_as_well(tmp_path, settings, caplog):
    settings.STORAGES = {name: s for name, s in settings.STORAGES.items() if name != "audit"}
    person = Person(UUID(int=7), frozenset({"ada@example.com"}))
    completed_order(email="Ada@example.com")
    caplog.set_level("INFO")
    erased.note(person, at=timezone.now())
    lines = tmp_path / "lines"
    lines.write_text(
        "".join(JSONLines(discreet=True).format(line) + "\n" for line in caplog.records)
    )
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key that came after the erasure"

    found = list(erased.still_there(erased.entries_in(lines.read_text())))

    assert "audit" not in storages.backends
    assert found == [Person(None, frozenset({"ada@example.com"}))]
    call_command("privacy", "reapply", "--log", lines, stdout=StringIO())
    assert ErasureRequest.objects.get().email == "ada@example.com"


def test_a_list_that_cannot_be_read_is_an_error(audit_root):
    (audit_root / "erasures").touch()

    with pytest.raises(CommandError, match="cannot be read"):
        call_command("privacy", "reapply")


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_erases_and_of_many_wishes_one_counts():
    user = UserFactory.create()

    def wish() -> object:
        try:
            return ask(user)
        except erasures.ErasureUnderWay as refusal:
            return refusal

    answers = at_once(*[wish] * 4)

    assert sum(isinstance(answer, ErasureRequest) for answer in answers) == 1
    for _ in ("close", "erase"):
        ErasureRequest.objects.update(next_action_at=timezone.now())
        assert sorted(at_once(*[erasures.advance_erasure] * 4)) == [False, False, False, True]
    assert actions().count("privacy.person_erased") == 1
    assert Mail.objects.filter(template="person_erased").count() == 1
    assert not User.objects.filter(pk=user.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_taking_back_and_beginning_at_once_never_leave_a_closed_account_behind():
    for _ in range(5):
        user = UserFactory.create()
        request = ask(user)
        ErasureRequest.objects.filter(pk=request.pk).update(next_action_at=timezone.now())

        def take_back(user=user, request=request) -> bool:
            try:
                erasures.take_back(user_id=user.pk, request_id=request.pk)
            except erasures.ErasureUnderWay:
                return False
            return True

        taken_back, _ = at_once(take_back, erasures.advance_erasure)

        user.refresh_from_db()
        request.refresh_from_db()
        assert user.is_active is taken_back
        assert request.status == ("cancelled" if taken_back else "closing")


def test_open_wishes_are_figures_for_alerts():
    ask(UserFactory.create())
    ErasureRequest.objects.update(requested_at=timezone.now() - timedelta(days=20))

    export, erasure = open_requests()

    assert (export.kind, export.open, export.oldest) == ("data_export", 0, 0.0)
    assert (erasure.kind, erasure.open, erasure.due) == ("erasure", 1, 0)
    assert 20 * 86_400 <= erasure.oldest < 20 * 86_400 + 60


def test_the_person_is_told_and_then_the_address_is_forgotten():
    user = UserFactory.create(email="ada@example.com")
    ask(user)
    [asked] = mails_to("ada@example.com")
    for _ in ("close", "erase"):
        ErasureRequest.objects.update(next_action_at=timezone.now())
        erasures.advance_erasure()
    assert list(Mail.objects.values_list("template", "to")) == [
        ("person_erased", "ada@example.com")
    ]
    ErasureRequest.objects.update(next_action_at=timezone.now())
    assert erasures.advance_erasure()
    assert ErasureRequest.objects.get().status == "telling"  # it is not sent yet

    [_, told] = mails_to("ada@example.com")
    ErasureRequest.objects.update(next_action_at=timezone.now())
    erasures.advance_erasure()

    assert "going to be erased" in asked.subject
    assert told.subject == "You have been erased"
    assert not Mail.objects.exists()
    done = ErasureRequest.objects.get()
    assert (done.status, done.email) == ("done", "")


def test_the_list_forgets_what_no_backup_is_old_enough_to_need(audit_root):
    now = timezone.now()
    for days in (89, 91):
        erased.note(Person(UUID(int=days)), at=now - timedelta(days=days))

    forget_old_records()

    assert [entry.user_id for entry in erased.entries()] == [UUID(int=89)]
