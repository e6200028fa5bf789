"""How the store sells, is paid and ships."""

from datetime import timedelta
from urllib.parse import urlsplit

from ecommerce.env import env, env_counts, env_int, env_list
from ecommerce.settings.core import PUBLIC_URL

STORE_CURRENCY = env("STORE_CURRENCY", default="USD")
STORE_LOCALES = env_list("STORE_LOCALES", default="en,de,es,fr,it,nl,pl,pt-BR")
ORDER_PAYMENT_WINDOW = timedelta(seconds=env_int("ORDER_PAYMENT_WINDOW_SECONDS", default=15 * 60))
CART_KEPT_DAYS = env_counts("CART_KEPT_DAYS", default={"guests": 30, "customers": 180})
RETURN_WINDOW = timedelta(days=env_int("RETURN_WINDOW_DAYS", default=30))
INVOICE_RETENTION_YEARS = env_int("INVOICE_RETENTION_YEARS", default=10)
SELLER = {  # on invoices
    "name": env("SELLER_NAME", default=urlsplit(PUBLIC_URL).hostname or PUBLIC_URL),
    "address": [
        line.strip() for line in env("SELLER_ADDRESS", default="").split(";") if line.strip()
    ],
    "tax_id": env("SELLER_TAX_ID", default=""),
}
LOW_STOCK_THRESHOLD = env_int("LOW_STOCK_THRESHOLD", default=5)

# Payments: an empty base address is Stripe itself.
STRIPE_SECRET_KEY = env("STRIPE_SECRET_KEY", dev="sk_test_development")
STRIPE_WEBHOOK_SECRETS = env_list("STRIPE_WEBHOOK_SECRET", dev="whsec_development")
STRIPE_API_BASE = env("STRIPE_API_BASE", default="")

# Shipping: 0 means that people, not a simulation, report deliveries.
CARRIER_SIMULATED_DELIVERY_SECONDS = env_int("CARRIER_SIMULATED_DELIVERY_SECONDS", default=0)
