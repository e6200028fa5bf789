"""What the store is told: signed, again until accepted, and as badly as it was asked for."""

import threading
import time

import httpx
import pytest
import stripe

from ecommerce.local.payment_sandbox.process import Sandbox
from ecommerce.local.payment_sandbox.tests.conftest import PAYMENT, WEBHOOK_SECRET, Inbox, sdk_of
from ecommerce.local.payment_sandbox.webhooks import pause_after


def pay(sandbox: Sandbox) -> str:
    return sdk_of(sandbox).v1.payment_intents.create(PAYMENT).id


def inject(sandbox: Sandbox, **plan: object) -> None:
    httpx.post(f"{sandbox.url}/_sandbox/faults", json=plan).raise_for_status()


def pending(sandbox: Sandbox) -> int:
    return int(httpx.get(f"{sandbox.url}/_sandbox/health").json()["pending_webhooks"])


def wait_until_all_are_delivered(sandbox: Sandbox) -> None:
    deadline = time.monotonic() + 10
    while pending(sandbox):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_webhooks_are_signed_and_carry_the_payment(telling, inbox: Inbox):
    intent = pay(telling)

    inbox.wait_for_count(2)

    events = {event.type: event for event in inbox.events()}
    assert set(events) == {"payment_intent.created", "payment_intent.succeeded"}
    assert events["payment_intent.succeeded"].data.object.id == intent
    assert events["payment_intent.succeeded"].data.object.status == "succeeded"
    wait_until_all_are_delivered(telling)


def test_a_webhook_that_is_not_accepted_comes_again(telling, inbox: Inbox):
    inbox.answers = [500, 302]
    begun = time.monotonic()
    pay(telling)

    inbox.wait_for_count(4)

    ids = [event.id for event in inbox.events()]
    assert len(set(ids)) == 2
    assert all(ids.count(one) == 2 for one in ids)
    assert 0.9 < time.monotonic() - begun < 5
    wait_until_all_are_delivered(telling)


def test_the_pauses_double_up_to_a_minute():
    assert [pause_after(tries) for tries in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert pause_after(10_000) == 60


def test_what_is_not_delivered_survives_a_crash(telling, inbox: Inbox):
    inbox.answers = [503] * 2
    pay(telling)
    inbox.wait_for_count(2)
    telling.kill()
    telling.restart()

    inbox.wait_for_count(4)

    assert sorted(inbox.types()[2:]) == ["payment_intent.created", "payment_intent.succeeded"]


def test_duplicates_delays_and_losses_happen_on_request(telling, inbox: Inbox):
    inject(telling, webhook_duplicate=2)
    pay(telling)
    inbox.wait_for_count(6)
    assert len({event.id for event in inbox.events()}) == 2

    inject(telling, webhook_delay_ms=700)
    begun = time.monotonic()
    pay(telling)
    inbox.wait_for_count(8)
    assert time.monotonic() - begun > 0.65

    inject(telling, webhook_loss_rate=1)
    lost = pay(telling)
    assert pending(telling) == 0
    assert len(inbox.arrived) == 8
    listed = sdk_of(telling).v1.events.list({"type": "payment_intent.succeeded"}).data
    assert listed[0].data.object.id == lost


def test_shuffled_webhooks_arrive_out_of_order(telling, inbox: Inbox):
    inject(telling, webhook_shuffle=True, seed=3)
    made = [pay(telling) for _ in range(10)]

    inbox.wait_for_count(20)

    arrived = [event.data.object.id for event in inbox.events()]
    assert sorted(arrived) == sorted(made * 2)
    assert arrived != [intent for intent in made for _ in range(2)]


def test_a_bad_signature_is_noticed_and_the_webhook_tried_again(telling, inbox: Inbox):
    inject(telling, bad_signature_rate=1)
    inbox.answers = [400, 400]
    pay(telling)
    inbox.wait_for_count(2)
    for body, signature in inbox.arrived:
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, signature, WEBHOOK_SECRET)
    inbox.arrived.clear()
    inject(telling)

    inbox.wait_for_count(2)

    assert len(inbox.events()) == 2


def test_a_store_that_hangs_does_not_keep_others_from_being_told(telling, inbox: Inbox):
    release = threading.Event()
    inbox.holds = [release]
    pay(telling)
    pay(telling)

    inbox.wait_for_count(3)

    release.set()
    inbox.wait_for_count(4)
