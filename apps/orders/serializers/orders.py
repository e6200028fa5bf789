"""The documents of orders: what is taken in, and what is given out."""

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers

from apps.kernel.addresses import Address
from apps.kernel.money import Money
from apps.kernel.pagination import Page
from apps.kernel.serializers import (
    MoneyField,
    StrictCharField,
    StrictSerializer,
)
from apps.orders.models import METHOD_REFERENCE
from apps.orders.selectors.orders import WholeOrder
from apps.orders.serializers.prices import (
    DiscountDocument,
    TaxDocument,
    TotalsDocument,
    order_discounts,
    order_taxes,
)
from apps.orders.serializers.stored_value import TenderDocument, tender_documents
from apps.orders.states import AttemptStatus, OrderStatus, RefundStatus, ShipmentStatus


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
    """How it is paid; `expected_total` refuses the order if the total is another by now.

    `expected_to_pay` is the cart's `to_pay`: it has to be sent where gift cards or store credit
    pay, and refuses the order if it is another by now.
    """

    email = serializers.EmailField(max_length=254, required=False)
    payment = PaymentDraft()
    expected_total = MoneyField(required=False)
    expected_to_pay = MoneyField(required=False)


class PaymentRetry(StrictSerializer):
    """Another try to pay."""

    payment = PaymentDraft()


class CancellationDraft(StrictSerializer):
    """Why the order is cancelled."""

    reason = StrictCharField(max_length=200, required=False, allow_blank=True, default="")


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


class ExchangedDocument(serializers.Serializer[Any]):
    """Goods that came back of another order, and pay for this one."""

    return_id = serializers.UUIDField()
    order_id = serializers.UUIDField()
    amount = MoneyField()


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
    stored_value = TenderDocument(many=True)
    exchanged = ExchangedDocument(many=True, help_text="One of a replacement, none of others.")
    payments = PaymentDocument(many=True)
    shipments = ShipmentDocument(many=True)
    placed_at = serializers.DateTimeField()
    version = serializers.IntegerField()
    tags = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="For staff alone."
    )
    token = serializers.CharField(required=False)


class OrderPage(Page):
    """A page of orders."""

    results = OrderDocument(many=True)


class OrderEventDocument(serializers.Serializer[Any]):
    """A step in the order's life, or, for staff alone, a note: then there is no status."""

    status = serializers.ChoiceField(
        choices=[(s.value, s.name) for s in OrderStatus], allow_null=True
    )
    at = serializers.DateTimeField()
    reason = serializers.CharField()
    note = serializers.CharField(required=False)
    author_id = serializers.UUIDField(required=False)


class OrderEvents(serializers.Serializer[Any]):
    """The order's life so far, oldest first."""

    results = OrderEventDocument(many=True)


def order_document(
    whole: WholeOrder, *, token: str = "", for_staff: bool = False
) -> dict[str, Any]:
    """Return the order as OrderDocument says."""
    order = whole.order

    def money(minor: int) -> Money:
        return Money(minor, order.currency)

    document = {
        "id": order.pk,
        "number": order.shown_number,
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
            "to_pay": money(order.to_pay_minor),
        },
        "shipping_address": order.shipping_address or None,
        "shipping_option": order.shipping_option,
        "stored_value": tender_documents(whole.tenders, currency=order.currency),
        "exchanged": [
            {
                "return_id": made.parent_id,
                "order_id": made.parent.order_id,
                "amount": money(made.paid_minor),
            }
            for made in whole.replaced
        ],
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
    if for_staff:
        document["tags"] = order.tags
    return document | ({"token": token} if token else {})
