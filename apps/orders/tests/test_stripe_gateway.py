"""The Stripe adapter against the payment sandbox, over real HTTP."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import stripe

from apps.orders.payments.gateway import (
    BadSignature,
    Gateway,
    OutcomeUnknown,
    PaymentRefused,
    PaymentState,
    PaymentStatus,
    RefundStatus,
)
from apps.orders.payments.stripe import StripeGateway

pytest_plugins = ["ecommerce.local.payment_sandbox.fixtures"]

SECRETS = ["whsec_new", "whsec_old"]
RETURN_URL = "https://shop.example/orders/7"


def gateway_at(url: str, *, key: str = "sk_test_fixture", read: float = 2.0) -> StripeGateway:
    return StripeGateway(
        secret_key=key, webhook_secrets=SECRETS, api_base=url, timeouts=(1.0, read)
    )


@pytest.fixture
def gateway(payment_sandbox) -> Gateway:
    return gateway_at(payment_sandbox.url)


@pytest.fixture
def attempt_id() -> UUID:
    return uuid4()


@pytest.fixture
def faults(payment_sandbox) -> Iterator[Any]:
    def inject(**plan: object) -> None:
        httpx.post(f"{payment_sandbox.url}/_sandbox/faults", json=plan).raise_for_status()

    yield inject
    inject()


def authorise(
    gateway: Gateway,
    attempt_id: UUID,
    method: str = "pm_card_visa",
    amount: int = 2000,
    currency: str = "USD",
):
    return gateway.authorise(
        attempt_id=attempt_id,
        amount_minor=amount,
        currency=currency,
        method=method,
        description="Order 7",
        return_url=RETURN_URL,
        metadata={"order_number": "7"},
    )


def charges_of(payment_sandbox, attempt_id: UUID) -> list[dict[str, Any]]:
    charges = httpx.get(f"{payment_sandbox.url}/_sandbox/ledger").json()["charges"]
    return [it for it in charges if it["metadata"].get("attempt_id") == str(attempt_id)]


@pytest.mark.parametrize("currency", ["ISK", "MGA", "UGX"])
def test_what_stripe_counts_in_other_units_is_not_charged(
    gateway, payment_sandbox, attempt_id, currency
):
    with pytest.raises(PaymentRefused) as refusal:
        authorise(gateway, attempt_id, currency=currency)

    assert refusal.value.code == "currency_not_supported"
    assert charges_of(payment_sandbox, attempt_id) == []


def test_an_authorised_payment_is_captured_and_refunded(gateway, payment_sandbox, attempt_id):
    authorised = authorise(gateway, attempt_id)
    assert authorised == PaymentState(
        reference=authorised.reference,
        status=PaymentStatus.AUTHORISED,
        amount_minor=2000,
        captured_minor=0,
        refunded_minor=0,
        currency="USD",
        next_action=None,
        failure_code="",
        failure_detail="",
        attempt_id=str(attempt_id),
    )
    named = {"attempt_id": attempt_id, "reference": authorised.reference}

    captured = gateway.capture(**named, amount_minor=2000)
    refund = gateway.refund(refund_id=uuid4(), reference=authorised.reference, amount_minor=500)
    fetched = gateway.fetch(reference=authorised.reference)

    assert (captured.status, captured.captured_minor) == (PaymentStatus.CAPTURED, 2000)
    assert (refund.status, refund.amount_minor, refund.currency) == (
        RefundStatus.SUCCEEDED,
        500,
        "USD",
    )
    assert (fetched.status, fetched.refunded_minor) == (PaymentStatus.CAPTURED, 500)
    [charge] = charges_of(payment_sandbox, attempt_id)
    assert charge["metadata"] == {"order_number": "7", "attempt_id": str(attempt_id)}
    assert (charge["amount_captured"], charge["amount_refunded"]) == (2000, 500)


def test_a_refund_is_found_by_our_id_among_others(gateway, attempt_id):
    state = authorise(gateway, attempt_id)
    gateway.capture(attempt_id=attempt_id, reference=state.reference, amount_minor=2000)
    mine, other, never = uuid4(), uuid4(), uuid4()
    made = [
        gateway.refund(refund_id=refund_id, reference=state.reference, amount_minor=minor)
        for refund_id, minor in ((other, 300), (mine, 500), (uuid4(), 1200))
    ]

    assert gateway.find_refund(refund_id=mine, reference=state.reference) == made[1]
    assert gateway.find_refund(refund_id=never, reference=state.reference) is None


def test_a_part_can_be_captured_and_counts_as_no_refund(gateway, attempt_id):
    reference = authorise(gateway, attempt_id).reference

    state = gateway.capture(attempt_id=attempt_id, reference=reference, amount_minor=1500)

    assert (state.amount_minor, state.captured_minor, state.refunded_minor) == (2000, 1500, 0)


def test_a_voided_payment_takes_no_money(gateway, payment_sandbox, attempt_id):
    reference = authorise(gateway, attempt_id).reference

    state = gateway.void(attempt_id=attempt_id, reference=reference)

    assert (state.status, state.captured_minor, state.refunded_minor) == (
        PaymentStatus.VOIDED,
        0,
        0,
    )
    assert [it["amount_captured"] for it in charges_of(payment_sandbox, attempt_id)] == [0]


@pytest.mark.parametrize(
    ("method", "code", "detail"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "Your card was declined."),
        (
            "pm_card_visa_chargeDeclinedInsufficientFunds",
            "card_declined",
            "Your card has insufficient funds.",
        ),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "Your card has expired."),
    ],
)
def test_a_declined_card_is_refused_with_the_failed_payment(
    gateway, attempt_id, method, code, detail
):
    with pytest.raises(PaymentRefused) as refusal:
        authorise(gateway, attempt_id, method)

    assert (refusal.value.code, refusal.value.detail) == (code, detail)
    state = refusal.value.state
    assert (state.status, state.failure_code, state.failure_detail) == (
        PaymentStatus.FAILED,
        code,
        detail,
    )
    assert (state.attempt_id, state.captured_minor) == (str(attempt_id), 0)
    assert gateway.fetch(reference=state.reference) == state


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ("authorise", PaymentStatus.AUTHORISED, ""),
        ("refuse", PaymentStatus.FAILED, "payment_intent_authentication_failure"),
    ],
)
def test_a_payment_that_asks_the_shopper_leads_to_the_bank_and_back(
    gateway, attempt_id, answer, status, code
):
    state = authorise(gateway, attempt_id, "pm_card_threeDSecure2Required")
    assert state.status == PaymentStatus.REQUIRES_ACTION
    assert state.next_action["type"] == "redirect_to_url"

    back = httpx.post(state.next_action["redirect_url"], data={"outcome": answer})

    assert back.headers["Location"].startswith(f"{RETURN_URL}?payment_intent={state.reference}&")
    decided = gateway.fetch(reference=state.reference)
    assert (decided.status, decided.failure_code) == (status, code)
    assert decided.next_action is None


def test_a_payment_in_processing_is_neither_paid_nor_failed(gateway, attempt_id):
    state = authorise(gateway, attempt_id, "pm_card_sandbox_processing")

    assert state.status == PaymentStatus.PROCESSING


def test_repeating_every_call_changes_nothing(gateway, payment_sandbox, attempt_id):
    refund_id = uuid4()

    def everything() -> list[object]:
        state = authorise(gateway, attempt_id)
        captured = gateway.capture(
            attempt_id=attempt_id, reference=state.reference, amount_minor=2000
        )
        refund = gateway.refund(refund_id=refund_id, reference=state.reference, amount_minor=700)
        return [state, captured, refund]

    assert everything() == everything()
    [charge] = charges_of(payment_sandbox, attempt_id)
    assert (charge["amount_captured"], charge["amount_refunded"]) == (2000, 700)


def test_many_workers_with_one_attempt_make_one_charge(gateway, payment_sandbox, attempt_id):
    with ThreadPoolExecutor(10) as pool:
        states = list(pool.map(lambda _: authorise(gateway, attempt_id), range(10)))

    assert len({state.reference for state in states}) == 1
    assert len(charges_of(payment_sandbox, attempt_id)) == 1


def test_what_the_state_does_not_allow_is_refused_with_the_truth(gateway, attempt_id):
    reference = authorise(gateway, attempt_id).reference
    gateway.capture(attempt_id=attempt_id, reference=reference, amount_minor=2000)

    with pytest.raises(PaymentRefused) as void:
        gateway.void(attempt_id=attempt_id, reference=reference)
    with pytest.raises(PaymentRefused) as refund:
        gateway.refund(refund_id=uuid4(), reference=reference, amount_minor=2001)

    assert void.value.code == "payment_intent_unexpected_state"
    assert (void.value.state.status, void.value.state.captured_minor) == (
        PaymentStatus.CAPTURED,
        2000,
    )
    assert refund.value.code == "invalid_request"
    assert gateway.fetch(reference=reference).refunded_minor == 0


def test_an_unknown_payment_is_refused(gateway):
    with pytest.raises(PaymentRefused) as refusal:
        gateway.fetch(reference="pi_none")

    assert (refusal.value.code, refusal.value.state) == ("resource_missing", None)


@pytest.mark.parametrize("method", ["pm_card_sandbox_timeout", "pm_card_sandbox_error"])
def test_a_lost_answer_is_an_unknown_outcome_and_a_repetition_tells(
    gateway, payment_sandbox, attempt_id, method
):
    with pytest.raises(OutcomeUnknown):
        authorise(gateway, attempt_id, method)

    assert authorise(gateway, attempt_id, method).status == PaymentStatus.AUTHORISED
    assert len(charges_of(payment_sandbox, attempt_id)) == 1


def test_an_error_that_is_repeated_for_ever_is_resolved_by_looking(
    gateway, payment_sandbox, faults, attempt_id
):
    faults(error_rate=1)
    with pytest.raises(OutcomeUnknown):
        authorise(gateway, attempt_id)
    faults()
    with pytest.raises(OutcomeUnknown):
        authorise(gateway, attempt_id)

    found = gateway.find(attempt_id=attempt_id, since=datetime.now(UTC) - timedelta(minutes=1))

    assert found.status == PaymentStatus.AUTHORISED
    assert len(charges_of(payment_sandbox, attempt_id)) == 1


def test_a_call_that_is_still_running_is_an_unknown_outcome(gateway, faults, attempt_id):
    faults(delay_ms=500)

    def outcome(_: int) -> str:
        try:
            return authorise(gateway, attempt_id).status
        except OutcomeUnknown:
            return "unknown"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(outcome, range(4)))

    assert outcomes == ["authorised", "unknown", "unknown", "unknown"]


def test_our_own_mistakes_never_fail_a_payment(gateway, payment_sandbox, attempt_id):
    authorise(gateway, attempt_id)

    with pytest.raises(OutcomeUnknown):
        authorise(gateway, attempt_id, amount=2001)
    with pytest.raises(OutcomeUnknown):
        authorise(gateway_at(payment_sandbox.url, key="sk_test_wrong"), uuid4())


def test_an_attempt_is_found_among_many_or_not_at_all(gateway, attempt_id):
    since = datetime.now(UTC)
    reference = authorise(gateway, attempt_id).reference
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: authorise(gateway, uuid4()), range(120)))

    assert gateway.find(attempt_id=attempt_id, since=since).reference == reference
    assert gateway.find(attempt_id=uuid4(), since=since) is None
    assert gateway.find(attempt_id=attempt_id, since=since + timedelta(hours=1)) is None


def test_a_provider_that_cannot_be_reached_is_an_unknown_outcome(attempt_id):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    gateway = gateway_at(f"http://127.0.0.1:{port}")

    with pytest.raises(OutcomeUnknown):
        authorise(gateway, attempt_id)


def test_a_silent_provider_is_given_up_in_time_and_asked_once(attempt_id):
    calls: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def accept() -> None:
            while True:
                try:
                    calls.append(silent.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        gateway = gateway_at(f"http://127.0.0.1:{silent.getsockname()[1]}", read=0.5)
        begun = time.monotonic()

        with pytest.raises(OutcomeUnknown):
            authorise(gateway, attempt_id)

        assert 0.4 < time.monotonic() - begun < 1.5
        assert len(calls) == 1
        silent.shutdown(socket.SHUT_RDWR)
    thread.join()
    for call in calls:
        call.close()


def signed(event: object, *, secret: str = SECRETS[0], moment: float | None = None):
    body = json.dumps(event)
    header = stripe.WebhookSignature.generate_signature_header(
        body, secret, int(moment or time.time())
    )
    return {"body": body.encode(), "signature": header}


EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "payment_intent.succeeded",
    "created": 1_700_000_000,
    "data": {"object": {"id": "pi_1", "object": "payment_intent"}},
}


@pytest.mark.parametrize("secret", SECRETS)
def test_a_webhook_signed_with_the_new_or_the_old_secret_is_read(gateway, secret):
    notice = gateway.read_webhook(**signed(EVENT, secret=secret))

    assert (notice.event_id, notice.type, notice.reference) == (
        "evt_1",
        "payment_intent.succeeded",
        "pi_1",
    )
    assert notice.created_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert notice.payload == EVENT


@pytest.mark.parametrize(
    ("subject", "reference"),
    [
        ({"id": "re_1", "object": "refund", "payment_intent": "pi_2"}, "pi_2"),
        ({"id": "ch_1", "object": "charge", "payment_intent": None}, ""),
        ({"id": "cus_1", "object": "customer"}, ""),
    ],
)
def test_a_webhook_names_the_payment_it_is_about(gateway, subject, reference):
    notice = gateway.read_webhook(**signed(EVENT | {"data": {"object": subject}}))

    assert notice.reference == reference


@pytest.mark.parametrize(
    "webhook",
    [
        signed(EVENT, secret="whsec_other"),
        signed(EVENT, moment=time.time() - 400),
        signed(EVENT) | {"body": b"{}"},
        signed(EVENT) | {"signature": ""},
        signed(EVENT) | {"signature": "t=1,v1=\xe9"},
        signed(EVENT) | {"signature": f"t={int(time.time())},v1=\xe9"},
        signed(EVENT) | {"signature": "t=now,v1=0"},
        signed(EVENT) | {"body": b"\xff\xfe"},
        signed([]),
        signed({"id": "evt_1"}),
        signed(EVENT | {"created": "now"}),
        signed(EVENT | {"created": 10**30}),
        signed(EVENT | {"data": {"object": None}}),
    ],
)
def test_a_webhook_that_stripe_did_not_send_is_refused(gateway, webhook):
    with pytest.raises(BadSignature):
        gateway.read_webhook(**webhook)


def test_without_a_method_the_shopper_is_asked_for_one(gateway, attempt_id):
    state = authorise(gateway, attempt_id, method="")

    assert state.status is PaymentStatus.REQUIRES_ACTION
    assert state.next_action["type"] == "provide_payment_method"
    assert state.next_action["client_secret"].startswith(f"{state.reference}_secret_")
