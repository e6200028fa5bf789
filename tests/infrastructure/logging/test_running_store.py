"""What a running store writes while people use it: in one form, traceable, and about nobody."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from collector import Collector, collecting
from mappings import unfit
from running_store import eventually
from shipping import emulator, found, put, query_of, read, saved_objects, shaped
from shopper import CARD, DECLINED_CARD, Shopper, connections, for_sale, paying_with, variant_of
from talking_store import TalkingStore, talking_store
from toolbox import CannotHave

pytestmark = pytest.mark.slow

PATIENCE = 60
PERSON = {
    "email": "canary.person@canary-mail.example",
    "first name": "Canarina",
    "last name": "Canarsson",
    "street": "99 Canary Wharf Lane",
    "city": "Canaryville",
    "postcode": "94099",
    "phone": "+14155550199",
    "password": "canary password of hers",
    "card": "4242424242424242",
    "spaced card": "4242 4242 4242 4242",
    "wrong token": "canary-token-0199c0ffee",
}
SECRETS = {
    "SECRET_KEY": "canary-secret-key-of-more-than-fifty-random-characters-0001",
    "STRIPE_SECRET_KEY": "sk_test_canarysecretkey0001",
    "STRIPE_WEBHOOK_SECRET": "whsec_canarywebhooksecret0001",
}
ADDRESS = {
    "first_name": PERSON["first name"],
    "last_name": PERSON["last name"],
    "line1": PERSON["street"],
    "city": PERSON["city"],
    "region": "CA",
    "postal_code": PERSON["postcode"],
    "country": "US",
    "phone": PERSON["phone"],
}


@dataclass
class Story:
    """What happened, and the ids under which it has to be found again."""

    store: TalkingStore
    collector: Collector
    tokens: dict[str, str]
    ids: dict[str, str]


class Canary(Shopper):
    """The person whom no line may know. Each request has an id and a trace of its own."""

    def __init__(self, http: httpx.Client) -> None:
        super().__init__(http)
        self.email = PERSON["email"]
        self.ids: dict[str, str] = {}

    def under(self, name: str) -> dict[str, str]:
        """Return headers that give a request a name in the story."""
        request_id, trace_id = uuid4().hex, uuid4().hex
        self.ids |= {name: request_id, f"trace of {name}": trace_id}
        return {"X_Request_Id": request_id, "traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Somebody registers, shops, is declined, meets failures and attacks; all of it is written."""
    folder = tmp_path_factory.mktemp("store")
    with (
        collecting() as (address, collector),
        talking_store(
            folder,
            **SECRETS,
            OTEL_EXPORTER_OTLP_ENDPOINT=address,
            OTEL_TRACES_SAMPLER_ARG="1",
            RELEASE="7d36147",
            ENVIRONMENT="staging",
        ) as store,
        connections(store.url) as http,
    ):
        somebody = Canary(http)
        tokens = {}
        tokens |= live(somebody, store)
        tokens |= shop(somebody, store)
        attack(somebody, store)
        fail(somebody, store)
        yield Story(store, collector, tokens, somebody.ids)


def live(somebody: Canary, store: TalkingStore) -> dict[str, str]:
    """Register, log in, use the tokens, and get some of it wrong. Returns the tokens."""
    names = {"first_name": PERSON["first name"], "last_name": PERSON["last name"]}
    account = {"email": somebody.email, "password": PERSON["password"], **names}
    somebody.told("POST", "/auth/register", account, status=202, **somebody.under("register"))
    token = store.mailbox.token_for(somebody.email)
    proof = {"token": token, "password": account["password"]}
    somebody.told("POST", "/auth/verify-email", proof, status=201)
    somebody.ask("POST", "/auth/register", account)
    somebody.ask("POST", "/auth/register", account | {"email": PERSON["street"], "card": "x"})
    somebody.ask("POST", "/auth/login", {"email": somebody.email, "password": "canary wrong one"})
    tokens = somebody.log_in(password=PERSON["password"])
    somebody.get("/users/me")
    somebody.ask("POST", "/auth/refresh", {"refresh": tokens["refresh"]})
    return {"access": tokens["access"], "refresh": tokens["refresh"], "mailed": token}


def shop(somebody: Canary, store: TalkingStore) -> dict[str, str]:
    """Buy as a guest: once well, once declined, once while the provider fails."""
    tokens = {}
    somebody.headers = {}
    variant = variant_of(for_sale(somebody))["id"]
    for name, card in (("well", CARD), ("declined", DECLINED_CARD), ("failing", CARD)):
        cart = somebody.open_cart()
        path = f"/carts/{cart['id']}"
        lines = {"items": [{"variant_id": variant, "quantity": 1}]}
        somebody.told("PUT", f"{path}/items", lines, status=200)
        somebody.told("PUT", f"{path}/shipping-address", ADDRESS, status=200)
        somebody.told("PUT", f"{path}/shipping-option", {"code": "standard"}, status=200)
        if name == "failing":
            httpx.post(f"{store.sandbox_url}/_sandbox/faults", json={"error_rate": 1.0})
        order = somebody.told(
            "POST",
            f"{path}/checkout",
            {"email": somebody.email, **paying_with(card)},
            key=uuid4().hex,
            status=201,
            **somebody.under(name),
        )
        somebody.ids[f"order {name}"] = order["id"]
        tokens |= {f"cart {name}": cart["token"], f"order {name}": order["token"]}
        somebody.headers |= {"X-Order-Token": order["token"]}
        somebody.get(f"/orders/{order['id']}")
        if name == "well":
            wait_for_status(somebody, order["id"], "fulfilling")
        if name == "declined":
            store.wait_for(message="A payment call was refused.")
    store.wait_for(message="A payment call has no known outcome.")
    httpx.post(f"{store.sandbox_url}/_sandbox/faults", json={})
    return tokens


def wait_for_status(somebody: Canary, order_id: str, status: str) -> None:
    eventually(lambda: somebody.order(order_id)["status"], status.__eq__, patience=PATIENCE)


def attack(somebody: Canary, store: TalkingStore) -> None:
    """Send personal data and line breaks wherever a request has room for them."""
    email, card, token = PERSON["email"], PERSON["card"], PERSON["wrong token"]
    for path in (
        f"/products?q={quote(email)}&card={card}&token={token}",
        f"/products/{quote(PERSON['street'])}",
        f"/{quote(email)}",
        f"/orders/{card}",
        f"/errors/{PERSON['first name'].lower()}",
        "/%0d%0a%7B%22level%22:%22CRITICAL%22%7D",
    ):
        somebody.ask("GET", path)
    somebody.headers = {"Authorization": f"Bearer {token}", "Cookie": f"sessionid={token}"}
    somebody.ask("GET", "/users/me", X_Request_Id="id\tof " + email)
    somebody.ask("PUT", "/users/me", {"card": card, "spaced": PERSON["spaced card"]})
    somebody.headers = {"X-Cart-Token": token, "X-Order-Token": token}
    somebody.ask("GET", "/carts/current")
    somebody.headers = {}
    somebody.http.post("/hooks/payments/stripe", content=json.dumps(PERSON))
    somebody.http.post("/auth/login", content=f'{{"email": "{email}", "password": ')
    for host, path in (("canary-mail.example", "/admin/"), ("127.0.0.1", "/admin/login/")):
        httpx.get(f"{store.url}{path}?next={email}", headers={"Host": host})
    data = {"username": email, "password": PERSON["password"]}
    httpx.post(f"{store.url}/admin/login/?email={email}", data=data)


def fail(somebody: Canary, store: TalkingStore) -> None:
    """Have the database refuse a row with its whole content, under web and under a worker."""
    store.in_database("ALTER TABLE kernel_mail ADD CHECK (\"to\" NOT LIKE 'canary.broken%')")
    store.in_database("ALTER TABLE kernel_inboxentry ADD CHECK (consumer = 'nobody') NOT VALID")
    account = {
        "email": f"canary.broken.{PERSON['email']}",
        "password": PERSON["password"],
        "first_name": PERSON["first name"],
        "last_name": PERSON["last name"],
    }
    somebody.told("POST", "/auth/register", account, status=500, **somebody.under("broken"))
    variant = variant_of(for_sale(somebody))["id"]
    cart = somebody.prepare_cart({variant: 1})
    order = {"email": somebody.email, **paying_with(CARD)}
    path = f"/carts/{cart}/checkout"
    checkout = somebody.under("broken worker")
    somebody.told("POST", path, order, key=uuid4().hex, status=201, **checkout)
    store.wait_for(logger="celery.app.trace", request_id=somebody.ids["broken worker"])


def forms_of(word: str) -> set[str]:
    """Return how a word may be written in a URL, in JSON and in Python."""
    return {word, quote(word), quote(word, safe=""), json.dumps(word)[1:-1], repr(word)[1:-1]}


def told_of(text: str, words: dict[str, str]) -> list[str]:
    """Return the names of those words that the text tells in any form."""
    lower = text.lower()
    return [
        name
        for name, word in words.items()
        if any(form.lower() in lower for form in forms_of(word))
    ]


# Nobody's data


def test_no_line_tells_of_the_person_or_of_a_secret(story: Story) -> None:
    text = "\n".join(story.store.written())

    assert told_of(text, PERSON | SECRETS | story.tokens | story.store.passwords()) == []
    assert "canar" not in text.lower()


def test_no_span_tells_of_the_person_or_of_a_secret(story: Story) -> None:
    eventually(story.collector.spans, lambda spans: len(spans) > 100, patience=PATIENCE)
    text = b"\n".join(story.collector.bodies).decode(errors="replace")

    assert told_of(text, PERSON | SECRETS | story.tokens | story.store.passwords()) == []
    assert "canar" not in text.lower()


def test_there_are_passwords_that_could_have_been_told(story: Story) -> None:
    assert "DATABASE_URL" in story.store.passwords()
    assert len(story.tokens) == 9


def test_the_search_for_canaries_would_find_them() -> None:
    planted = f'{{"message": "GET /?email={quote(PERSON["email"])} {SECRETS["SECRET_KEY"]}"}}'

    assert told_of(planted, PERSON | SECRETS) == ["email", "SECRET_KEY"]


# One form


def test_every_line_fits_the_schema_and_the_pipe(story: Story) -> None:
    for line in story.store.written():
        assert len(line.encode()) < 4096
        assert unfit(json.loads(line)) == [], line


def test_every_process_says_who_it_is(story: Story) -> None:
    for name in ("web", "worker"):  # beat has nothing to say while all is well
        lines = story.store.lines(name)
        assert {line["process"] for line in lines} == {name}
        assert {line["release"] for line in lines} == {"7d36147"}
        assert {line["environment"] for line in lines} == {"staging"}


def test_a_line_break_in_a_path_makes_no_line(story: Story) -> None:
    assert story.store.lines(level="CRITICAL") == []


def test_failures_are_told_by_what_broke(story: Story) -> None:
    [web] = story.store.lines("web", level="ERROR", logger="django.request")
    assert (web["error"], web["route"]) == ("IntegrityError", "/api/v1/auth/register")
    assert (
        "psycopg.errors.CheckViolation: 23514 kernel_mail kernel_mail_to_check"
        in (web["exception"])
    )
    assert 'File "apps/users/services' in web["exception"]


# One trail


def test_a_request_is_found_in_web_and_worker_by_its_id(story: Story) -> None:
    lines = story.store.lines(request_id=story.ids["declined"])

    assert [(line["process"], line["message"]) for line in lines] == [
        ("web", "request"),
        ("worker", "A payment call was refused."),
    ]
    assert {line["trace_id"] for line in lines} == {story.ids["trace of declined"]}
    assert lines[0]["route"] == "/api/v1/carts/<id:cart_id>/checkout"
    assert lines[1]["code"] == "card_declined"


def test_a_failing_subscriber_names_the_request_that_it_began_with(story: Story) -> None:
    began_with = story.ids["broken worker"]
    failed = story.store.lines("worker", logger="celery.app.trace", request_id=began_with)[0]

    assert failed["level"] == "ERROR"
    assert failed["trace_id"] == story.ids["trace of broken worker"]
    assert failed["error"] == "IntegrityError"


def test_a_failed_request_is_reported_under_its_own_id(story: Story) -> None:
    reports = story.store.lines("web", logger="django.request", level="ERROR")

    assert {line["request_id"] for line in reports} == {story.ids["broken"]}


def test_one_trace_spans_web_worker_database_cache_and_provider(story: Story) -> None:
    def parts() -> set[tuple[str, str]]:
        return {
            (service, span.name.partition(" ")[0])
            for service, span in story.collector.spans(story.ids["trace of well"])
        }

    wanted = {
        ("ecommerce-web", "POST"),
        ("ecommerce-web", "INSERT"),
        ("ecommerce-worker", "orders.advance_payment"),
        ("ecommerce-worker", "POST"),  # to the provider
        ("ecommerce-worker", "orders.plan_shipment"),
        ("ecommerce-worker", "orders.advance_shipment"),
    }
    assert wanted <= eventually(parts, wanted.issubset, patience=PATIENCE)


def test_statements_are_traced_without_their_values(story: Story) -> None:
    statements = {
        attribute.value.string_value
        for _, span in story.collector.spans()
        for attribute in span.attributes
        if attribute.key == "db.statement"
    }

    assert any("INSERT INTO kernel_outboxevent" in text for text in statements)
    assert not [text for text in statements if "'" in text]


# Found again


def test_what_was_written_is_found_by_the_saved_searches(story: Story, tmp_path: Path) -> None:
    queries = {each["id"]: query_of(each) for each in saved_objects() if each["type"] == "search"}
    try:
        records = shaped([read(line) for line in story.store.written()])
    except CannotHave as reason:
        pytest.skip(str(reason))

    with emulator(tmp_path) as client:
        put(client, records)
        trail = found(client, f'request_id : "{story.ids["declined"]}"')
        answers = {name: found(client, query) for name, query in queries.items()}

    assert {record["message"] for record in trail} == {"request", "A payment call was refused."}
    assert {"IntegrityError", "DisallowedHost"} == {each["error"] for each in answers["errors"]}
    assert story.ids["declined"] in {record["request_id"] for record in answers["payments"]}
    assert {401, 403} & {record.get("status") for record in answers["security"]}
    assert answers["foreign"] == []
