"""Idempotency keys: the claim, the effect and the stored answer are one transaction.

Draft-ietf-httpapi-idempotency-key-header, with the answers that api clients know from Stripe.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db import connection, transaction
from django.db.models.functions import Now
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.kernel.errors import Conflict, DomainError, Invalid, StepUpRequired
from apps.kernel.json import dumps
from apps.kernel.models import IdempotencyRecord
from apps.kernel.prepared import prepared, read, typed
from apps.kernel.rest import PROBLEM

KEPT_FOR = timedelta(hours=72)
KEPT_HEADERS = ("ETag", "Location")
# An answer that only says "not now" is not an answer to keep.
NOT_FINAL = frozenset({401, 408, 409, 412, 425, 429})
CLAIM = f"""
SELECT {typed(IdempotencyRecord, "(claimed.earlier)")}, claimed.held
FROM kernel_claim_key(%s::bigint, %s::text, %s::text, %s::text) AS claimed
"""  # noqa: S608 - the columns' names come from the model


class IdempotencyKeyRequired(APIException):
    """The request moves money or stock and carries no key."""

    status_code = 400
    default_code = "idempotency_key_required"
    default_detail = "Send an Idempotency-Key header of 1 to 255 visible ASCII characters."


class IdempotencyKeyReused(Invalid):
    """The key was used for another request before."""

    code = "idempotency_key_reused"


class IdempotencyKeyInUse(Conflict):
    """A request with this key is running at this moment."""

    code = "idempotency_key_in_use"


V = TypeVar("V", bound=APIView)
P = ParamSpec("P")


def idempotent(
    handler: Callable[Concatenate[V, Request, P], Response],
) -> Callable[Concatenate[V, Request, P], Response]:
    """Make a view method safe to repeat under the request's `Idempotency-Key`.

    The same key and request give the first answer again, byte for byte, marked
    `Idempotent-Replayed: true`. Raises IdempotencyKeyRequired (400) without a key,
    IdempotencyKeyReused (422) for another request, IdempotencyKeyInUse (409) while the first runs.
    """

    @wraps(handler)
    def keyed(view: V, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        record = _record_of(request)
        try:
            with transaction.atomic():
                if (earlier := _claim(record)) is not None:
                    return _replay(earlier, record)
                response = handler(view, request, *args, **kwargs)
                return _answer(record, response)
        except (DomainError, APIException) as refusal:
            response = view.handle_exception(refusal)
            if (
                response.status_code in NOT_FINAL
                or response.status_code >= 500
                or isinstance(refusal, StepUpRequired)
            ):
                return response
        # The effect is rolled back; a crash before this line only means deciding again.
        with transaction.atomic():
            if (earlier := _claim(record)) is not None:
                return _replay(earlier, record)
            return _answer(record, response)

    return keyed


def principal_of(request: Request) -> str:
    """Return whose keys these are: an API key's, a user's, or those of who has a guest's token."""
    if (key_id := getattr(request.user, "key_id", None)) is not None:
        return f"key:{key_id}"
    if request.user.is_authenticated:
        return f"user:{request.user.pk}"
    token = request.headers.get("X-Cart-Token") or request.headers.get("X-Order-Token") or ""
    return f"guest:{hashlib.sha256(token.encode()).hexdigest()}"


def forget_old_answers() -> int:
    """Delete the answers that nobody may ask for any more. Returns how many."""
    deleted, _ = IdempotencyRecord.objects.filter(created_at__lt=Now() - KEPT_FOR).delete()
    return deleted


def _record_of(request: Request) -> IdempotencyRecord:
    key = request.headers.get("Idempotency-Key", "")
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        raise IdempotencyKeyRequired
    path = request.get_full_path()
    match = request.resolver_match
    return IdempotencyRecord(
        principal=principal_of(request),
        route=f"{request.method} {match.route if match else path}",
        key=key,
        fingerprint=hashlib.sha256(
            b"\0".join((path.encode(), dumps(request.data) if request.data else b""))
        ).hexdigest(),
    )


def _claim(record: IdempotencyRecord) -> IdempotencyRecord | None:
    """Hold the key until the transaction ends; return the answer that was given before."""
    identity = f"{record.principal}\n{record.route}\n{record.key}"
    lock = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big", signed=True)
    with prepared(in_transactions=True), connection.cursor() as cursor:
        cursor.execute(CLAIM, [lock, record.principal, record.route, record.key])
        earlier, (held,) = read(IdempotencyRecord, cursor.fetchone())
    if not held:
        raise IdempotencyKeyInUse("A request with this key is still running.", retry_after=1)
    return earlier if earlier.pk else None


def _replay(earlier: IdempotencyRecord, record: IdempotencyRecord) -> Response:
    if earlier.fingerprint != record.fingerprint:
        raise IdempotencyKeyReused("This key was used for another request.")
    headers: dict[str, Any] = {**earlier.headers, "Idempotent-Replayed": "true"}
    return Response(
        earlier.body.encode(),
        status=earlier.status,
        headers=headers,
        content_type=PROBLEM if earlier.status >= 400 else None,
    )


def _answer(record: IdempotencyRecord, response: Response) -> Response:
    body = response.data if isinstance(response.data, bytes) else dumps(response.data)
    record.status = response.status_code
    record.body = body.decode()
    record.headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    with prepared(in_transactions=True):
        record.save(force_insert=True)
    response.data = body
    return response
