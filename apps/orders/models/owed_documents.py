"""Triggers that write down which invoices and credit notes are owed, whoever changes the row."""

import pgtrigger

# RFC 9562: 48 bits of milliseconds before the random ones of a version 4, then the version.
NEW_ID = """
    encode(set_bit(set_bit(overlay(
        uuid_send(gen_random_uuid()) PLACING
        substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6
    ), 52, 1), 53, 1), 'hex')::uuid
"""


def owes_an_invoice(*, name: str) -> pgtrigger.Trigger:
    """Return the trigger of orders: one that becomes paid has an invoice coming.

    What replaces goods that came back is on the invoice of those.
    """
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("status"),
        func=f"""
            IF NEW.status = 'paid' AND NEW.exchanged_minor = 0
                AND (TG_OP = 'INSERT' OR OLD.status <> 'paid')
            THEN
                INSERT INTO orders_billingdocument
                    (id, kind, order_id, status, next_action_at, tries)
                VALUES ({NEW_ID}, 'invoice', NEW.id, 'due', statement_timestamp(), 0)
                ON CONFLICT DO NOTHING;
            END IF;
            RETURN NULL;
        """,  # noqa: S608 - nothing but constants
    )


def owes_a_credit_note(*, name: str) -> pgtrigger.Trigger:
    """Return the trigger of refunds: one that has gone back of an invoice has a credit note coming.

    Money that was never for an order has no invoice, and needs none.
    """
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("status"),
        func=f"""
            IF NEW.status = 'succeeded' AND (TG_OP = 'INSERT' OR OLD.status <> 'succeeded') THEN
                INSERT INTO orders_billingdocument
                    (id, kind, order_id, refund_id, status, next_action_at, tries)
                SELECT {NEW_ID}, 'credit_note', invoice.order_id, NEW.id, 'due',
                    statement_timestamp(), 0
                FROM orders_billingdocument AS invoice
                JOIN orders_paymentattempt AS attempt ON attempt.order_id = invoice.order_id
                WHERE attempt.id = NEW.attempt_id AND invoice.kind = 'invoice'
                ON CONFLICT DO NOTHING;
            END IF;
            RETURN NULL;
        """,  # noqa: S608 - nothing but constants
    )


def owes_a_credit_note_of_value(*, name: str) -> pgtrigger.Trigger:
    """Return the trigger of movements: what an invoiced order gives back to a balance has a credit
    note coming, too. An order that ends unpaid has no invoice, and needs none.
    """
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        condition=pgtrigger.Q(new__kind__in=["give_back", "refund"], new__order__isnull=False),
        func=f"""
            INSERT INTO orders_billingdocument
                (id, kind, order_id, movement_id, status, next_action_at, tries)
            SELECT {NEW_ID}, 'credit_note', order_id, NEW.id, 'due', statement_timestamp(), 0
            FROM orders_billingdocument WHERE order_id = NEW.order_id AND kind = 'invoice'
            ON CONFLICT DO NOTHING;
            RETURN NULL;
        """,  # noqa: S608 - nothing but constants
    )
