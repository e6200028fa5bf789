"""Owe invoices and credit notes for what was paid and given back before; triggers owe the rest."""

from uuid import UUID

from django.db import migrations, transaction

BATCH = 500
PAID = ["paid", "fulfilling", "completed"]
NEW_ID = """
    encode(set_bit(set_bit(overlay(
        uuid_send(gen_random_uuid()) PLACING
        substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6
    ), 52, 1), 53, 1), 'hex')::uuid
"""
INVOICES = f"""
    INSERT INTO orders_billingdocument (id, kind, order_id, status, next_action_at, tries)
    SELECT {NEW_ID}, 'invoice', id, 'due', statement_timestamp(), 0
    FROM orders_order WHERE id = ANY(%(ids)s) AND (
        status = ANY(%(paid)s) OR EXISTS (
            SELECT FROM orders_statuschange WHERE order_id = orders_order.id AND to_status = 'paid'
        )
    )
    ORDER BY id ON CONFLICT DO NOTHING
"""
CREDIT_NOTES = f"""
    INSERT INTO orders_billingdocument
        (id, kind, order_id, refund_id, status, next_action_at, tries)
    SELECT {NEW_ID}, 'credit_note', invoice.order_id, refund.id, 'due', statement_timestamp(), 0
    FROM orders_refund AS refund
    JOIN orders_paymentattempt AS attempt ON attempt.id = refund.attempt_id
    JOIN orders_billingdocument AS invoice
        ON invoice.order_id = attempt.order_id AND invoice.kind = 'invoice'
    WHERE refund.status = 'succeeded' AND attempt.order_id = ANY(%(ids)s)
    ORDER BY refund.id ON CONFLICT DO NOTHING
"""


def owe(apps, schema_editor):
    orders, last = apps.get_model("orders", "Order").objects, UUID(int=0)
    while ids := list(
        orders.filter(id__gt=last).order_by("id").values_list("id", flat=True)[:BATCH]
    ):
        with transaction.atomic(), schema_editor.connection.cursor() as cursor:
            for statement in (INVOICES, CREDIT_NOTES):
                cursor.execute(statement, {"ids": ids, "paid": PAID})
        last = ids[-1]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0025_invoices_and_credit_notes")]

    operations = [migrations.RunPython(owe, migrations.RunPython.noop)]
