"""The test payment methods and what each of them does."""

from dataclasses import dataclass
from enum import StrEnum


class Reply(StrEnum):
    """What becomes of the first answer to the request that charged the card."""

    SENT = "sent"
    HELD = "held"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a bank says no, in Stripe's words."""

    code: str
    decline_code: str
    message: str


@dataclass(frozen=True, slots=True)
class Card:
    """One test payment method."""

    name: str
    effect: str
    brand: str = "visa"
    last4: str = "4242"
    decline: Decline | None = None
    challenges: bool = False
    settles_later: bool = False
    refunds_later: bool = False
    reply: Reply = Reply.SENT


def _declined(name: str, last4: str, code: str, decline_code: str, message: str) -> Card:
    effect = code if code == decline_code else f"{code}, {decline_code}"
    return Card(name, f"Declined: {effect}", "visa", last4, Decline(code, decline_code, message))


_DECLINED = "Your card was declined."

CARDS = {
    card.name: card
    for card in (
        Card("pm_card_visa", "Succeeds"),
        Card("pm_card_mastercard", "Succeeds", "mastercard", "4444"),
        Card("pm_card_amex", "Succeeds", "amex", "8431"),
        Card(
            "pm_card_threeDSecure2Required",
            "Asks the shopper to authorise (3-D Secure)",
            last4="3220",
            challenges=True,
        ),
        _declined(
            "pm_card_visa_chargeDeclined", "0002", "card_declined", "generic_decline", _DECLINED
        ),
        _declined(
            "pm_card_visa_chargeDeclinedInsufficientFunds",
            "9995",
            "card_declined",
            "insufficient_funds",
            "Your card has insufficient funds.",
        ),
        _declined(
            "pm_card_visa_chargeDeclinedLostCard", "9987", "card_declined", "lost_card", _DECLINED
        ),
        _declined(
            "pm_card_visa_chargeDeclinedStolenCard",
            "9979",
            "card_declined",
            "stolen_card",
            _DECLINED,
        ),
        _declined(
            "pm_card_chargeDeclinedExpiredCard",
            "0069",
            "expired_card",
            "expired_card",
            "Your card has expired.",
        ),
        _declined(
            "pm_card_chargeDeclinedIncorrectCvc",
            "0127",
            "incorrect_cvc",
            "incorrect_cvc",
            "Your card's security code is incorrect.",
        ),
        _declined(
            "pm_card_chargeDeclinedProcessingError",
            "0119",
            "processing_error",
            "processing_error",
            "An error occurred while processing your card. Try again in a little bit.",
        ),
        Card("pm_card_pendingRefund", "Succeeds; a refund stays pending", refunds_later=True),
        Card(
            "pm_card_sandbox_processing",
            "Stays in processing until it is settled (sandbox only)",
            settles_later=True,
        ),
        Card(
            "pm_card_sandbox_timeout",
            "Charges, but never answers the first request (sandbox only)",
            reply=Reply.HELD,
        ),
        Card(
            "pm_card_sandbox_error",
            "Charges, but drops the connection of the first request (sandbox only)",
            reply=Reply.DROPPED,
        ),
    )
}

AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
