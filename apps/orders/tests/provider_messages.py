"""The messages of the payment provider as it signs them."""

import hashlib
import hmac
import json
import time
from typing import Any


def signed(provider: Any, event: dict[str, Any]) -> tuple[bytes, str]:
    """Return the body of the message about an event, and its `Stripe-Signature` header."""
    body, at = json.dumps(event).encode(), int(time.time())
    secret = provider.webhook_secret.encode()
    digest = hmac.new(secret, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return body, f"t={at},v1={digest}"
