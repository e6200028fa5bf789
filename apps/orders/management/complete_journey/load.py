"""The whole load: catalog first, then baskets, each row accounted for."""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import reset_queries

from apps.catalog import interface as catalog
from apps.orders.management.complete_journey.accounts import Account, write_summary
from apps.orders.management.complete_journey.baskets import Accounts, replay
from apps.orders.management.complete_journey.companions import learn
from apps.orders.management.complete_journey.products import Market, read_market, records
from apps.orders.management.complete_journey.progress import Progress
from apps.orders.management.complete_journey.purchases import Advance, product_ids, rows_in
from apps.orders.management.complete_journey.source import Source

ShowProgress = Callable[[str, int], Progress]


def load(
    source: Source,
    *,
    baskets: int,
    recommendations: bool,
    report: Path,
    show_progress: ShowProgress,
) -> dict[str, Any]:
    """Load all products and replay so many baskets; return the summary that was written.

    With `recommendations` the products learn from all receipts what is bought together.

    What is there already stays as it is. Raises DataMissing, RowsDoNotAddUp.
    """
    began = time.monotonic()
    run = _Run(source, product_ids(source.products), report, show_progress)
    run.load_products()
    if baskets:
        run.replay_baskets(baskets)
    if recommendations:
        run.learn_companions()
    run.summary["seconds"] = round(time.monotonic() - began, 1)
    run.summary["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    write_summary(report, run.summary)
    return run.summary


@dataclass
class _Run:
    source: Source
    known: Any
    report: Path
    show_progress: ShowProgress
    summary: dict[str, Any] = field(default_factory=dict)

    def load_products(self) -> None:
        market = self._read_market()
        with (
            self._account("products", "product") as found,
            self._account("publication", "product_id") as published,
        ):
            done = self._import(market, found, published)
            found.take("created", rows=len(done.created))
            found.take("kept", rows=len(done.kept))
            for refused in done.refused:
                found.leave_out(refused.reason, refused.external_ref)

    def replay_baskets(self, count: int) -> None:
        with (
            self._account("baskets", "basket_id") as baskets,
            self._account("basket_lines", "row", "basket_id", "product_id", "quantity") as lines,
            self._progress("Replaying baskets", count) as advance,
        ):
            replay(self.source.transactions, self.known, count, Accounts(baskets, lines), advance)

    def learn_companions(self) -> None:
        rows = rows_in(self.source.transactions)
        with self._progress("Learning from receipts", rows) as advance:
            self.summary["pairs"] = learn(self.source, advance).written

    def _read_market(self) -> Market:
        table = self.source.transactions
        with (
            self._account(
                "purchases", "row", "basket_id", "product_id", "quantity", "sales_value"
            ) as account,
            self._progress("Reading receipts ", rows_in(table)) as advance,
        ):
            return read_market(table, self.known, account, advance)

    def _import(self, market: Market, found: Account, published: Account) -> catalog.ImportReport:
        table = self.source.products
        with self._progress("Loading products ", rows_in(table)) as advance:

            def step(rows: int) -> None:
                advance(rows)
                # With DEBUG on, Django remembers every statement, and these are long.
                reset_queries()

            return catalog.import_products(
                records=records(table, market, found=found, published=published, advance=step)
            )

    @contextmanager
    def _progress(self, label: str, total: int) -> Iterator[Advance]:
        progress = self.show_progress(label, total)
        try:
            yield progress.advance
        finally:
            progress.finish()

    @contextmanager
    def _account(self, name: str, *identity: str) -> Iterator[Account]:
        with Account(self.report, name, identity) as account:
            yield account
        self.summary[name] = account.numbers()
