"""A store that customers use, looked at from outside after a deployment.

It reads, and leaves one cart behind. Nothing is ordered.
"""

import httpx
import pytest
from shopper import for_sale, variant_of

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}


@pytest.fixture
def browser(store_url):
    with httpx.Client(base_url=store_url, timeout=30) as browser:
        yield browser


@pytest.fixture
def over_tls(store_url):
    if not store_url.startswith("https://"):
        pytest.skip(f"{store_url} is no https:// address")


def test_the_catalog_is_there(guest):
    page = guest.get("/products?limit=5")

    assert page["results"]
    product = guest.get(f"/products/{page['results'][0]['id']}")
    assert guest.get(f"/products/{product['slug']}") == product


def test_a_category_leads_to_its_products(guest):
    categories = guest.get("/categories")["results"]
    slug = next(each["slug"] for each in categories if each["product_count"])

    assert guest.get(f"/products?filter[category]={slug}&limit=5")["results"]


def test_something_can_be_put_into_a_cart(guest):
    variant = variant_of(for_sale(guest))
    path = f"/carts/{guest.open_cart()['id']}"

    guest.told("POST", f"{path}/items", {"sku": variant["sku"], "quantity": 1}, status=200)

    [item] = guest.get(path)["items"]
    assert (item["sku"], item["quantity"]) == (variant["sku"], 1)


def test_what_belongs_to_somebody_is_closed(guest):
    assert guest.ask("GET", "/users/me").status_code == 401
    assert guest.ask("GET", "/orders").status_code == 401


def test_the_schema_describes_the_checkout(guest):
    assert "/api/v1/carts/{cart_id}/checkout" in guest.get("/openapi.json")["paths"]


def test_pages_come_with_their_style(browser):
    for page in ("/", "/admin/login/"):
        answer = browser.get(page)
        assert answer.status_code == 200
        sheets = [
            part.split('"')[0] for part in answer.text.split('href="') if ".css" in part[:200]
        ]
        assert sheets
        assert [browser.get(sheet).status_code for sheet in sheets] == [200] * len(sheets)


@pytest.mark.parametrize("path", ["/", "/admin/login/", "/api/v1/products", "/api/v1/nothing"])
def test_every_answer_carries_the_headers_that_protect_it(browser, path):
    headers = browser.get(path).headers

    assert {name: headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize("path", ["/metrics", "/health/live", "/health/ready"])
def test_what_only_the_platform_may_ask_is_not_routed(browser, path):
    assert browser.get(path).status_code in {403, 404}


def test_plain_http_leads_to_https(over_tls, store_url):
    insecure = store_url.replace("https://", "http://", 1)

    answer = httpx.get(f"{insecure}/api/v1/products", timeout=30)

    assert answer.status_code in {301, 308}
    assert answer.headers["Location"] == f"{store_url}/api/v1/products"


def test_browsers_are_told_to_stay_with_https(over_tls, browser):
    assert "max-age=31536000" in browser.get("/").headers["Strict-Transport-Security"]
