"""What the provider keeps for itself: the balance transaction of each captured charge; pure."""

from decimal import ROUND_HALF_UP, Decimal
from math import ceil

from ecommerce.local.payment_sandbox.changes import Change, Document
from ecommerce.local.payment_sandbox.intents import identifier

# 2.9 %, half a minor unit rounded up, and 30 minor units.
FEE_RATE = Decimal("0.029")
FEE_FIXED = 30
PAYOUT_AFTER = 2 * 24 * 60 * 60
# The account has bank accounts for these. All else is turned into US dollars, at rates that stay:
# cents for one minor unit.
SETTLED_AS_PAID = frozenset({"usd", "eur", "gbp"})
CENTS = {"jpy": Decimal("0.67"), "chf": Decimal("1.13"), "sek": Decimal("0.09")}


def fee_of(settled: int) -> int:
    """Return what is kept of an amount, both in minor units."""
    return _rounded(settled * FEE_RATE) + FEE_FIXED


def keep_fees(change: Change, *, now: float, delay_ms: int) -> None:
    """Give each charge that is captured by now its balance transaction, known after the delay."""
    for charge in list(change.documents.values()):
        if charge["object"] != "charge" or not charge["captured"] or charge["balance_transaction"]:
            continue
        # Moments are whole seconds; nothing is known earlier than was said.
        known_at = ceil(now + delay_ms / 1000) if delay_ms else int(now)
        made = _balance_transaction(charge, known_at=known_at)
        charge["balance_transaction"] = made["id"]
        change.keep(made)


def is_known(balance_transaction: Document | None, *, now: int) -> bool:
    """Tell whether the fee can be read yet."""
    return balance_transaction is not None and balance_transaction["created"] <= now


def _balance_transaction(charge: Document, *, known_at: int) -> Document:
    as_paid = charge["currency"] in SETTLED_AS_PAID
    rate = Decimal(1) if as_paid else CENTS.get(charge["currency"], Decimal(1))
    settled = _rounded(charge["amount_captured"] * rate)
    currency = charge["currency"] if as_paid else "usd"
    fee = fee_of(settled)
    return {
        "id": identifier("txn"),
        "object": "balance_transaction",
        "amount": settled,
        "available_on": known_at + PAYOUT_AFTER,
        "created": known_at,
        "currency": currency,
        "description": charge["description"],
        "exchange_rate": None if as_paid else float(rate),
        "fee": fee,
        "fee_details": [
            {
                "amount": fee,
                "application": None,
                "currency": currency,
                "description": "Stripe processing fees",
                "type": "stripe_fee",
            }
        ],
        "net": settled - fee,
        "reporting_category": "charge",
        "source": charge["id"],
        "status": "pending",
        "type": "charge",
    }


def _rounded(minor: Decimal) -> int:
    return int(minor.quantize(Decimal(1), ROUND_HALF_UP))
