"""Giving captured money back; pure."""

from ecommerce.local.payment_sandbox.cards import CARDS
from ecommerce.local.payment_sandbox.changes import Change, Document
from ecommerce.local.payment_sandbox.intents import identifier
from ecommerce.local.payment_sandbox.refusals import impossible


def refund(
    change: Change,
    charge: Document,
    *,
    amount: int | None,
    reason: str | None,
    metadata: dict[str, str],
    now: int,
) -> Document:
    """Give back the amount, or all that is left; never more than was captured."""
    if not charge["captured"]:
        raise impossible(
            f"Charge {charge['id']} has no captured money to refund.", code="charge_not_refundable"
        )
    left = charge["amount_captured"] - charge["amount_refunded"]
    if not left:
        raise impossible(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    amount = amount or left
    if amount > left:
        raise impossible(
            f"Refund amount ({amount} {charge['currency']}) is greater than unrefunded amount on "
            f"charge ({left} {charge['currency']})",
            param="amount",
        )
    later = CARDS[charge["payment_method"]].refunds_later
    made: Document = {
        "id": identifier("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "destination_details": {"type": "card", "card": {"type": "pending"}},
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending" if later else "succeeded",
        "transfer_reversal": None,
    }
    _move(charge, amount)
    change.keep(made, charge)
    change.tell("refund.created", made)
    change.tell("charge.refunded", charge)
    return made


def settle(change: Change, made: Document, charge: Document, *, succeeds: bool) -> None:
    """Let a refund come to its end; one that fails puts the money back on the charge."""
    if made["status"] == "failed" or (made["status"] == "succeeded" and succeeds):
        raise impossible(f"Refund {made['id']} has already {made['status']}.")
    change.keep(made)
    made["status"] = "succeeded" if succeeds else "failed"
    if not succeeds:
        made["failure_reason"] = "unknown"
        _move(charge, -made["amount"])
        change.keep(charge)
    change.tell("refund.updated", made)
    if not succeeds:
        change.tell("refund.failed", made)


def _move(charge: Document, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
