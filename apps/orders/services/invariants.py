"""What must be true at any moment, asked of the database and of the provider."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import islice

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Now

from apps.catalog import interface as catalog
from apps.orders.models import (
    BillingDocument,
    Coupon,
    Order,
    PaymentAttempt,
    PaymentFee,
    Promotion,
    Refund,
    ReturnPhotoWork,
    Shipment,
    StrayPayment,
    WebhookEvent,
)
from apps.orders.models.order_number import shown
from apps.orders.payments import PROVIDERS, gateway_for
from apps.orders.payments.gateway import PaymentState, PaymentStatus
from apps.orders.selectors.documents import missing_document_numbers, orders_without_invoice
from apps.orders.selectors.exchanges import wrong_replacements
from apps.orders.selectors.ledger import refundable_minor
from apps.orders.selectors.order_numbers import missing_numbers
from apps.orders.services.fee_proof import fees_told, wrong_fees
from apps.orders.services.ledger_proof import (
    Difference,
    ledger_differences,
    unbalanced_postings,
    wrong_refunds,
)
from apps.orders.services.value_proof import wrong_balances, wrong_liabilities, wrong_tenders
from apps.orders.states import (
    AttemptStatus,
    OrderStatus,
    RefundStatus,
    Resolution,
    StrayStatus,
)

OVERDUE = timedelta(seconds=60)
GIVEN_UP = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)
BATCH = 1_000
PAID = (OrderStatus.PAID, OrderStatus.FULFILLING, OrderStatus.COMPLETED)


class Rule(StrEnum):
    """What the database alone can tell."""

    STOCK = "stock ledger = balance"
    HELD = "a paid order has its stock, an ended one holds none"
    RETURNED = "what was accepted to be sold again = returned to the stock"
    TOTAL = "order total = its lines"
    USES = "uses of promotions = their orders"
    PAID = "paid = captured"
    GIVEN_BACK = "money of an unpaid order goes back"
    LEDGER = "ledger = payments and refunds"
    REFUNDED = "refunded is at most what was captured"
    FEES = "a payment's fee is asked for until it is told, and posted as it was told"
    BALANCED = "a posting is zero in sum"
    BALANCES = "a balance = its movements, each of them posted"
    OWED = "the ledger owes what is on gift cards and store credit"
    TENDERED = "stored value pays for paid orders and for no other"
    REPLACED = "what came back pays for a replacement, and goes back with it"
    NUMBERS = "order numbers have no gap"
    INVOICED = "a paid order has an invoice, money given back of it a credit note"
    WRITTEN = "an invoice or credit note can be written"
    DOCUMENT_NUMBERS = "numbers of invoices and credit notes have no gap"
    IN_TIME = "due work is done within a minute"


PROOFS: dict[Rule, Callable[[QuerySet[Order]], Iterable[Difference]]] = {
    Rule.LEDGER: ledger_differences,
    Rule.REFUNDED: wrong_refunds,
    Rule.FEES: wrong_fees,
    Rule.BALANCED: unbalanced_postings,
    Rule.BALANCES: lambda _: wrong_balances(),
    Rule.OWED: lambda _: wrong_liabilities(),
    Rule.TENDERED: wrong_tenders,
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is not as it must be."""

    rule: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule, and how often it does not hold."""

    rule: str
    violations: int


Check = Callable[[], Iterator[Violation]]


def checks(*, placed_since: datetime | None = None) -> list[Check]:
    """Return what is asked of the database, question by question; each only reads.

    With `placed_since` older orders are not looked at.
    """
    orders = Order.objects.all()
    if placed_since is not None:
        orders = orders.filter(placed_at__gte=placed_since)
    of_orders: list[Callable[[QuerySet[Order]], Iterator[Violation]]] = [
        *(_wrong_stock, _wrong_returns, _wrong_replacements, _wrong_totals, _wrong_payments),
        *(partial(_wrong_postings, rule) for rule in PROOFS),
        _missing_invoices,
    ]
    return [
        _stock_differences,
        *(partial(check, orders) for check in of_orders),
        _wrong_uses,
        partial(_missing_numbers, placed_since),
        _documents_given_up,
        partial(_missing_document_numbers, placed_since),
    ]


def violations(
    *,
    ask_providers: bool = True,
    workers_run: bool = True,
    placed_since: datetime | None = None,
) -> Iterator[Violation]:
    """Yield everything that is wrong. With `ask_providers` payments are compared with theirs.

    With `placed_since` older orders are not looked at.

    Work in progress may look like a difference for a moment; a quiet store has none. Work that
    nobody has done is only wrong while workers run.
    Raises OutcomeUnknown when a provider does not answer.
    """
    for check in checks(placed_since=placed_since):
        yield from check()
    if workers_run:
        yield from _overdue()
    if ask_providers:
        yield from _differences_of_providers()


def ledger_violations(*, ask_providers: bool = True) -> Iterator[Violation]:
    """Yield where ledger, payments, refunds and, if asked, the providers do not agree.

    Raises OutcomeUnknown when a provider does not answer.
    """
    for rule in PROOFS:
        yield from _wrong_postings(rule, Order.objects.all())
    if ask_providers:
        yield from _differences_of_providers()


def broken_rules(*, placed_since: datetime) -> list[BrokenRule]:
    """Count what the database shows to be wrong, by rule; a rule that holds has 0.

    Work that is overdue is left out: how old it is tells more.
    """
    wrong = violations(ask_providers=False, workers_run=False, placed_since=placed_since)
    found = Counter(violation.rule for violation in wrong)
    return [BrokenRule(rule.value, found[rule]) for rule in Rule if rule != Rule.IN_TIME]


def _stock_differences() -> Iterator[Violation]:
    for difference in catalog.stock_differences():
        yield Violation(Rule.STOCK, difference.sku, str(difference))
    for missing in catalog.transfer_differences():
        yield Violation(Rule.STOCK, missing.sku, str(missing))


def _wrong_stock(orders: QuerySet[Order]) -> Iterator[Violation]:
    """What is held back for orders, asked of the catalog for a thousand of them at a time."""
    watched = orders.filter(status__in=[OrderStatus.PAID, *GIVEN_UP]).annotate(
        units=Coalesce(Sum("lines__quantity"), 0)
    )
    rows = watched.iterator(chunk_size=BATCH)
    while some := list(islice(rows, BATCH)):
        held = catalog.held_units(order_ids=[order.pk for order in some])
        for order in some:
            wanted = order.units if order.status == OrderStatus.PAID else 0
            if held.get(order.pk, 0) != wanted:
                detail = f"{order.status}: {held.get(order.pk, 0)} held, not {wanted}"
                yield Violation(Rule.HELD, str(order), detail)


def _wrong_returns(orders: QuerySet[Order]) -> Iterator[Violation]:
    """What returns put back on the shelf, asked of the catalog for a thousand orders at a time."""
    restocked = Q(returns__lines__resolution=Resolution.RESTOCK)
    sent = orders.filter(status__in=[OrderStatus.FULFILLING, OrderStatus.COMPLETED])
    watched = sent.annotate(units=Sum("returns__lines__accepted", filter=restocked, default=0))
    rows = watched.iterator(chunk_size=BATCH)
    while some := list(islice(rows, BATCH)):
        returned = catalog.returned_units(order_ids=[order.pk for order in some])
        for order in some:
            if returned.get(order.pk, 0) != order.units:
                detail = f"{returned.get(order.pk, 0)} returned, not {order.units}"
                yield Violation(Rule.RETURNED, str(order), detail)


def _wrong_totals(orders: QuerySet[Order]) -> Iterator[Violation]:
    """What the lines and the parcel have of each amount of the order, and what it says."""
    for order in orders.annotate(
        lines_items=_of_lines("total_minor"),
        lines_discount=_of_lines("discount_minor") + F("shipping_discount_minor"),
        lines_tax=_of_lines("tax_minor")
        + _of_lines("tax_included_minor")
        + F("shipping_tax_minor"),
    ).exclude(
        lines_items=F("items_minor"),
        lines_discount=F("discount_minor"),
        lines_tax=F("tax_minor") + F("tax_included_minor"),
    ):
        said = (order.items_minor, order.discount_minor, order.tax_minor + order.tax_included_minor)
        summed = (order.lines_items, order.lines_discount, order.lines_tax)
        yield Violation(Rule.TOTAL, str(order), f"{said} ≠ {summed}")


def _wrong_uses() -> Iterator[Violation]:
    """What is held against a limit, but the orders that count do not explain."""
    counting = Q(orders__given_back_at=None)
    uses = Count("orders", filter=counting)
    taken = Coalesce(Sum("orders__amount_minor", filter=counting), 0)
    limited = Promotion.objects.exclude(uses_limit=None, budget_minor=None)
    for promotion in limited.annotate(found=uses, taken=taken).exclude(
        found=F("uses"), taken=F("budget_used_minor")
    ):
        said = (promotion.uses, promotion.budget_used_minor)
        detail = f"{said} ≠ {(promotion.found, promotion.taken)}"
        yield Violation(Rule.USES, f"promotion {promotion.pk}", detail)
    coupons = Coupon.objects.exclude(uses_limit=None).annotate(found=uses)
    for coupon in coupons.exclude(found=F("uses")):
        yield Violation(Rule.USES, f"code {coupon}", f"{coupon.uses} ≠ {coupon.found}")


def _of_lines(column: str) -> Coalesce:
    return Coalesce(Sum(f"lines__{column}"), 0)


def _wrong_payments(orders: QuerySet[Order]) -> Iterator[Violation]:
    captured = Q(attempts__status=AttemptStatus.CAPTURED)
    orders = orders.annotate(
        captured_minor=Sum("attempts__amount_minor", filter=captured, default=0),
        promised_minor=Sum("attempts__refund_promised_minor", filter=captured, default=0)
        + Sum("attempts__credited_minor", filter=captured, default=0),
    )
    for order in orders.filter(status__in=PAID).exclude(
        captured_minor=F("grand_total_minor")
        + F("reduced_minor")
        - F("tendered_minor")
        - F("exchanged_minor")
    ):
        yield Violation(Rule.PAID, str(order), f"captured {order.captured_minor}")
    unpaid = orders.exclude(status__in=PAID)
    for order in unpaid.filter(captured_minor__gt=F("promised_minor")):
        detail = f"{order.status}: {order.promised_minor} of {order.captured_minor} promised"
        yield Violation(Rule.GIVEN_BACK, str(order), detail)


def _wrong_postings(rule: Rule, orders: QuerySet[Order]) -> Iterator[Violation]:
    for difference in PROOFS[rule](orders):
        yield Violation(rule, difference.subject, difference.detail)


def _wrong_replacements(orders: QuerySet[Order]) -> Iterator[Violation]:
    for order in wrong_replacements(orders):
        yield Violation(Rule.REPLACED, str(order), order.status)
    for order in orders.filter(returns__replacement__isnull=False).distinct():
        if (left := refundable_minor(order.pk)) < 0:
            yield Violation(Rule.REPLACED, str(order), f"{-left} is missing")


def _missing_numbers(placed_since: datetime | None) -> Iterator[Violation]:
    for first, last in missing_numbers(placed_since=placed_since):
        detail = "" if first == last else f"and so on to {shown(last)}"
        yield Violation(Rule.NUMBERS, shown(first), detail)


def _missing_invoices(orders: QuerySet[Order]) -> Iterator[Violation]:
    for order in orders_without_invoice(orders):
        yield Violation(Rule.INVOICED, str(order), order.status)


def _documents_given_up() -> Iterator[Violation]:
    for document in BillingDocument.objects.filter(gave_up_at__isnull=False):
        yield Violation(Rule.WRITTEN, str(document), f"given up after {document.tries} tries")


def _missing_document_numbers(issued_since: datetime | None) -> Iterator[Violation]:
    for missing in missing_document_numbers(issued_since=issued_since):
        yield Violation(Rule.DOCUMENT_NUMBERS, missing, "")


def _overdue() -> Iterator[Violation]:
    for model in (
        *(BillingDocument, PaymentAttempt, PaymentFee, Refund, ReturnPhotoWork, Shipment),
        *(StrayPayment, WebhookEvent),
    ):
        overdue = model._default_manager.filter(
            Q(lease_until=None) | Q(lease_until__lt=Now()), next_action_at__lt=Now() - OVERDUE
        )
        for row in overdue:
            yield Violation(Rule.IN_TIME, f"{model.__name__} {row.pk}", "")


def _differences_of_providers() -> Iterator[Violation]:
    for provider in PROVIDERS:
        yield from _provider_differences(provider)


def _provider_differences(provider: str) -> Iterator[Violation]:
    ours = {
        attempt.reference: attempt
        for attempt in PaymentAttempt.objects.filter(provider=provider).exclude(reference="")
    }
    given_back = dict(
        Refund.objects.filter(attempt__provider=provider, status=RefundStatus.SUCCEEDED)
        .values_list("attempt__reference")
        .annotate(Sum("amount_minor"))
    )
    oldest = PaymentAttempt.objects.filter(provider=provider).order_by("created_at").first()
    if oldest is None:
        return
    returning = set(
        StrayPayment.objects.filter(provider=provider, status=StrayStatus.OPEN).values_list(
            "reference", flat=True
        )
    )
    told = fees_told(provider)
    attempts_there: dict[str, int] = {}
    for state in gateway_for(provider).states(since=oldest.created_at):
        attempt = ours.pop(state.reference, None)
        if state.status == PaymentStatus.CAPTURED and state.attempt_id:
            attempts_there[state.attempt_id] = attempts_there.get(state.attempt_id, 0) + 1
        if attempt:
            yield from _compared(state, attempt, given_back.get(state.reference, 0))
            fee = told.get(attempt.pk)
            if fee and fee != state.fee:
                yield Violation(
                    "our fees are the provider's",
                    str(attempt.pk),
                    f"{fee} here, {state.fee} there",
                )
        elif state.attempt_id and state.reference not in returning and _kept(state):
            yield Violation("the provider's payment is ours", state.reference, "unknown here")
    for attempt in ours.values():
        yield Violation("our payment is the provider's", str(attempt.pk), "unknown there")
    for attempt_id, times in attempts_there.items():
        if times > 1:
            yield Violation("nothing is charged twice", attempt_id, f"{times} times")


def _compared(
    state: PaymentState, attempt: PaymentAttempt, given_back_minor: int
) -> Iterator[Violation]:
    captured = state.captured_minor if state.status == PaymentStatus.CAPTURED else 0
    expected = attempt.amount_minor if attempt.status == AttemptStatus.CAPTURED else 0
    if (captured, attempt.currency) != (expected, state.currency):
        yield Violation(
            "our payment is the provider's",
            str(attempt.pk),
            f"{attempt.status} here, {state.status} {captured} there",
        )
    if state.refunded_minor != given_back_minor:
        yield Violation(
            "our refunds are the provider's",
            str(attempt.pk),
            f"{given_back_minor} here, {state.refunded_minor} there",
        )


def _kept(state: PaymentState) -> bool:
    return state.status == PaymentStatus.CAPTURED and state.captured_minor > state.refunded_minor
