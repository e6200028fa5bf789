"""What a running store shows to everybody: pages, tags, refusals, its own state."""

from uuid import uuid4

import httpx
import pytest
from shopper import code_of, for_sale, variant_of


def test_what_has_not_changed_is_not_sent_again(customer):
    product = for_sale(customer)
    cart = customer.prepare_cart({variant_of(product)["id"]: 1})
    for path in (f"/products/{product['id']}", f"/carts/{cart}", "/users/me", "/categories"):
        tag = customer.ask("GET", path).headers["ETag"]

        unchanged = customer.ask("GET", path, If_None_Match=tag)
        other = customer.ask("GET", path, If_None_Match='"another"')

        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["ETag"] == tag
        assert other.status_code == 200


def test_a_stale_version_of_a_cart_is_not_overwritten(guest):
    cart = guest.open_cart()
    path = f"/carts/{cart['id']}/email"
    tag = guest.ask("GET", f"/carts/{cart['id']}").headers["ETag"]
    guest.told("PUT", path, {"email": guest.email}, status=200, If_Match=tag)

    stale = guest.ask("PUT", path, {"email": "other@example.com"}, If_Match=tag)

    assert (stale.status_code, code_of(stale)) == (412, "version_mismatch")
    assert guest.get(f"/carts/{cart['id']}")["email"] == guest.email


@pytest.mark.parametrize("sort", ["-created_at", "price", "name"])
def test_the_pages_of_the_catalog_lead_to_its_end_and_back(guest, sort):
    forth, back = [], []
    count = guest.get("/products?include=count&limit=1")["count"]
    limit = min(100, count // 8)
    path = f"/products?limit={limit}&sort={sort}"
    while path:
        page = guest.get(path)
        assert len(page["results"]) <= limit
        forth.append([product["id"] for product in page["results"]])
        last, path = page, page["next"]
    back.append(forth[-1])
    while path := last["previous"]:
        last = guest.get(path)
        back.append([product["id"] for product in last["results"]])

    seen = [product_id for page in forth for product_id in page]
    assert len(seen) == len(set(seen)) == count
    assert back == forth[::-1]


def test_what_makes_no_sense_is_refused_as_a_problem(guest):
    for path, status in (
        ("/products?filter[colour]=red", 400),
        ("/products?after=nonsense", 400),
        ("/orders/not-an-id", 400),
        (f"/carts/{uuid4()}", 404),
        ("/products/no-such-thing", 404),
        ("/nowhere", 404),
    ):
        answer = guest.ask("GET", path)

        assert answer.status_code == status
        problem = answer.json()
        assert problem["code"] == code_of(answer)
        assert problem["request_id"] == answer.headers["X-Request-Id"]
        assert guest.get(f"/errors/{problem['code']}")["code"] == problem["code"]


# The store itself


def test_the_pages_for_people_and_programs_are_there(guest, store_url):
    with httpx.Client(base_url=store_url, follow_redirects=True) as browser:
        schema = browser.get("/api/v1/openapi.json").json()
        docs = browser.get("/api/v1/docs")
        script = browser.get("/api/v1/docs?script=")
        start = browser.get("/")
        login = browser.get("/admin/")

        assert schema["openapi"].startswith("3.")
        assert {"/api/v1/products", "/api/v1/carts/{cart_id}/checkout"} <= set(schema["paths"])
        assert (docs.status_code, start.status_code, login.status_code) == (200, 200, 200)
        assert 'src="/api/v1/docs?script="' in docs.text
        assert "/api/v1/openapi.json" in script.text
        assert 'name="password"' in login.text
        picture = for_sale(guest)["images"][0]
        assert browser.get(picture["url"]).headers["Content-Type"].startswith("image/")


@pytest.mark.local  # nobody outside may ask this
def test_the_store_tells_how_it_is(store_url):
    with httpx.Client(base_url=store_url) as probe:
        live, ready = probe.get("/health/live"), probe.get("/health/ready")
        probe.get("/api/v1/categories")
        metrics = probe.get("/metrics")

        assert (live.status_code, live.json()) == (200, {"status": "ok"})
        assert ready.json() == {"status": "ok", "checks": {"database": True, "cache": True}}
        assert 'http_requests_total{method="GET",route="categories",status="200"}' in metrics.text
