"""What the filled store and the requests have in common."""

EMAIL, PASSWORD = "shopper@example.com", "a long enough secret"
TOKEN = "the-token-of-all-benchmark-carts"  # noqa: S105
CATEGORY = "classic-pan"
SECONDS_BETWEEN_PRODUCTS = 9
