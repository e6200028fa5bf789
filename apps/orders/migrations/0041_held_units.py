"""What unpaid orders hold, and who holds it: no more than so much."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0040_ask_for_fees_of_before'),
    ]

    accepts = {"triggers orders_order": "It takes away what only this release writes."}

    operations = [
        migrations.CreateModel(
            name='HeldUnits',
            fields=[
                ('order', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='held_units', serialize=False, to='orders.order')),
                ('buyer', models.CharField(help_text="A customer's id, or a guest's address.", max_length=254)),
                ('network', models.CharField(blank=True, help_text='Empty: from inside.', max_length=50)),
                ('units', models.PositiveIntegerField()),
                ('most_of_buyer', models.PositiveIntegerField(help_text='The limit at that time.')),
                ('most_of_network', models.PositiveIntegerField(help_text='The limit at that time.')),
            ],
            options={
                'verbose_name_plural': 'held units',
                'default_permissions': ('view',),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='order',
            trigger=pgtrigger.compiler.Trigger(name='order_lets_its_units_go', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."status" IS DISTINCT FROM \'pending_payment\' AND OLD."status" = \'pending_payment\')', func='DELETE FROM orders_heldunits WHERE order_id = NEW.id; RETURN NULL;', hash='b0f518439aca93e0263780c095c73d841f155841', operation='UPDATE OF "status"', pgid='pgtrigger_order_lets_its_units_go_8e95e', table='orders_order', when='AFTER')),
        ),
        migrations.AddIndex(
            model_name='heldunits',
            index=models.Index(fields=['buyer'], name='held_units_by_buyer'),
        ),
        migrations.AddIndex(
            model_name='heldunits',
            index=models.Index(fields=['network'], name='held_units_by_network'),
        ),
        migrations.AddConstraint(
            model_name='heldunits',
            constraint=models.CheckConstraint(condition=models.Q(('buyer', ''), _negated=True), name='held_units_are_somebodys'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='heldunits',
            trigger=pgtrigger.compiler.Trigger(name='held_units_are_limited', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                IF TG_OP = 'UPDATE' AND NEW.units <= OLD.units THEN\n                    RETURN NEW;\n                END IF;\n                PERFORM pg_advisory_xact_lock(key) FROM (\n                    SELECT DISTINCT hashtextextended(name, 0) AS key\n                    FROM unnest(ARRAY['held by ' || NEW.buyer, 'held from ' || NEW.network]) AS name\n                    ORDER BY key\n                ) AS keys;\n                IF NEW.units + (\n                    SELECT coalesce(sum(units), 0) FROM orders_heldunits\n                    WHERE buyer = NEW.buyer AND order_id <> NEW.order_id\n                ) > NEW.most_of_buyer THEN\n                    RAISE EXCEPTION USING ERRCODE = 'check_violation',\n                        CONSTRAINT = 'held_units_of_a_buyer',\n                        MESSAGE = 'This buyer holds as much as may be held without a payment.';\n                END IF;\n                IF NEW.network <> '' AND NEW.units + (\n                    SELECT coalesce(sum(units), 0) FROM orders_heldunits\n                    WHERE network = NEW.network AND order_id <> NEW.order_id\n                ) > NEW.most_of_network THEN\n                    RAISE EXCEPTION USING ERRCODE = 'check_violation',\n                        CONSTRAINT = 'held_units_of_a_network',\n                        MESSAGE = 'From there as much is held as may be without a payment.';\n                END IF;\n                RETURN NEW;\n                ", hash='080dfadd4897050a1199d88ff80c4cdd04571bf2', operation='INSERT OR UPDATE OF "units"', pgid='pgtrigger_held_units_are_limited_7bddd', table='orders_heldunits', when='BEFORE')),
        ),
    ]
