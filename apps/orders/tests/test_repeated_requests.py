"""One order for one wish, however often and however unluckily it is sent.

`CHECKOUT_ROUNDS` says how many rounds; `make checkout-races` takes fifty.
"""

import os
import random
import signal
import time
from collections import Counter
from typing import Any

import pytest
from django.db import connections
from django.http import HttpResponse
from rest_framework.test import APIClient

from apps.catalog import interface as catalog
from apps.catalog.tests.factories import VariantFactory
from apps.orders.models import Cart, Order, PaymentAttempt
from apps.orders.selectors.orders import Holder
from apps.orders.tests.factories import ready_cart
from apps.orders.tests.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = int(os.environ.get("CHECKOUT_ROUNDS", "3"))
IN_PARALLEL = 50
TRY_AGAIN = {409: "idempotency_key_in_use", 503: "busy"}  # by status, both with Retry-After


def check_out(cart: Cart, holder: Holder, method: str = "pm_card_visa") -> HttpResponse:
    """Order the cart; ask again while the first try is running, or has kept others waiting."""
    client = APIClient(headers={"X-Cart-Token": holder.token})
    while True:
        answer = client.post(
            f"/api/v1/carts/{cart.pk}/checkout",
            {"payment": {"provider": "stripe", "method": method}},
            headers={"Idempotency-Key": f"of-{cart.pk}"},
        )
        if answer.status_code not in TRY_AGAIN:
            return answer
        assert answer.json()["code"] == TRY_AGAIN[answer.status_code]
        time.sleep(0.01)


def in_a_process_that_dies(call: Any, *, after: float | None = None) -> None:
    """Call in a process that ends by kill -9: so many seconds later, else when the call is done."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        try:
            call()
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


def test_50_equal_checkouts_at_once_are_one_order_with_one_answer():
    for _ in range(ROUNDS):
        variant = VariantFactory(stock=50)
        cart, holder = ready_cart({variant.pk: 2})

        answers = at_once([lambda c=cart, h=holder: check_out(c, h)] * IN_PARALLEL)

        assert Counter(answer.status_code for answer in answers) == {201: IN_PARALLEL}
        assert len({answer.content for answer in answers}) == 1
        assert sum("Idempotent-Replayed" not in answer for answer in answers) == 1
        assert Order.objects.filter(cart_id=cart.pk).count() == 1
        assert PaymentAttempt.objects.filter(order__cart_id=cart.pk).count() == 1
        assert catalog.offers(variant_ids=[variant.pk])[variant.pk].available == 48
        other = check_out(cart, holder, "pm_card_mastercard")
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_who_is_killed_between_commit_and_answer_gets_the_stored_answer_next_time():
    cart, holder = ready_cart()

    in_a_process_that_dies(lambda: check_out(cart, holder))
    order = Order.objects.get(cart_id=cart.pk)
    again = check_out(cart, holder)
    once_more = check_out(cart, holder)

    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert again.json()["id"] == str(order.pk)
    assert again.json()["token"]
    assert again.content == once_more.content
    assert Order.objects.count() == PaymentAttempt.objects.count() == 1


def test_who_is_killed_at_any_moment_has_one_order_after_the_next_try():
    dice = random.Random(6)
    for _ in range(ROUNDS * 4):
        variant = VariantFactory(stock=5)
        cart, holder = ready_cart({variant.pk: 1})

        in_a_process_that_dies(lambda c=cart, h=holder: check_out(c, h), after=dice.uniform(0, 0.1))
        answer = check_out(cart, holder)

        assert answer.status_code == 201
        assert Order.objects.filter(cart_id=cart.pk).count() == 1
        assert PaymentAttempt.objects.filter(order__cart_id=cart.pk).count() == 1
        assert catalog.offers(variant_ids=[variant.pk])[variant.pk].available == 4
