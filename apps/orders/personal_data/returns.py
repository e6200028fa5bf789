"""The tables of returns in the inventory of personal data."""

from apps.kernel.privacy import BOOKKEEPING, Kind, Table
from apps.orders.models import (
    Exchange,
    Replacement,
    Return,
    ReturnLine,
    ReturnPhoto,
    ReturnPhotoWork,
)
from apps.orders.personal_data.owners import owned_by

RETURNS = (
    Table(
        model=ReturnPhoto,
        of=lambda person: owned_by(person, "parent__order__"),
        columns={
            Kind.REFERENCE: "id parent",
            Kind.CONTENT: "file width height added_at",
            Kind.NONE: "position",
        },
    ),
    Table(
        model=ReturnPhotoWork,
        columns={Kind.NONE: "id file next_action_at lease_until tries request_id traceparent"},
    ),
    Table(
        model=Exchange,
        of=lambda person: owned_by(person, "line__parent__order__"),
        columns={
            Kind.REFERENCE: "line product_id variant_id",
            Kind.CONTENT: "sku name asked_at",
            Kind.FINANCIAL: "list_price_minor unit_price_minor",
        },
        emptied={},
        kept=BOOKKEEPING,
    ),
    Table(
        model=Replacement,
        of=lambda person: owned_by(person, "order__"),
        columns={
            Kind.REFERENCE: "id parent order",
            Kind.FINANCIAL: "paid_minor returned_minor made_at",
        },
        emptied={},
        kept=BOOKKEEPING,
    ),
    Table(
        model=ReturnLine,
        of=lambda person: owned_by(person, "parent__order__"),
        columns={
            Kind.REFERENCE: "id parent order_line",
            Kind.CONTENT: "quantity reason accepted resolution",
            Kind.FINANCIAL: "amount_minor tax_minor",
        },
        emptied={},
        kept=BOOKKEEPING,
    ),
    Table(
        model=Return,
        of=lambda person: owned_by(person, "order__"),
        columns={
            Kind.REFERENCE: "id order refund",
            Kind.CONTENT: "status comment note requested_at changed_at",
            Kind.FINANCIAL: "refunds_shipping amount_minor",
        },
        emptied={"comment": "", "note": ""},
        kept=BOOKKEEPING,
    ),
)
