"""What the orders app keeps."""

from apps.orders.models.billing_document import BillingDocument
from apps.orders.models.cart import LARGEST_QUANTITY, MOST_LINES, Cart, CartItem
from apps.orders.models.change_set import ChangeSet
from apps.orders.models.exchanges import Exchange, Replacement
from apps.orders.models.held_units import HeldUnits
from apps.orders.models.invoice import RetainedInvoice
from apps.orders.models.ledger import LedgerAccount, LedgerEntry, LedgerPosting
from apps.orders.models.note import LONGEST_NOTE, OrderNote
from apps.orders.models.order import Order, OrderLine, StatusChange
from apps.orders.models.order_number import CreditNoteNumbers, InvoiceNumbers, OrderNumbers
from apps.orders.models.payment import (
    METHOD_REFERENCE,
    PaymentAttempt,
    Refund,
    StrayPayment,
    WebhookEvent,
)
from apps.orders.models.payment_fee import PaymentFee
from apps.orders.models.promotion import (
    LONGEST_CODE,
    Coupon,
    CouponBatch,
    CustomerUses,
    OrderPromotion,
    Promotion,
)
from apps.orders.models.return_photos import ReturnPhoto, ReturnPhotoWork
from apps.orders.models.returns import Return, ReturnLine
from apps.orders.models.saved_item import SavedItem
from apps.orders.models.shipment import Shipment
from apps.orders.models.simulation import PromotionSimulation
from apps.orders.models.stored_value import OrderTender, StoredValue, ValueMovement
from apps.orders.models.tax import TaxArea, TaxClass, TaxRate, TaxZone

__all__ = [
    "LARGEST_QUANTITY",
    "LONGEST_CODE",
    "LONGEST_NOTE",
    "METHOD_REFERENCE",
    "MOST_LINES",
    "BillingDocument",
    "Cart",
    "CartItem",
    "ChangeSet",
    "Coupon",
    "CouponBatch",
    "CreditNoteNumbers",
    "CustomerUses",
    "Exchange",
    "HeldUnits",
    "InvoiceNumbers",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerPosting",
    "Order",
    "OrderLine",
    "OrderNote",
    "OrderNumbers",
    "OrderPromotion",
    "OrderTender",
    "PaymentAttempt",
    "PaymentFee",
    "Promotion",
    "PromotionSimulation",
    "Refund",
    "Replacement",
    "RetainedInvoice",
    "Return",
    "ReturnLine",
    "ReturnPhoto",
    "ReturnPhotoWork",
    "SavedItem",
    "Shipment",
    "StatusChange",
    "StoredValue",
    "StrayPayment",
    "TaxArea",
    "TaxClass",
    "TaxRate",
    "TaxZone",
    "ValueMovement",
    "WebhookEvent",
]
