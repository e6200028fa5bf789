"""The tables of orders in the inventory of personal data."""

from django.db.models import Q

from apps.kernel.privacy import BOOKKEEPING, EVIDENCE, Kind, Person, Table
from apps.orders.models import (
    BillingDocument,
    Cart,
    CartItem,
    ChangeSet,
    Coupon,
    CouponBatch,
    CreditNoteNumbers,
    CustomerUses,
    HeldUnits,
    InvoiceNumbers,
    LedgerEntry,
    LedgerPosting,
    Order,
    OrderLine,
    OrderNote,
    OrderNumbers,
    OrderPromotion,
    OrderTender,
    PaymentAttempt,
    PaymentFee,
    Promotion,
    PromotionSimulation,
    Refund,
    RetainedInvoice,
    SavedItem,
    Shipment,
    StatusChange,
    StoredValue,
    StrayPayment,
    TaxArea,
    TaxClass,
    TaxRate,
    TaxZone,
    ValueMovement,
    WebhookEvent,
)
from apps.orders.personal_data.owners import owned_by
from apps.orders.personal_data.returns import RETURNS

__all__ = ["TABLES", "owned_by"]


def _messages_about(person: Person) -> Q:
    payments = PaymentAttempt.objects.filter(owned_by(person, "order__")).exclude(reference="")
    return Q(reference__in=payments.values("reference"))


def _postings_about(person: Person) -> Q:
    entries = LedgerEntry.objects.filter(owned_by(person, "order__"))
    return Q(pk__in=entries.values("posting"))


def _balances_of(person: Person) -> Q:
    # Staff may have written into a card's note for whom it is.
    return person.by_id("customer_id") | person.named_in("note")


def _movements_of(person: Person) -> Q:
    return person.by_id("account__customer_id") | owned_by(person, "order__")


# Orders come last: all else finds its person through them.
TABLES = (
    Table(model=TaxClass, columns={Kind.NONE: "id code name is_default version"}),
    Table(
        model=TaxZone,
        columns={Kind.NONE: "id name prices_include_tax shipping_taxed shipping_tax_class version"},
    ),
    Table(model=TaxArea, columns={Kind.NONE: "id zone country region postal_prefix"}),
    Table(
        model=TaxRate,
        columns={Kind.NONE: "id zone tax_class code name ppm valid_from valid_until version"},
    ),
    Table(
        model=LedgerPosting,
        of=_postings_about,
        columns={
            Kind.REFERENCE: "id source_id",
            Kind.FINANCIAL: "kind at",
        },
        emptied={},
        kept=BOOKKEEPING,
    ),
    Table(
        model=LedgerEntry,
        of=lambda person: owned_by(person, "order__"),
        columns={
            Kind.REFERENCE: "id posting order",
            Kind.FINANCIAL: "account amount_minor currency",
        },
        emptied={},
        kept=BOOKKEEPING,
    ),
    Table(
        model=WebhookEvent,
        of=_messages_about,
        columns={
            Kind.REFERENCE: "id event_id reference",
            Kind.FINANCIAL: "provider type payload",
            Kind.TECHNICAL: "received_at request_id traceparent",
            Kind.NONE: "outcome next_action_at lease_until tries",
        },
        emptied={"payload": {}, "request_id": "", "traceparent": ""},
        kept=BOOKKEEPING,
    ),
    *(
        Table(model=numbers, columns={Kind.NONE: "year last skipped"})
        for numbers in (OrderNumbers, InvoiceNumbers, CreditNoteNumbers)
    ),
    Table(
        model=BillingDocument,
        of=lambda person: owned_by(person, "order__"),
        columns={
            Kind.REFERENCE: "id order refund movement number",
            Kind.CONTACT: "content",
            Kind.FINANCIAL: "kind issued_at total_minor currency created_at",
            Kind.TECHNICAL: "request_id traceparent",
            Kind.NONE: "status sha256 keep_until gave_up_at next_action_at lease_until tries",
        },
        emptied={"request_id": "", "traceparent": ""},
        kept=f"`content` and the PDF until `keep_until`: {BOOKKEEPING}",
    ),
    Table(
        model=StrayPayment,
        columns={
            Kind.NONE: "id provider reference attempt_id amount_minor currency status failure_code "
            "created_at next_action_at lease_until tries request_id traceparent"
        },
    ),
    Table(
        model=ChangeSet,
        of=lambda person: owned_by(person, "order__"),
        guard="change_set_is_a_document",
        columns={
            Kind.REFERENCE: "id order actor_id outcome",
            Kind.CONTENT: "kind status body created_at confirmed_at",
            Kind.FINANCIAL: "preview",
            Kind.NONE: "order_version expires_at",
        },
        emptied={"body": {}},
        kept=BOOKKEEPING,
    ),
    *RETURNS,
    Table(
        model=Refund,
        of=lambda person: owned_by(person, "attempt__order__"),
        columns={
            Kind.REFERENCE: "id attempt reference",
            Kind.CONTENT: "reason",
            Kind.FINANCIAL: "amount_minor currency status failure_code created_at",
            Kind.TECHNICAL: "request_id traceparent",
            Kind.NONE: "next_action_at lease_until tries",
        },
        emptied={"reason": "", "request_id": "", "traceparent": ""},
        kept=BOOKKEEPING,
    ),
    Table(
        model=PaymentAttempt,
        of=lambda person: owned_by(person, "order__"),
        columns={
            Kind.REFERENCE: "id order reference method",
            Kind.FINANCIAL: "provider amount_minor refund_promised_minor credited_minor currency "
            "status failure_code created_at",
            Kind.CONTENT: "next_action",
            Kind.TECHNICAL: "request_id traceparent",
            Kind.NONE: "next_action_at lease_until tries",
        },
        emptied={"method": "", "next_action": None, "request_id": "", "traceparent": ""},
        kept=BOOKKEEPING,
    ),
    Table(
        model=PaymentFee,
        of=lambda person: owned_by(person, "attempt__order__"),
        columns={
            Kind.REFERENCE: "id attempt",
            Kind.FINANCIAL: "amount_minor currency created_at",
            Kind.TECHNICAL: "request_id traceparent",
            Kind.NONE: "next_action_at lease_until tries",
        },
        guard="payment_fee_that_is_told_stays",
        emptied={"request_id": "", "traceparent": ""},
        kept=BOOKKEEPING,
    ),
    Table(
        model=Shipment,
        of=lambda person: owned_by(person, "order__"),
        columns={
            Kind.REFERENCE: "id order tracking_number tracking_url",
            Kind.CONTENT: "status carrier created_at handed_over_at delivered_at",
            Kind.TECHNICAL: "request_id traceparent",
            Kind.NONE: "next_action_at lease_until tries",
        },
        emptied={
            "tracking_number": "",
            "tracking_url": "",
            "request_id": "",
            "traceparent": "",
        },
        kept=BOOKKEEPING,
    ),
    Table(
        model=OrderNote,
        of=lambda person: owned_by(person, "order__"),
        guard="order_note_is_not_changed",
        columns={Kind.REFERENCE: "id order author_id", Kind.CONTENT: "text at"},
    ),
    Table(
        model=StatusChange,
        of=lambda person: owned_by(person, "order__"),
        guard="status_change_is_history",
        columns={
            Kind.REFERENCE: "id order actor_id",
            Kind.CONTENT: "from_status to_status reason at",
        },
        emptied={"reason": ""},
        kept=EVIDENCE,
    ),
    Table(
        model=OrderLine,
        of=lambda person: owned_by(person, "order__"),
        columns={
            Kind.REFERENCE: "id order",
            Kind.CONTENT: "product_id variant_id sku name quantity",
            Kind.FINANCIAL: "position list_price_minor unit_price_minor total_minor "
            "discount_minor tax_minor tax_included_minor taxes",
            Kind.NONE: "returning_quantity",
        },
        emptied={},
        kept=BOOKKEEPING,
    ),
    Table(
        model=OrderPromotion,
        of=lambda person: owned_by(person, "order__"),
        columns={
            Kind.REFERENCE: "id order",
            Kind.CONTENT: "promotion coupon code name",
            Kind.FINANCIAL: "position amount_minor off_parcel given_back_at",
        },
        emptied={},
        kept=BOOKKEEPING,
    ),
    Table(
        model=OrderTender,
        of=lambda person: owned_by(person, "order__"),
        columns={
            Kind.REFERENCE: "id order account",
            Kind.FINANCIAL: "position amount_minor returned_minor",
        },
        emptied={},
        kept=BOOKKEEPING,
    ),
    Table(
        model=ValueMovement,
        of=_movements_of,
        guard="value_movement_stays",
        columns={
            Kind.REFERENCE: "id account source_id order",
            Kind.CONTENT: "reason",
            Kind.FINANCIAL: "kind amount_minor at",
        },
        emptied={"reason": ""},
        kept=BOOKKEEPING,
    ),
    Table(
        model=StoredValue,
        of=_balances_of,
        columns={
            Kind.REFERENCE: "id customer_id last_four",
            Kind.CONTENT: "note",
            Kind.FINANCIAL: "kind currency balance_minor expires_at disabled_at created_at",
            Kind.NONE: "code_hash version",
        },
        emptied={"note": ""},
        kept=BOOKKEEPING,
    ),
    Table(
        model=CustomerUses,
        of=lambda person: person.by_id("customer_id"),
        columns={
            Kind.REFERENCE: "id customer_id",
            Kind.CONTENT: "promotion coupon uses",
            Kind.NONE: "most",
        },
    ),
    Table(
        model=Coupon,
        columns={Kind.NONE: "id promotion batch code uses_limit uses_per_customer uses"},
    ),
    Table(
        model=CouponBatch,
        columns={Kind.NONE: "id promotion count uses_limit uses_per_customer created_at"},
    ),
    Table(
        model=Promotion,
        columns={
            Kind.NONE: "id name status benefit goods needs_code priority exclusive stacking_group "
            "currency min_subtotal_minor min_quantity customer_group_ids first_order_only "
            "starts_at ends_at max_discount_minor budget_minor uses_limit uses_per_customer uses "
            "budget_used_minor version created_at"
        },
    ),
    Table(
        model=PromotionSimulation,
        columns={
            Kind.NONE: "id promotion promotion_version placed_from placed_until most_orders state "
            "stopped_because after_at after_id orders_seen orders_affected orders_incomplete "
            "orders_differing amounts conflicts created_at finished_at next_action_at lease_until "
            "tries request_id traceparent"
        },
    ),
    Table(
        model=CartItem,
        of=lambda person: owned_by(person, "cart__"),
        columns={
            Kind.REFERENCE: "id cart",
            Kind.CONTENT: "variant_id quantity seen_price_minor created_at",
        },
    ),
    Table(
        model=HeldUnits,
        of=lambda person: owned_by(person, "order__"),
        columns={
            Kind.REFERENCE: "order",
            Kind.CONTACT: "buyer",
            Kind.CONTENT: "units",
            Kind.TECHNICAL: "network",
            Kind.NONE: "most_of_buyer most_of_network",
        },
    ),
    Table(
        model=SavedItem,
        of=lambda person: owned_by(person, "cart__"),
        columns={
            Kind.REFERENCE: "id cart",
            Kind.CONTENT: "variant_id quantity created_at",
        },
    ),
    Table(
        model=Cart,
        of=owned_by,
        columns={
            Kind.REFERENCE: "id customer_id",
            Kind.CONTACT: "email shipping_address",
            Kind.CONTENT: "status currency shipping_option coupons gift_cards store_credit "
            "created_at updated_at",
            Kind.SECRET: "token_hash",
            Kind.NONE: "version",
        },
    ),
    Table(
        model=RetainedInvoice,
        of=lambda person: owned_by(person, "order__"),
        columns={
            Kind.REFERENCE: "order",
            Kind.CONTACT: "address",
            Kind.NONE: "legal_basis keep_until created_at",
        },
        emptied={},
        kept=f"until `keep_until`: {BOOKKEEPING}",
    ),
    Table(
        model=Order,
        of=owned_by,
        columns={
            Kind.REFERENCE: "id number cart_id customer_id",
            Kind.CONTACT: "email shipping_address",
            Kind.CONTENT: "status shipping_option tags placed_at expires_at",
            Kind.FINANCIAL: "currency items_minor discount_minor shipping_minor tax_minor "
            "tax_included_minor shipping_discount_minor shipping_tax_minor taxes grand_total_minor "
            "reduced_minor tendered_minor exchanged_minor",
            Kind.SECRET: "token_hash",
            Kind.NONE: "version",
        },
        emptied={"email": "", "shipping_address": {}, "tags": [], "token_hash": ""},
        kept=BOOKKEEPING,
    ),
)
