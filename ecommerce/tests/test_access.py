"""Everybody sends every request: the answers are those of the table, and the table is complete."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from apps.catalog.tests.factories import (
    AnswerFactory,
    AttributeChoiceFactory,
    BrandFactory,
    CategoryFactory,
    CollectionFactory,
    ExportFactory,
    ImageFactory,
    ImportFactory,
    PriceListFactory,
    ProductFactory,
    ProductTypeFactory,
    ReviewFactory,
    ReviewPhotoFactory,
    SearchBoostFactory,
    SearchRedirectFactory,
    SearchSynonymFactory,
    StockAlertFactory,
    StockCountFactory,
    StockTransferFactory,
    TagFactory,
    VariantFactory,
)
from apps.kernel.audit import record
from apps.kernel.json import dumps
from apps.kernel.models import AuditEntry
from apps.kernel.privacy import Person
from apps.orders.tests.factories import (
    ADDRESS,
    CouponFactory,
    completed_order,
    delivered_order,
    documents_of,
    gift_card,
    placed_order,
    proposed_change,
    ready_cart,
    requested_return,
    return_photo,
    saved_item,
    simulation_of,
    store_credit,
    tax_rate,
    tax_zone,
)
from apps.users.tests.factories import (
    AddressFactory,
    ApiKeyFactory,
    CustomerGroupFactory,
    RoleFactory,
    SessionFactory,
    StaffFactory,
    UserFactory,
    access_token_of,
    enter,
)
from ecommerce.privacy.services import erasures, exports
from ecommerce.tests.access import (
    ACTORS,
    FORBIDDEN,
    IN,
    PAGES,
    ROLES,
    ROUTES,
    UNKNOWN,
    Actor,
    Page,
    Rule,
    as_markdown,
)
from ecommerce.tests.test_openapi import api_routes

pytestmark = [pytest.mark.django_db, pytest.mark.long]

API = "/api/v1/"
SENDER = Client(raise_request_exception=False)  # a new one would load the middleware again
PAYMENT = {"payment": {"provider": "stripe", "method": "pm_card_visa"}}
GIFT_CARD = "ABCD-EFGH-JKLM-NPQR"
# What a route needs to get as far as looking for the thing. Other writes are sent an empty object.
BODIES: dict[str, dict[str, Any]] = {
    "PATCH users/{user_id}": {"is_active": True},
    "PUT users/{user_id}/roles": {"roles": []},
    "PUT products/{key}": {"name": "New", "status": "draft", "category": None, "variants": []},
    "PUT variants/{variant_id}/prices": {"prices": []},
    "PUT variants/{variant_id}/stock-policy": {"policy": "deny"},
    "POST products/{product_id}/reviews": {"rating": 5},
    "POST reviews/{review_id}/reports": {"cause": "spam"},
    "POST products/{product_id}/questions": {"body": "Is it heavy?"},
    "POST questions/{question_id}/answers": {"body": "No."},
    "POST questions/{question_id}/moderations": {"decision": "approve"},
    "POST answers/{answer_id}/moderations": {"decision": "approve"},
    "POST reviews/{review_id}/replies": {"body": "Thank you."},
    "POST reviews/{review_id}/moderations": {"decision": "approve"},
    "PUT categories/{category}": {"name": "New"},
    "PUT collections/{collection}/products": {"products": []},
    "POST categories/{category_id}/moves": {"parent": None},
    "POST attributes/{attribute_id}/values": {"name": "New"},
    "POST imports/{import_id}/retries": {"rows": "failed"},
    "POST carts/{cart_id}/items": {"sku": "ON-SALE", "quantity": 1},
    "PUT carts/{cart_id}/items": {"items": []},
    "PATCH carts/{cart_id}/items/{item_id}": {"quantity": 1},
    "PUT carts/{cart_id}/email": {"email": "robin@example.com"},
    "PUT carts/{cart_id}/shipping-address": ADDRESS,
    "PUT carts/{cart_id}/shipping-option": {"code": "standard"},
    "POST carts/{cart_id}/coupons": {"code": "SUN"},
    "POST carts/{cart_id}/gift-cards": {"code": GIFT_CARD},
    "POST gift-cards/lookups": {"code": GIFT_CARD},
    "POST users/{user_id}/store-credit": {
        "change": "grant",
        "amount": {"amount": "1.00", "currency": "USD"},
        "reason": "A late parcel.",
    },
    "POST carts/{cart_id}/checkout": PAYMENT,
    "POST promotions/{promotion_id}/coupon-batches": {"count": 1},
    "POST promotions/{promotion_id}/simulations": {
        "from": "2026-01-01T00:00:00Z",
        "until": "2026-02-01T00:00:00Z",
    },
    "POST orders/lookups": {"number": "2026-000001", "email": "robin@example.com"},
    "PATCH orders/{order_id}": {"tags": ["gift"]},
    "POST orders/{order_id}/notes": {"text": "Called."},
    "POST orders/{order_id}/payments": PAYMENT,
    "POST orders/{order_id}/refunds": {
        "amount": {"amount": "1.00", "currency": "USD"},
        "reason": "A scratch.",
    },
    "POST orders/{order_id}/changes": {"kind": "cancel"},
    "POST orders/{order_id}/returns": {
        "lines": [{"order_line_id": str(uuid4()), "quantity": 1, "reason": "other"}]
    },
    "POST returns/{return_id}/exchanges": {"lines": []},
    "POST returns/{return_id}/rejections": {"reason": "It was opened."},
    "POST returns/{return_id}/inspections": {"lines": [{"line_id": str(uuid4()), "accepted": 0}]},
    "POST stock-transfers/{transfer_id}/receipts": {"lines": [{"sku": "ON-SALE", "quantity": 1}]},
}
OFFICE = [ACTORS[0], *(actor for actor in ACTORS[3:] if not actor.is_key)]
METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"}
# Let in, though the state of things, or an empty body, is against it.
REFUSED_LATER = {400, 409, 412, 415, 422}


@dataclass
class World:
    """Who asks, and what the parameters of paths lead to: by name, then by whose it is."""

    secrets: dict[str, dict[str, str]]
    sessions: dict[str, Any]
    users: dict[str, Any]
    things: dict[str, dict[str, Any]]

    def headers(self, name: str) -> dict[str, str]:
        """Return what somebody sends along. Tokens are new: asking everything outlives one."""
        session = self.sessions.get(name)
        if session is None:
            return self.secrets.get(name, {})
        return {"Authorization": f"Bearer {access_token_of(session)}"}

    def owners(self, path: str) -> list[str]:
        """Return whose things a path may lead to, and "missing" where it may lead to none."""
        kinds = [self.things[name] for name in parameters(path)]
        if not kinds:
            return ["owner's"]
        return [whose for whose in kinds[-1] if all(whose in kind for kind in kinds)] + ["missing"]

    def address(self, path: str, whose: str) -> str:
        """Return the path to somebody's thing, or to one that is missing."""
        known = "owner's" if whose == "missing" else whose
        ids = {name: self.things[name][known] for name in parameters(path)}
        if whose == "missing":
            ids[parameters(path)[-1]] = uuid4()
        return path.format(**ids)


@pytest.fixture
def world(caplog: pytest.LogCaptureFixture) -> World:
    """Everybody, and one thing of each kind."""
    caplog.set_level(logging.ERROR)  # thousands of access lines would hide what is wrong
    call_command("sync_roles", verbosity=0)
    users = {
        actor.name: StaffFactory.create() if actor.is_staff else UserFactory.create()
        for actor in ACTORS
        if actor.known and not actor.is_key
    }
    for actor in ROLES:
        users[actor.name].groups.add(Group.objects.get(role__code=actor.name))
    owner = users["owner"]
    owner.customer_group = CustomerGroupFactory.create()
    owner.save()
    variant = VariantFactory.create(sku="ON-SALE", stock=50)
    record("test.happened", about=1)
    transfer, count = StockTransferFactory.create(), StockCountFactory.create()
    carts = {whose: ready_cart({variant.pk: 1}) for whose in ("owner's", "guest's")}
    saved = {whose: saved_item(cart, variant.pk) for whose, (cart, _) in carts.items()}
    orders = {whose: placed_order({variant.pk: 1}) for whose in ("owner's", "guest's")}
    documents = {whose: documents_of(order) for whose, (order, _) in orders.items()}
    for mine, _ in (carts["owner's"], orders["owner's"]):
        mine.customer_id, mine.token_hash = owner.pk, ""
        mine.save()
    returns = {whose: requested_return(delivered_order({variant.pk: 1})[0]) for whose in orders}
    for whose, found in returns.items():
        found.order.customer_id = orders[whose][0].customer_id
        found.order.token_hash = orders[whose][0].token_hash
        found.order.save()
    photos = {whose: return_photo(found) for whose, found in returns.items()}
    changes = {whose: proposed_change(order) for whose, (order, _) in orders.items()}
    coupon = CouponFactory.create(code="SUN")
    card, _ = gift_card(code=GIFT_CARD)
    store_credit(owner.pk)
    for cart, _ in carts.values():
        cart.coupons = [coupon.code]
        cart.gift_cards = [str(card.pk)]
        cart.save()
    completed_order()  # money has moved: the ledger shows something
    image = ImageFactory.create(product=variant.product)
    answer = AnswerFactory.create(
        customer_id=owner.pk, question__customer_id=owner.pk, question__product=variant.product
    )
    review = ReviewFactory.create(product=variant.product, customer_id=owner.pk)
    photo = ReviewPhotoFactory.create(review=review)
    rate = tax_rate(tax_zone("KW"), "5")
    choice = AttributeChoiceFactory.create()
    category = CategoryFactory.create()
    export = exports.ask(user_id=owner.pk)
    exports.advance_export()
    erasure = erasures.promise(Person(owner.pk))
    file_import = ImportFactory.create()
    file_export = ExportFactory.create(
        state="completed", finished_at=timezone.now(), next_action_at=None
    )
    tomorrow = timezone.now() + timedelta(days=1)
    sessions = {
        name: SessionFactory.create(user=user, second_factor=user.is_staff, proven_at=tomorrow)
        for name, user in users.items()
    }
    secrets = {
        "guest": {
            "X-Cart-Token": carts["guest's"][1].token,
            "X-Order-Token": orders["guest's"][1].token,
        }
    }
    administrator = users["administrator"]
    for actor in (each for each in ACTORS if each.is_key):
        scopes = sorted(actor.permissions - {"*"}) or sorted(administrator.get_all_permissions())
        secret = ApiKeyFactory.secret_of(owner=administrator, scopes=scopes)
        secrets[actor.name] = {"Authorization": f"Api-Key {secret}"}
    return World(
        secrets=secrets,
        sessions=sessions,
        users=users,
        things={
            "synonym_id": {"owner's": SearchSynonymFactory.create().pk},
            "boost_id": {"owner's": SearchBoostFactory.create().pk},
            "redirect_id": {"owner's": SearchRedirectFactory.create().pk},
            "alert_id": {"owner's": StockAlertFactory.create(customer_id=owner.pk).pk},
            "count_id": {"owner's": count.pk},
            "location_id": {"owner's": transfer.to_location_id},
            "transfer_id": {"owner's": transfer.pk},
            "address_id": {"owner's": AddressFactory.create(user=owner).pk},
            "user_id": {"owner's": owner.pk},
            "group_id": {"owner's": owner.customer_group_id},
            "role_id": {"owner's": RoleFactory.create().key},
            "key_id": {"owner's": ApiKeyFactory.create(owner=administrator).pk},
            "session_id": {"owner's": SessionFactory.create(user=owner).pk},
            "export_id": {"owner's": export.pk},
            "request_id": {"owner's": erasure.pk},
            "entry_id": {"owner's": AuditEntry.objects.latest("id").pk},
            "code": {"owner's": "not_found"},
            "country": {"owner's": "KR"},
            "product_type": {"owner's": ProductTypeFactory.create().pk},
            "attribute_id": {"owner's": choice.attribute_id},
            "choice_id": {"owner's": choice.pk},
            "category": {"owner's": category.pk},
            "collection": {"owner's": CollectionFactory.create().pk},
            "category_id": {"owner's": category.pk},
            "brand": {"owner's": BrandFactory.create().pk},
            "tag": {"owner's": TagFactory.create().pk},
            "variant_id": {"owner's": variant.pk},
            "class_id": {"owner's": rate.tax_class_id},
            "zone_id": {"owner's": rate.zone_id},
            "rate_id": {"owner's": rate.pk},
            "list_id": {"owner's": PriceListFactory.create().pk},
            "key": {"owner's": variant.product_id},
            "product_id": {"owner's": variant.product_id},
            "review_id": {"owner's": review.pk},
            "photo_id": {"owner's": photo.pk},
            "question_id": {"owner's": answer.question_id},
            "answer_id": {"owner's": answer.pk},
            "media_id": {"owner's": image.pk},
            "import_id": {"owner's": file_import.pk},
            "product_export_id": {"owner's": file_export.pk},
            "of": {"owner's": "products"},
            "cart_id": {whose: cart.pk for whose, (cart, _) in carts.items()},
            "saved_item_id": {whose: item.pk for whose, item in saved.items()},
            "item_id": {whose: cart.items.get().pk for whose, (cart, _) in carts.items()},
            "coupon": dict.fromkeys(carts, coupon.code),
            "gift_card_id": dict.fromkeys(carts, card.pk),
            "promotion_id": {"owner's": coupon.promotion_id},
            "batch_id": {"owner's": coupon.batch_id},
            "return_id": {whose: found.pk for whose, found in returns.items()},
            "return_photo_id": {whose: each.pk for whose, each in photos.items()},
            "invoice_id": {whose: invoice.pk for whose, (invoice, _) in documents.items()},
            "credit_note_id": {whose: note.pk for whose, (_, note) in documents.items()},
            "change_id": {whose: change.pk for whose, change in changes.items()},
            "simulation_id": {"owner's": simulation_of(coupon.promotion).pk},
            "order_id": {whose: order.pk for whose, (order, _) in orders.items()},
        },
    )


def parameters(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def cells(world: World) -> Iterator[tuple[str, Actor, str, Any, int]]:
    """Ask everything: yield route, actor, whose thing, the answer, and what the table says."""
    for route, rule in ROUTES.items():
        method, path = route.split()
        for whose in world.owners(path):
            for actor in who_asks(path, rule, whose):
                headers = world.headers(actor.name)
                answer = send(method, world.address(path, whose), headers, BODIES.get(route))
                yield route, actor, whose, answer, rule.answer(actor, whose)


def who_asks(path: str, rule: Rule, whose: str) -> Iterable[Actor]:
    """Everybody; for what is not there, one of each kind of those who get the same answer."""
    if path == "openapi.json":  # the same for everybody, and takes a second to write
        return ACTORS[:1]
    if whose != "missing":
        return ACTORS
    kinds = {
        (rule.answer(actor, whose), actor.known, actor.is_staff, actor.is_key): actor
        for actor in ACTORS
    }
    return kinds.values()


def agrees(route: str, status: int, expected: int) -> bool:
    if expected != IN:
        return status == expected
    later = REFUSED_LATER - ({400} if route in BODIES else set())
    return 200 <= status < 300 or (not route.startswith("GET") and status in later)


def send(method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
    """Send a request whose effects are taken back."""
    with transaction.atomic():
        answer = SENDER.generic(
            method,
            path if path.startswith("/") else API + path,
            data=b"" if method in {"GET", "HEAD", "OPTIONS"} else dumps(body or {}),
            content_type="application/json",
            headers={**headers, "Idempotency-Key": uuid4().hex},
        )
        transaction.set_rollback(True)
    return answer


def test_every_route_and_method_is_in_the_table() -> None:
    routes = {f"{method.upper()} {path.removeprefix('/api/v1/')}" for path, method in api_routes()}
    routes |= {"GET docs", "GET openapi.json"}

    assert routes - set(ROUTES) == set(), "Say in ROUTES of access.py whom it lets in."
    assert set(ROUTES) - routes == set(), "ROUTES of access.py names what is gone."


class AccessLines(logging.Handler):
    """Keeps what the access log says."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record)


@pytest.fixture
def access_lines() -> Iterator[list[Any]]:
    """The lines of the access log, as they come."""
    log, kept = logging.getLogger("ecommerce.access"), AccessLines()
    log.addHandler(kept)
    log.setLevel(logging.INFO)
    yield kept.lines
    log.removeHandler(kept)
    log.setLevel(logging.NOTSET)


def test_everybody_gets_the_answer_that_the_table_promises(
    world: World, access_lines: list[Any]
) -> None:
    wrong = []
    for route, actor, whose, answer, expected in cells(world):
        if not agrees(route, answer.status_code, expected):
            wrong.append(f"{route} as {actor.name}, {whose}: {answer.status_code}, not {expected}")
        told = [(line.method, line.status) for line in access_lines]
        coded = [bool(getattr(line, "code", "")) for line in access_lines]
        if told != [(route.split()[0], answer.status_code)] or coded != [answer.status_code >= 400]:
            wrong.append(f"{route} as {actor.name}, {whose}: the log says {told}, code: {coded}")
        access_lines.clear()

    assert not wrong, "\n".join(wrong)


def test_other_methods_open_nothing(world: World) -> None:
    known: dict[str, dict[str, Rule]] = {}
    for route, rule in ROUTES.items():
        method, path = route.split()
        known.setdefault(path, {})[method] = rule
    wrong = []
    for path, rules in known.items():
        for method in METHODS - set(rules):
            for actor in (ACTORS[0], ROLES[-1], ACTORS[-2]):
                headers = world.headers(actor.name)
                status = send(method, world.address(path, "owner's"), headers).status_code
                if method == "HEAD" and "GET" in rules:
                    right = agrees("GET", status, rules["GET"].answer(actor, "owner's"))
                else:
                    right = status in {UNKNOWN, FORBIDDEN, 405}
                if not right:
                    wrong.append(f"{method} {path} as {actor.name}: {status}")

    assert not wrong, "\n".join(wrong)


def test_a_draft_is_there_for_those_alone_who_see_products(world: World) -> None:
    draft = ProductFactory.create(status="draft", published_at=None)

    for actor in ACTORS:
        sees = actor.holds("catalog.view_product")
        for path in (f"products/{draft.pk}", f"products/{draft.slug}"):
            status = send("GET", path, world.headers(actor.name)).status_code
            assert status == (200 if sees else 404), actor.name
        narrowed = send("GET", "products?filter[status]=draft", world.headers(actor.name))
        assert narrowed.status_code == (200 if sees else 400), actor.name


def test_every_page_of_the_back_office_is_in_the_table() -> None:
    assert {model._meta.label_lower for model in admin.site._registry} - set(PAGES) == set(), (
        "Say in PAGES of access.py who sees it."
    )
    assert set(PAGES) == {model._meta.label_lower for model in admin.site._registry}


def office_requests(pages: Any, promised: Page) -> Iterator[tuple[str, str, str]]:
    """Yield method, address and permission of the pages of a model."""
    row = pages.model._default_manager.first()
    one = [row.pk if row else str(uuid4())]
    name = f"admin:{pages.opts.app_label}_{pages.opts.model_name}_"
    yield "GET", reverse(f"{name}changelist"), promised.see
    yield "GET", reverse(f"{name}change", args=one), promised.see
    if row:
        yield "GET", reverse(f"{name}history", args=one), promised.see
    yield "POST", reverse(f"{name}change", args=one), promised.change
    yield "GET", reverse(f"{name}add"), promised.add
    yield "POST", reverse(f"{name}add"), promised.add
    yield "GET", reverse(f"{name}delete", args=one), promised.delete
    yield "POST", reverse(f"{name}delete", args=one), promised.delete


def test_the_pages_of_the_back_office_refuse_whom_the_table_does_not_name(world: World) -> None:
    """Each request is sent by one of the staff whom it refuses, and one of the others, in turns."""
    clients = {actor.name: Client() for actor in OFFICE}
    for actor in OFFICE:
        if actor.known:
            enter(clients[actor.name], world.users[actor.name])
    requests = [
        request
        for model, pages in admin.site._registry.items()
        for request in office_requests(pages, PAGES[model._meta.label_lower])
    ]
    wrong = []
    for turn, (method, address, needed) in enumerate(requests):
        refused = [actor for actor in OFFICE if not actor.holds(needed)]
        for kind in (
            [actor for actor in refused if actor.is_staff],
            [actor for actor in refused if not actor.is_staff],
        ):
            actor = kind[turn % len(kind)]
            answer = clients[actor.name].generic(method, address)
            outside = answer.status_code == 302 and "/admin/login/" in answer["Location"]
            if not (answer.status_code == FORBIDDEN if actor.is_staff else outside):
                wrong.append(f"{method} {address} as {actor.name}: {answer.status_code}")

    assert not wrong, "\n".join(wrong)


def test_the_pages_of_the_back_office_admit_whom_the_table_names(world: World) -> None:
    request = RequestFactory().get("/admin/")
    for actor in ROLES:
        request.user = world.users[actor.name]
        for model, pages in admin.site._registry.items():
            promised = PAGES[model._meta.label_lower]
            about = (model, actor.name)
            assert pages.has_view_permission(request) == actor.holds(promised.see), about
            assert pages.has_add_permission(request) == actor.holds(promised.add), about
            assert pages.has_change_permission(request) == actor.holds(promised.change), about
            assert pages.has_delete_permission(request) == actor.holds(promised.delete), about
            expected = {action for action, needed in promised.actions if actor.holds(needed)}
            if actor.holds(promised.delete):
                expected.add("delete_selected")
            assert set(pages.get_actions(request)) == expected, about


def test_the_page_about_access_is_up_to_date() -> None:
    page = settings.BASE_DIR / "docs" / "access.md"

    assert page.read_text() == as_markdown(), (
        "Run `python -m ecommerce.tests.access > docs/access.md`."
    )
