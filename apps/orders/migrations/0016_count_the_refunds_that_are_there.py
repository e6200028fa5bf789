"""Count the refunds that are there; what is written meanwhile the triggers count themselves."""

from uuid import UUID

from django.db import migrations, transaction

BATCH = 500


def count(apps, schema_editor):
    refunds, last = apps.get_model("orders", "Refund").objects, UUID(int=0)
    while ids := list(
        refunds.filter(attempt_id__gt=last)
        .order_by("attempt_id")
        .values_list("attempt_id", flat=True)
        .distinct()[:BATCH]
    ):
        with transaction.atomic(), schema_editor.connection.cursor() as cursor:
            # Whoever adds a refund waits here, so the sum below is of all that are committed.
            cursor.execute(
                "SELECT FROM orders_paymentattempt WHERE id = ANY(%s) ORDER BY id"
                " FOR NO KEY UPDATE",
                [ids],
            )
            cursor.execute(
                """
                UPDATE orders_paymentattempt SET refund_promised_minor = counted.minor
                FROM (
                    SELECT attempt_id, sum(amount_minor) AS minor FROM orders_refund
                    WHERE attempt_id = ANY(%s) AND status <> 'failed' GROUP BY attempt_id
                ) AS counted
                WHERE id = counted.attempt_id
                """,
                [ids],
            )
        last = ids[-1]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0015_money_ledger_and_refunds_of_parts")]

    operations = [migrations.RunPython(count, migrations.RunPython.noop)]
