"""What Stripe does not have: faults, the ledger, the bank's page and the start page."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from ecommerce.local.payment_sandbox import intents, pages, refunds
from ecommerce.local.payment_sandbox.changes import Change, Document
from ecommerce.local.payment_sandbox.faults import Plan
from ecommerce.local.payment_sandbox.intents import identifier
from ecommerce.local.payment_sandbox.parameters import decode
from ecommerce.local.payment_sandbox.refusals import Refusal, invalid, missing
from ecommerce.local.payment_sandbox.store import Store
from ecommerce.local.payment_sandbox.webhooks import Deliveries


class Controls:
    """The handlers beside /v1. They need no key, but no other web site may reach them."""

    def __init__(self, store: Store, deliveries: Deliveries | None) -> None:
        self._store = store
        self._deliveries = deliveries

    def attach(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/", self.overview)
        app.router.add_get("/3ds/{id}", self.challenge)
        app.router.add_post("/3ds/{id}", self.answer_challenge)
        app.router.add_get("/_sandbox/health", self.health)
        app.router.add_get("/_sandbox/ledger", self.ledger)
        app.router.add_get("/_sandbox/faults", self.faults)
        app.router.add_post("/_sandbox/faults", self.set_faults)
        app.router.add_post("/_sandbox/settle", self.settle)
        app.router.add_post("/_sandbox/reset", self.reset)

    async def overview(self, _: web.Request) -> web.Response:
        """Show the latest payments."""
        latest, _more = self._store.page("payment_intent", limit=50)
        return _html(pages.overview(latest))

    async def challenge(self, request: web.Request) -> web.Response:
        """Ask the shopper."""
        intent = self._intent(request.match_info["id"])
        if intent is None:
            return _html(pages.message("No such payment", "Nothing is known of it here."), 404)
        if intent["status"] != "requires_action":
            return _html(pages.message("Nothing to authorise", "This payment is decided."), 409)
        return _html(pages.challenge(intent))

    async def answer_challenge(self, request: web.Request) -> web.Response:
        """Take the shopper's answer and send the shopper back to the store."""
        _refuse_strangers(request)
        outcome = decode(await request.read()).get("outcome")
        if outcome not in ("authorise", "refuse"):
            return _html(pages.message("No answer", "Choose Authorise or Refuse."), 400)
        intent = self._intent(request.match_info["id"])
        if intent is None or intent["status"] != "requires_action":
            return await self.challenge(request)
        return_url = intent["next_action"]["redirect_to_url"]["return_url"]
        authorised = outcome == "authorise"

        def answer(change: Change) -> None:
            intents.answer_challenge(change, intent, authorised=authorised, now=int(time.time()))

        self._commit(answer)
        if return_url:
            raise web.HTTPSeeOther(pages.way_back(return_url, intent, authorised=authorised))
        title = "Payment authorised" if authorised else "Payment refused"
        return _html(pages.message(title, "You can close this page."))

    async def health(self, _: web.Request) -> web.Response:
        """Tell that the server is up, and how many webhooks are not delivered yet."""
        return _json({"status": "ok", "pending_webhooks": self._store.pending_deliveries()})

    async def ledger(self, request: web.Request) -> web.Response:
        """List every charge, and the sums of those that succeeded: what really happened."""
        since = request.query.get("since", "0")
        if not (since.isascii() and since.isdigit() and len(since) < 16):
            raise invalid("`since` is a time in seconds.", param="since")
        entries = [_entry(charge, it) for charge, it in self._store.charges(since=int(since))]
        totals: dict[str, dict[str, int]] = defaultdict(
            lambda: dict.fromkeys(("charges", "amount", "amount_captured", "amount_refunded"), 0)
        )
        for entry in entries:
            if entry["status"] == "succeeded":
                total = totals[entry["currency"]]
                total["charges"] += 1
                for name in ("amount", "amount_captured", "amount_refunded"):
                    total[name] += entry[name]
        return _json({"charges": entries, "totals": totals})

    async def faults(self, _: web.Request) -> web.Response:
        """Show the fault plan in force."""
        return _json(self._store.faults.plan.as_dict())

    async def set_faults(self, request: web.Request) -> web.Response:
        """Replace the fault plan; what is left out is at rest."""
        plan = Plan.read(await _read_json(request))
        self._store.set_faults(plan)
        return _json(plan.as_dict())

    async def settle(self, request: web.Request) -> web.Response:
        """End a payment in processing, or a refund: {"id", "outcome": "succeeded"|"failed"}."""
        given = await _read_json(request)
        if not isinstance(given, dict) or given.get("outcome") not in ("succeeded", "failed"):
            raise invalid("Send an id, and an outcome: succeeded or failed.", param="outcome")
        wanted, succeeds = str(given.get("id", "")), given["outcome"] == "succeeded"
        intent = self._intent(wanted)
        refund = self._store.find("refund", wanted)
        document = intent or refund
        if document is None:
            raise missing("payment_intent or refund", wanted[:100], param="id")
        charge_id = intent["latest_charge"] if intent else document["charge"]
        charge = self._store.find("charge", charge_id or "") or {}

        def end(change: Change) -> None:
            rule = intents.settle if intent else refunds.settle
            rule(change, document, charge, succeeds=succeeds)

        self._commit(end)
        return _json(document)

    async def reset(self, request: web.Request) -> web.Response:
        """Forget every payment and every fault."""
        _refuse_strangers(request)
        self._store.reset()
        return _json({"status": "ok"})

    def _intent(self, wanted: str) -> Document | None:
        return self._store.find("payment_intent", wanted)

    def _commit(self, rule: Callable[[Change], None]) -> None:
        change = Change()
        with self._store.transaction():
            rule(change)
            due = self._store.apply(change, request_id=identifier("req"), key=None, now=time.time())
        if due and self._deliveries:
            self._deliveries.wake()


def _entry(charge: Document, intent: Document) -> dict[str, Any]:
    return {
        "id": charge["id"],
        "payment_intent": intent["id"],
        "payment_intent_status": intent["status"],
        "metadata": intent["metadata"],
        "amount": charge["amount"],
        "amount_captured": charge["amount_captured"],
        "amount_refunded": charge["amount_refunded"],
        "currency": charge["currency"],
        "status": charge["status"],
        "created": charge["created"],
    }


def _refuse_strangers(request: web.Request) -> None:
    """Refuse what a page of another origin makes a browser send."""
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        raise Refusal(403, "invalid_request_error", "This is not for other web sites.")


async def _read_json(request: web.Request) -> object:
    _refuse_strangers(request)
    try:
        return orjson.loads(await request.read() or b"{}")
    except orjson.JSONDecodeError:
        raise invalid("The body is not JSON.") from None


def _json(content: object) -> web.Response:
    return web.Response(body=orjson.dumps(content), content_type="application/json")


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(
        text=text,
        status=status,
        content_type="text/html",
        headers={
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
            "frame-ancestors 'none'",
        },
    )
