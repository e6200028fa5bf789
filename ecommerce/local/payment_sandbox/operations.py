"""The endpoints under /v1: read the parameters, apply the rules, say what changes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ecommerce.local.payment_sandbox import fees, intents, refunds
from ecommerce.local.payment_sandbox.changes import Change, Document
from ecommerce.local.payment_sandbox.parameters import LARGEST_AMOUNT, Parameters
from ecommerce.local.payment_sandbox.refusals import impossible, invalid, missing
from ecommerce.local.payment_sandbox.store import Store

# Stripe's smallest charges, in minor units.
SMALLEST = {
    "usd": 50, "eur": 50, "gbp": 30, "jpy": 50, "chf": 50, "cad": 50, "aud": 50, "sek": 300,
    "nok": 300, "dkk": 250, "pln": 200, "czk": 1500,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """One authenticated request: where it looks, what it asks, when, and who else can be met."""

    store: Store
    parameters: Parameters
    path_id: str
    path: str
    challenge_url: str
    now: int


Operation = Callable[[Request], Change]


def create_intent(request: Request) -> Change:
    given = request.parameters
    amount = given.required_amount("amount")
    currency = given.required_text("currency").lower()
    if not re.fullmatch("[a-z]{3}", currency):
        raise invalid(f"Invalid currency: {currency[:20]}", param="currency")
    if amount < SMALLEST.get(currency, 1):
        raise invalid(
            f"Amount must be at least {SMALLEST[currency]} {currency} in minor units.",
            param="amount",
            code="amount_too_small",
        )
    capture_method = given.choice("capture_method", ("automatic", "manual"), default="automatic")
    payment_method = given.text("payment_method")
    if given.words("payment_method_types"):
        raise invalid(
            "`payment_method_types` cannot be set. Use `allowed_payment_method_types` instead.",
            param="payment_method_types",
            code="payment_method_types_no_longer_supported",
        )
    allowed = given.words("allowed_payment_method_types")
    if allowed and "card" not in allowed:
        raise invalid(
            "None of the allowed payment method types can be used: the sandbox knows cards.",
            param="allowed_payment_method_types",
        )
    automatic = given.inside("automatic_payment_methods")
    enabled = automatic.flag("enabled")
    allow = automatic.choice("allow_redirects", ("always", "never"), default="always")
    automatic.finish()
    if enabled and allowed:
        raise invalid(
            "You may only specify one of these parameters: automatic_payment_methods, "
            "allowed_payment_method_types."
        )
    confirm = given.flag("confirm")
    consent = _consent(request, confirms=confirm)
    facts = {
        "metadata": given.metadata(),
        "description": given.text("description", longest=1000),
        "receipt_email": given.text("receipt_email", longest=512),
    }
    given.finish()
    change = Change()
    intent = intents.create(
        change,
        amount=amount,
        currency=currency,
        capture_method=capture_method,
        payment_method=payment_method,
        allowed_payment_method_types=allowed or None,
        automatic_payment_methods=None if allowed else {"enabled": True, "allow_redirects": allow},
        now=request.now,
        **facts,
    )
    if confirm:
        intents.confirm(
            change,
            intent,
            payment_method=payment_method,
            consent=consent,
            now=request.now,
        )
    change.answer = intent
    return change


def _consent(request: Request, *, confirms: bool) -> intents.Consent:
    """Read how the shopper may be asked; only a confirmation asks."""
    given = request.parameters
    return_url = given.text("return_url")
    modes = ("false", "true", "one_off", "recurring")
    off_session = given.choice("off_session", modes, default="false") != "false"
    if (return_url or off_session) and not confirms:
        raise invalid("`return_url` and `off_session` can only be used with `confirm`.")
    if return_url and urlsplit(return_url).scheme not in ("http", "https"):
        raise invalid("Not a valid URL", param="return_url", code="url_invalid")
    return intents.Consent(request.challenge_url, return_url, off_session)


def confirm_intent(request: Request) -> Change:
    given = request.parameters
    payment_method = given.text("payment_method")
    consent = _consent(request, confirms=True)
    given.finish()
    change = Change(answer=_intent(request))
    intents.confirm(
        change,
        change.answer,
        payment_method=payment_method,
        consent=consent,
        now=request.now,
    )
    return change


def capture_intent(request: Request) -> Change:
    amount = request.parameters.amount("amount_to_capture")
    request.parameters.finish()
    change = Change(answer=_intent(request))
    charge = _latest_charge(request.store, change.answer) or {}
    intents.capture(change, change.answer, charge, amount=amount)
    return change


def cancel_intent(request: Request) -> Change:
    reasons = ("abandoned", "duplicate", "fraudulent", "requested_by_customer", "")
    reason = request.parameters.choice("cancellation_reason", reasons, default="") or None
    request.parameters.finish()
    change = Change(answer=_intent(request))
    intents.cancel(change, change.answer, reason=reason, now=request.now)
    return change


def read_intent(request: Request) -> Change:
    request.parameters.text("client_secret")
    request.parameters.finish()
    return Change(answer=_intent(request))


def list_intents(request: Request) -> Change:
    return _list(request, "payment_intent")


def create_refund(request: Request) -> Change:
    given = request.parameters
    intent_id, charge_id = given.text("payment_intent"), given.text("charge")
    amount = given.amount("amount")
    reasons = ("duplicate", "fraudulent", "requested_by_customer", "")
    reason = given.choice("reason", reasons, default="") or None
    metadata = given.metadata()
    given.finish()
    charge = _refundable(request.store, intent_id, charge_id)
    change = Change()
    change.answer = refunds.refund(
        change, charge, amount=amount, reason=reason, metadata=metadata, now=request.now
    )
    return change


def _refundable(store: Store, intent_id: str | None, charge_id: str | None) -> Document:
    if not intent_id and not charge_id:
        raise invalid(
            "One of the following params should be provided for this request: "
            "payment_intent or charge.",
            code="parameter_missing",
        )
    if intent_id:
        intent = store.find("payment_intent", intent_id)
        if intent is None:
            raise missing("payment_intent", intent_id, param="payment_intent")
        if charge_id and charge_id != intent["latest_charge"]:
            raise invalid("The charge does not belong to the payment_intent.", param="charge")
        charge = _latest_charge(store, intent)
        if charge is None:
            raise impossible(
                f"This PaymentIntent ({intent_id}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        return charge
    charge = store.find("charge", charge_id or "")
    if charge is None:
        raise missing("charge", charge_id or "", param="charge")
    return charge


def read_refund(request: Request) -> Change:
    request.parameters.finish()
    return Change(answer=_found(request, "refund"))


def list_refunds(request: Request) -> Change:
    return _list(request, "refund", parent=request.parameters.text("payment_intent"))


def read_event(request: Request) -> Change:
    request.parameters.finish()
    return Change(answer=_found(request, "event"))


def list_events(request: Request) -> Change:
    return _list(request, "event", label=request.parameters.text("type"))


def _list(
    request: Request, kind: str, *, parent: str | None = None, label: str | None = None
) -> Change:
    given = request.parameters
    limit = given.integer("limit", least=1, most=100) or 10
    after = given.text("starting_after")
    within = given.inside("created")
    bounds = {
        name: within.integer(name, least=0, most=LARGEST_AMOUNT**2)
        for name in ("gt", "gte", "lt", "lte")
    }
    within.finish()
    given.finish()
    if after and request.store.find(kind, after) is None:
        raise missing(kind, after, param="starting_after", status=400)
    created = {name: moment for name, moment in bounds.items() if moment is not None}
    found, more = request.store.page(
        kind, limit=limit, after=after, parent=parent, label=label, created=created
    )
    return Change(answer={"object": "list", "data": found, "has_more": more, "url": request.path})


def _found(request: Request, kind: str) -> Document:
    found = request.store.find(kind, request.path_id)
    if found is None:
        raise missing(kind, request.path_id, param="id")
    return found


def _intent(request: Request) -> Document:
    found = request.store.find("payment_intent", request.path_id)
    if found is None:
        raise missing("payment_intent", request.path_id, param="intent")
    return found


def _latest_charge(store: Store, intent: Document) -> Document | None:
    return store.find("charge", intent["latest_charge"]) if intent["latest_charge"] else None


_EXPANDABLE = {
    "payment_intent": {"latest_charge": "charge"},
    "charge": {"balance_transaction": "balance_transaction"},
    "refund": {"charge": "charge", "payment_intent": "payment_intent"},
    "balance_transaction": {},
    "event": {},
}


def check_expansions(names: list[str]) -> None:
    """Raises: Refusal, when one of the names can never be expanded."""
    known = {name for fields in _EXPANDABLE.values() for name in fields}
    for name in names:
        if not known.issuperset(name.removeprefix("data.").split(".")):
            raise invalid(f"This property cannot be expanded ({name[:100]}).", param="expand")


def expanded(store: Store, document: Document, names: list[str], *, now: int) -> Document:
    """Return the document with the named ids replaced by what they stand for.

    A name may go on after a dot. A charge tells of its fee only once that is known.
    """
    if document.get("object") == "list":
        inner = [name.removeprefix("data.") for name in names if name.startswith("data.")]
        items = [expanded(store, item, inner, now=now) for item in document["data"]]
        return document | {"data": items}
    if document["object"] == "charge":
        fee = store.find("balance_transaction", document["balance_transaction"] or "")
        if not fees.is_known(fee, now=now):
            document = document | {"balance_transaction": None}
    kinds = _EXPANDABLE[document["object"]]
    deeper: dict[str, list[str]] = {}
    for name in names:
        first, _, rest = name.partition(".")
        deeper.setdefault(first, []).extend([rest] if rest else [])
    for name, rests in deeper.items():
        found = store.find(kinds[name], document[name] or "") if name in kinds else None
        if found:
            document = document | {name: expanded(store, found, rests, now=now)}
    return document
