"""Owe credit notes for what went back to balances before; a trigger owes the rest."""

from uuid import UUID

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models, transaction

BATCH = 500
NEW_ID = """
    encode(set_bit(set_bit(overlay(
        uuid_send(gen_random_uuid()) PLACING
        substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6
    ), 52, 1), 53, 1), 'hex')::uuid
"""
# What was given back because of the order or of its payments was of an order that was not paid.
CREDIT_NOTES = f"""
    INSERT INTO orders_billingdocument
        (id, kind, order_id, movement_id, status, next_action_at, tries)
    SELECT {NEW_ID}, 'credit_note', invoice.order_id, movement.id, 'due', statement_timestamp(), 0
    FROM orders_valuemovement AS movement
    JOIN orders_billingdocument AS invoice
        ON invoice.order_id = movement.order_id AND invoice.kind = 'invoice'
    WHERE movement.id = ANY(%(ids)s)
        AND movement.source_id <> movement.order_id
        AND NOT EXISTS (
            SELECT FROM orders_paymentattempt WHERE id = movement.source_id
        )
        AND NOT EXISTS (
            SELECT FROM orders_billingdocument AS said WHERE said.movement_id = movement.id
        )
    ORDER BY movement.id
"""


def owe(apps, schema_editor):
    movements, last = apps.get_model("orders", "ValueMovement").objects, UUID(int=0)
    back = movements.filter(kind__in=["give_back", "refund"]).order_by("id")
    while ids := list(back.filter(id__gt=last).values_list("id", flat=True)[:BATCH]):
        with transaction.atomic(), schema_editor.connection.cursor() as cursor:
            cursor.execute(CREDIT_NOTES, {"ids": ids})
        last = ids[-1]


class Migration(migrations.Migration):
    atomic = False  # no lock here keeps anybody waiting, so it may take its time
    dependencies = [("orders", "0037_credit_notes_of_stored_value")]
    accepts = {
        "mixes operations": "All but the last can be done again, and the last is one step.",
        "tightens orders_billingdocument": "Only the trigger writes such rows, one a movement.",
    }

    operations = [
        ValidateConstraint(
            "billingdocument", "billing_document_of_what_went_back_is_a_credit_note"
        ),
        ValidateConstraint("billingdocument", "billing_document_credit_note_names_its_invoice"),
        ValidateConstraint("billingdocument", "billing_document_open_is_due_or_given_up"),
        migrations.RunPython(owe, migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    sql="""
                    CREATE INDEX CONCURRENTLY IF NOT EXISTS billing_document_given_up
                    ON orders_billingdocument (gave_up_at) WHERE gave_up_at IS NOT NULL
                    """,
                    reverse_sql="DROP INDEX CONCURRENTLY billing_document_given_up",
                ),
            ],
            state_operations=[
                migrations.AddIndex(
                    model_name="billingdocument",
                    index=models.Index(
                        condition=models.Q(("gave_up_at__isnull", False)),
                        fields=["gave_up_at"],
                        name="billing_document_given_up",
                    ),
                ),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    sql="""
                    CREATE UNIQUE INDEX CONCURRENTLY billing_document_one_credit_note_a_movement
                    ON orders_billingdocument (movement_id) WHERE movement_id IS NOT NULL
                    """,
                    reverse_sql="DROP INDEX CONCURRENTLY "
                    "billing_document_one_credit_note_a_movement",
                ),
            ],
            state_operations=[
                migrations.AddConstraint(
                    model_name="billingdocument",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("movement__isnull", False)),
                        fields=("movement",),
                        name="billing_document_one_credit_note_a_movement",
                    ),
                ),
            ],
        ),
    ]
