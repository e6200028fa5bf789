"""What is refused, and how: authentication and bad input."""

import httpx
import pytest

from ecommerce.local.payment_sandbox.process import Sandbox

GOOD = {"amount": "1000", "currency": "usd", "allowed_payment_method_types[]": "card"}


def refused(answer: httpx.Response, status: int) -> dict[str, str]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Request-Id"].startswith("req_")
    error: dict[str, str] = answer.json()["error"]
    return error


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer sk_test_other"},
        {"Authorization": "Basic ???"},
        {"Authorization": "Bearer \xff"},
        {"Authorization": "Digest sk_test_sandbox"},
    ],
)
def test_without_the_secret_key_nothing_is_answered(quiet: Sandbox, headers):
    answer = httpx.get(
        f"{quiet.url}/v1/payment_intents",
        headers=[(name, value.encode("latin-1")) for name, value in headers.items()],
    )

    assert refused(answer, 401)["type"] == "invalid_request_error"


def test_the_key_is_accepted_as_bearer_and_as_basic(quiet: Sandbox, web):
    bearer = httpx.get(
        f"{quiet.url}/v1/events", headers={"Authorization": "Bearer sk_test_sandbox"}
    )
    basic = web.get("/v1/events", headers={"Stripe-Version": "2025-01-27.acacia"})

    assert (bearer.status_code, basic.status_code) == (200, 200)
    assert basic.headers["Stripe-Version"] == "2025-01-27.acacia"


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"amount": ""}, "parameter_missing", "amount"),
        ({"amount": "ten"}, "parameter_invalid_integer", "amount"),
        ({"amount": "-1"}, "parameter_invalid_integer", "amount"),
        ({"amount": "1.5"}, "parameter_invalid_integer", "amount"),
        ({"amount": "49"}, "amount_too_small", "amount"),
        ({"amount": "100000000"}, "amount_too_large", "amount"),
        ({"amount[a]": "1"}, None, None),
        ({"currency": "dollars"}, None, "currency"),
        ({"currency": ""}, "parameter_missing", "currency"),
        ({"payment_method": "pm_card_unknown"}, "resource_missing", "payment_method"),
        ({"capture_method": "later"}, None, "capture_method"),
        ({"confirm": "perhaps"}, None, "confirm"),
        (
            {"payment_method_types[]": "card"},
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
        ({"allowed_payment_method_types[]": "ideal"}, None, "allowed_payment_method_types"),
        ({"automatic_payment_methods[enabled]": "true"}, None, None),
        ({"colour": "red"}, "parameter_unknown", "colour"),
        ({"metadata": "text"}, None, "metadata"),
        ({"metadata[a][b]": "text"}, None, "metadata"),
        ({"metadata[a]": "x" * 501}, None, "metadata[a]"),
        ({"metadata[" + "k" * 41 + "]": "x"}, None, "metadata[" + "k" * 40 + "]"),
        ({f"metadata[{n}]": "x" for n in range(51)}, None, "metadata"),
        ({"return_url": "https://shop.example/"}, None, None),
        ({"confirm": "true", "return_url": "javascript:alert(1)"}, "url_invalid", "return_url"),
        ({"expand[]": "customer"}, None, "expand"),
        ({"a[b][c][d][e][f]": "1"}, None, None),
        ({"a[b": "1"}, None, None),
    ],
)
def test_a_payment_that_makes_no_sense_is_refused_and_nothing_is_stored(web, change, code, param):
    newest = web.get("/v1/payment_intents?limit=1").json()["data"]

    error = refused(web.post("/v1/payment_intents", data=GOOD | change), 400)

    assert (error["type"], error.get("code"), error.get("param")) == (
        "invalid_request_error",
        code,
        param,
    )
    assert web.get("/v1/payment_intents?limit=1").json()["data"] == newest


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"amount": 1}', "application/json"),
        (b"amount=%ff%fe", "application/x-www-form-urlencoded"),
        (b"amount=\xff", "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % n for n in range(2000)), "application/x-www-form-urlencoded"),
    ],
)
def test_a_body_that_is_not_a_form_is_refused(web, body, content_type):
    answer = web.post("/v1/payment_intents", content=body, headers={"Content-Type": content_type})

    assert refused(answer, 400)["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("name", "value"),
    [("Idempotency-Key", b"\xff"), ("Idempotency-Key", b""), ("Idempotency-Key", b"k" * 256)],
)
def test_a_key_that_is_none_is_refused(web, name, value):
    answer = web.post("/v1/payment_intents", data=GOOD, headers=[(name.encode(), value)])

    assert refused(answer, 400)["type"] == "invalid_request_error"


def test_odd_headers_do_no_harm(web):
    answer = web.post(
        "/v1/payment_intents",
        data=GOOD
        | {
            "payment_method": "pm_card_threeDSecure2Required",
            "confirm": "true",
            "return_url": "https://shop.example/",
        },
        headers=[(b"Host", b"a{b}"), (b"Stripe-Version", b"\xff")],
    )

    assert answer.json()["status"] == "requires_action"


def test_a_body_that_is_too_large_is_refused(web):
    refused(web.post("/v1/payment_intents", data={"description": "x" * 1_100_000}), 413)


def test_what_does_not_exist_is_not_found(web):
    assert refused(web.get("/v1/payment_intents/pi_none"), 404)["code"] == "resource_missing"
    assert refused(web.post("/v1/payment_intents/pi_none/capture"), 404)["param"] == "intent"
    assert refused(web.get("/v1/refunds/re_none"), 404)["code"] == "resource_missing"
    assert refused(web.post("/v1/refunds", data={"charge": "ch_none"}), 404)["param"] == "charge"
    assert "Unrecognized request URL" in refused(web.get("/v1/customers"), 404)["message"]
    assert "Unrecognized request URL" in refused(web.delete("/v1/refunds"), 404)["message"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "starting_after=pi_none", "created[near]=1", "created=1"],
)
def test_a_list_asked_for_wrongly_is_refused(web, query):
    assert refused(web.get(f"/v1/payment_intents?{query}"), 400)["type"] == "invalid_request_error"


def test_characters_of_every_kind_are_kept(web):
    odd = "nul \x00, quote ', emoji 🛒, אבג"

    answer = web.post("/v1/payment_intents", data=GOOD | {"metadata[odd]": odd})

    stored = web.get(f"/v1/payment_intents/{answer.json()['id']}").json()
    assert stored["metadata"] == {"odd": odd}


@pytest.mark.parametrize(
    "plan",
    [
        {"drop_reply_rate": 2},
        {"drop_reply_rate": "1"},
        {"delay_ms": -1},
        {"delay_ms": True},
        {"webhook_shuffle": 1},
        {"unknown": 1},
        [],
    ],
)
def test_a_fault_plan_that_makes_no_sense_is_refused(web, plan):
    refused(web.post("/_sandbox/faults", json=plan), 400)

    assert web.get("/_sandbox/faults").json()["drop_reply_rate"] == 0


def test_controls_answer_bad_input_like_everything_else(web):
    refused(web.post("/_sandbox/faults", content=b"{"), 400)
    refused(web.post("/_sandbox/settle", json={"id": "pi_none", "outcome": "succeeded"}), 404)
    refused(web.post("/_sandbox/settle", json={"id": "pi_none"}), 400)
    refused(web.get("/_sandbox/ledger?since=yesterday"), 400)
    refused(web.post("/_sandbox/reset", headers={"Origin": "https://evil.example"}), 403)
    refused(web.post("/3ds/pi_none", content=b"outcome=%ff"), 400)
    assert web.post("/3ds/pi_none", data={"outcome": "later"}).status_code == 400
    assert web.get("/3ds/pi_none").status_code == 404
