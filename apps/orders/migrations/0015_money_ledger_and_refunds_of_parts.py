"""The money ledger: two new tables. Refunds of parts: a column that triggers count."""

import apps.kernel.ids
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0014_order_taxes'),
    ]
    accepts = {
        "tightens orders_paymentattempt": "The release before writes one refund a payment, of all "
        "that was captured.",
        "triggers orders_refund": "They count in a column that the release before does not know.",
    }

    operations = [
        migrations.CreateModel(
            name='LedgerPosting',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('authorisation', 'Authorisation'), ('void', 'Void'), ('capture', 'Capture'), ('refund_promise', 'refund promised'), ('refund', 'Refund'), ('refund_failure', 'refund failed')], max_length=20)),
                ('source_id', models.UUIDField(help_text='The payment attempt, refund or stray payment.')),
                ('at', models.DateTimeField(help_text='When it happened; the id begins with it, too.')),
            ],
            options={
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('account', models.CharField(choices=[('stripe', 'money at Stripe'), ('authorised', 'set aside for us on cards (memorandum)'), ('authorisations', 'the other side of it (memorandum)'), ('unapplied', 'received, and for nothing that is sold'), ('refunds_payable', 'promised back, and not yet sent'), ('tax', 'tax to be paid over'), ('sales', 'goods at the prices before discounts'), ('discounts', 'discounts granted'), ('shipping', 'shipping charged'), ('refunds', 'given back of goods and shipping')], max_length=20)),
                ('amount_minor', models.BigIntegerField(help_text='Positive: debit; negative: credit.')),
                ('currency', models.CharField(max_length=3)),
                ('order', models.ForeignKey(db_index=False, help_text='Empty for money of an order that a restored database has forgotten.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ledger_entries', to='orders.order')),
                ('posting', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='orders.ledgerposting')),
            ],
            options={
                'verbose_name_plural': 'ledger entries',
                'default_permissions': ('view',),
            },
        ),
        migrations.RemoveConstraint(
            model_name='refund',
            name='refund_once_an_attempt',
        ),
        migrations.AddField(
            model_name='paymentattempt',
            name='refund_promised_minor',
            field=models.BigIntegerField(db_default=0, default=0, editable=False, help_text='The sum of its refunds that have not failed; a trigger counts.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refund',
            trigger=pgtrigger.compiler.Trigger(name='refund_counts_against_its_payment', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _attempt_id UUID;', func="\n            FOREACH _attempt_id IN ARRAY CASE TG_OP\n                WHEN 'INSERT' THEN ARRAY[NEW.attempt_id]\n                WHEN 'DELETE' THEN ARRAY[OLD.attempt_id]\n                ELSE ARRAY[LEAST(OLD.attempt_id, NEW.attempt_id),\n                           GREATEST(OLD.attempt_id, NEW.attempt_id)]\n            END LOOP\n                PERFORM FROM orders_paymentattempt WHERE id = _attempt_id FOR NO KEY UPDATE;\n                UPDATE orders_paymentattempt SET refund_promised_minor = (\n                    SELECT COALESCE(sum(amount_minor), 0) FROM orders_refund\n                    WHERE attempt_id = _attempt_id AND status <> 'failed'\n                ) WHERE id = _attempt_id;\n            END LOOP;\n            RETURN NULL;\n        ", hash='14518c9315791689e27f97a5a10793ebbc2b4bf4', operation='INSERT OR DELETE', pgid='pgtrigger_refund_counts_against_its_payment_57c87', table='orders_refund', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='refund',
            trigger=pgtrigger.compiler.Trigger(name='refund_counts_while_it_has_not_failed', sql=pgtrigger.compiler.UpsertTriggerSql(condition="WHEN ((OLD.status = 'failed') <> (NEW.status = 'failed') OR OLD.amount_minor <> NEW.amount_minor OR OLD.attempt_id <> NEW.attempt_id)", declare='DECLARE _attempt_id UUID;', func="\n            FOREACH _attempt_id IN ARRAY CASE TG_OP\n                WHEN 'INSERT' THEN ARRAY[NEW.attempt_id]\n                WHEN 'DELETE' THEN ARRAY[OLD.attempt_id]\n                ELSE ARRAY[LEAST(OLD.attempt_id, NEW.attempt_id),\n                           GREATEST(OLD.attempt_id, NEW.attempt_id)]\n            END LOOP\n                PERFORM FROM orders_paymentattempt WHERE id = _attempt_id FOR NO KEY UPDATE;\n                UPDATE orders_paymentattempt SET refund_promised_minor = (\n                    SELECT COALESCE(sum(amount_minor), 0) FROM orders_refund\n                    WHERE attempt_id = _attempt_id AND status <> 'failed'\n                ) WHERE id = _attempt_id;\n            END LOOP;\n            RETURN NULL;\n        ", hash='f1a6eca15a2de8d70b24fc6776bc1f541c150e1d', operation='UPDATE', pgid='pgtrigger_refund_counts_while_it_has_not_failed_8ae5e', table='orders_refund', when='AFTER')),
        ),
        AddConstraintNotValid(
            model_name='paymentattempt',
            constraint=models.CheckConstraint(condition=models.Q(('refund_promised_minor', 0), models.Q(('refund_promised_minor__gt', 0), ('refund_promised_minor__lte', models.F('amount_minor')), ('status', 'captured')), _connector='OR'), name='attempt_refunds_are_at_most_what_was_captured'),
        ),
        migrations.AddConstraint(
            model_name='ledgerposting',
            constraint=models.UniqueConstraint(fields=('source_id', 'kind'), name='ledger_posting_happens_once'),
        ),
        migrations.AddConstraint(
            model_name='ledgerposting',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['authorisation', 'void', 'capture', 'refund_promise', 'refund', 'refund_failure'])), name='ledger_posting_kind_is_known'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgerposting',
            trigger=pgtrigger.compiler.Trigger(name='ledger_posting_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='a8093d4d5ed2395df70e4570eb70e355b518efac', operation='UPDATE OR DELETE', pgid='pgtrigger_ledger_posting_stays_f76ec', table='orders_ledgerposting', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgerposting',
            trigger=pgtrigger.compiler.Trigger(name='ledger_posting_is_in_balance', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\n    IF (SELECT count(*) FROM orders_ledgerentry WHERE posting_id = NEW.id) < 2\n        OR EXISTS (\n            SELECT FROM orders_ledgerentry WHERE posting_id = NEW.id\n            GROUP BY currency HAVING sum(amount_minor) <> 0\n        )\n    THEN\n        RAISE EXCEPTION 'ledger_posting_is_in_balance: posting %', NEW.id\n            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_posting_is_in_balance';\n    END IF;\n    RETURN NULL;\n", hash='fec9cdbb95dbff2bf99dc7b0d395513ef83a3a50', operation='INSERT', pgid='pgtrigger_ledger_posting_is_in_balance_46f42', table='orders_ledgerposting', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='ledgerentry',
            index=models.Index(fields=['order', 'account'], name='ledger_entry_of_order'),
        ),
        migrations.AddIndex(
            model_name='ledgerentry',
            index=models.Index(fields=['account', 'id'], name='ledger_entry_of_account'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.UniqueConstraint(fields=('posting', 'account', 'currency'), name='ledger_entry_once_an_account'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('account__in', ['stripe', 'authorised', 'authorisations', 'unapplied', 'refunds_payable', 'tax', 'sales', 'discounts', 'shipping', 'refunds'])), name='ledger_entry_account_is_known'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor', 0), _negated=True), name='ledger_entry_is_not_nothing'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgerentry',
            trigger=pgtrigger.compiler.Trigger(name='ledger_entry_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='2aea9dbf90e792e05e3e0117e797e779ff5aaf98', operation='UPDATE OR DELETE', pgid='pgtrigger_ledger_entry_stays_fed8f', table='orders_ledgerentry', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgerentry',
            trigger=pgtrigger.compiler.Trigger(name='ledger_entry_keeps_the_balance', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\n    IF (SELECT count(*) FROM orders_ledgerentry WHERE posting_id = NEW.posting_id) < 2\n        OR EXISTS (\n            SELECT FROM orders_ledgerentry WHERE posting_id = NEW.posting_id\n            GROUP BY currency HAVING sum(amount_minor) <> 0\n        )\n    THEN\n        RAISE EXCEPTION 'ledger_posting_is_in_balance: posting %', NEW.posting_id\n            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_posting_is_in_balance';\n    END IF;\n    RETURN NULL;\n", hash='5be10cb4823c24213e015ef6a25c3c518c324839', operation='INSERT', pgid='pgtrigger_ledger_entry_keeps_the_balance_8fbb5', table='orders_ledgerentry', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
    ]
