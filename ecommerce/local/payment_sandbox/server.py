"""HTTP in, HTTP out: authentication, idempotency keys, faults and the envelope of every answer."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import orjson
from aiohttp import web

from ecommerce.local.payment_sandbox import operations
from ecommerce.local.payment_sandbox.cards import Reply
from ecommerce.local.payment_sandbox.changes import Change
from ecommerce.local.payment_sandbox.controls import Controls
from ecommerce.local.payment_sandbox.intents import identifier
from ecommerce.local.payment_sandbox.operations import Operation, Request
from ecommerce.local.payment_sandbox.parameters import Parameters, decode
from ecommerce.local.payment_sandbox.refusals import Refusal, breakdown, invalid
from ecommerce.local.payment_sandbox.store import API_VERSION, Answer, Store
from ecommerce.local.payment_sandbox.webhooks import Deliveries

LARGEST_BODY = 1024 * 1024
JSON = "application/json"

ENDPOINTS: list[tuple[str, str, Operation]] = [
    ("POST", "/v1/payment_intents", operations.create_intent),
    ("GET", "/v1/payment_intents", operations.list_intents),
    ("GET", "/v1/payment_intents/{id}", operations.read_intent),
    ("POST", "/v1/payment_intents/{id}/confirm", operations.confirm_intent),
    ("POST", "/v1/payment_intents/{id}/capture", operations.capture_intent),
    ("POST", "/v1/payment_intents/{id}/cancel", operations.cancel_intent),
    ("POST", "/v1/refunds", operations.create_refund),
    ("GET", "/v1/refunds", operations.list_refunds),
    ("GET", "/v1/refunds/{id}", operations.read_refund),
    ("GET", "/v1/events", operations.list_events),
    ("GET", "/v1/events/{id}", operations.read_event),
]

log = logging.getLogger(__name__)


def application(store: Store, deliveries: Deliveries | None, *, secret_key: str) -> web.Application:
    """Return the whole server, to be run on one event loop."""
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[_envelope])
    server = _Server(store, deliveries, secret_key)
    for method, path, operation in ENDPOINTS:
        app.router.add_route(method, path, partial(server.answer, operation))
    Controls(store, deliveries).attach(app)
    app.on_shutdown.append(server.stop)
    return app


@web.middleware
async def _envelope(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Turn every refusal, and every surprise, into Stripe's error envelope."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return _refused(refusal)
    except web.HTTPRequestEntityTooLarge:
        return _refused(Refusal(413, "invalid_request_error", "The request is too large."))
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        address = f"{request.method}: {request.path[:200]}"
        return _refused(
            Refusal(404, "invalid_request_error", f"Unrecognized request URL ({address}).")
        )
    except web.HTTPException:
        raise
    except Exception:
        log.exception("%s %s", request.method, request.path)
        return _refused(breakdown())


def _refused(refusal: Refusal) -> web.Response:
    return web.Response(
        status=refusal.status,
        body=orjson.dumps({"error": refusal.error}),
        content_type=JSON,
        headers={"Request-Id": identifier("req")},
    )


@dataclass(frozen=True, slots=True)
class _Call:
    """One request as it was read."""

    operation: Operation
    values: dict[str, object]
    key: str | None
    fingerprint: str
    request_id: str
    path: str
    path_id: str
    host: str
    fails: bool


class _Server:
    def __init__(self, store: Store, deliveries: Deliveries | None, secret_key: str) -> None:
        self._store = store
        self._deliveries = deliveries
        self._secret_key = secret_key.encode()
        self._in_flight: set[str] = set()
        self._stopping = asyncio.Event()

    async def stop(self, _: web.Application) -> None:
        """Let go of the connections that are held without an answer."""
        self._stopping.set()

    async def answer(self, operation: Operation, request: web.Request) -> web.StreamResponse:
        """Carry the request out at most once for its key, and answer as the faults allow."""
        self._authenticate(request.headers.get("Authorization", ""))
        drops, fails = self._store.faults.next_request()
        call = await _call(operation, request, fails=fails)
        version = request.headers.get("Stripe-Version", API_VERSION)
        headers = {
            "Request-Id": call.request_id,
            "Stripe-Version": version if version.isascii() else API_VERSION,
        }
        if call.key:
            headers["Idempotency-Key"] = call.key
        earlier = self._earlier(call)
        if earlier:
            headers |= {"Idempotent-Replayed": "true", "Original-Request": earlier.request_id}
            await self._delay()
            saved, reply = earlier, Reply.SENT
        else:
            saved, reply = await self._execute_alone(call)
        if reply is Reply.HELD:
            await self._hold(request)
        if (drops or reply is not Reply.SENT) and request.transport is not None:
            request.transport.abort()
        return web.Response(
            status=saved.status, body=saved.body, content_type=JSON, headers=headers
        )

    def _authenticate(self, header: str) -> None:
        scheme, _, credentials = header.partition(" ")
        given = credentials.strip().encode(errors="replace")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).partition(b":")[0]
            except binascii.Error:
                given = b""
        elif scheme.lower() != "bearer":
            given = b""
        if not given:
            raise Refusal(
                401,
                "invalid_request_error",
                "You did not provide an API key. Use Bearer or Basic authentication.",
            )
        if not hmac.compare_digest(given, self._secret_key):
            raise Refusal(401, "invalid_request_error", "Invalid API Key provided.")

    def _earlier(self, call: _Call) -> Answer | None:
        if call.key is None:
            return None
        earlier = self._store.saved_answer(call.key, now=time.time())
        if earlier and earlier.fingerprint != call.fingerprint:
            raise Refusal(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same endpoint and the "
                f"same parameters they were first used with. The key was '{call.key}'.",
            )
        if call.key in self._in_flight:
            raise Refusal(
                409,
                "idempotency_error",
                f"There is currently another in-progress request using this key '{call.key}'.",
                code="idempotency_key_in_use",
            )
        return earlier

    async def _delay(self) -> None:
        if self._store.faults.plan.delay_ms:
            await asyncio.sleep(self._store.faults.plan.delay_ms / 1000)

    async def _execute_alone(self, call: _Call) -> tuple[Answer, Reply]:
        """Keep every other request with the same key out meanwhile."""
        if call.key:
            self._in_flight.add(call.key)
        try:
            await self._delay()
            return self._execute(call)
        finally:
            self._in_flight.discard(call.key or "")

    def _execute(self, call: _Call) -> tuple[Answer, Reply]:
        """Change the store and save the answer in one transaction."""
        now = time.time()
        parameters = Parameters(call.values)
        names = parameters.words("expand")
        operations.check_expansions(names)
        asked = Request(
            store=self._store,
            parameters=parameters,
            path_id=call.path_id,
            path=call.path,
            challenge_url=f"http://{call.host}/3ds",
            now=int(now),
        )
        with self._store.transaction():
            change = _carried_out(call.operation, asked)
            due = self._store.apply(change, request_id=call.request_id, key=call.key, now=now)
            refusal = breakdown() if call.fails else change.refusal
            if refusal:
                status, answer = refusal.status, {"error": refusal.error}
            else:
                status, answer = (
                    200,
                    operations.expanded(self._store, change.answer, names, now=int(now)),
                )
            saved = Answer(call.fingerprint, status, orjson.dumps(answer), call.request_id)
            if call.key:
                self._store.save_answer(call.key, saved, now=now)
        if due and self._deliveries:
            self._deliveries.wake()
        return saved, change.reply

    async def _hold(self, request: web.Request) -> None:
        while request.transport is not None and not self._stopping.is_set():
            await asyncio.sleep(0.1)


async def _body(request: web.Request) -> bytes:
    body = await request.read()
    if body and request.content_type != "application/x-www-form-urlencoded":
        raise invalid(
            "Invalid request (check that your POST content type is "
            "application/x-www-form-urlencoded)."
        )
    return body


async def _call(operation: Operation, request: web.Request, *, fails: bool) -> _Call:
    """Read the request. Raises: Refusal, when it is not one."""
    writes = request.method == "POST"
    encoded = await _body(request) if writes else request.rel_url.raw_query_string.encode()
    values = decode(encoded)
    key = request.headers.get("Idempotency-Key") if writes else None
    if key is not None and not (0 < len(key) <= 255 and key.isascii()):
        raise invalid("An idempotency key has 1 to 255 ASCII characters.")
    canonical = orjson.dumps([request.method, request.path, values], option=orjson.OPT_SORT_KEYS)
    return _Call(
        operation=operation,
        values=values,
        key=key,
        fingerprint=hashlib.sha256(canonical).hexdigest(),
        request_id=identifier("req"),
        path=request.path,
        path_id=request.match_info.get("id", ""),
        host=request.host,
        fails=fails,
    )


def _carried_out(operation: Operation, asked: Request) -> Change:
    try:
        return operation(asked)
    except Refusal as refusal:
        if refusal.executed:
            return Change(refusal=refusal)
        raise
