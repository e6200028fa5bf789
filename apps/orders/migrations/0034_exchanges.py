"""Exchanges: two new tables, and what orders and changes say of them."""

import apps.kernel.ids
import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0033_validate_stored_value'),
    ]

    accepts = {
        "tightens orders_changeset": "A kind is added to those that are known; none is taken away.",
        "triggers orders_order": "A replacement owes no invoice; the release before places none.",
        "tightens orders_order": "The release before writes nothing into the new column.",
    }

    operations = [
        migrations.CreateModel(
            name='Exchange',
            fields=[
                ('line', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='exchange', serialize=False, to='orders.returnline')),
                ('product_id', models.UUIDField()),
                ('variant_id', models.UUIDField()),
                ('sku', models.CharField(max_length=64)),
                ('name', models.CharField(max_length=300)),
                ('list_price_minor', models.BigIntegerField()),
                ('unit_price_minor', models.BigIntegerField(help_text="Not more than that of the order's line.")),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='Replacement',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('paid_minor', models.BigIntegerField(help_text='What the goods that came back pay of it.')),
                ('returned_minor', models.BigIntegerField(db_default=0, default=0, help_text='What of that was given back.')),
                ('made_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'default_permissions': ('view',),
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='order',
            name='order_paid_owes_an_invoice',
        ),
        migrations.RemoveConstraint(
            model_name='changeset',
            name='change_set_kind_is_known',
        ),
        migrations.AddField(
            model_name='order',
            name='exchanged_minor',
            field=models.BigIntegerField(db_default=0, default=0, help_text='What goods that came back pay of the total.'),
        ),
        migrations.AlterField(
            model_name='changeset',
            name='kind',
            field=models.CharField(choices=[('cancel', 'cancel'), ('refund', 'refund'), ('return', 'return'), ('edit', 'edit'), ('exchange', 'exchange')], max_length=20),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='order',
            trigger=pgtrigger.compiler.Trigger(name='order_paid_owes_an_invoice', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF NEW.status = 'paid' AND NEW.exchanged_minor = 0\n                AND (TG_OP = 'INSERT' OR OLD.status <> 'paid')\n            THEN\n                INSERT INTO orders_billingdocument\n                    (id, kind, order_id, status, next_action_at, tries)\n                VALUES (\n    encode(set_bit(set_bit(overlay(\n        uuid_send(gen_random_uuid()) PLACING\n        substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)\n        FROM 1 FOR 6\n    ), 52, 1), 53, 1), 'hex')::uuid\n, 'invoice', NEW.id, 'due', statement_timestamp(), 0)\n                ON CONFLICT DO NOTHING;\n            END IF;\n            RETURN NULL;\n        ", hash='f06ffdadde9c0ea05a8b685fc792efb54076fc67', operation='INSERT OR UPDATE OF "status"', pgid='pgtrigger_order_paid_owes_an_invoice_ede41', table='orders_order', when='AFTER')),
        ),
        AddConstraintNotValid(
            model_name='changeset',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['cancel', 'refund', 'return', 'edit', 'exchange'])), name='change_set_kind_is_known'),
        ),
        AddConstraintNotValid(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('exchanged_minor', 0), models.Q(('exchanged_minor', models.F('grand_total_minor')), ('exchanged_minor__gt', 0)), _connector='OR'), name='order_exchange_pays_for_all_of_it'),
        ),
        migrations.AddConstraint(
            model_name='exchange',
            constraint=models.CheckConstraint(condition=models.Q(('list_price_minor__gte', 0), ('unit_price_minor__gte', 0)), name='exchange_prices_are_not_negative'),
        ),
        migrations.AddField(
            model_name='replacement',
            name='order',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='replaces', to='orders.order'),
        ),
        migrations.AddField(
            model_name='replacement',
            name='parent',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='replacement', to='orders.return'),
        ),
        migrations.AddConstraint(
            model_name='replacement',
            constraint=models.CheckConstraint(condition=models.Q(('returned_minor__gte', 0), ('returned_minor__lte', models.F('paid_minor'))), name='replacement_returns_at_most_what_paid_it'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='replacement',
            trigger=pgtrigger.compiler.Trigger(name='replacement_is_a_document', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."parent_id" IS DISTINCT FROM (NEW."parent_id") OR OLD."order_id" IS DISTINCT FROM (NEW."order_id") OR OLD."paid_minor" IS DISTINCT FROM (NEW."paid_minor") OR OLD."made_at" IS DISTINCT FROM (NEW."made_at"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='37fe8d625df03f1a363766ac6971d61507872cf2', operation='UPDATE', pgid='pgtrigger_replacement_is_a_document_4c8c2', table='orders_replacement', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='replacement',
            trigger=pgtrigger.compiler.Trigger(name='replacement_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='a22e1ef3c000eed6cc5e57a3ae4fc529ce06efbc', operation='DELETE', pgid='pgtrigger_replacement_stays_64776', table='orders_replacement', when='BEFORE')),
        ),
    ]
