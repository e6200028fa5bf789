"""Orders in the back office."""

from apps.orders.admin.carts import CartAdmin
from apps.orders.admin.changes import ChangeSetAdmin
from apps.orders.admin.documents import BillingDocumentAdmin, DocumentNumbersAdmin
from apps.orders.admin.held_units import HeldUnitsAdmin
from apps.orders.admin.ledger import LedgerPostingAdmin
from apps.orders.admin.numbers import OrderNumbersAdmin
from apps.orders.admin.orders import (
    OrderAdmin,
    RetainedInvoiceAdmin,
    ShipmentAdmin,
    StatusChangeAdmin,
)
from apps.orders.admin.payments import (
    PaymentAttemptAdmin,
    PaymentFeeAdmin,
    RefundAdmin,
    StrayPaymentAdmin,
    WebhookEventAdmin,
)
from apps.orders.admin.promotions import (
    CouponAdmin,
    CustomerUsesAdmin,
    OrderPromotionAdmin,
    PromotionAdmin,
)
from apps.orders.admin.returns import ReturnAdmin
from apps.orders.admin.stored_value import StoredValueAdmin, ValueMovementAdmin
from apps.orders.admin.taxes import TaxClassAdmin, TaxRateAdmin, TaxZoneAdmin

__all__ = [
    "BillingDocumentAdmin",
    "CartAdmin",
    "ChangeSetAdmin",
    "CouponAdmin",
    "CustomerUsesAdmin",
    "DocumentNumbersAdmin",
    "HeldUnitsAdmin",
    "LedgerPostingAdmin",
    "OrderAdmin",
    "OrderNumbersAdmin",
    "OrderPromotionAdmin",
    "PaymentAttemptAdmin",
    "PaymentFeeAdmin",
    "PromotionAdmin",
    "RefundAdmin",
    "RetainedInvoiceAdmin",
    "ReturnAdmin",
    "ShipmentAdmin",
    "StatusChangeAdmin",
    "StoredValueAdmin",
    "StrayPaymentAdmin",
    "TaxClassAdmin",
    "TaxRateAdmin",
    "TaxZoneAdmin",
    "ValueMovementAdmin",
    "WebhookEventAdmin",
]
