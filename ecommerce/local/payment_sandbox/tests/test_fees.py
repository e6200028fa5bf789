"""What the sandbox keeps for itself of a captured payment."""

import time

import pytest

from ecommerce.local.payment_sandbox.fees import fee_of
from ecommerce.local.payment_sandbox.tests.conftest import CARD

BESIDE = ["latest_charge.balance_transaction"]


def captured(sdk, amount: int = 1500, currency: str = "USD"):
    intent = sdk.v1.payment_intents.create(
        {
            **CARD,
            "amount": amount,
            "currency": currency,
            "capture_method": "manual",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "expand": BESIDE,
        }
    )
    assert intent.latest_charge.balance_transaction is None
    return sdk.v1.payment_intents.capture(intent.id, {"expand": BESIDE})


@pytest.mark.parametrize(
    ("settled", "fee"),
    [(0, 30), (50, 31), (1000, 59), (1500, 74), (1517, 74), (99_999_999, 2_900_030)],
)
def test_it_is_a_share_rounded_half_up_and_a_fixed_part(settled, fee):
    assert fee_of(settled) == fee


def test_the_answer_to_the_capture_has_it(sdk):
    beside = captured(sdk).latest_charge.balance_transaction

    assert (beside.amount, beside.fee, beside.net, beside.currency) == (1500, 74, 1426, "usd")
    assert beside.exchange_rate is None
    assert sum(detail.amount for detail in beside.fee_details) == beside.fee


def test_a_payment_that_is_captured_at_once_has_it_at_once(sdk):
    intent = sdk.v1.payment_intents.create(
        {
            **CARD,
            "amount": 1000,
            "currency": "EUR",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "expand": BESIDE,
        }
    )

    beside = intent.latest_charge.balance_transaction
    assert (beside.fee, beside.currency) == (59, "eur")


def test_a_currency_without_a_bank_account_is_settled_in_dollars(sdk):
    beside = captured(sdk, 10_000, "JPY").latest_charge.balance_transaction

    # 67.00 dollars, of which 1.94 and 0.30 are kept.
    assert (beside.amount, beside.fee, beside.net) == (6700, 224, 6476)
    assert (beside.currency, beside.exchange_rate) == ("usd", 0.67)


def test_a_late_one_is_there_after_its_time_for_who_asks(sdk, fault_plan):
    fault_plan(fee_delay_ms=1000)
    intent = captured(sdk)
    assert intent.latest_charge.balance_transaction is None
    time.sleep(2)

    fetched = sdk.v1.payment_intents.retrieve(intent.id, {"expand": BESIDE})
    listed = sdk.v1.payment_intents.list({"limit": 1, "expand": [f"data.{BESIDE[0]}"]})

    assert fetched.latest_charge.balance_transaction.fee == 74
    assert listed.data[0].latest_charge.balance_transaction.fee == 74


def test_a_refund_does_not_give_it_back(sdk):
    intent = captured(sdk)
    sdk.v1.refunds.create({"payment_intent": intent.id})

    charge = sdk.v1.payment_intents.retrieve(intent.id, {"expand": BESIDE}).latest_charge

    assert (charge.amount_refunded, charge.balance_transaction.fee) == (1500, 74)
