"""Credit notes of what goes back to balances; documents that a worker has given up."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0036_return_photos'),
    ]

    accepts = {
        "tightens orders_billingdocument": "The release before writes what is allowed, but for the "
        "credit note of a movement, which it does not know: it shall leave that to this one.",
        "triggers orders_billingdocument": "It guards one more column.",
        "triggers orders_valuemovement": "It adds a row elsewhere and refuses nothing.",
    }

    operations = [
        migrations.AlterModelOptions(
            name='billingdocument',
            options={'default_permissions': ('view',), 'permissions': [('retry_billingdocument', 'Can let documents be written again')]},
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='billingdocument',
            name='billing_document_says_the_same',
        ),
        migrations.RemoveConstraint(
            model_name='billingdocument',
            name='billing_document_of_a_refund_is_a_credit_note',
        ),
        migrations.RemoveConstraint(
            model_name='billingdocument',
            name='billing_document_open_means_due',
        ),
        migrations.AddField(
            model_name='billingdocument',
            name='gave_up_at',
            field=models.DateTimeField(blank=True, help_text='It could not be written; staff let it be tried again.', null=True),
        ),
        migrations.AddField(
            model_name='billingdocument',
            name='movement',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.valuemovement'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='billingdocument',
            trigger=pgtrigger.compiler.Trigger(name='billing_document_says_the_same', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."status" IS DISTINCT FROM \'due\')', func="\n                    IF (NEW.kind, NEW.order_id, NEW.refund_id, NEW.movement_id, NEW.number,\n                        NEW.issued_at, NEW.total_minor, NEW.currency) IS DISTINCT FROM\n                        (OLD.kind, OLD.order_id, OLD.refund_id, OLD.movement_id, OLD.number,\n                        OLD.issued_at, OLD.total_minor, OLD.currency)\n                        OR (NEW.content IS DISTINCT FROM OLD.content AND NEW.status <> 'forgotten')\n                    THEN\n                        RAISE EXCEPTION USING ERRCODE = 'check_violation',\n                            CONSTRAINT = 'billing_document_says_the_same',\n                            MESSAGE = 'An invoice or credit note is never changed.';\n                    END IF;\n                    RETURN NEW;\n                ", hash='9c90f74d5235939baa5f8ea4e295f275f729a2d1', operation='UPDATE', pgid='pgtrigger_billing_document_says_the_same_1a002', table='orders_billingdocument', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='valuemovement',
            trigger=pgtrigger.compiler.Trigger(name='value_given_back_owes_a_credit_note', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."kind" IN (\'give_back\', \'refund\') AND NEW."order_id" IS NOT NULL)', func="\n            INSERT INTO orders_billingdocument\n                (id, kind, order_id, movement_id, status, next_action_at, tries)\n            SELECT \n    encode(set_bit(set_bit(overlay(\n        uuid_send(gen_random_uuid()) PLACING\n        substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)\n        FROM 1 FOR 6\n    ), 52, 1), 53, 1), 'hex')::uuid\n, 'credit_note', order_id, NEW.id, 'due', statement_timestamp(), 0\n            FROM orders_billingdocument WHERE order_id = NEW.order_id AND kind = 'invoice'\n            ON CONFLICT DO NOTHING;\n            RETURN NULL;\n        ", hash='8c2aeb0da914777d1f4a705efece308d1971c82a', operation='INSERT', pgid='pgtrigger_value_given_back_owes_a_credit_note_4f37a', table='orders_valuemovement', when='AFTER')),
        ),
        AddConstraintNotValid(
            model_name='billingdocument',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'invoice'), ('movement', None), ('refund', None)), models.Q(('kind', 'credit_note'), ('movement', None), ('refund__isnull', False)), models.Q(('kind', 'credit_note'), ('movement__isnull', False), ('refund', None)), _connector='OR'), name='billing_document_of_what_went_back_is_a_credit_note'),
        ),
        AddConstraintNotValid(
            model_name='billingdocument',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'invoice'), ('content__isnull', True), ('content__has_key', 'invoice'), _connector='OR'), name='billing_document_credit_note_names_its_invoice'),
        ),
        AddConstraintNotValid(
            model_name='billingdocument',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('gave_up_at', None), ('next_action_at__isnull', False)), models.Q(('gave_up_at', None), ('status__in', ['stored', 'forgotten'])), models.Q(('gave_up_at__isnull', False), ('next_action_at', None), ('status__in', ['due', 'issued'])), _connector='OR'), name='billing_document_open_is_due_or_given_up'),
        ),
    ]
