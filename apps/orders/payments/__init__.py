"""Payment providers, behind one small protocol."""

from apps.orders.payments import stripe
from apps.orders.payments.gateway import Gateway

PROVIDERS = {"stripe": stripe.gateway}


def gateway_for(provider: str) -> Gateway:
    """Return the provider's gateway. Raises KeyError for one that no order can name."""
    return PROVIDERS[provider]()
