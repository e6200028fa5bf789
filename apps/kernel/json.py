"""JSON as the API writes it."""

import orjson

from apps.kernel.money import Money


def dumps(value: object) -> bytes:
    """Return the value as JSON. UUIDs, dates and Money are written in the API's forms."""
    return orjson.dumps(value, default=_in_api_form, option=orjson.OPT_PASSTHROUGH_DATACLASS)


def _in_api_form(value: object) -> object:
    if isinstance(value, Money):
        return {"amount": value.amount, "currency": value.currency}
    if hasattr(value, "items"):
        return dict(value.items())
    return str(value)
