"""What is asked of the store, and what each request may cost."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, cycle
from typing import Any
from uuid import uuid4

from benchmarks.load import Asked, ask
from benchmarks.requests import get, post
from benchmarks.seed_facts import CATEGORY, EMAIL, PASSWORD, SMALL_CATEGORY, TOKEN

API = "/api/v1"
CART = {"X-Cart-Token": TOKEN}
CHECKOUT = {"payment": {"provider": "stripe", "method": "pm_card_visa"}}

Requests = Callable[[int], Iterator[Asked]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One row of the report. `requests` is given the port, for what has to be asked before.

    `count` is for requests that use something up: so many a run instead of as many as fit.
    """

    name: str
    requests: Requests
    statuses: frozenset[int] = frozenset({200})
    budget_ms: float | None = None
    budget_statements: int | None = None
    budget_p95_ms: float | None = None
    count: int | None = None


def _same(path: str) -> Requests:
    return lambda port: cycle([get(path)])


def repeated_scenarios(facts: dict[str, Any]) -> list[Scenario]:
    """Return what many people ask at once, of a store that repeats its answers for a moment."""
    product = f"{API}/products/{facts['product_ids'][0]}"
    return [
        Scenario(
            name="product list, 25, repeated",
            requests=_same(f"{API}/products"),
            budget_ms=0.4,
            budget_statements=0,
        ),
        Scenario(
            name="product by id, repeated",
            requests=_same(product),
            budget_ms=0.4,
            budget_statements=0,
        ),
        Scenario(
            name="product by id, repeated, 304",
            requests=lambda port: _conditional(port, product),
            statuses=frozenset({304}),
            budget_ms=0.4,
            budget_statements=0,
        ),
    ]


FLOOR = [
    Scenario(name="floor: constant bytes", requests=_same("/constant")),
    Scenario(name="floor: 25 rows, one statement", requests=_same("/rows")),
]


def catalog_scenarios(facts: dict[str, Any]) -> list[Scenario]:
    """Return the requests that read products."""
    ids, slugs = facts["product_ids"], facts["product_slugs"]
    products = f"{API}/products"
    filters = f"filter[category]={CATEGORY}&filter[price][gte]=5&filter[price][lte]=150"
    return [
        Scenario(
            name="product list, 25",
            requests=_same(products),
            budget_ms=2.0,
            budget_statements=2,
        ),
        Scenario(
            name="product list, 25, category and price",
            requests=_same(f"{products}?{filters}"),
            budget_statements=2,
        ),
        Scenario(
            name="product list, 10, small category, cheapest first",
            requests=_same(f"{products}?filter[category]={SMALL_CATEGORY}&sort=price&limit=10"),
            budget_statements=2,
        ),
        Scenario(
            name="product list, 25, with variants",
            requests=_same(f"{products}?expand=variants"),
            budget_statements=2,
        ),
        Scenario(
            name="product list, 100",
            requests=_same(f"{products}?limit=100"),
            budget_statements=2,
        ),
        Scenario(
            name="product by id",
            requests=lambda port: cycle([get(f"{products}/{key}") for key in ids]),
            budget_ms=1.5,
            budget_statements=2,
        ),
        Scenario(
            name="product by slug",
            requests=lambda port: cycle([get(f"{products}/{key}") for key in slugs]),
            budget_ms=1.5,
            budget_statements=2,
        ),
        Scenario(
            name="product by id, 304",
            requests=lambda port: _conditional(port, f"{products}/{ids[0]}"),
            statuses=frozenset({304}),
            budget_statements=2,
        ),
    ]


def store_scenarios(facts: dict[str, Any], *, orders_a_run: int) -> list[Scenario]:
    """Return the requests of the store in the order in which a shopper makes them."""
    ids = facts["product_ids"]
    return [
        *catalog_scenarios(facts),
        Scenario(name="categories", requests=_same(f"{API}/categories"), budget_statements=2),
        Scenario(
            name="inventory of a product",
            requests=lambda port: cycle([get(f"{API}/inventory/{key}") for key in ids]),
            budget_statements=2,
        ),
        Scenario(
            name="log in",
            requests=lambda port: cycle([_login()]),
        ),
        Scenario(
            name="own orders, 25",
            requests=lambda port: cycle([get(f"{API}/orders", _bearer(port))]),
        ),
        Scenario(
            name="add to cart",
            requests=_shared(_additions(facts["open_carts"], facts["variant_ids"])),
            budget_ms=4.0,
            budget_statements=6,
        ),
        Scenario(
            name="place an order of 2 lines",
            requests=_shared(checkouts(facts["ready_carts"])),
            statuses=frozenset({201}),
            budget_ms=6.0,
            budget_statements=15,
            count=orders_a_run,
        ),
        Scenario(
            name="whole flow: add 2 things to the cart, place the order",
            requests=_shared(_flows(facts["flow_carts"], facts["variant_ids"])),
            statuses=frozenset({200, 201}),
            budget_ms=15.0,
            budget_statements=27,
            count=orders_a_run,
        ),
    ]


def checkouts(carts: list[str]) -> Iterator[bytes]:
    """Yield one order of each cart."""
    for cart in carts:
        headers = {**CART, "Idempotency-Key": uuid4().hex}
        yield post(f"{API}/carts/{cart}/checkout", CHECKOUT, headers)


def _flows(carts: list[str], variants: list[str]) -> Iterator[Asked]:
    dice = random.Random(3)
    for cart, order in zip(carts, checkouts(carts), strict=True):
        one, other = (_addition(cart, variant) for variant in dice.sample(variants, 2))
        yield one, other, order


def _shared(requests: Iterator[Asked]) -> Requests:
    """Go on where the last run stopped: what is used up is used up."""
    return lambda port: requests


def _additions(carts: list[str], variants: list[str]) -> Iterator[bytes]:
    dice = random.Random(2)
    for number in count():
        yield _addition(carts[number % len(carts)], dice.choice(variants))


def _addition(cart: str, variant: str) -> bytes:
    return post(f"{API}/carts/{cart}/items", {"variant_id": variant, "quantity": 1}, CART)


def _conditional(port: int, path: str) -> Iterator[bytes]:
    return cycle([get(path, {"If-None-Match": ask(port, get(path)).headers["etag"]})])


def _login() -> bytes:
    return post(f"{API}/auth/login", {"email": EMAIL, "password": PASSWORD})


def _bearer(port: int) -> dict[str, str]:
    return {"Authorization": f"Bearer {ask(port, _login()).document['access']}"}
