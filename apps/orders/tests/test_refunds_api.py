"""Refunds of parts and the ledger over HTTP, and in the back office."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from apps.kernel.models import AuditEntry
from apps.orders.models import LedgerEntry, LedgerPosting, Refund
from apps.orders.tests.factories import completed_order, placed_order
from apps.users.tests.factories import (
    ApiKeyFactory,
    StaffFactory,
    enter,
    staff_client,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk():
    return staff_client("orders.refund_order")


@pytest.fixture
def order():
    """An order of 15.00 USD, of which one cent has gone back."""
    return completed_order()[0]


def ask(client, order, amount="1.00", key=None, *, currency="USD", headers=None, **body):
    return client.post(
        f"/api/v1/orders/{order.pk}/refunds",
        {"amount": {"amount": amount, "currency": currency}, "reason": "A scratch.", **body},
        headers={"Idempotency-Key": key or uuid4().hex, **(headers or {})},
    )


def refundable(order):
    reader = staff_client("orders.view_order")
    return reader.get(f"/api/v1/orders/{order.pk}/refunds").json()["refundable"]["amount"]


def test_a_part_is_promised_back_and_told(clerk, order):
    version = order.version

    answer = ask(clerk, order, "4.50")

    assert answer.status_code == 201
    told = answer.json()
    assert told["amount"] == {"amount": "4.50", "currency": "USD"}
    assert (told["status"], told["reason"]) == ("created", "A scratch.")
    assert told["payment_id"] == str(order.attempts.get().pk)
    assert refundable(order) == "10.49"
    order.refresh_from_db()
    assert (order.version, order.status) == (version + 1, "completed")
    recorded = AuditEntry.objects.get(action="orders.refund_promised")
    assert recorded.after == {"amount_minor": 450, "currency": "USD"}


def test_more_than_is_left_is_refused_and_changes_nothing(clerk, order):
    ask(clerk, order, "4.00")
    before = LedgerEntry.objects.count()

    answer = ask(clerk, order, "11.00")

    assert (answer.status_code, answer.json()["code"]) == (409, "refund_exceeds_captured")
    assert answer.json()["facts"] == {"refundable": {"amount": "10.99", "currency": "USD"}}
    assert answer["Content-Type"] == "application/problem+json"
    assert Refund.objects.count() == 2
    assert LedgerEntry.objects.count() == before
    assert ask(clerk, order, "10.99").status_code == 201
    assert refundable(order) == "0.00"


def test_of_an_unpaid_order_nothing_goes_back(clerk):
    order, _ = placed_order()

    answer = ask(clerk, order)

    assert (answer.status_code, answer.json()["code"]) == (409, "refund_exceeds_captured")
    assert answer.json()["facts"]["refundable"]["amount"] == "0.00"
    assert not Refund.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"currency": "EUR"}, 422, "currency_mismatch"),
        ({"amount": "0.00"}, 422, "nothing_to_refund"),
        ({"amount": "-1.00"}, 400, "validation_failed"),
        ({"amount": "1.001"}, 400, "validation_failed"),
        ({"amount": "1e3"}, 400, "validation_failed"),
        ({"amount": "١.٠٠"}, 400, "validation_failed"),
        ({"amount": 1}, 400, "validation_failed"),
        ({"amount": "9999999999999.00"}, 400, "validation_failed"),
        ({"reason": ""}, 400, "validation_failed"),
        ({"reason": "x" * 201}, 400, "validation_failed"),
        ({"status": "succeeded"}, 400, "validation_failed"),
    ],
)
def test_a_bad_refund_is_refused_and_changes_nothing(clerk, order, body, status, code):
    answer = ask(clerk, order, **body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert Refund.objects.count() == 1
    assert refundable(order) == "14.99"


def test_a_missing_order_is_not_found(clerk, order):
    order.pk = uuid4()

    assert ask(clerk, order).status_code == 404


def test_the_same_key_gives_the_same_answer_and_one_refund(clerk, order):
    first, again = (ask(clerk, order, "2.00", "key") for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again["Idempotent-Replayed"] == "true"
    assert Refund.objects.count() == 2
    other = ask(clerk, order, "3.00", "key")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_without_a_key_nothing_goes_back(clerk, order):
    answer = clerk.post(
        f"/api/v1/orders/{order.pk}/refunds",
        {"amount": {"amount": "1.00", "currency": "USD"}, "reason": "A scratch."},
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_required")
    assert Refund.objects.count() == 1


def test_who_has_seen_an_older_order_gives_nothing_back(clerk, order):
    seen = f'"{order.version}"'
    assert ask(clerk, order, headers={"If-Match": seen}).status_code == 201

    answer = ask(clerk, order, headers={"If-Match": seen})

    assert (answer.status_code, answer.json()["code"]) == (412, "version_mismatch")
    assert Refund.objects.count() == 2


def test_staff_who_have_not_proven_themselves_for_a_while_give_nothing_back(order):
    tired = staff_client("orders.refund_order", proven_at=timezone.now() - timedelta(minutes=11))

    answer = ask(tired, order)

    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")
    assert Refund.objects.count() == 1


def test_neither_the_buyer_nor_other_staff_nor_a_program_give_money_back():
    order, holder = completed_order()
    buyer = APIClient(headers={"X-Order-Token": holder.token})
    viewer = staff_client("orders.view_order", "orders.cancel_order")
    secret = ApiKeyFactory.secret_of(
        owner=StaffFactory(permissions=["orders.refund_order"]), scopes=["orders.refund_order"]
    )
    program = APIClient(headers={"Authorization": f"Api-Key {secret}"})

    assert ask(buyer, order).status_code == 401
    assert ask(viewer, order).status_code == 403
    assert ask(program, order).status_code == 403
    assert Refund.objects.count() == 1


def test_the_buyer_sees_what_goes_back_and_strangers_see_nothing(clerk):
    order, holder = completed_order()
    ask(clerk, order, "4.50")
    path = f"/api/v1/orders/{order.pk}/refunds"

    seen = APIClient(headers={"X-Order-Token": holder.token}).get(path).json()

    assert seen["refundable"] == {"amount": "10.49", "currency": "USD"}
    assert [(each["amount"]["amount"], each["status"]) for each in seen["results"]] == [
        ("0.01", "succeeded"),
        ("4.50", "created"),
    ]
    assert APIClient().get(path).status_code == 404


def test_entries_are_listed_newest_first_and_narrowed(clerk, order):
    other, _ = completed_order()
    ask(clerk, order, "4.50")
    books = staff_client("orders.view_ledgerentry")

    def listed(**query):
        answer = books.get("/api/v1/ledger/entries", query)
        assert answer.status_code == 200
        return answer.json()["results"]

    newest = listed()[0]
    assert (newest["kind"], newest["order_id"]) == ("refund_promise", str(order.pk))
    assert {each["order_id"] for each in listed(**{"filter[order]": other.pk})} == {str(other.pk)}
    payable = listed(**{"filter[account]": "refunds_payable", "filter[order]": order.pk})
    assert {each["amount"]["amount"] for each in payable} == {"-4.50", "0.01", "-0.01"}
    assert {each["kind"] for each in listed(**{"filter[kind]": "capture"})} == {"capture"}
    source = Refund.objects.latest("created_at").pk
    assert len(listed(**{"filter[source]": source})) == 2
    now = timezone.now()
    assert listed(**{"filter[at][gte]": (now + timedelta(hours=1)).isoformat()}) == []
    assert listed(**{"filter[at][lt]": "0001-01-01T00:00:00Z"}) == []
    assert len(listed(**{"filter[at][lt]": (now + timedelta(hours=1)).isoformat()})) == len(
        listed()
    )


def test_the_pages_of_the_ledger_follow_one_another(order):
    books = staff_client("orders.view_ledgerentry")
    seen, path = [], "/api/v1/ledger/entries?limit=4"
    while path:
        page = books.get(path).json()
        seen += [each["id"] for each in page["results"]]
        path = page["next"]

    assert seen == [
        str(pk) for pk in LedgerEntry.objects.order_by("-id").values_list("pk", flat=True)
    ]


def test_a_list_of_entries_costs_the_same_whatever_its_length(django_assert_num_queries):
    books = staff_client("orders.view_ledgerentry")
    for _ in range(3):
        completed_order()

    with django_assert_num_queries(4):  # the session, two for the permissions, the page
        books.get("/api/v1/ledger/entries?limit=100")


@pytest.mark.parametrize(
    "query",
    [
        "filter[account]=cash",
        "filter[kind]=theft",
        "filter[order]=1",
        "filter[at][gte]=yesterday",
        "page=2",
        "after=x",
    ],
)
def test_a_bad_query_of_the_ledger_is_refused(query):
    answer = staff_client("orders.view_ledgerentry").get(f"/api/v1/ledger/entries?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")


def test_the_balances_of_a_currency_add_up_to_nothing(clerk, order):
    ask(clerk, order, "4.50")
    books = staff_client("orders.view_ledgerentry")

    now = books.get("/api/v1/ledger/balances").json()

    by_account = {row["account"]: row for row in now["results"]}
    assert by_account["stripe"]["debits"]["amount"] == "15.00"
    assert by_account["stripe"]["credits"]["amount"] == "0.01"
    assert by_account["stripe"]["balance"]["amount"] == "14.99"
    assert by_account["refunds_payable"]["balance"]["amount"] == "-4.50"
    assert sum(float(row["balance"]["amount"]) for row in now["results"]) == pytest.approx(0)
    before = books.get("/api/v1/ledger/balances", {"at": "2020-01-01T00:00:00Z"}).json()
    assert before == {"at": "2020-01-01T00:00:00+00:00", "results": []}


def test_only_who_keeps_the_books_reads_the_ledger(clerk):
    for path in ("entries", "balances"):
        assert clerk.get(f"/api/v1/ledger/{path}").status_code == 403
        assert APIClient().get(f"/api/v1/ledger/{path}").status_code == 401


@pytest.fixture
def manager(client):
    staff = StaffFactory(is_superuser=True)
    enter(client, staff)
    return staff


def test_staff_give_a_part_back_on_the_orders_page(manager, client, order):
    page = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    asked = f"?order={order.shown_number}&amp;version={order.version}"
    assert f"{reverse('admin:orders_refund_add')}{asked}" in page
    given = {
        "order": order.shown_number,
        "version": order.version,
        "amount": "4.50",
        "reason": "A scratch.",
    }

    answer = client.post(reverse("admin:orders_refund_add"), given)
    again = client.post(reverse("admin:orders_refund_add"), given)

    assert answer.status_code == 302
    assert "The order has changed since." in again.content.decode()
    refund = Refund.objects.latest("created_at")
    assert (refund.amount_minor, refund.reason) == (450, "A scratch.")
    assert Refund.objects.count() == 2
    page = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert "4.50 USD created: A scratch." in page
    assert "10.49 USD can be given back." in page


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        ("99.00", "More than is left of what was taken."),
        ("-1.00", "Give back more than nothing."),
        ("one", "An amount is a decimal string such as 19.99."),
    ],
)
def test_a_bad_amount_is_told_on_the_page_and_changes_nothing(manager, client, order, amount, told):
    answer = client.post(
        reverse("admin:orders_refund_add"),
        {"order": order.shown_number, "version": order.version, "amount": amount, "reason": "x"},
    )

    assert told in answer.content.decode()
    assert Refund.objects.count() == 1


@pytest.mark.parametrize("number", [2**70, "2026-999999999", "x"])
def test_an_order_that_is_not_there_is_told_on_the_page(manager, client, number):
    answer = client.post(
        reverse("admin:orders_refund_add"),
        {"order": number, "version": 1, "amount": "1.00", "reason": "x"},
    )

    assert "There is no such order." in answer.content.decode()


def test_the_back_office_shows_postings_with_their_entries_and_the_trial_balance(
    manager, client, order
):
    posting = LedgerPosting.objects.get(kind="capture")

    entries = client.get(reverse("admin:orders_ledgerposting_change", args=[posting.pk]))
    listed = client.get(reverse("admin:orders_ledgerposting_changelist"))
    balance = client.get(reverse("admin:orders_ledgerposting_balances"))
    empty = client.get(reverse("admin:orders_ledgerposting_balances"), {"at": "2020-01-01 00:00"})
    bad = client.get(reverse("admin:orders_ledgerposting_balances"), {"at": "soon"})

    assert "goods at the prices before discounts" in entries.content.decode()
    assert "Trial balance" in listed.content.decode()
    assert "<td>14.99</td>" in balance.content.decode()
    assert "Nothing was posted." in empty.content.decode()
    assert "Enter a valid date/time." in bad.content.decode()


def test_who_may_not_see_postings_sees_no_trial_balance(client):
    enter(client, StaffFactory(permissions=["orders.view_order"]))

    assert client.get(reverse("admin:orders_ledgerposting_balances")).status_code == 403
