"""Somebody who uses the store over HTTP, with an account or as a guest."""

import time
from typing import ClassVar
from uuid import uuid4

import httpx
import pyotp
from mailbox_folder import Mailbox

ADDRESS = {
    "first_name": "Ada",
    "last_name": "Byron",
    "line1": "12 Mill Lane",
    "city": "Springfield",
    "region": "IL",
    "postal_code": "62704",
    "country": "US",
}
PASSWORD = "a mill of many wheels"
CARD = "pm_card_visa"
DECLINED_CARD = "pm_card_visa_chargeDeclined"
CARD_WITH_CHALLENGE = "pm_card_threeDSecure2Required"
TRY_AGAIN = {"idempotency_key_in_use"}


def connections(url: str, *, most: int = 40) -> httpx.Client:
    """Return a client of the API that many threads can share."""
    return httpx.Client(
        base_url=f"{url}/api/v1",
        # The store closes an idle connection after 5 s; do not send into one that is closing.
        limits=httpx.Limits(max_connections=most, keepalive_expiry=2),
        timeout=30,
    )


def code_of(answer: httpx.Response) -> str:
    """Return the code of a problem, or nothing."""
    problem = answer.headers.get("Content-Type", "").startswith("application/problem+json")
    return str(answer.json()["code"]) if problem else ""


def paying_with(method: str) -> dict[str, dict[str, str]]:
    """Return the part of a checkout that says how it is paid."""
    return {"payment": {"provider": "stripe", "method": method}}


def for_sale(somebody: "Shopper") -> dict:
    """Return a product that a shopper can buy now, with its variants."""
    page = somebody.get(
        "/products?filter[availability]=in_stock&expand=variants&sort=created_at&limit=5"
    )
    return next(
        product
        for product in page["results"]
        if any(variant["availability"] == "in_stock" for variant in product["variants"])
    )


def variant_of(product: dict) -> dict:
    """Return a variant of the product that there is some of."""
    return next(each for each in product["variants"] if each["availability"] == "in_stock")


class Shopper:
    """One person. A patient one repeats what got no answer, in the same words."""

    def __init__(self, http: httpx.Client, *, patience: float = 0) -> None:
        self.http = http
        self.patience = patience
        self.email = f"shopper-{uuid4().hex}@example.com"
        self.headers: dict[str, str] = {}
        self.repeated = 0

    # Talking

    def ask(
        self, method: str, path: str, json: object = None, *, key: str = "", **headers: str
    ) -> httpx.Response:
        """Send a request as this person and return whatever the answer is."""
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            sent["Idempotency-Key"] = key
        deadline = time.monotonic() + self.patience
        while True:
            try:
                answer = self.http.request(method, path, json=json, headers=sent)
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
            else:
                unfinished = answer.status_code == 503 or code_of(answer) in TRY_AGAIN
                if not unfinished or time.monotonic() > deadline:
                    return answer
            self.repeated += 1
            time.sleep(0.2)

    def get(self, path: str, **headers: str) -> dict:
        """Return the document at the path."""
        return self.told("GET", path, status=200, **headers)

    def told(
        self, method: str, path: str, json: object = None, *, status: int, **more: str
    ) -> dict:
        """Send a request that has to be answered with this status; return the document."""
        answer = self.ask(method, path, json, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else {}

    # Accounts

    def register(self, mailbox: Mailbox) -> dict:
        """Register, and open the account by the mail that comes. Returns the profile."""
        self.told(
            "POST",
            "/auth/register",
            {
                "email": self.email,
                "password": PASSWORD,
                "first_name": ADDRESS["first_name"],
                "last_name": ADDRESS["last_name"],
            },
            status=202,
        )
        proof = {"token": mailbox.token_for(self.email), "password": PASSWORD}
        return self.told("POST", "/auth/verify-email", proof, status=201)

    def log_in(self, email: str = "", password: str = PASSWORD) -> dict:
        tokens = self.told(
            "POST",
            "/auth/login",
            {"email": email or self.email, "password": password},
            status=200,
        )
        self.headers = {"Authorization": f"Bearer {tokens['access']}"}
        return tokens

    # Buying

    def open_cart(self) -> dict:
        """Open a cart; a guest keeps its token."""
        cart = self.told("POST", "/carts", {}, status=201)
        if cart["token"]:
            self.headers["X-Cart-Token"] = cart["token"]
        return cart

    def prepare_cart(self, quantities: dict[str, int], *, shipping: str = "standard") -> str:
        """Fill a new cart, by variant id, so that it can be ordered. Returns its id."""
        cart = f"/carts/{self.open_cart()['id']}"
        lines = [{"variant_id": each, "quantity": count} for each, count in quantities.items()]
        self.told("PUT", f"{cart}/items", {"items": lines}, status=200)
        self.told("PUT", f"{cart}/shipping-address", ADDRESS, status=200)
        self.told("PUT", f"{cart}/shipping-option", {"code": shipping}, status=200)
        return cart.rpartition("/")[2]

    def check_out(self, cart_id: str, *, method: str = CARD, key: str = "") -> httpx.Response:
        """Order the cart; a guest keeps the order's token."""
        answer = self.ask(
            "POST",
            f"/carts/{cart_id}/checkout",
            {"email": self.email, **paying_with(method)},
            key=key or uuid4().hex,
        )
        if answer.is_success and "token" in answer.json():
            self.headers["X-Order-Token"] = answer.json()["token"]
        return answer

    def buy(self, quantities: dict[str, int], *, method: str = CARD) -> dict:
        """Order so many of these variants in one go. Returns the order."""
        answer = self.check_out(self.prepare_cart(quantities), method=method)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def order(self, order_id: str) -> dict:
        return self.get(f"/orders/{order_id}")


class Staff(Shopper):
    """Somebody who works here, by a second factor: the one of `secret`, or one that is set up."""

    secrets: ClassVar[dict[str, str]] = {}
    sessions: ClassVar[dict[str, str]] = {}

    def __init__(self, http: httpx.Client, *, email: str, password: str, secret: str = "") -> None:
        super().__init__(http, patience=30)
        self.me = f"{http.base_url} {email}"
        if secret:
            self.secrets[self.me] = secret
        if not self._prolong():
            self._enter(email, password)

    def _prolong(self) -> bool:
        """Go on in the session of somebody before: a code is good for one login in 30 seconds."""
        answer = self.ask("POST", "/auth/refresh", {"refresh": self.sessions.get(self.me, "-")})
        return answer.is_success and self._be_in(answer.json())

    def _enter(self, email: str, password: str) -> None:
        login = {"email": email, "password": password}
        answer = self.told("POST", "/auth/login", login, status=200)
        if "challenge" not in answer:
            self._be_in(answer)
            secret = self.told("POST", "/users/me/two-factor", status=201)["secret"]
            self.secrets[self.me] = secret
            code = {"code": pyotp.TOTP(secret).now()}
            self.told("POST", "/users/me/two-factor/confirm", code, status=200)
            return
        totp = pyotp.TOTP(self.secrets[self.me])
        for _ in range(2):
            proof = {"challenge": answer["challenge"], "code": totp.now()}
            tokens = self.ask("POST", "/auth/two-factor", proof)
            if tokens.is_success:
                self._be_in(tokens.json())
                return
            time.sleep(31 - time.time() % 30)
        raise AssertionError(tokens.text)

    def _be_in(self, tokens: dict) -> bool:
        self.headers = {"Authorization": f"Bearer {tokens['access']}"}
        self.sessions[self.me] = tokens["refresh"]
        return True

    def add_product(self, *, on_hand: int, price: str = "12.50") -> dict:
        """Publish a new product with one variant and so many pieces of it."""
        word = uuid4().hex
        category = self.get("/categories")["results"][0]["id"]
        return self.told(
            "POST",
            "/products",
            {
                "name": f"Lantern {word}",
                "status": "published",
                "category": category,
                "variants": [
                    {
                        "sku": f"LANTERN-{word}".upper(),
                        "price": {"amount": price, "currency": "USD"},
                        "on_hand": on_hand,
                    }
                ],
            },
            status=201,
        )

    def stock_of(self, product: dict) -> dict:
        """Return the numbers of the product's one variant."""
        [variant] = self.get(f"/inventory/{product['id']}")["variants"]
        return variant

    def orders_of(self, product: dict) -> list[dict]:
        """Return the orders with the product in them, newest first, of those placed after it."""
        wanted, path, found = product["id"], "/orders?limit=100", []
        while path:
            page = self.get(path)
            found += [
                order
                for order in page["results"]
                if any(item["product_id"] == wanted for item in order["items"])
            ]
            oldest = page["results"][-1]["placed_at"] if page["results"] else ""
            path = page["next"] if oldest > product["created_at"] else None
        return found
