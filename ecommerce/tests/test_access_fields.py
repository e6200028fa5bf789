"""What documents show to whom, and what no request may set: fields, not only routes."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from drf_spectacular.generators import SchemaGenerator

from ecommerce.tests.access import ACTORS, IN, ROUTES, Actor
from ecommerce.tests.test_access import API, BODIES, World, send, world

__all__ = ["world"]

pytestmark = [pytest.mark.django_db, pytest.mark.long]

GOLDEN = Path(__file__).with_name("fields.txt")
# What clients like to send along, hoping that it sticks.
SMUGGLED = {
    "id": str(uuid4()),
    "is_staff": True,
    "is_superuser": True,
    "is_active": True,
    "groups": [1],
    "permissions": ["users.assign_role"],
    "user": str(uuid4()),
    "user_id": str(uuid4()),
    "owner_id": str(uuid4()),
    "customer_id": str(uuid4()),
    "price": {"amount": "0.01", "currency": "USD"},
    "unit_price": {"amount": "0.01", "currency": "USD"},
    "grand_total_minor": 1,
    "status": "paid",
    "version": 1,
    "token": "x",
    "email_verified_at": "2026-01-01T00:00:00Z",
    "created_at": "2026-01-01T00:00:00Z",
}
# Ids in bodies: what happens when nobody has such a thing, or it is not for sale.
IDS_IN_BODIES: dict[tuple[str, str], tuple[Any, int]] = {
    ("POST carts/{cart_id}/items", "variant_id"): (
        {"variant_id": str(uuid4()), "quantity": 1},
        404,
    ),
    # The catalog knows no people: a list for a group that is not there is nobody's.
    ("POST price-lists", "customer_group_id"): (
        {"code": "x", "name": "x", "currency": "USD", "customer_group_id": str(uuid4())},
        201,
    ),
    ("PATCH price-lists/{list_id}", "customer_group_id"): (
        {"customer_group_id": str(uuid4())},
        200,
    ),
    ("PUT carts/{cart_id}/items", "items.variant_id"): (
        {"items": [{"variant_id": str(uuid4()), "quantity": 1}]},
        404,
    ),
    **{
        (route, f"{part}{name}"): (
            {"name": "x", "benefit": {"kind": "free_shipping"}, "goods": {name: [str(uuid4())]}},
            400,
        )
        for route in ("POST promotions", "PATCH promotions/{promotion_id}")
        for part in ("goods.", "benefit.gets.")
        for name in ("category_ids", "brand_ids", "product_ids")
    },
    **{
        (route, "customer_group_ids"): (
            {
                "name": "x",
                "benefit": {"kind": "free_shipping"},
                "customer_group_ids": [str(uuid4())],
            },
            400,
        )
        for route in ("POST promotions", "PATCH promotions/{promotion_id}")
    },
    ("POST inventory/availability", "variant_ids"): ({"variant_ids": [str(uuid4())]}, 200),
    **{
        ("POST search/boosts", name): ({name: str(uuid4())}, 422)
        for name in ("product_id", "category_id", "brand_id")
    },
    **{
        ("PATCH search/boosts/{boost_id}", name): ({name: str(uuid4())}, 422)
        for name in ("product_id", "category_id", "brand_id")
    },
    ("POST tax-rates", "zone_id"): (
        {
            "zone_id": str(uuid4()),
            "tax_class": "standard",
            "code": "vat",
            "name": "VAT",
            "percentage": "19",
        },
        404,
    ),
    ("POST orders/{order_id}/changes", "lines.order_line_id"): (
        {"kind": "edit", "lines": [{"order_line_id": str(uuid4()), "quantity": 0}]},
        409,  # its payment is under way
    ),
    ("POST orders/{order_id}/returns", "lines.order_line_id"): (
        {"lines": [{"order_line_id": str(uuid4()), "quantity": 1, "reason": "other"}]},
        409,  # the order has not left the house, so that nobody looks at its lines
    ),
    ("POST returns/{return_id}/inspections", "lines.line_id"): (
        {"lines": [{"line_id": str(uuid4()), "accepted": 0}]},
        409,
    ),
    ("POST orders/{order_id}/changes", "lines.variant_id"): (
        {"kind": "edit", "lines": [{"variant_id": str(uuid4()), "quantity": 1}]},
        409,  # its payment is under way
    ),
    ("POST returns/{return_id}/exchanges", "lines.line_id"): (
        {"lines": [{"line_id": str(uuid4()), "variant_id": str(uuid4())}]},
        404,
    ),
    ("POST returns/{return_id}/exchanges", "lines.variant_id"): (
        {"lines": [{"line_id": str(uuid4()), "variant_id": str(uuid4())}]},
        404,
    ),
    ("POST users/me/alerts", "variant_id"): ({"variant_id": str(uuid4())}, 404),
    ("PUT users/me/avatar", "upload"): ({"upload": str(uuid4())}, 404),
    ("PUT users/{user_id}/roles", "roles"): ({"roles": [str(uuid4())]}, 422),
}


@pytest.fixture(scope="module")
def schema() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)


def request_of(schema: Any, route: str) -> dict[str, Any]:
    """Return the schema of a route's body, or nothing."""
    method, path = route.split()
    operation = schema["paths"].get(path if path.startswith("/") else f"/{API[1:]}{path}", {})
    content = operation.get(method.lower(), {}).get("requestBody", {}).get("content", {})
    return resolved(schema, content.get("application/json", {}).get("schema", {}))


def resolved(schema: Any, part: dict[str, Any]) -> dict[str, Any]:
    while reference := part.get("$ref") or next(
        (each["$ref"] for each in part.get("allOf", []) if "$ref" in each), None
    ):
        part = schema["components"]["schemas"][reference.rsplit("/")[-1]]
    return part


def ids_in(schema: Any, part: dict[str, Any], name: str = "") -> Iterator[str]:
    """Yield the names of all ids in a body."""
    part = resolved(schema, part)
    if part.get("format") == "uuid":
        yield name
    for key, inner in part.get("properties", {}).items():
        yield from ids_in(schema, inner, f"{name}.{key}".lstrip("."))
    if "items" in part:
        yield from ids_in(schema, part["items"], name)


def let_in(route: str) -> tuple[Actor, str]:
    """Return somebody whom a route lets in, and whose thing it then is about."""
    for actor in (ACTORS[2], *ACTORS):
        if ROUTES[route].answer(actor, "owner's") == IN:
            return actor, "owner's"
    raise AssertionError(f"{route} lets nobody in.")


def fields_of(document: Any, name: str = "") -> Iterator[str]:
    if isinstance(document, dict):
        for key, value in document.items():
            yield from fields_of(value, f"{name}.{key}".lstrip("."))
    elif isinstance(document, list):
        for value in document[:1] if all(isinstance(each, str) for each in document) else document:
            yield from fields_of(value, f"{name}[]")
    else:
        yield name


def shown(world: World) -> str:
    """Return what every GET shows to whom: route, whom, fields; the same fields on one line."""
    lines = []
    for route in (each for each in ROUTES if each.startswith("GET ")):
        if route in {"GET docs", "GET openapi.json", "GET errors", "GET /.well-known/jwks.json"}:
            continue
        method, path = route.split()
        seen: dict[str, list[str]] = {}
        for actor in ACTORS:
            whose = actor.has or "owner's"
            if whose not in world.owners(path):
                whose = "owner's"
            answer = send(method, world.address(path, whose), world.headers(actor.name))
            if answer.status_code == 200 and answer["Content-Type"] == "application/json":
                fields = " ".join(sorted(set(fields_of(answer.json()))))
                seen.setdefault(fields, []).append(actor.name)
        lines += [f"{route} | {', '.join(names)} | {fields}" for fields, names in seen.items()]
    return "\n".join(lines) + "\n"


def test_documents_show_the_fields_that_were_agreed(world: World) -> None:
    now = shown(world)
    if "WRITE_FIELDS" in os.environ:
        GOLDEN.write_text(now)

    assert now == GOLDEN.read_text(), (
        "Read what has changed, then run this test with the environment variable WRITE_FIELDS=1."
    )


def smuggling(body: Any, known: dict[str, Any], schema: Any) -> Iterator[tuple[set[str], Any]]:
    """Yield a body with all that its schema does not know, and where, for each object in it."""
    known = resolved(schema, known)
    if not isinstance(body, dict) or not known.get("properties"):
        return
    more = {name: value for name, value in SMUGGLED.items() if name not in known["properties"]}
    yield set(more), body | more
    for key, inner in body.items():
        for names, changed in smuggling(inner, known["properties"].get(key, {}), schema):
            yield {f"{key}.{name}" for name in names}, {**body, key: changed}


def test_what_a_request_may_not_set_is_refused(world: World, schema: Any) -> None:
    wrong, tried = [], 0
    for route in ROUTES:
        method, path = route.split()
        known = request_of(schema, route)
        actor, whose = let_in(route)
        for names, body in smuggling(BODIES.get(route, {}), known, schema):
            headers = world.headers(actor.name)
            answer = send(method, world.address(path, whose), headers, body)
            tried += len(names)
            refused = {
                entry["pointer"].strip("/").replace("/", ".")
                for entry in (answer.json()["errors"] if answer.status_code == 400 else [])
                if entry["code"] == "unknown_field"
            }
            if names - refused:
                wrong.append(f"{route}: {answer.status_code} {sorted(names - refused)}")

    assert tried > 300
    assert not wrong, "\n".join(wrong)


def test_every_id_in_a_body_is_known_to_this_test(schema: Any) -> None:
    ids = {(route, name) for route in ROUTES for name in ids_in(schema, request_of(schema, route))}

    assert ids == set(IDS_IN_BODIES), "Say in IDS_IN_BODIES what an id of nothing is answered."


def test_an_id_in_a_body_that_leads_nowhere_opens_nothing(world: World) -> None:
    for (route, _), (body, status) in IDS_IN_BODIES.items():
        method, path = route.split()
        actor, whose = let_in(route)

        answer = send(method, world.address(path, whose), world.headers(actor.name), body)

        assert answer.status_code == status, (route, answer.content)
