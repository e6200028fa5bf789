"""The life of a payment, driven by the official SDK."""

import httpx
import pytest
import stripe

from ecommerce.local.payment_sandbox.process import Sandbox
from ecommerce.local.payment_sandbox.tests.conftest import CARD, PAYMENT, charges_of


def pay(sdk: stripe.StripeClient, method: str = "pm_card_visa", **more: object):
    return sdk.v1.payment_intents.create(
        PAYMENT | {"amount": 1500, "payment_method": method} | more
    )


def test_a_confirmed_payment_succeeds_at_once(sdk, quiet):
    intent = pay(sdk, metadata={"order": "7"}, description="Order 7")

    assert (intent.status, intent.amount_received) == ("succeeded", 1500)
    assert (intent.metadata["order"], intent.description) == ("7", "Order 7")
    [entry] = charges_of(quiet, intent.id)
    assert entry["metadata"] == {"order": "7"}
    assert (entry["amount_captured"], entry["currency"], entry["status"]) == (
        1500,
        "usd",
        "succeeded",
    )


def test_every_field_of_an_intent_the_sdk_promises_is_there(sdk):
    answer = pay(sdk).to_dict()

    promised = {"id", "object", "amount", "amount_capturable", "amount_received", "capture_method",
                "client_secret", "confirmation_method", "created", "currency", "last_payment_error",
                "latest_charge", "livemode", "metadata", "next_action", "payment_method",
                "payment_method_types", "status"}  # fmt: skip
    assert promised <= set(answer)
    assert set(answer) <= set(stripe.PaymentIntent.__annotations__)


def test_an_intent_is_created_confirmed_and_captured_in_steps(sdk):
    intent = sdk.v1.payment_intents.create(
        {"amount": 900, "currency": "EUR", "capture_method": "manual", **CARD}
    )
    assert (intent.status, intent.currency) == ("requires_payment_method", "eur")

    intent = sdk.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_mastercard"})
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 900)

    intent = sdk.v1.payment_intents.capture(intent.id)
    assert (intent.status, intent.amount_received) == ("succeeded", 900)


def test_a_part_can_be_captured_and_the_rest_is_released(sdk, quiet):
    intent = pay(sdk, capture_method="manual")

    intent = sdk.v1.payment_intents.capture(
        intent.id, {"amount_to_capture": 1000, "expand": ["latest_charge"]}
    )

    charge = intent.latest_charge
    assert (charge.amount, charge.amount_captured, charge.amount_refunded) == (1500, 1000, 0)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 1001})
    sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 1000})
    [entry] = charges_of(quiet, intent.id)
    assert (entry["amount_captured"], entry["amount_refunded"]) == (1000, 1000)


def test_capturing_more_than_was_authorised_is_refused(sdk):
    intent = pay(sdk, capture_method="manual")

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        sdk.v1.payment_intents.capture(intent.id, {"amount_to_capture": 1501})

    assert refusal.value.code == "amount_too_large"
    assert sdk.v1.payment_intents.retrieve(intent.id).status == "requires_capture"


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        (
            "pm_card_visa_chargeDeclinedInsufficientFunds",
            "card_declined",
            "insufficient_funds",
        ),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ],
)
def test_a_declined_card_leaves_a_payment_that_needs_another_one(
    sdk, quiet, method, code, decline_code
):
    with pytest.raises(stripe.CardError) as refusal:
        pay(sdk, method)

    error = refusal.value.error
    assert (refusal.value.http_status, error.code, error.decline_code) == (402, code, decline_code)
    intent = sdk.v1.payment_intents.retrieve(error.payment_intent.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.code == code
    assert [entry["status"] for entry in charges_of(quiet, intent.id)] == ["failed"]
    assert (
        sdk.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}).status
        == "succeeded"
    )


def test_moves_that_the_state_does_not_allow_are_refused(sdk):
    paid = pay(sdk)
    authorised = pay(sdk, capture_method="manual")
    cancelled = sdk.v1.payment_intents.cancel(authorised.id)
    assert cancelled.status == "canceled"

    for move in (
        lambda: sdk.v1.payment_intents.cancel(paid.id),
        lambda: sdk.v1.payment_intents.capture(paid.id),
        lambda: sdk.v1.payment_intents.confirm(paid.id),
        lambda: sdk.v1.payment_intents.capture(cancelled.id),
        lambda: sdk.v1.payment_intents.cancel(cancelled.id),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            move()
        assert refusal.value.code == "payment_intent_unexpected_state"
        assert refusal.value.http_status == 400


def test_a_refund_never_exceeds_what_was_captured(sdk, quiet):
    intent = pay(sdk)
    first = sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 1000})
    assert (first.status, first.amount) == ("succeeded", 1000)

    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 501})
    rest = sdk.v1.refunds.create({"charge": intent.latest_charge})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        sdk.v1.refunds.create({"payment_intent": intent.id})

    assert rest.amount == 500
    assert refusal.value.code == "charge_already_refunded"
    assert [entry["amount_refunded"] for entry in charges_of(quiet, intent.id)] == [1500]
    listed = sdk.v1.refunds.list({"payment_intent": intent.id})
    assert [refund.id for refund in listed.data] == [rest.id, first.id]
    assert sdk.v1.refunds.retrieve(first.id).amount == 1000


def test_money_that_was_not_captured_cannot_be_refunded(sdk):
    intent = pay(sdk, capture_method="manual")

    with pytest.raises(stripe.InvalidRequestError):
        sdk.v1.refunds.create({"payment_intent": intent.id})


def test_a_pending_refund_that_fails_puts_the_money_back(sdk, web, quiet):
    intent = pay(sdk, "pm_card_pendingRefund")
    refund = sdk.v1.refunds.create({"payment_intent": intent.id})
    assert refund.status == "pending"

    web.post("/_sandbox/settle", json={"id": refund.id, "outcome": "failed"}).raise_for_status()

    assert sdk.v1.refunds.retrieve(refund.id).status == "failed"
    assert [entry["amount_refunded"] for entry in charges_of(quiet, intent.id)] == [0]


@pytest.mark.parametrize(
    ("outcome", "status"), [("succeeded", "succeeded"), ("failed", "requires_payment_method")]
)
def test_a_slow_payment_is_in_processing_until_it_is_settled(sdk, web, outcome, status):
    intent = pay(sdk, "pm_card_sandbox_processing")
    assert intent.status == "processing"

    web.post("/_sandbox/settle", json={"id": intent.id, "outcome": outcome}).raise_for_status()

    assert sdk.v1.payment_intents.retrieve(intent.id).status == status


@pytest.mark.parametrize(
    ("answer", "status", "redirect_status"),
    [
        ("authorise", "requires_capture", "succeeded"),
        ("refuse", "requires_payment_method", "failed"),
    ],
)
def test_the_bank_asks_the_shopper_and_sends_them_back(sdk, quiet, answer, status, redirect_status):
    intent = pay(
        sdk,
        "pm_card_threeDSecure2Required",
        capture_method="manual",
        return_url="https://shop.example/orders/7?a=1#top",
        description="<b>Order 7</b>",
    )
    assert intent.status == "requires_action"
    assert charges_of(quiet, intent.id) == []
    page = httpx.get(intent.next_action.redirect_to_url.url)
    assert "15.00 USD" in page.text
    assert "&lt;b&gt;Order 7&lt;/b&gt;" in page.text

    back = httpx.post(intent.next_action.redirect_to_url.url, data={"outcome": answer})

    assert back.status_code == 303
    address = httpx.URL(back.headers["Location"])
    assert (address.host, address.fragment, address.params["a"]) == ("shop.example", "top", "1")
    assert address.params["payment_intent"] == intent.id
    assert address.params["redirect_status"] == redirect_status
    decided = sdk.v1.payment_intents.retrieve(intent.id)
    assert decided.status == status
    again = httpx.post(page.url, data={"outcome": "authorise"})
    assert again.status_code == 409
    assert sdk.v1.payment_intents.retrieve(intent.id).status == status
    if answer == "refuse":
        assert decided.last_payment_error.code == "payment_intent_authentication_failure"


def test_nobody_can_be_asked_off_session(sdk):
    with pytest.raises(stripe.CardError) as refusal:
        pay(sdk, "pm_card_threeDSecure2Required", off_session=True)

    assert refusal.value.code == "authentication_required"


def test_another_web_site_cannot_answer_for_the_shopper(sdk):
    intent = pay(sdk, "pm_card_threeDSecure2Required", return_url="https://shop.example/")

    answer = httpx.post(
        intent.next_action.redirect_to_url.url,
        data={"outcome": "authorise"},
        headers={"Origin": "https://evil.example"},
    )

    assert answer.status_code == 403
    assert sdk.v1.payment_intents.retrieve(intent.id).status == "requires_action"


def test_payments_are_listed_newest_first_page_by_page(sdk, web):
    web.post("/_sandbox/reset").raise_for_status()
    made = [pay(sdk, metadata={"n": str(n)}).id for n in range(5)]

    first = sdk.v1.payment_intents.list({"limit": 2, "expand": ["data.latest_charge"]})
    everything = [it.id for it in first.auto_paging_iter()]

    assert first.has_more
    assert first.data[0].latest_charge.amount_captured == 1500
    assert everything == made[::-1]
    created = first.data[0].created
    assert sdk.v1.payment_intents.list({"created": {"gte": created + 60}}).data == []
    assert len(sdk.v1.payment_intents.list({"created": {"gte": created - 60}}).data) == 5


def test_events_tell_the_story_and_can_be_listed_by_type(sdk, web):
    web.post("/_sandbox/reset").raise_for_status()
    intent = pay(sdk, capture_method="manual")
    sdk.v1.payment_intents.capture(intent.id)
    sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 1})

    events = sdk.v1.events.list({"limit": 100}).data

    assert [event.type for event in reversed(events)] == [
        "payment_intent.created",
        "payment_intent.amount_capturable_updated",
        "payment_intent.succeeded",
        "refund.created",
        "charge.refunded",
    ]
    assert events[3].data.object.status == "requires_capture"
    assert len(sdk.v1.events.list({"type": "payment_intent.*"}).data) == 3
    [succeeded] = sdk.v1.events.list({"type": "payment_intent.succeeded"}).data
    assert sdk.v1.events.retrieve(succeeded.id).data.object.id == intent.id


def test_the_start_page_shows_payments_and_test_cards(sdk, quiet):
    intent = pay(sdk, description="<script>alert(1)</script>")

    page = httpx.get(quiet.url)

    assert intent.id in page.text
    assert "pm_card_visa_chargeDeclined" in page.text
    assert "<script>" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_the_ledger_can_begin_at_a_moment(sdk, quiet: Sandbox):
    intent = pay(sdk)
    ledger = f"{quiet.url}/_sandbox/ledger"

    recent = httpx.get(ledger, params={"since": intent.created}).json()
    later = httpx.get(ledger, params={"since": intent.created + 60}).json()

    assert intent.id in [entry["payment_intent"] for entry in recent["charges"]]
    assert recent["totals"]["usd"]["amount_captured"] >= 1500
    assert later == {"charges": [], "totals": {}}
