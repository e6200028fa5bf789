"""The documents of carts: what is taken in, and what is given out."""

from typing import Any

from rest_framework import serializers

from apps.kernel.addresses import Address
from apps.kernel.serializers import (
    MoneyField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)
from apps.orders.carriers import ShippingOption
from apps.orders.models import LARGEST_QUANTITY, MOST_LINES
from apps.orders.serializers.prices import (
    DiscountDocument,
    TaxDocument,
    TotalsDocument,
    TrialDocument,
    cart_discounts,
    cart_taxes,
    trial_document,
)
from apps.orders.serializers.stored_value import (
    CartGiftCardDocument,
    CartStoreCreditDocument,
    cart_gift_card,
    cart_store_credit,
)
from apps.orders.services.cart_prices import PricedCart


class ItemDraft(StrictSerializer):
    """A variant, by id or SKU, and how many more of it."""

    variant_id = serializers.UUIDField(required=False)
    sku = StrictCharField(max_length=64, required=False)
    quantity = StrictIntegerField(min_value=1, max_value=LARGEST_QUANTITY)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("variant_id" in attrs) == ("sku" in attrs):
            raise serializers.ValidationError("Give variant_id or sku, one of them.", code="one_of")
        return attrs


class ItemChange(StrictSerializer):
    """The new quantity of a line; 0 takes it out."""

    quantity = StrictIntegerField(min_value=0, max_value=LARGEST_QUANTITY)


class WholeItem(StrictSerializer):
    """A variant and how many of it."""

    variant_id = serializers.UUIDField()
    quantity = StrictIntegerField(min_value=1, max_value=LARGEST_QUANTITY)


class WholeItems(StrictSerializer):
    """All lines of a cart."""

    items = serializers.ListField(child=WholeItem(), max_length=MOST_LINES)

    def validate_items(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({item["variant_id"] for item in items}) < len(items):
            raise serializers.ValidationError("A variant stands twice.", code="repeated")
        return items


class EmailDraft(StrictSerializer):
    """Where the confirmation goes."""

    email = serializers.EmailField(max_length=254)


class ShippingChoice(StrictSerializer):
    """The code of a shipping option."""

    code = StrictCharField(max_length=40)


class CartItemDocument(serializers.Serializer[Any]):
    """A line at the price of this moment; price and name are null when it is sold no more."""

    id = serializers.UUIDField()
    variant_id = serializers.UUIDField()
    product_id = serializers.UUIDField(allow_null=True)
    sku = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    quantity = serializers.IntegerField()
    unit_price = MoneyField(allow_null=True)
    total = MoneyField(allow_null=True)


class CartProblem(serializers.Serializer[Any]):
    """What keeps the cart from being ordered, but for a price that is lower than before."""

    code = serializers.CharField()
    detail = serializers.CharField()
    facts = serializers.DictField(help_text="Of a line: its ids, and what has changed.")


class CartDocument(serializers.Serializer[Any]):
    """A cart. `token` is shown once, when a guest opens it."""

    id = serializers.UUIDField()
    token = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    email = serializers.CharField()
    items = CartItemDocument(many=True)
    coupons = serializers.ListField(child=serializers.CharField())
    gift_cards = CartGiftCardDocument(many=True)
    store_credit = CartStoreCreditDocument(allow_null=True, help_text="Null: it does not pay.")
    shipping_address = Address(allow_null=True)
    shipping_option = serializers.CharField(allow_null=True)
    discounts = DiscountDocument(many=True)
    taxes = TaxDocument(many=True)
    totals = TotalsDocument()
    problems = CartProblem(many=True)
    version = serializers.IntegerField()
    explanation = TrialDocument(many=True, required=False, help_text="Where it is asked for.")


class EstimatedDelivery(serializers.Serializer[Any]):
    """The first and the last day on which the parcel may arrive."""

    earliest = serializers.DateField()
    latest = serializers.DateField()


class ShippingOptionDocument(serializers.Serializer[Any]):
    """One way to send the cart."""

    code = serializers.CharField()
    name = serializers.CharField()
    price = MoneyField()
    estimated_delivery = EstimatedDelivery()


class ShippingOptions(serializers.Serializer[Any]):
    """All ways to send the cart, cheapest first."""

    results = ShippingOptionDocument(many=True)


def cart_document(
    priced: PricedCart, *, token: str = "", explained: bool = False
) -> dict[str, Any]:
    """Return the cart as CartDocument says."""
    cart = priced.cart
    document = {
        "id": cart.pk,
        "token": token or None,
        "currency": cart.currency,
        "email": cart.email,
        "items": [
            {
                "id": line.item.pk,
                "variant_id": line.item.variant_id,
                "product_id": line.offer and line.offer.product_id,
                "sku": line.offer and line.offer.sku,
                "name": line.offer and line.offer.name,
                "quantity": line.item.quantity,
                "unit_price": line.unit_price,
                "total": line.unit_price and line.unit_price * line.item.quantity,
            }
            for line in priced.lines
        ],
        "coupons": cart.coupons,
        "gift_cards": [cart_gift_card(card, cart.currency) for card in priced.tenders.gift_cards],
        "store_credit": cart_store_credit(priced.tenders.store_credit),
        "shipping_address": cart.shipping_address,
        "shipping_option": cart.shipping_option or None,
        "discounts": cart_discounts(priced),
        "taxes": cart_taxes(priced),
        "totals": {
            "items": priced.totals.items,
            "discount": priced.totals.discount,
            "shipping": priced.totals.shipping,
            "tax": priced.totals.tax,
            "tax_included": priced.quote.tax_included,
            "grand_total": priced.totals.grand_total,
            "to_pay": priced.to_pay,
        },
        "problems": [problem.document for problem in priced.problems],
        "version": cart.version,
    }
    if explained:
        document["explanation"] = [trial_document(each) for each in priced.quote.explanation]
    return document


def shipping_option_document(option: ShippingOption) -> dict[str, Any]:
    """Return the option as ShippingOptionDocument says."""
    return {
        "code": option.code,
        "name": option.name,
        "price": option.price,
        "estimated_delivery": {"earliest": option.earliest, "latest": option.latest},
    }
