"""Gift cards and store credit over HTTP: who may do what, what is told, what is refused."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from apps.kernel.models import AuditEntry, IdempotencyRecord
from apps.orders.models import Order, StoredValue, ValueMovement
from apps.orders.services.stored_value import change_gift_card
from apps.orders.tests.factories import gift_card, ready_cart, store_credit
from apps.orders.tests.test_api import check_out, customer_client, filled
from apps.users.tests.factories import (
    ApiKeyFactory,
    StaffFactory,
    UserFactory,
    access_token_for,
    enter,
    staff_client,
)

pytestmark = pytest.mark.django_db

CARDS = "/api/v1/gift-cards"
LOOKUPS = f"{CARDS}/lookups"
NOTHING = {"amount": "0.00", "currency": "USD"}


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


@pytest.fixture
def clerk():
    return staff_client(
        *("orders.view_storedvalue", "orders.issue_giftcard", "orders.change_giftcard"),
        "orders.grant_storecredit",
    )


def refused(answer, status: int, code: str) -> dict:
    """Return the facts of a refusal."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    return answer.json().get("facts", {})


def credit_path(user) -> str:
    return f"/api/v1/users/{user.pk}/store-credit"


def change(client, user, amount="5.00", *, change="grant", key=None, **body):
    return client.post(
        credit_path(user),
        {"change": change, "amount": usd(amount), "reason": "A late parcel.", **body},
        headers={"Idempotency-Key": key or uuid4().hex},
    )


# Staff and cards


def test_a_card_is_issued_and_its_code_told_once(clerk):
    until = "2040-01-01T00:00:00+00:00"

    answer = clerk.post(CARDS, {"amount": usd("25.00"), "expires_at": until, "note": "A prize."})

    assert answer.status_code == 201
    card = answer.json()
    code = card.pop("code")
    assert answer["Location"] == f"{CARDS}/{card['id']}"
    assert (card["balance"], card["state"], card["note"]) == (usd("25.00"), "usable", "A prize.")
    assert (card["expires_at"], card["last_four"]) == (until, code[-4:])
    assert [(each["kind"], each["amount"]) for each in card["movements"]] == [
        ("issue", usd("25.00"))
    ]
    again = clerk.get(answer["Location"])
    assert again.json() == card
    assert code not in again.content.decode()
    entry = AuditEntry.objects.get(action="orders.gift_card_issued")
    assert entry.after == {"amount_minor": 2500, "currency": "USD"}
    assert not IdempotencyRecord.objects.exists()


def test_cards_are_listed_and_found_by_the_end_of_their_codes(clerk):
    gift_card(code="AAAA-AAAA-AAAA-AAAA")
    found, _ = gift_card(code="AAAA-AAAA-AAAA-BBBB")
    store_credit(UserFactory().pk)

    listed = clerk.get(CARDS).json()["results"]
    narrowed = clerk.get(f"{CARDS}?filter[last_four]=BBBB").json()["results"]

    assert [card["last_four"] for card in listed] == ["BBBB", "AAAA"]
    assert [card["id"] for card in narrowed] == [str(found.pk)]


def test_a_card_is_disabled_and_let_be_used_again(clerk):
    card, code = gift_card()
    path = f"{CARDS}/{card.pk}"

    disabled = clerk.patch(path, {"disabled": True, "note": "Lost."}, headers={"If-Match": '"1"'})
    stale = clerk.patch(path, {"note": "Found."}, headers={"If-Match": '"1"'})
    lookup = APIClient().post(LOOKUPS, {"code": code}).json()
    enabled = clerk.patch(path, {"disabled": False})

    assert (disabled.status_code, disabled.json()["state"]) == (200, "disabled")
    refused(stale, 412, "version_mismatch")
    assert (lookup["state"], lookup["balance"]) == ("disabled", usd("50.00"))
    assert (enabled.json()["state"], enabled.json()["note"]) == ("usable", "Lost.")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "validation_error"),
        ({"amount": usd("-1.00")}, 400, "validation_error"),
        ({"amount": usd("1.001")}, 400, "validation_error"),
        ({"amount": {"amount": 5, "currency": "USD"}}, 400, "validation_error"),
        ({"amount": {"amount": "5.00", "currency": "XXX"}}, 400, "validation_error"),
        ({"amount": usd("5.00"), "code": "AAAA"}, 400, "validation_error"),
        ({"amount": usd("5.00"), "note": "x" * 201}, 400, "validation_error"),
        ({"amount": usd("5.00"), "expires_at": "tomorrow"}, 400, "validation_error"),
        ({"amount": usd("0.00")}, 422, "nothing_to_move"),
    ],
)
def test_a_bad_card_is_refused_and_nothing_made(clerk, body, status, code):
    answer = clerk.post(CARDS, body)

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert status == 400 or answer.json()["code"] == code
    assert not StoredValue.objects.exists()


def test_who_issues_and_grants_has_proven_who_they_are_and_is_a_person():
    rights = ("orders.issue_giftcard", "orders.grant_storecredit")
    long_ago = staff_client(*rights, proven_at=timezone.now() - timedelta(hours=1))
    admin = StaffFactory(is_superuser=True)
    program = APIClient(
        headers={
            "Authorization": f"Api-Key {ApiKeyFactory.secret_of(owner=admin, scopes=list(rights))}"
        }
    )
    user = UserFactory()

    refused(long_ago.post(CARDS, {"amount": usd("5.00")}), 403, "step_up_required")
    refused(change(long_ago, user), 403, "step_up_required")
    assert program.post(CARDS, {"amount": usd("5.00")}).status_code == 403
    assert change(program, user).status_code == 403
    assert not StoredValue.objects.exists()


# Staff and store credit


def test_store_credit_is_granted_and_taken_back_and_the_customer_sees_why(clerk):
    user = UserFactory()

    granted = change(clerk, user, "5.00")
    taken = change(clerk, user, "2.00", change="take", reason="A mistake.")
    too_much = change(clerk, user, "3.01", change="take")

    assert (granted.status_code, granted.json()["balance"]) == (201, usd("5.00"))
    assert (taken.status_code, taken.json()["balance"]) == (201, usd("3.00"))
    assert refused(too_much, 409, "balance_too_low")["balance"] == usd("3.00")
    [mine] = customer_client(user).get("/api/v1/users/me/store-credit").json()["results"]
    assert mine["balance"] == usd("3.00")
    assert [(each["kind"], each["amount"], each["reason"]) for each in mine["movements"]] == [
        ("adjust", usd("-2.00"), "A mistake."),
        ("issue", usd("5.00"), "A late parcel."),
    ]
    assert clerk.get(credit_path(user)).json() == {"results": [mine]}


def test_the_same_request_grants_once(clerk):
    user = UserFactory()

    first, again = (change(clerk, user, key="one") for _ in range(2))
    other = change(clerk, user, "6.00", key="one")

    assert first.content == again.content
    assert again["Idempotent-Replayed"] == "true"
    refused(other, 422, "idempotency_key_reused")
    assert StoredValue.objects.get().balance_minor == 500


def test_nobody_grants_to_nobody(clerk):
    nobody = UserFactory.build()

    refused(change(clerk, nobody), 404, "unknown_customer")
    refused(clerk.get(credit_path(nobody)), 404, "unknown_customer")
    refused(change(clerk, UserFactory(), "0.00"), 422, "nothing_to_move")

    assert not StoredValue.objects.exists()


def test_a_customer_sees_their_own_store_credit_alone():
    rich, poor = UserFactory(), UserFactory()
    store_credit(rich.pk)

    assert customer_client(poor).get("/api/v1/users/me/store-credit").json() == {"results": []}
    refused(customer_client(poor).get(credit_path(rich)), 403, "permission_denied")
    refused(APIClient().get("/api/v1/users/me/store-credit"), 401, "not_authenticated")


# Carts


def test_a_card_pays_for_a_cart_and_can_be_taken_out():
    card, code = gift_card(400)
    guest = APIClient()
    path, _ = filled(guest)

    shown = guest.post(f"{path}/gift-cards", {"code": code.lower()}).json()
    again = guest.post(f"{path}/gift-cards", {"code": code}).json()
    version = again["version"]
    left = guest.delete(f"{path}/gift-cards/{card.pk}", headers={"If-Match": f'"{version}"'}).json()

    assert (
        shown["gift_cards"]
        == again["gift_cards"]
        == [
            {
                "id": str(card.pk),
                "last_four": code[-4:],
                "balance": usd("4.00"),
                "amount": usd("4.00"),
                "problem": None,
            }
        ]
    )
    assert (shown["totals"]["grand_total"], shown["totals"]["to_pay"]) == (
        usd("25.00"),
        usd("21.00"),
    )
    assert (left["gift_cards"], left["totals"]["to_pay"]) == ([], usd("25.00"))
    refused(guest.delete(f"{path}/gift-cards/{card.pk}"), 404, "gift_card_not_in_cart")


def unusable(kind: str) -> str:
    if kind == "unknown":
        return "AAAA-AAAA-AAAA-AAAA"
    if kind == "expired":
        return gift_card(expires_at=timezone.now() - timedelta(seconds=1))[1]
    card, code = gift_card(currency="JPY" if kind == "other_currency" else "USD")
    if kind == "disabled":
        change_gift_card(gift_card_id=card.pk, fields={"disabled": True})
    return code


@pytest.mark.parametrize("kind", ["unknown", "disabled", "expired", "other_currency"])
def test_a_card_that_cannot_pay_does_not_get_into_a_cart(kind):
    guest = APIClient()
    path, _ = filled(guest)
    before = guest.get(path).json()

    answer = guest.post(f"{path}/gift-cards", {"code": unusable(kind)})

    assert refused(answer, 422, "gift_card_not_usable")["reason"] == kind
    assert guest.get(path).json() == before


def test_a_cart_takes_ten_cards():
    guest = APIClient()
    path, _ = filled(guest)
    codes = [gift_card(1)[1] for _ in range(11)]

    answers = [guest.post(f"{path}/gift-cards", {"code": code}) for code in codes]

    assert [answer.status_code for answer in answers] == [200] * 10 + [409]
    refused(answers[-1], 409, "too_many_gift_cards")
    assert guest.get(path).json()["totals"]["to_pay"] == usd("24.90")


def test_store_credit_pays_for_a_customers_cart_until_it_is_left():
    user = UserFactory()
    store_credit(user.pk, 700)
    client = customer_client(user)
    path, _ = filled(client)

    used = client.put(f"{path}/store-credit", {}).json()
    left = client.delete(f"{path}/store-credit").json()

    assert used["store_credit"] == {"balance": usd("7.00"), "amount": usd("7.00")}
    assert used["totals"]["to_pay"] == usd("18.00")
    assert (left["store_credit"], left["totals"]["to_pay"]) == (None, usd("25.00"))


def test_a_customer_without_store_credit_may_say_that_it_pays():
    client = customer_client()
    path, _ = filled(client)

    shown = client.put(f"{path}/store-credit", {}).json()

    assert shown["store_credit"] == {"balance": NOTHING, "amount": NOTHING}


def test_guests_and_carts_of_guests_have_no_store_credit():
    user = UserFactory()
    store_credit(user.pk)
    cart, holder = ready_cart()
    path = f"/api/v1/carts/{cart.pk}/store-credit"
    client = customer_client(user)

    refused(
        APIClient(headers={"X-Cart-Token": holder.token}).put(path, {}), 401, "not_authenticated"
    )
    refused(client.put(path, {}), 404, "unknown_cart")
    client.credentials(
        HTTP_AUTHORIZATION=f"Bearer {access_token_for(user)}", HTTP_X_CART_TOKEN=holder.token
    )
    refused(client.put(path, {}), 409, "cart_of_a_guest")

    cart.refresh_from_db()
    assert cart.store_credit is False


# Orders


def test_an_order_tells_what_has_paid_and_what_is_left_to_pay():
    card, code = gift_card(400)
    guest = APIClient()
    path, _ = filled(guest)
    guest.post(f"{path}/gift-cards", {"code": code})

    refusal = check_out(guest, path)
    changed = check_out(guest, path, expected_to_pay=usd("20.99"))
    answer = check_out(guest, path, expected_total=usd("25.00"), expected_to_pay=usd("21.00"))

    assert refused(refusal, 422, "expected_to_pay_missing")["to_pay"] == usd("21.00")
    assert refused(changed, 409, "to_pay_changed")["to_pay"] == usd("21.00")
    assert answer.status_code == 201
    order = answer.json()
    assert order["stored_value"] == [
        {
            "kind": "gift_card",
            "last_four": code[-4:],
            "amount": usd("4.00"),
            "returned": NOTHING,
        }
    ]
    assert order["totals"]["to_pay"] == usd("21.00") == order["payments"][0]["amount"]
    token = {"X-Order-Token": order["token"]}
    order.pop("token")
    assert APIClient().get(f"/api/v1/orders/{order['id']}", headers=token).json() == order
    [movement] = StoredValue.objects.get().movements.filter(kind="spend")
    assert str(movement.order_id) == order["id"]
    assert card.tenders.get().amount_minor == 400


def test_a_card_that_covers_all_makes_the_order_paid():
    _, code = gift_card(5000)
    guest = APIClient()
    path, _ = filled(guest)
    guest.post(f"{path}/gift-cards", {"code": code})

    order = check_out(guest, path, expected_to_pay=NOTHING).json()

    assert (order["status"], order["payments"]) == ("paid", [])


def test_refunds_tell_what_has_gone_back_to_where():
    user = UserFactory()
    store_credit(user.pk, 5000)
    client = customer_client(user)
    path, _ = filled(client)
    client.put(f"{path}/store-credit", {})
    order = check_out(client, path, expected_to_pay=NOTHING).json()
    refunds = f"/api/v1/orders/{order['id']}/refunds"
    clerk = staff_client("orders.refund_order")

    def give(amount: str, **body):
        return clerk.post(
            refunds,
            {"amount": usd(amount), "reason": "A scratch.", **body},
            headers={"Idempotency-Key": uuid4().hex},
        )

    first, second = give("5.00"), give("4.00", to="store_credit")
    too_much = give("16.01")

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() | {"id": "", "created_at": ""} == {
        "id": "",
        "payment_id": None,
        "amount": usd("5.00"),
        "stored_value": [{"kind": "store_credit", "last_four": None, "amount": usd("5.00")}],
        "status": "succeeded",
        "reason": "A scratch.",
        "failure_code": None,
        "created_at": "",
    }
    assert refused(too_much, 409, "refund_exceeds_captured")["refundable"] == usd("16.00")
    listed = client.get(refunds).json()
    assert listed["refundable"] == usd("16.00")
    assert listed["results"] == [first.json(), second.json()]
    shown = client.get(f"/api/v1/orders/{order['id']}").json()
    assert shown["stored_value"][0]["returned"] == usd("9.00")


@pytest.mark.parametrize("to", ["", "cash", None, 1])
def test_a_refund_goes_to_who_has_paid_or_becomes_store_credit(to):
    order, _ = filled(APIClient())
    clerk = staff_client("orders.refund_order")

    answer = clerk.post(
        f"/api/v1/orders/{uuid4()}/refunds",
        {"amount": usd("1.00"), "reason": "x", "to": to},
        headers={"Idempotency-Key": uuid4().hex},
    )

    assert answer.status_code == 400
    assert order


# Looking up


def test_a_lookup_tells_the_balance_and_nothing_about_people():
    _, code = gift_card(400, note="For Robin.")

    answer = APIClient().post(LOOKUPS, {"code": f" {code.lower()} "})

    assert answer.status_code == 200
    assert answer.json() == {
        "last_four": code[-4:],
        "balance": usd("4.00"),
        "state": "usable",
        "expires_at": None,
    }
    refused(APIClient().post(LOOKUPS, {"code": "x"}), 404, "unknown_gift_card")
    assert APIClient().post(LOOKUPS, {"code": "x" * 41}).status_code == 400
    assert APIClient().post(LOOKUPS, {"code": "\x00"}).status_code == 400
    assert APIClient().post(LOOKUPS, {"code": ["x"]}).status_code == 400


# The back office


def test_staff_issue_a_card_and_are_told_its_code_once(client):
    enter(client, StaffFactory(is_superuser=True))

    page = client.post(
        reverse("admin:orders_storedvalue_add"),
        {"amount": "25.00", "note": "A prize."},
        follow=True,
    ).content.decode()

    card = StoredValue.objects.get()
    assert (card.balance_minor, card.note) == (2500, "A prize.")
    told = page.split("nobody is told again: ")[1][:19]
    assert told.endswith(card.last_four)
    assert APIClient().post(LOOKUPS, {"code": told}).json()["balance"] == usd("25.00")
    shown = client.get(reverse("admin:orders_storedvalue_change", args=[card.pk])).content.decode()
    assert told not in shown
    assert card.code_hash not in shown


@pytest.mark.parametrize("amount", ["", "0", "-1", "1.001", "x"])
def test_the_back_office_refuses_a_bad_card(client, amount):
    enter(client, StaffFactory(is_superuser=True))

    page = client.post(reverse("admin:orders_storedvalue_add"), {"amount": amount})

    assert page.status_code == 200
    assert not StoredValue.objects.exists()


def test_staff_disable_cards_and_grant_credit_in_the_back_office(client):
    enter(client, StaffFactory(is_superuser=True))
    card, _ = gift_card()
    user = UserFactory()
    rows = reverse("admin:orders_storedvalue_changelist")
    grant = reverse("admin:orders_storedvalue_grant")
    form = {"customer_id": str(user.pk), "change": "grant", "amount": "5.00", "reason": "Sorry."}

    client.post(rows, {"action": "disable", "_selected_action": [str(card.pk)]})
    granted = client.post(grant, form)
    too_much = client.post(grant, {**form, "change": "take", "amount": "6.00"})

    card.refresh_from_db()
    assert card.disabled_at
    assert granted.status_code == 302
    assert "not so much store credit" in too_much.content.decode()
    assert StoredValue.objects.get(customer_id=user.pk).balance_minor == 500
    assert str(user.pk) in client.get(rows, {"q": str(user.pk)}).content.decode()
    assert card.last_four in client.get(rows, {"q": card.last_four}).content.decode()


def test_staff_without_the_right_grant_nothing_in_the_back_office(client):
    enter(client, StaffFactory(permissions=["orders.view_storedvalue"]))
    grant = reverse("admin:orders_storedvalue_grant")

    assert client.get(grant).status_code == 403
    assert client.get(reverse("admin:orders_storedvalue_changelist")).status_code == 200
    assert client.get(reverse("admin:orders_storedvalue_add")).status_code == 403


def test_staff_refund_what_value_has_paid_in_the_back_office(client):
    enter(client, StaffFactory(is_superuser=True))
    _, code = gift_card(5000)
    guest = APIClient()
    path, _ = filled(guest)
    guest.post(f"{path}/gift-cards", {"code": code})
    made = check_out(guest, path, expected_to_pay=NOTHING).json()
    order = Order.objects.get(pk=made["id"])

    client.post(
        reverse("admin:orders_refund_add"),
        {
            "order": order.shown_number,
            "version": order.version,
            "amount": "5.00",
            "reason": "A scratch.",
        },
        follow=True,
    )

    assert ValueMovement.objects.get(kind="give_back").amount_minor == 500
    page = client.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert "5.00 USD" in page
