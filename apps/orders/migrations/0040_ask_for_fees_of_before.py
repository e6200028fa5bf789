"""Read the ledger beside running sales, and ask for the fees of payments that were captured before.

Triggers ask for those of the rest. One a second at most, so that the provider is not flooded.
"""

from uuid import UUID

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, transaction

BATCH = 500
NEW_ID = """
    encode(set_bit(set_bit(overlay(
        uuid_send(gen_random_uuid()) PLACING
        substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6
    ), 52, 1), 53, 1), 'hex')::uuid
"""
FEES = f"""
    INSERT INTO orders_paymentfee (id, attempt_id, next_action_at, tries)
    SELECT {NEW_ID}, id,
        statement_timestamp() + (%(before)s + row_number() OVER (ORDER BY id)) * interval '1 second',
        0
    FROM orders_paymentattempt
    WHERE id = ANY(%(ids)s) AND status = 'captured' AND reference <> ''
    ORDER BY id ON CONFLICT DO NOTHING
"""


def ask(apps, schema_editor):
    attempts, last, before = apps.get_model("orders", "PaymentAttempt").objects, UUID(int=0), 0
    while ids := list(
        attempts.filter(id__gt=last).order_by("id").values_list("id", flat=True)[:BATCH]
    ):
        with transaction.atomic(), schema_editor.connection.cursor() as cursor:
            cursor.execute(FEES, {"ids": ids, "before": before})
            before += cursor.rowcount
        last = ids[-1]


class Migration(migrations.Migration):
    atomic = False  # no lock here keeps anybody waiting, so it may take its time

    dependencies = [("orders", "0039_fees_of_providers")]
    accepts = {"mixes operations": "What was validated, or is asked for, is so once more."}

    operations = [
        ValidateConstraint("ledgerentry", "ledger_entry_account_is_known"),
        ValidateConstraint("ledgerposting", "ledger_posting_kind_is_known"),
        migrations.RunPython(ask, migrations.RunPython.noop),
    ]
