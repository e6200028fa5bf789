"""Holding a promotion against orders of the past. Nothing but the simulation itself is written."""

import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from apps.kernel.audit import record
from apps.kernel.errors import Invalid, NotFound
from apps.kernel.work import claim, due_after_failure
from apps.orders import pricing
from apps.orders.models import Promotion, PromotionSimulation
from apps.orders.selectors.past_baskets import PastBasket, past_baskets
from apps.orders.selectors.promotions import promotion_of, rule_of

log = logging.getLogger(__name__)

ORDERS_A_BATCH = 200
SECONDS_A_TURN = 0.5
LEASE = timedelta(minutes=1)  # longer than a turn and a batch take
MOST_TRIES = 8

State = PromotionSimulation.State


class UnknownSimulation(NotFound):
    """The promotion has no such simulation."""

    code = "unknown_simulation"


class EmptyPeriod(Invalid):
    """A period begins before it ends, and in the past."""

    code = "empty_period"


@transaction.atomic
def start_simulation(
    *,
    promotion_id: UUID,
    placed_from: datetime,
    placed_until: datetime,
    most_orders: int | None = None,
) -> PromotionSimulation:
    """Promise to hold the promotion against the orders placed in that time; a worker does.

    What is placed after now is not in it. Raises UnknownPromotion, EmptyPeriod.
    """
    promotion = promotion_of(promotion_id=promotion_id)
    placed_until = min(placed_until, timezone.now())
    if placed_from >= placed_until:
        raise EmptyPeriod("The period begins before it ends, and in the past.")
    period = {"placed_from": placed_from, "placed_until": placed_until, "most_orders": most_orders}
    simulation = PromotionSimulation.objects.create(
        promotion=promotion,
        promotion_version=promotion.version,
        next_action_at=timezone.now(),
        **period,
    )
    after = {"promotion_id": promotion_id, **period}
    record("orders.promotion_simulated", about=simulation.pk, after=after)
    simulation.refresh_from_db()
    return simulation


def simulation_of(*, promotion_id: UUID, simulation_id: UUID) -> PromotionSimulation:
    """Return a simulation. Raises UnknownSimulation."""
    found = PromotionSimulation.objects.filter(pk=simulation_id, promotion=promotion_id).first()
    if found is None:
        raise UnknownSimulation("There is no such simulation.")
    return found


def advance_simulation() -> bool:
    """Take the simulation that is due longest a turn further. Returns False when none is due.

    Each batch commits with its figures: who goes on after a crash counts nothing twice.
    """
    simulation = claim(PromotionSimulation, lease=LEASE)
    if simulation is None:
        return False
    until = time.monotonic() + SECONDS_A_TURN
    try:
        while _take_batch(simulation) and time.monotonic() < until:
            pass
    except Exception:  # the database is away, say; another turn goes on from here
        log.exception("A simulation failed.", extra={"reference": simulation.pk})
        if simulation.tries < MOST_TRIES:
            due_after_failure(simulation)
        else:
            simulation.refresh_from_db()
            _save(simulation, state=State.STOPPED, stopped_because="failed")
    else:
        running = PromotionSimulation.objects.filter(pk=simulation.pk, state=State.RUNNING)
        running.update(lease_until=None, tries=0, next_action_at=Now())
    return True


def _take_batch(simulation: PromotionSimulation) -> bool:
    """Count the next orders in. Returns whether there may be more."""
    promotion = Promotion.objects.get(pk=simulation.promotion_id)
    if promotion.version != simulation.promotion_version:
        _save(simulation, state=State.STOPPED, stopped_because="promotion_changed")
        return False
    seen, most = simulation.orders_seen, simulation.most_orders
    limit = ORDERS_A_BATCH if most is None else min(ORDERS_A_BATCH, most - seen)
    at, last = simulation.after_at, simulation.after_id
    batch = past_baskets(
        placed_from=simulation.placed_from,
        placed_until=simulation.placed_until,
        after=(at, last) if at and last else None,
        currency=promotion.currency,
        limit=limit,
    )
    _count(simulation, promotion, batch)
    more = len(batch) == limit and simulation.orders_seen != most
    return _save(simulation, state=State.RUNNING if more else State.COMPLETED, seen=seen) and more


def _count(
    simulation: PromotionSimulation, promotion: Promotion, batch: Iterable[PastBasket]
) -> None:
    rule = replace(rule_of(promotion), starts_at=None, ends_at=None, uses_per_customer=None)
    for past in batch:
        basket = _without(promotion.pk, past.basket)
        effect = pricing.effect_of(_as_left(rule, promotion, simulation), basket)
        simulation.orders_seen += 1
        simulation.orders_affected += effect.discount > 0
        simulation.orders_incomplete += not past.complete
        unchanged = basket is past.basket
        simulation.orders_differing += unchanged and effect.discount_before != past.discount
        _add_up(
            simulation.amounts,
            effect.currency,
            discount=effect.discount,
            before=effect.before,
            after=effect.after,
        )
        for other in effect.displaced:
            _add_up(simulation.conflicts, str(other), displaced=1, keeps_out=0)
        for other in effect.kept_out_by:
            _add_up(simulation.conflicts, str(other), displaced=0, keeps_out=1)
        simulation.after_at, simulation.after_id = past.placed_at, past.order_id


def _as_left(
    rule: pricing.Promotion, promotion: Promotion, simulation: PromotionSimulation
) -> pricing.Promotion:
    """Return the rule with what the orders before have left of its limits."""
    spent = simulation.amounts.get(promotion.currency, {}).get("discount", 0)
    budget, uses = promotion.budget_minor, promotion.uses_limit
    return replace(
        rule,
        budget_left=None if budget is None else budget - spent,
        uses_left=None if uses is None else uses - simulation.orders_affected,
    )


def _without(promotion_id: UUID, basket: pricing.Basket) -> pricing.Basket:
    if all(each.id != promotion_id for each in basket.promotions):
        return basket
    return replace(
        basket,
        promotions=tuple(each for each in basket.promotions if each.id != promotion_id),
        coupons=tuple(each for each in basket.coupons if each.promotion_id != promotion_id),
    )


def _add_up(table: dict[str, dict[str, int]], key: str, **amounts: int) -> None:
    row = table.setdefault(key, dict.fromkeys(amounts, 0))
    for name, amount in amounts.items():
        row[name] += amount


def _save(
    simulation: PromotionSimulation,
    *,
    state: State,
    stopped_because: str = "",
    seen: int | None = None,
) -> bool:
    """Write how far it has come. Returns False when somebody else has gone on meanwhile."""
    before = simulation.orders_seen if seen is None else seen
    columns = (
        *("after_at", "after_id", "amounts", "conflicts"),
        *("orders_seen", "orders_affected", "orders_incomplete", "orders_differing"),
    )
    values: dict[str, Any] = {name: getattr(simulation, name) for name in columns}
    if state != State.RUNNING:
        values |= {"next_action_at": None, "lease_until": None, "finished_at": Now()}
    held = PromotionSimulation.objects.filter(
        pk=simulation.pk, state=State.RUNNING, orders_seen=before
    )
    return bool(held.update(state=state, stopped_because=stopped_because, **values))
