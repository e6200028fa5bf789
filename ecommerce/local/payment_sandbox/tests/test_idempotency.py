"""One key, one effect: repeated, concurrent, failed and interrupted requests."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest
import stripe

from ecommerce.local.payment_sandbox.process import Sandbox
from ecommerce.local.payment_sandbox.tests.conftest import PAYMENT, charges_of, sdk_of

FORM = {
    "amount": "1000",
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "confirm": "true",
    "allowed_payment_method_types[]": "card",
}


def post(web: httpx.Client, key: str, **change: str) -> httpx.Response:
    return web.post("/v1/payment_intents", data=FORM | change, headers={"Idempotency-Key": key})


def marked(quiet: Sandbox, mark: str) -> list[dict[str, object]]:
    ledger = httpx.get(f"{quiet.url}/_sandbox/ledger").json()
    return [entry for entry in ledger["charges"] if entry["metadata"].get("mark") == mark]


@pytest.fixture
def key() -> str:
    return str(uuid4())


def test_the_same_key_gives_the_same_answer_and_one_charge(web, quiet, key):
    first = post(web, key)
    second = post(web, key)

    assert second.content == first.content
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Original-Request"] == first.headers["Request-Id"]
    assert len(charges_of(quiet, first.json()["id"])) == 1


def test_a_decline_is_repeated_and_not_tried_again(web, quiet, key):
    first = post(web, key, payment_method="pm_card_visa_chargeDeclined")
    second = post(web, key, payment_method="pm_card_visa_chargeDeclined")

    assert (first.status_code, second.status_code) == (402, 402)
    assert second.content == first.content
    assert len(charges_of(quiet, first.json()["error"]["payment_intent"]["id"])) == 1


def test_the_same_key_for_something_else_is_refused(web, key):
    post(web, key)

    other_amount = post(web, key, amount="2000")
    other_endpoint = web.post("/v1/refunds", data=FORM, headers={"Idempotency-Key": key})

    for answer in (other_amount, other_endpoint):
        assert answer.status_code == 400
        assert answer.json()["error"]["type"] == "idempotency_error"


def test_a_request_that_was_never_carried_out_does_not_use_up_its_key(web, key):
    assert post(web, key, amount="none").status_code == 400

    assert post(web, key).status_code == 200


def test_a_refusal_of_the_state_is_repeated(web, key):
    intent = post(web, str(uuid4())).json()["id"]

    answers = [
        web.post(f"/v1/payment_intents/{intent}/capture", headers={"Idempotency-Key": key})
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[1].headers["Idempotent-Replayed"] == "true"
    assert answers[1].content == answers[0].content


def test_twenty_at_once_with_one_key_make_one_charge(quiet, key):
    sdk = sdk_of(quiet)

    def pay(_: int) -> str:
        given = PAYMENT | {"metadata": {"mark": key}}
        return sdk.v1.payment_intents.create(given, {"idempotency_key": key}).id

    with ThreadPoolExecutor(20) as pool:
        intents = set(pool.map(pay, range(20)))

    assert len(intents) == 1
    assert len(marked(quiet, key)) == 1


def test_a_key_in_flight_is_refused_and_still_makes_one_charge(quiet, web, fault_plan, key):
    fault_plan(delay_ms=500)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: post(web, key, **{"metadata[mark]": key}), range(20)))

    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200] + [409] * 19
    busy = next(answer for answer in answers if answer.status_code == 409)
    assert busy.json()["error"]["code"] == "idempotency_key_in_use"
    assert len(marked(quiet, key)) == 1


def test_a_saved_error_stays_an_error_though_the_charge_happened(quiet, web, fault_plan, key):
    fault_plan(error_rate=1)
    first = post(web, key, **{"metadata[mark]": key})
    fault_plan()
    second = post(web, key, **{"metadata[mark]": key})

    assert (first.status_code, second.status_code) == (500, 500)
    assert second.json()["error"]["type"] == "api_error"
    assert second.content == first.content
    assert len(marked(quiet, key)) == 1


def test_a_dropped_answer_can_be_fetched_with_the_same_key(quiet, web, fault_plan, key):
    fault_plan(drop_reply_rate=1)
    with pytest.raises(httpx.RemoteProtocolError):
        post(web, key, **{"metadata[mark]": key})
    fault_plan()

    answer = post(web, key, **{"metadata[mark]": key})

    assert answer.json()["status"] == "succeeded"
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert len(marked(quiet, key)) == 1


@pytest.mark.parametrize(
    ("method", "failure"),
    [
        ("pm_card_sandbox_error", httpx.RemoteProtocolError),
        ("pm_card_sandbox_timeout", httpx.ReadTimeout),
    ],
)
def test_cards_that_charge_without_an_answer_tell_the_truth_the_second_time(
    quiet, web, key, method, failure
):
    web.timeout = httpx.Timeout(1)
    change = {"payment_method": method, "metadata[mark]": key}
    with pytest.raises(failure):
        post(web, key, **change)

    answer = post(web, key, **change)

    assert answer.json()["status"] == "succeeded"
    assert len(marked(quiet, key)) == 1


def test_a_client_that_gives_up_does_not_stop_the_charge(quiet, web, fault_plan, key):
    fault_plan(delay_ms=600)
    web.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        post(web, key, **{"metadata[mark]": key})

    time.sleep(1)

    assert len(marked(quiet, key)) == 1


def test_the_same_seed_drops_the_same_answers(web, fault_plan):
    def outcomes() -> list[int]:
        fault_plan(error_rate=0.5, seed=7)
        return [web.get("/v1/events").status_code for _ in range(20)]

    first, second = outcomes(), outcomes()

    assert first == second
    assert set(first) == {200, 500}


def test_keys_are_forgotten_after_a_day(tmp_path, telling: Sandbox):
    sdk = sdk_of(telling)
    first = sdk.v1.payment_intents.create(PAYMENT, {"idempotency_key": "k"})
    telling.stop()
    with sqlite3.connect(telling.state_path) as rows:
        rows.execute("update answers set created = created - 24 * 60 * 60 + 30")
    rows.close()
    telling.restart()
    sdk = sdk_of(telling)
    assert first.id == sdk.v1.payment_intents.create(PAYMENT, {"idempotency_key": "k"}).id
    telling.stop()
    with sqlite3.connect(telling.state_path) as rows:
        rows.execute("update answers set created = created - 30")
    rows.close()
    telling.restart()

    second = sdk_of(telling).v1.payment_intents.create(PAYMENT, {"idempotency_key": "k"})

    assert second.id != first.id


def test_the_sdk_sees_a_saved_error_as_an_api_error(quiet, fault_plan, key):
    fault_plan(error_rate=1)

    with pytest.raises(stripe.APIError) as failure:
        sdk_of(quiet).v1.payment_intents.create(PAYMENT, {"idempotency_key": key})

    assert failure.value.http_status == 500
