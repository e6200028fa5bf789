"""The shop's figures as metrics: orders, money, open work, stock, what is not as it must be."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from apps.catalog import interface as catalog
from apps.kernel.figures import open_events, open_mails
from apps.orders import interface as orders
from apps.users import interface as users
from ecommerce.privacy.selectors import open_requests

# No transaction of ours lasts that long, so nothing older can still appear.
SETTLED = timedelta(minutes=10)
CHECKED = timedelta(days=1)

Key = tuple[str, str, str]


class Trade:
    """Orders and carts since the store began.

    What is settled is counted once, when the process starts, and added to; each reading counts
    only the last minutes. The totals come from the database, so a restart does not reset them.
    """

    def __init__(self) -> None:
        self._settled_step = 0
        self._settled_carts: datetime | None = None
        self._orders: Counter[Key] = Counter()
        self._amounts: Counter[Key] = Counter()
        self._carts = 0

    def read(self) -> list[Metric]:
        """Return the totals up to now."""
        self._settle()
        numbers, amounts = Counter(self._orders), Counter(self._amounts)
        _add(numbers, amounts, orders.steps(after=self._settled_step))
        carts = self._carts + orders.carts_begun(since=self._settled_carts)
        return [*_orders(numbers, amounts), _counter("shop_carts", "Carts begun.", carts)]

    def _settle(self) -> None:
        step = orders.newest_settled_step(older_than=SETTLED)
        new_steps = orders.steps(after=self._settled_step, through=step)
        until = timezone.now() - SETTLED
        new_carts = orders.carts_begun(since=self._settled_carts, until=until)
        # All questions are answered; only now the answers are kept, together.
        _add(self._orders, self._amounts, new_steps)
        self._settled_step = max(step, self._settled_step)
        self._carts += new_carts
        self._settled_carts = until


def refunds() -> list[Metric]:
    """Return the refunds of every status, and what was really given back."""
    number = GaugeMetricFamily("shop_refunds", "Refunds, by status.", labels=["status"])
    money = CounterMetricFamily(
        "shop_refunded_minor", "Money given back, in minor units.", labels=["currency"]
    )
    counted: Counter[str] = Counter(dict.fromkeys(("created", "in_flight", "failed"), 0))
    given_back: Counter[str] = Counter()
    for group in orders.refunds_by_status():
        counted[group.status] += group.refunds
        if group.status == "succeeded":
            given_back[group.currency] += group.amount_minor
    for status, refunded in counted.items():
        number.add_metric([status], refunded)
    for currency, minor in given_back.items():
        money.add_metric([currency], minor)
    return [number, money]


def work() -> list[Metric]:
    """Return what waits for workers, and since when."""
    number = GaugeMetricFamily("work_open", "Rows that are not finished.", labels=["kind"])
    due = GaugeMetricFamily("work_due", "Rows that a worker should take now.", labels=["kind"])
    overdue = GaugeMetricFamily(
        "work_oldest_due_seconds", "How long the oldest has been due.", labels=["kind"]
    )
    oldest = GaugeMetricFamily(
        "work_oldest_open_seconds", "How long the oldest has been open.", labels=["kind"]
    )
    kinds = (
        *(*orders.open_work(), *catalog.open_work(), *users.open_work()),
        *(*open_requests(), open_mails()),
    )
    for rows in kinds:
        number.add_metric([rows.kind], rows.open)
        due.add_metric([rows.kind], rows.due)
        overdue.add_metric([rows.kind], rows.oldest_due)
        oldest.add_metric([rows.kind], rows.oldest)
    payments = GaugeMetricFamily(
        "payments_open", "Payments that are not finished, by status.", labels=["status"]
    )
    waiting = GaugeMetricFamily(
        "payments_oldest_open_seconds", "How long the oldest has been open.", labels=["status"]
    )
    for group in orders.open_payments():
        payments.add_metric([group.status], group.payments)
        waiting.add_metric([group.status], group.oldest)
    events = open_events()
    return [
        *(number, due, overdue, oldest, payments, waiting),
        _gauge("outbox_open_events", "Events not delivered to all subscribers.", events.events),
        _gauge("outbox_oldest_open_seconds", "How long the oldest is open.", events.oldest),
        _gauge("outbox_most_tries", "Tries of the most stubborn open event.", events.most_tries),
    ]


def stock() -> list[Metric]:
    """Return how much there is of what is for sale."""
    figures = catalog.stock_figures()
    variants = GaugeMetricFamily(
        "stock_variants", "Variants for sale, by what is left.", labels=["availability"]
    )
    plenty = figures.variants - figures.sold_out - figures.low
    variants.add_metric(["in_stock"], plenty)
    variants.add_metric(["low_stock"], figures.low)
    variants.add_metric(["out_of_stock"], figures.sold_out)
    return [
        variants,
        _gauge("stock_on_hand_units", "Pieces that lie there.", figures.on_hand),
        _gauge("stock_reserved_units", "Pieces that unpaid orders hold back.", figures.reserved),
        _gauge("stock_allocated_units", "Pieces that paid orders wait for.", figures.allocated),
    ]


def invariants() -> list[Metric]:
    """Return how often each rule is broken, among the orders of the last day."""
    metric = GaugeMetricFamily(
        "invariant_violations", "What is not as it must be.", labels=["rule"]
    )
    for broken in orders.broken_rules(placed_since=timezone.now() - CHECKED):
        metric.add_metric([broken.rule], broken.violations)
    return [metric]


def _add(numbers: Counter[Key], amounts: Counter[Key], steps: Iterable[orders.Steps]) -> None:
    for group in steps:
        key = (group.from_status, group.to_status, group.currency)
        numbers[key] += group.orders
        amounts[key] += group.amount_minor


def _orders(numbers: Counter[Key], amounts: Counter[Key]) -> list[Metric]:
    moved = CounterMetricFamily(
        "shop_orders", "Orders that have ever reached a status.", labels=["status"]
    )
    now = GaugeMetricFamily("shop_orders_now", "Orders that are in a status.", labels=["status"])
    value = CounterMetricFamily(
        "shop_order_value_minor",
        "What the orders that have ever reached a status amount to, in minor units.",
        labels=["status", "currency"],
    )
    reached: Counter[str] = Counter(dict.fromkeys(("pending_payment", "paid", "cancelled"), 0))
    present: Counter[str] = Counter()
    values: Counter[tuple[str, str]] = Counter()
    for (before, after, currency), number in numbers.items():
        reached[after] += number
        present[after] += number
        present[before] -= number
        values[after, currency] += amounts[before, after, currency]
    present.pop("", None)  # where orders come from
    for status, number in reached.items():
        moved.add_metric([status], number)
        now.add_metric([status], present[status])
    for labels, minor in values.items():
        value.add_metric(labels, minor)
    return [moved, now, value]


def _gauge(name: str, text: str, number: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=number)


def _counter(name: str, text: str, number: float) -> CounterMetricFamily:
    return CounterMetricFamily(name, text, value=number)
