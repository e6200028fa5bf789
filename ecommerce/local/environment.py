"""The environment the store's processes run in: the one list that the settings read."""

from collections.abc import Mapping
from pathlib import Path

from ecommerce.local.servers import Servers
from ecommerce.local.state import GENERATORS

ADMIN_EMAIL = "admin@example.com"

# For whoever drives a store harder from one address than any shopper does.
WITHOUT_RATE_LIMITS = {
    "RATE_LIMITS": "*=1000000000",
    **dict.fromkeys(("HELD_UNITS_PER_BUYER", "HELD_UNITS_PER_NETWORK"), "1000000000"),
}


def store_environment(
    *,
    given: Mapping[str, str],
    servers: Servers,
    secrets: Mapping[str, str],
    folder: Path,
    port: int,
    sandbox_port: int,
) -> dict[str, str]:
    """Return the variables to add to `given`; what the user has set there wins."""
    address = f"http://127.0.0.1:{port}"
    defaults = {
        "DJANGO_SETTINGS_MODULE": "ecommerce.settings",
        "DEBUG": "0",
        "PORT": str(port),
        "BIND": f"127.0.0.1:{port}",
        "PUBLIC_URL": address,
        "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1]",
        "SECRET_KEY": secrets["secret_key"],
        "JWT_SIGNING_KEY": secrets["jwt_signing_key"],
        "STRIPE_SECRET_KEY": secrets["stripe_secret_key"],
        "STRIPE_WEBHOOK_SECRET": secrets["stripe_webhook_secret"],
        "CARRIER_SIMULATED_DELIVERY_SECONDS": "5",
        "MEDIA_ROOT": str(folder / "media"),
        "STATIC_ROOT": str(folder / "static"),
        "EMAIL_URL": f"file://{folder / 'mail'}",
        "EMAIL_FROM": "Storefront <store@localhost>",
    }
    if uses_sandbox(given):
        defaults["STRIPE_API_BASE"] = f"http://127.0.0.1:{sandbox_port}"
    chosen = {name: given.get(name, value) for name, value in defaults.items()}
    return chosen | {
        "DATABASE_URL": servers.database.url,
        "REDIS_URL": servers.cache.url,
        "CELERY_BROKER_URL": servers.broker_url,
    }


def production_like_environment() -> dict[str, str]:
    """Return a complete environment as a deployment has it, with nothing behind its addresses."""
    return {
        "DJANGO_SETTINGS_MODULE": "ecommerce.settings",
        "DEBUG": "0",
        "PUBLIC_URL": "https://shop.example.com",
        "ALLOWED_HOSTS": "shop.example.com",
        "SECRET_KEY": GENERATORS["secret_key"](),
        "JWT_SIGNING_KEY": GENERATORS["jwt_signing_key"](),
        "STRIPE_SECRET_KEY": GENERATORS["stripe_secret_key"](),
        "STRIPE_WEBHOOK_SECRET": GENERATORS["stripe_webhook_secret"](),
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "CELERY_BROKER_URL": "redis://127.0.0.1:1/1",
        "EMAIL_URL": "smtps://nobody:none@127.0.0.1:1",
        "EMAIL_FROM": "Storefront <store@shop.example.com>",
    }


def compose_secrets() -> str:
    """Return a new `.env` for compose.yaml, each secret made for it."""
    made = {
        "SECRET_KEY": GENERATORS["secret_key"](),
        "JWT_SIGNING_KEY": GENERATORS["jwt_signing_key"]().strip().replace("\n", "\\n"),
        "DATABASE_PASSWORD": GENERATORS["database_password"](),
        "STRIPE_SECRET_KEY": GENERATORS["stripe_secret_key"](),
        "STRIPE_WEBHOOK_SECRET": GENERATORS["stripe_webhook_secret"](),
    }
    return "".join(f"{name}='{value}'\n" for name, value in made.items())


def uses_sandbox(given: Mapping[str, str]) -> bool:
    """Tell whether payments go to our sandbox: the user named neither a key nor an address."""
    return not given.get("STRIPE_SECRET_KEY") and not given.get("STRIPE_API_BASE")


def without_postgres_variables(given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without PGHOST and its like, which would redirect the connections."""
    return {name: value for name, value in given.items() if not name.startswith("PG")}
