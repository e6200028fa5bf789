"""Guards in the database that no admin, shell or new code can step around."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

import pgtrigger
from django.db.models import CheckConstraint, Q

Status = TypeVar("Status", bound=StrEnum)


def life(follows: Mapping[Status, Iterable[Status]], *, name: str) -> pgtrigger.FSM:
    """Return the trigger that refuses every change of `status` that the table does not have."""
    return pgtrigger.FSM(
        name=name,
        field="status",
        transitions=sorted((str(a), str(b)) for a, after in follows.items() for b in after),
    )


def known_status(statuses: type[StrEnum], *, name: str) -> CheckConstraint:
    """Return the constraint that `status` is one of them."""
    return CheckConstraint(condition=Q(status__in=[str(s) for s in statuses]), name=name)


def taxes_add_up(*, name: str) -> pgtrigger.Trigger:
    """Return the trigger that holds the amounts of `taxes` against the tax that the row says."""
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("taxes", "tax_minor", "tax_included_minor"),
        func=f"""
        IF NEW.tax_minor + NEW.tax_included_minor <> (
            SELECT coalesce(sum((tax->>'amount')::bigint), 0)
            FROM jsonb_array_elements(NEW.taxes) AS tax
        ) THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = '{name}',
                MESSAGE = 'The taxes do not add up to the tax.';
        END IF;
        RETURN NEW;
        """,  # noqa: S608 - the name comes from the models
    )


def lets_units_go(*, name: str) -> pgtrigger.Trigger:
    """Return the trigger of orders: what is not unpaid any more holds nothing without a payment."""
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("status"),
        condition=pgtrigger.Q(old__status="pending_payment", new__status__df="pending_payment"),
        func="DELETE FROM orders_heldunits WHERE order_id = NEW.id; RETURN NULL;",
    )


def unchanged(*, name: str, apart_from: Sequence[str]) -> pgtrigger.Protect:
    """Return the trigger that refuses to change any column but these."""
    return pgtrigger.Protect(
        name=name,
        operation=pgtrigger.Update,
        condition=pgtrigger.AnyChange(exclude=list(apart_from)),
    )


def append_only(*, name: str) -> pgtrigger.Protect:
    """Return the trigger that refuses to change or delete a row once it is written."""
    return pgtrigger.Protect(name=name, operation=pgtrigger.Update | pgtrigger.Delete)


def counted_refund(
    operation: pgtrigger.Operation, *, name: str, condition: pgtrigger.Condition | None = None
) -> pgtrigger.Trigger:
    """Return the trigger that keeps a payment's `refund_promised_minor` the sum of its refunds.

    Those that have failed do not count. It locks the payment first, so that parallel refunds are
    added up one after the other.
    """
    return pgtrigger.Trigger(
        name=name,
        operation=operation,
        when=pgtrigger.After,
        condition=condition,
        declare=[("_attempt_id", "UUID")],
        func="""
            FOREACH _attempt_id IN ARRAY CASE TG_OP
                WHEN 'INSERT' THEN ARRAY[NEW.attempt_id]
                WHEN 'DELETE' THEN ARRAY[OLD.attempt_id]
                ELSE ARRAY[LEAST(OLD.attempt_id, NEW.attempt_id),
                           GREATEST(OLD.attempt_id, NEW.attempt_id)]
            END LOOP
                PERFORM FROM orders_paymentattempt WHERE id = _attempt_id FOR NO KEY UPDATE;
                UPDATE orders_paymentattempt SET refund_promised_minor = (
                    SELECT COALESCE(sum(amount_minor), 0) FROM orders_refund
                    WHERE attempt_id = _attempt_id AND status <> 'failed'
                ) WHERE id = _attempt_id;
            END LOOP;
            RETURN NULL;
        """,
    )


def counted_return(
    operation: pgtrigger.Operation,
    *,
    name: str,
    lines: str,
    condition: pgtrigger.Condition | None = None,
) -> pgtrigger.Trigger:
    """Return the trigger that keeps `returning_quantity` of the order lines that `lines` selects.

    It is the sum of what returns want to bring back, and of what was accepted once somebody has
    looked; returns that were rejected or cancelled do not count. It locks the lines first, so that
    parallel returns are added up one after the other.
    """
    return pgtrigger.Trigger(
        name=name,
        operation=operation,
        when=pgtrigger.After,
        condition=condition,
        declare=[("_line_id", "UUID")],
        func=f"""
            FOR _line_id IN {lines} LOOP
                PERFORM FROM orders_orderline WHERE id = _line_id FOR NO KEY UPDATE;
                UPDATE orders_orderline SET returning_quantity = (
                    SELECT COALESCE(sum(COALESCE(l.accepted, l.quantity)), 0)
                    FROM orders_returnline l JOIN orders_return r ON r.id = l.parent_id
                    WHERE l.order_line_id = _line_id
                        AND r.status NOT IN ('rejected', 'cancelled')
                ) WHERE id = _line_id;
            END LOOP;
            RETURN NULL;
        """,  # noqa: S608 - the selection comes from the models
    )


def of_one_order(*, name: str) -> pgtrigger.Trigger:
    """Return the trigger that refuses a returned line of another order than the return's."""
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("parent_id", "order_line_id"),
        func=f"""
        IF NOT EXISTS (
            SELECT FROM orders_return r JOIN orders_orderline l ON l.order_id = r.order_id
            WHERE r.id = NEW.parent_id AND l.id = NEW.order_line_id
        ) THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = '{name}',
                MESSAGE = 'The line is of another order.';
        END IF;
        RETURN NEW;
        """,
    )
