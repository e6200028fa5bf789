"""The documents of carts and orders: what is taken in, and what is given out."""

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from apps.kernel.addresses import Address
from apps.kernel.money import Money
from apps.kernel.pagination import Page
from apps.kernel.serializers import (
    MoneyField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)
from apps.orders.carriers import ShippingOption
from apps.orders.models import LARGEST_QUANTITY, METHOD_REFERENCE, MOST_LINES
from apps.orders.selectors.orders import WholeOrder
from apps.orders.serializers.prices import (
    DiscountDocument,
    TaxDocument,
    TrialDocument,
    cart_discounts,
    cart_taxes,
    order_discounts,
    order_taxes,
    trial_document,
)
from apps.orders.services.cart_prices import PricedCart
from apps.orders.states import AttemptStatus, OrderStatus, RefundStatus, ShipmentStatus


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


class PaymentDraft(StrictSerializer):
    """A provider and its reference of a payment method. Card data never comes here.

    Without a method the shopper gives it to the provider: see the payment's `next_action`.
    """

    provider = StrictCharField(max_length=20)
    method = StrictCharField(
        max_length=255,
        required=False,
        allow_blank=True,
        default="",
        validators=[RegexValidator(METHOD_REFERENCE, "This is no reference of a payment method.")],
    )


class CheckoutDraft(StrictSerializer):
    """How it is paid; `expected_total` refuses the order if the total is another by now."""

    email = serializers.EmailField(max_length=254, required=False)
    payment = PaymentDraft()
    expected_total = MoneyField(required=False)


class PaymentRetry(StrictSerializer):
    """Another try to pay."""

    payment = PaymentDraft()


class CancellationDraft(StrictSerializer):
    """Why the order is cancelled."""

    reason = StrictCharField(max_length=200, required=False, allow_blank=True, default="")


class TotalsDocument(serializers.Serializer[Any]):
    """The parts of the grand total."""

    items = MoneyField()
    discount = MoneyField()
    shipping = MoneyField()
    tax = MoneyField(help_text="On top of the prices.")
    tax_included = MoneyField(help_text="In the prices; the grand total holds it already.")
    grand_total = MoneyField()


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
    """What keeps the cart from being ordered."""

    code = serializers.CharField()
    detail = serializers.CharField()


class CartDocument(serializers.Serializer[Any]):
    """A cart. `token` is shown once, when a guest opens it."""

    id = serializers.UUIDField()
    token = serializers.CharField(allow_null=True)
    currency = serializers.CharField()
    email = serializers.CharField()
    items = CartItemDocument(many=True)
    coupons = serializers.ListField(child=serializers.CharField())
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


class OrderItemDocument(serializers.Serializer[Any]):
    """A line as it was sold: unit price times quantity is the total, before discount and tax."""

    id = serializers.UUIDField()
    variant_id = serializers.UUIDField()
    product_id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    list_price = MoneyField(allow_null=True, help_text="Of one piece without price lists.")
    unit_price = MoneyField()
    total = MoneyField()
    discount = MoneyField()
    tax = MoneyField(help_text="On top of what is left, or in it.")


class PaymentDocument(serializers.Serializer[Any]):
    """A payment attempt; `next_action` says what the shopper has to do."""

    id = serializers.UUIDField()
    provider = serializers.CharField()
    status = serializers.ChoiceField(choices=[(s.value, s.name) for s in AttemptStatus])
    amount = MoneyField()
    next_action = serializers.JSONField(allow_null=True)
    failure_code = serializers.CharField(allow_null=True)
    refunded = MoneyField()


class ShipmentItemDocument(serializers.Serializer[Any]):
    """What is in the parcel."""

    sku = serializers.CharField()
    quantity = serializers.IntegerField()


class ShipmentDocument(serializers.Serializer[Any]):
    """A parcel."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=[(s.value, s.name) for s in ShipmentStatus])
    carrier = serializers.CharField()
    tracking_number = serializers.CharField(allow_null=True)
    tracking_url = serializers.CharField(allow_null=True)
    items = ShipmentItemDocument(many=True)


class OrderDocument(serializers.Serializer[Any]):
    """An order. A guest's order carries `token` once, when it is placed."""

    id = serializers.UUIDField()
    number = serializers.CharField()
    status = serializers.ChoiceField(choices=[(s.value, s.name) for s in OrderStatus])
    currency = serializers.CharField()
    email = serializers.CharField()
    items = OrderItemDocument(many=True)
    discounts = DiscountDocument(many=True)
    taxes = TaxDocument(many=True)
    totals = TotalsDocument()
    shipping_address = Address(allow_null=True, help_text="Null once the person was erased.")
    shipping_option = serializers.CharField()
    payments = PaymentDocument(many=True)
    shipments = ShipmentDocument(many=True)
    placed_at = serializers.DateTimeField()
    version = serializers.IntegerField()
    token = serializers.CharField(required=False)


class OrderPage(Page):
    """A page of orders."""

    results = OrderDocument(many=True)


class OrderEventDocument(serializers.Serializer[Any]):
    """A step in the order's life."""

    status = serializers.ChoiceField(choices=[(s.value, s.name) for s in OrderStatus])
    at = serializers.DateTimeField()
    reason = serializers.CharField()


class OrderEvents(serializers.Serializer[Any]):
    """The order's life so far, oldest first."""

    results = OrderEventDocument(many=True)


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
        },
        "problems": [{"code": p.code, "detail": p.detail} for p in priced.problems],
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


def order_document(whole: WholeOrder, *, token: str = "") -> dict[str, Any]:
    """Return the order as OrderDocument says."""
    order = whole.order

    def money(minor: int) -> Money:
        return Money(minor, order.currency)

    document = {
        "id": order.pk,
        "number": str(order.number),
        "status": order.status,
        "currency": order.currency,
        "email": order.email,
        "items": [
            {
                "id": line.pk,
                "variant_id": line.variant_id,
                "product_id": line.product_id,
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "list_price": None
                if line.list_price_minor is None
                else money(line.list_price_minor),
                "unit_price": money(line.unit_price_minor),
                "total": money(line.total_minor),
                "discount": money(line.discount_minor),
                "tax": money(line.tax_minor + line.tax_included_minor),
            }
            for line in whole.lines
        ],
        "discounts": order_discounts(whole.promotions, currency=order.currency),
        "taxes": order_taxes(order),
        "totals": {
            "items": money(order.items_minor),
            "discount": money(order.discount_minor),
            "shipping": money(order.shipping_minor),
            "tax": money(order.tax_minor),
            "tax_included": money(order.tax_included_minor),
            "grand_total": money(order.grand_total_minor),
        },
        "shipping_address": order.shipping_address or None,
        "shipping_option": order.shipping_option,
        "payments": [
            {
                "id": attempt.pk,
                "provider": attempt.provider,
                "status": attempt.status,
                "amount": money(attempt.amount_minor),
                "next_action": attempt.next_action,
                "failure_code": attempt.failure_code or None,
                "refunded": money(
                    sum(
                        refund.amount_minor
                        for refund in whole.refunds
                        if refund.attempt_id == attempt.pk
                        and refund.status == RefundStatus.SUCCEEDED
                    )
                ),
            }
            for attempt in whole.attempts
        ],
        "shipments": [
            {
                "id": shipment.pk,
                "status": shipment.status,
                "carrier": shipment.carrier,
                "tracking_number": shipment.tracking_number or None,
                "tracking_url": shipment.tracking_url or None,
                "items": [{"sku": line.sku, "quantity": line.quantity} for line in whole.lines],
            }
            for shipment in whole.shipments
        ],
        "placed_at": order.placed_at,
        "version": order.version,
    }
    return document | ({"token": token} if token else {})
