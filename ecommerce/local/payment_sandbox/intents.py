"""The life of a PaymentIntent and its charges; pure."""

import secrets
from dataclasses import dataclass
from typing import Any

from ecommerce.local.payment_sandbox.cards import AUTHENTICATION_REQUIRED, CARDS, Card, Decline
from ecommerce.local.payment_sandbox.changes import Change, Document
from ecommerce.local.payment_sandbox.refusals import Refusal, impossible, missing

CONFIRMABLE = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})
CANCELLABLE = CONFIRMABLE | {"requires_capture"}


@dataclass(frozen=True, slots=True)
class Consent:
    """How the shopper may be asked: the bank's page, the way back, or not at all."""

    challenge_url: str
    return_url: str | None
    off_session: bool


def identifier(prefix: str) -> str:
    """Return a fresh id that looks like one of Stripe's."""
    return f"{prefix}_3S{secrets.token_hex(11)}"


def card_named(name: str) -> Card:
    """Return the test payment method. Raises: Refusal, when there is none of that name."""
    if name not in CARDS:
        raise missing("PaymentMethod", name, param="payment_method", status=400)
    return CARDS[name]


def create(change: Change, *, now: int, payment_method: str | None, **given: Any) -> Document:
    """Start a payment that nobody has confirmed yet."""
    if payment_method:
        card_named(payment_method)
    intent_id = identifier("pi")
    intent: Document = {
        "id": intent_id,
        "object": "payment_intent",
        "allowed_payment_method_types": given["allowed_payment_method_types"],
        "amount": given["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": given["automatic_payment_methods"],
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": given["capture_method"],
        "client_secret": f"{intent_id}_secret_{secrets.token_hex(12)}",
        "confirmation_method": "automatic",
        "created": now,
        "currency": given["currency"],
        "customer": None,
        "description": given["description"],
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": given["metadata"],
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": payment_method,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": given["receipt_email"],
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_confirmation" if payment_method else "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }
    change.keep(intent)
    change.tell("payment_intent.created", intent)
    return intent


def confirm(
    change: Change,
    intent: Document,
    *,
    payment_method: str | None,
    consent: Consent,
    now: int,
) -> None:
    """Try to charge the payment method, or ask its owner first."""
    _demand(intent, CONFIRMABLE, "confirm")
    name = payment_method or intent["payment_method"]
    if not name:
        raise impossible(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
    card = card_named(name)
    allow = (intent["automatic_payment_methods"] or {}).get("allow_redirects", "never")
    if allow == "always" and not consent.return_url and not consent.off_session:
        raise impossible(
            "This PaymentIntent accepts payment methods that may redirect your customer off your "
            "page, so you must provide a `return_url`; or set automatic_payment_methods"
            "[allow_redirects] to `never`.",
        )
    intent |= {"payment_method": name, "last_payment_error": None, "next_action": None}
    change.keep(intent)
    change.reply = card.reply
    if card.challenges and not consent.off_session:
        intent["status"] = "requires_action"
        intent["next_action"] = {
            "type": "redirect_to_url",
            "redirect_to_url": {
                "url": f"{consent.challenge_url}/{intent['id']}",
                "return_url": consent.return_url,
            },
        }
        change.tell("payment_intent.requires_action", intent)
    elif card.settles_later:
        intent["status"] = "processing"
        intent["latest_charge"] = _charge(change, intent, card, status="pending", now=now)["id"]
    elif card.decline or card.challenges:
        _decline(change, intent, card, card.decline or AUTHENTICATION_REQUIRED, now=now)
    else:
        _succeed(change, intent, _charge(change, intent, card, status="succeeded", now=now))


def answer_challenge(change: Change, intent: Document, *, authorised: bool, now: int) -> None:
    """Go on after the shopper has authorised or refused the payment at the bank."""
    _demand(intent, frozenset({"requires_action"}), "authenticate")
    card = card_named(intent["payment_method"])
    intent["next_action"] = None
    change.keep(intent)
    if authorised:
        _succeed(change, intent, _charge(change, intent, card, status="succeeded", now=now))
        return
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "last_payment_error": {
            "type": "invalid_request_error",
            "code": "payment_intent_authentication_failure",
            "message": "The provided PaymentMethod has failed authentication. You can provide "
            "a new PaymentMethod to attempt to fulfil this PaymentIntent again.",
            "payment_method": _method(card),
        },
    }
    change.tell("payment_intent.payment_failed", intent)


def settle(change: Change, intent: Document, charge: Document, *, succeeds: bool) -> None:
    """Let a slow payment come to its end."""
    _demand(intent, frozenset({"processing"}), "settle")
    change.keep(intent, charge)
    card = card_named(intent["payment_method"])
    if succeeds:
        charge |= {"status": "succeeded", "paid": True}
        _succeed(change, intent, charge)
    else:
        decline = Decline("card_declined", "generic_decline", "Your card was declined.")
        charge |= {"status": "failed", "failure_code": decline.code}
        charge["failure_message"] = decline.message
        _fail(change, intent, _card_error(decline, charge, card))


def capture(change: Change, intent: Document, charge: Document, *, amount: int | None) -> None:
    """Take the authorised money, or a part of it; the rest is released."""
    _demand(intent, frozenset({"requires_capture"}), "capture")
    amount = amount or intent["amount_capturable"]
    if amount > intent["amount_capturable"]:
        raise impossible(
            "The amount to capture is greater than the amount that can be captured.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    change.keep(intent, charge)
    charge |= {"captured": True, "amount_captured": amount}
    intent |= {"status": "succeeded", "amount_capturable": 0, "amount_received": amount}
    change.tell("payment_intent.succeeded", intent)


def cancel(change: Change, intent: Document, *, reason: str | None, now: int) -> None:
    """End a payment that has taken no money; an authorisation is released."""
    _demand(intent, CANCELLABLE, "cancel")
    change.keep(intent)
    intent |= {
        "status": "canceled",
        "canceled_at": now,
        "cancellation_reason": reason,
        "amount_capturable": 0,
        "next_action": None,
    }
    change.tell("payment_intent.canceled", intent)


def _demand(intent: Document, allowed: frozenset[str], verb: str) -> None:
    if intent["status"] not in allowed:
        raise impossible(
            f"You cannot {verb} this PaymentIntent because it has a status of "
            f"{intent['status']}. Only a PaymentIntent with one of the following statuses allows "
            f"it: {', '.join(sorted(allowed))}.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )


def _succeed(change: Change, intent: Document, charge: Document) -> None:
    intent["latest_charge"] = charge["id"]
    if intent["capture_method"] == "manual":
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        change.tell("payment_intent.amount_capturable_updated", intent)
    else:
        charge |= {"captured": True, "amount_captured": charge["amount"]}
        intent |= {"status": "succeeded", "amount_received": intent["amount"]}
        change.tell("payment_intent.succeeded", intent)


def _decline(change: Change, intent: Document, card: Card, decline: Decline, *, now: int) -> None:
    charge = _charge(change, intent, card, status="failed", now=now)
    charge |= {"failure_code": decline.code, "failure_message": decline.message}
    intent["latest_charge"] = charge["id"]
    error = _card_error(decline, charge, card)
    _fail(change, intent, error)
    facts = {name: fact for name, fact in error.items() if name not in ("type", "message")}
    change.refusal = Refusal(
        402, error["type"], error["message"], executed=True, payment_intent=intent, **facts
    )


def _fail(change: Change, intent: Document, error: Document) -> None:
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "last_payment_error": error,
    }
    change.tell("payment_intent.payment_failed", intent)


def _card_error(decline: Decline, charge: Document, card: Card) -> Document:
    return {
        "type": "card_error",
        "code": decline.code,
        "decline_code": decline.decline_code,
        "message": decline.message,
        "charge": charge["id"],
        "payment_method": _method(card),
    }


def _method(card: Card) -> Document:
    return {
        "id": card.name,
        "object": "payment_method",
        "type": "card",
        "card": {"brand": card.brand, "last4": card.last4},
    }


def _charge(change: Change, intent: Document, card: Card, *, status: str, now: int) -> Document:
    charge: Document = {
        "id": identifier("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "balance_transaction": None,
        "billing_details": {"address": None, "email": None, "name": None, "phone": None},
        "captured": False,
        "created": now,
        "currency": intent["currency"],
        "customer": None,
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "outcome": None,
        "paid": status == "succeeded",
        "payment_intent": intent["id"],
        "payment_method": card.name,
        "payment_method_details": {
            "type": "card",
            "card": {"brand": card.brand, "last4": card.last4},
        },
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "status": status,
    }
    change.keep(charge)
    return charge
