"""The page for a newcomer."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings as ours
from django.contrib.staticfiles import finders
from django.test import Client

STATIC = ours.BASE_DIR / "static" / "store"
FILES = sorted(path for path in STATIC.iterdir() if path.is_file())


class Page(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def page(client: Client) -> Page:
    answer = client.get("/")
    assert (answer.status_code, answer.cookies.keys()) == (200, set())
    return Page(answer.content.decode())


@pytest.mark.django_db
def test_every_door_opens(client: Client, page: Page) -> None:
    doors = {str(link["href"]) for link in page.all("a")}

    assert {"/", "/api/v1/docs", "/api/v1/openapi.json", "/admin/", "/health/ready"} <= doors
    for door in doors:
        if not door.startswith("#"):
            assert client.get(door, follow=True).status_code == 200, door


def test_links_inside_the_page_lead_somewhere(page: Page) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    inside = {str(link["href"])[1:] for link in page.all("a") if str(link["href"])[0] == "#"}

    assert len(ids) == len(set(ids))
    assert inside <= set(ids)


def test_the_sandbox_is_shown_only_where_there_is_one(client: Client, settings: Any) -> None:
    settings.STRIPE_API_BASE = ""
    assert b"Payment sandbox" not in client.get("/").content

    settings.STRIPE_API_BASE = "http://127.0.0.1:12111"
    assert {"href": "http://127.0.0.1:12111"} in Page(client.get("/").content.decode()).all("a")


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(page: Page) -> None:
    assert page.all("style") == []
    for tag, attributes in page.elements:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
    loaded = [*page.all("script"), *page.all("img"), *page.all("link")]
    addresses = [str(attributes.get("src") or attributes.get("href")) for attributes in loaded]
    assert addresses
    for address in addresses:
        assert address.startswith("/static/")
        assert finders.find(address.removeprefix("/static/")), address


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_files_of_the_page_load_nothing_from_elsewhere(path: Any) -> None:
    text = path.read_text().replace('xmlns="http://www.w3.org/2000/svg"', "")

    assert re.findall(r"https?://|@import|url\(", text) == []
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text) == []


def test_the_page_can_be_walked_without_seeing_it(page: Page) -> None:
    for landmark in ("header", "main", "footer"):
        assert len(page.all(landmark)) == 1
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == 1
    assert all("alt" in image for image in page.all("img"))
    assert all(nav.get("aria-label") for nav in page.all("nav"))
    assert page.all("a")[0] == {"class": "skip", "href": "#content"}
    assert ":focus-visible" in (STATIC / "store.css").read_text()
    assert "prefers-color-scheme: dark" in (STATIC / "store.css").read_text()


@pytest.mark.django_db
def test_what_the_script_asks_for_is_there(client: Client) -> None:
    for url in ("/api/v1/categories", "/api/v1/products?limit=12"):
        answer = client.get(url, headers={"Accept": "application/json"})
        assert answer.status_code == 200
        assert "results" in answer.json()
