"""The lives of orders, payment attempts, refunds, shipments and returns, as tables. Pure."""

from enum import StrEnum


class OrderStatus(StrEnum):
    PENDING_PAYMENT = "pending_payment"
    PAID = "paid"
    FULFILLING = "fulfilling"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class AttemptStatus(StrEnum):
    CREATED = "created"
    IN_FLIGHT = "in_flight"
    REQUIRES_ACTION = "requires_action"
    AUTHORISED = "authorised"
    CAPTURE_IN_FLIGHT = "capture_in_flight"
    VOID_IN_FLIGHT = "void_in_flight"
    CAPTURED = "captured"
    FAILED = "failed"
    VOIDED = "voided"


class RefundStatus(StrEnum):
    CREATED = "created"
    IN_FLIGHT = "in_flight"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class StrayStatus(StrEnum):
    OPEN = "open"
    RETURNED = "returned"
    REFUSED = "refused"


class DocumentStatus(StrEnum):
    DUE = "due"
    ISSUED = "issued"
    STORED = "stored"
    FORGOTTEN = "forgotten"


class PromotionStatus(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"


class ShipmentStatus(StrEnum):
    PLANNED = "planned"
    LABEL_IN_FLIGHT = "label_in_flight"
    LABELLED = "labelled"
    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class ReturnStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    RECEIVED = "received"
    INSPECTED = "inspected"
    CLOSED = "closed"


class ReturnReason(StrEnum):
    DEFECTIVE = "defective"
    DAMAGED_ON_THE_WAY = "damaged_on_the_way"
    WRONG_ITEM = "wrong_item"
    NOT_AS_DESCRIBED = "not_as_described"
    DOES_NOT_FIT = "does_not_fit"
    CHANGED_MIND = "changed_mind"
    ARRIVED_LATE = "arrived_late"
    OTHER = "other"


class Resolution(StrEnum):
    RESTOCK = "restock"
    WRITE_OFF = "write_off"


class ChangeKind(StrEnum):
    CANCEL = "cancel"
    REFUND = "refund"
    RETURN = "return"
    EDIT = "edit"
    EXCHANGE = "exchange"


class ChangeStatus(StrEnum):
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"


ORDER_FOLLOWS: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PENDING_PAYMENT: frozenset(
        {OrderStatus.PAID, OrderStatus.CANCELLED, OrderStatus.EXPIRED}
    ),
    OrderStatus.PAID: frozenset({OrderStatus.FULFILLING, OrderStatus.CANCELLED}),
    OrderStatus.FULFILLING: frozenset({OrderStatus.COMPLETED}),
    OrderStatus.COMPLETED: frozenset(),
    OrderStatus.CANCELLED: frozenset(),
    OrderStatus.EXPIRED: frozenset({OrderStatus.PAID}),  # the money came late, the stock was free
}

# The provider may run ahead of us: a webhook or a repeated call can report any later state.
_WHEN_SENT = frozenset(
    {
        AttemptStatus.REQUIRES_ACTION,
        AttemptStatus.AUTHORISED,
        AttemptStatus.CAPTURED,
        AttemptStatus.FAILED,
        AttemptStatus.VOIDED,
        AttemptStatus.VOID_IN_FLIGHT,
    }
)
ATTEMPT_FOLLOWS: dict[AttemptStatus, frozenset[AttemptStatus]] = {
    AttemptStatus.CREATED: frozenset({AttemptStatus.IN_FLIGHT, AttemptStatus.VOIDED}),
    AttemptStatus.IN_FLIGHT: _WHEN_SENT,
    AttemptStatus.REQUIRES_ACTION: _WHEN_SENT - {AttemptStatus.REQUIRES_ACTION},
    AttemptStatus.AUTHORISED: frozenset(
        {
            AttemptStatus.CAPTURE_IN_FLIGHT,
            AttemptStatus.VOID_IN_FLIGHT,
            AttemptStatus.CAPTURED,
            AttemptStatus.FAILED,
            AttemptStatus.VOIDED,
        }
    ),
    AttemptStatus.CAPTURE_IN_FLIGHT: frozenset(
        {AttemptStatus.CAPTURED, AttemptStatus.FAILED, AttemptStatus.VOIDED}
    ),
    AttemptStatus.VOID_IN_FLIGHT: frozenset(
        {AttemptStatus.VOIDED, AttemptStatus.CAPTURED, AttemptStatus.FAILED}
    ),
    AttemptStatus.CAPTURED: frozenset(),
    AttemptStatus.FAILED: frozenset(),
    AttemptStatus.VOIDED: frozenset(),
}

REFUND_FOLLOWS: dict[RefundStatus, frozenset[RefundStatus]] = {
    RefundStatus.CREATED: frozenset({RefundStatus.IN_FLIGHT}),
    RefundStatus.IN_FLIGHT: frozenset({RefundStatus.SUCCEEDED, RefundStatus.FAILED}),
    RefundStatus.SUCCEEDED: frozenset(),
    RefundStatus.FAILED: frozenset(),
}

STRAY_FOLLOWS: dict[StrayStatus, frozenset[StrayStatus]] = {
    StrayStatus.OPEN: frozenset({StrayStatus.RETURNED, StrayStatus.REFUSED}),
    StrayStatus.RETURNED: frozenset(),
    StrayStatus.REFUSED: frozenset(),
}

SHIPMENT_FOLLOWS: dict[ShipmentStatus, frozenset[ShipmentStatus]] = {
    ShipmentStatus.PLANNED: frozenset({ShipmentStatus.LABEL_IN_FLIGHT, ShipmentStatus.CANCELLED}),
    ShipmentStatus.LABEL_IN_FLIGHT: frozenset({ShipmentStatus.LABELLED}),
    ShipmentStatus.LABELLED: frozenset({ShipmentStatus.HANDED_OVER}),
    ShipmentStatus.HANDED_OVER: frozenset({ShipmentStatus.DELIVERED}),
    ShipmentStatus.DELIVERED: frozenset(),
    ShipmentStatus.CANCELLED: frozenset(),
}

RETURN_FOLLOWS: dict[ReturnStatus, frozenset[ReturnStatus]] = {
    ReturnStatus.REQUESTED: frozenset(
        {ReturnStatus.APPROVED, ReturnStatus.REJECTED, ReturnStatus.CANCELLED}
    ),
    ReturnStatus.APPROVED: frozenset({ReturnStatus.RECEIVED, ReturnStatus.CANCELLED}),
    ReturnStatus.RECEIVED: frozenset({ReturnStatus.INSPECTED}),
    ReturnStatus.INSPECTED: frozenset({ReturnStatus.CLOSED}),
    ReturnStatus.REJECTED: frozenset(),
    ReturnStatus.CANCELLED: frozenset(),
    ReturnStatus.CLOSED: frozenset(),
}
OPEN_RETURNS = frozenset(status for status, following in RETURN_FOLLOWS.items() if following)

FINISHED_ATTEMPTS = frozenset(
    status for status, following in ATTEMPT_FOLLOWS.items() if not following
)
UNPAID_ATTEMPTS = frozenset({AttemptStatus.FAILED, AttemptStatus.VOIDED})

CHANGE_FOLLOWS: dict[ChangeStatus, frozenset[ChangeStatus]] = {
    ChangeStatus.PROPOSED: frozenset({ChangeStatus.CONFIRMED}),
    ChangeStatus.CONFIRMED: frozenset(),
}

PROMOTION_FOLLOWS: dict[PromotionStatus, frozenset[PromotionStatus]] = {
    PromotionStatus.DRAFT: frozenset({PromotionStatus.ACTIVE, PromotionStatus.ARCHIVED}),
    PromotionStatus.ACTIVE: frozenset({PromotionStatus.ARCHIVED}),
    PromotionStatus.ARCHIVED: frozenset({PromotionStatus.ACTIVE}),
}

DOCUMENT_FOLLOWS: dict[DocumentStatus, frozenset[DocumentStatus]] = {
    DocumentStatus.DUE: frozenset({DocumentStatus.ISSUED}),
    DocumentStatus.ISSUED: frozenset({DocumentStatus.STORED}),
    DocumentStatus.STORED: frozenset({DocumentStatus.ISSUED, DocumentStatus.FORGOTTEN}),
    DocumentStatus.FORGOTTEN: frozenset(),
}
