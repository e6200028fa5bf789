"""Fill the store: a catalog, carts that can be ordered, a customer with orders.

Runs in a process of its own with the store's settings and writes what it made to a JSON file.
"""

import argparse
import json
import random
import time
from pathlib import Path

import django

django.setup()

from django.db import connection  # noqa: E402 - after the setup

from apps.catalog import interface as catalog  # noqa: E402
from apps.catalog.management.generator import generated  # noqa: E402
from apps.catalog.models import Image, Product, Variant  # noqa: E402
from apps.kernel.money import Money  # noqa: E402
from apps.orders.models import Cart, CartItem  # noqa: E402
from apps.orders.selectors.orders import Holder, hash_of  # noqa: E402
from apps.orders.services.checkout import PaymentChoice, place_order  # noqa: E402
from apps.users.models import User  # noqa: E402
from benchmarks.seed_facts import EMAIL, PASSWORD, SECONDS_BETWEEN_PRODUCTS, TOKEN  # noqa: E402

ADDRESS = {
    "first_name": "Robin",
    "last_name": "Doe",
    "line1": "1 Main Street",
    "city": "Springfield",
    "region": "IL",
    "postal_code": "62701",
    "country": "US",
}
CUSTOMER_ORDERS = 30


def add_pictures() -> None:
    """Give every product without one two rows of pictures; there are no files behind them."""
    bare = Product.objects.filter(images=None).values_list("id", flat=True)
    Image.objects.bulk_create(
        (
            Image(
                product_id=product_id,
                file=f"products/{product_id}-{position}.webp",
                alt="A thing",
                width=800,
                height=600,
                position=position,
            )
            for product_id in bare.iterator()
            for position in (0, 1)
        ),
        batch_size=2000,
    )


def add_hot_product(name: str, units: int) -> str:
    """Add a product that everybody wants; return its variant's id."""
    record = catalog.ProductRecord(
        external_ref=name,
        name=name,
        category_path=("Kitchen",),
        variants=[catalog.VariantRecord(sku=name, price=Money(999, "USD"), on_hand=units)],
    )
    catalog.import_products(records=[record])
    return str(Variant.objects.get(sku=name).pk)


def add_carts(contents: list[list[str]], *, customer_id: str | None = None) -> list[str]:
    """Make carts of these variants, complete but for the order; return their ids."""
    carts = Cart.objects.bulk_create(
        Cart(
            customer_id=customer_id,
            token_hash="" if customer_id else hash_of(TOKEN),
            currency="USD",
            email="robin@example.com",
            shipping_address=ADDRESS,
            shipping_option="standard",
        )
        for _ in contents
    )
    CartItem.objects.bulk_create(
        CartItem(cart=cart, variant_id=variant, quantity=1)
        for cart, variants in zip(carts, contents, strict=True)
        for variant in variants
    )
    return [str(cart.pk) for cart in carts]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--products", type=int, required=True)
    parser.add_argument("--carts", type=int, default=0, help="0: only the catalog")
    parser.add_argument("--hot-carts", type=int)
    parser.add_argument("--hot-units", type=int)
    parser.add_argument("--facts", type=Path)
    options = parser.parse_args()

    began = time.monotonic()
    report = catalog.import_products(records=generated(products=options.products))
    if report.refused:
        raise SystemExit(f"{len(report.refused)} products were refused: {report.refused[0]}")
    imported = time.monotonic() - began
    add_pictures()
    if not options.carts:
        spread_over_time()
        return

    dice = random.Random(1)
    plenty = Variant.objects.filter(stock__on_hand__gte=500).values_list("pk", flat=True)
    variants = [str(pk) for pk in plenty[:20_000]]
    customer = User.objects.create_user(EMAIL, PASSWORD)
    pairs = [dice.sample(variants, 2) for _ in range(options.carts)]
    for cart_id in add_carts(pairs[:CUSTOMER_ORDERS], customer_id=str(customer.pk)):
        place_order(
            holder=Holder(customer_id=customer.pk),
            cart_id=cart_id,
            payment=PaymentChoice(provider="stripe", method="pm_card_visa"),
        )
    scarce = add_hot_product("HOT-SCARCE", options.hot_units)
    endless = add_hot_product("HOT-PLENTY", 1_000_000)
    published = list(Product.objects.values_list("id", "slug")[:1000])
    facts = {
        "import_seconds": imported,
        "product_ids": [str(product_id) for product_id, _ in published],
        "product_slugs": [slug for _, slug in published],
        "variant_ids": dice.sample(variants, min(2000, len(variants))),
        "open_carts": add_carts([[] for _ in range(options.carts)]),
        "ready_carts": add_carts(pairs),
        "flow_carts": add_carts([[] for _ in range(options.carts)]),
        "scarce_variant": scarce,
        "plenty_variant": endless,
        "scarce_carts": add_carts([[scarce]] * options.hot_carts),
        "plenty_carts": add_carts([[endless]] * options.hot_carts),
    }
    spread_over_time()
    options.facts.write_text(json.dumps(facts))


def spread_over_time() -> None:
    """Let no two products be added in the same second, and the planner know what there is."""
    with connection.cursor() as cursor:
        # A day has 86,400 seconds, and no two products were added in the same one.
        cursor.execute(
            """
            UPDATE catalog_product p SET created_at = p.created_at - n.number * interval '1 s' * %s
            FROM (SELECT id, row_number() OVER (ORDER BY id DESC) AS number FROM catalog_product) n
            WHERE n.id = p.id
            """,
            [SECONDS_BETWEEN_PRODUCTS],
        )
        cursor.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
