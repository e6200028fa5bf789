"""What the filled store and the requests have in common."""

EMAIL, PASSWORD = "shopper@example.com", "a long enough secret"
TOKEN = "the-token-of-all-benchmark-carts"  # noqa: S105
CATEGORY, SMALL_CATEGORY = "pan", "classic-pan"  # 160 and 20 of 10,000 products
SECONDS_BETWEEN_PRODUCTS = 9
