"""Asking the shop and its provider, and what their answers have to be."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from django.db.models.functions import Now
from rest_framework.test import APIClient

from apps.orders.models import PaymentAttempt
from apps.orders.tests.shop_model import Basket

API = "/api/v1"
PROVIDER = httpx.Client()  # one for all questions: what TLS needs is read from the disk each time


class Visitor:
    """Whoever asks. `told` are the events of the provider that have been passed on."""

    provider: Any

    def __init__(self) -> None:
        super().__init__()
        self.told: set[str] = set()

    def open_basket(self) -> Basket:
        opened = self.ask("post", "carts", {}).json()
        return Basket(UUID(opened["id"]), opened["token"])

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        cart: str = "",
        order: str = "",
        key: str = "",
    ) -> Any:
        headers = {"X-Cart-Token": cart, "X-Order-Token": order, "Idempotency-Key": key}
        given = {name: value for name, value in headers.items() if value}
        return getattr(APIClient(), method)(f"{API}/{path}", body, headers=given)

    def refused(self, answer: Any, status: int, code: str) -> None:
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content

    def same_basket(self, basket: Basket, answer: Any) -> None:
        assert answer.status_code == 200, answer.content
        shown = answer.json()
        assert {item["variant_id"]: item["quantity"] for item in shown["items"]} == {
            str(ware.id): quantity for ware, quantity in basket.lines.items()
        }
        assert shown["totals"]["items"]["amount"] == f"{basket.items / 100:.2f}"
        if basket.addressed and basket.lines:
            assert shown["totals"]["grand_total"]["amount"] == f"{basket.total / 100:.2f}"

    @contextmanager
    def answers_lost(self) -> Iterator[None]:
        """The provider does what it is asked and hangs up. Who asked rests for a long time."""
        faults = f"{self.provider.url}/_sandbox/faults"
        PROVIDER.post(faults, json={"drop_reply_rate": 1.0}).raise_for_status()
        try:
            yield
        finally:
            PROVIDER.post(faults, json={}).raise_for_status()
            later = PaymentAttempt.objects.filter(next_action_at__gt=Now())
            later.update(next_action_at=Now() + timedelta(hours=1))

    def new_events(self) -> list[dict[str, Any]]:
        key = {"Authorization": f"Bearer {self.provider.secret_key}"}
        listed = PROVIDER.get(f"{self.provider.url}/v1/events?limit=100", headers=key).json()[
            "data"
        ]
        new = [event for event in reversed(listed) if event["id"] not in self.told]
        self.told.update(event["id"] for event in new)
        return new
