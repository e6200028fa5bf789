"""Returns: two new tables, and a column of order lines that triggers count."""

import apps.kernel.ids
import apps.orders.states
import django.db.models.deletion
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0020_order_numbers_without_gaps'),
    ]
    accepts = {
        "tightens orders_orderline": "Only triggers of the new tables write the new column.",
        "triggers orders_orderline": "What was refused is refused still, but for the new column.",
    }

    operations = [
        migrations.CreateModel(
            name='Return',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('requested', 'requested'), ('approved', 'approved'), ('rejected', 'rejected'), ('cancelled', 'cancelled'), ('received', 'received'), ('inspected', 'inspected'), ('closed', 'closed')], default=apps.orders.states.ReturnStatus['REQUESTED'], max_length=20)),
                ('comment', models.CharField(blank=True, help_text="The shopper's words.", max_length=1000)),
                ('note', models.CharField(blank=True, help_text='Ours; the shopper reads it.', max_length=200)),
                ('refunds_shipping', models.BooleanField(default=False)),
                ('amount_minor', models.BigIntegerField(blank=True, help_text='What the accepted pieces, and the parcel, have cost.', null=True)),
                ('requested_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('changed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='When it took its last step.')),
            ],
            options={
                'permissions': [('decide_return', 'Can ask for returns for shoppers, and approve or reject them'), ('inspect_return', 'Can receive returns, and inspect them so that money goes back')],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='ReturnLine',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('quantity', models.PositiveIntegerField()),
                ('reason', models.CharField(choices=[('defective', 'defective'), ('damaged_on_the_way', 'damaged on the way'), ('wrong_item', 'wrong item'), ('not_as_described', 'not as described'), ('does_not_fit', 'does not fit'), ('changed_mind', 'changed mind'), ('arrived_late', 'arrived late'), ('other', 'other')], max_length=20)),
                ('accepted', models.PositiveIntegerField(blank=True, help_text='Empty: not looked at.', null=True)),
                ('resolution', models.CharField(blank=True, choices=[('restock', 'restock'), ('write_off', 'write off')], max_length=20)),
                ('amount_minor', models.BigIntegerField(blank=True, help_text='What the accepted pieces have cost, with tax.', null=True)),
                ('tax_minor', models.BigIntegerField(blank=True, help_text='The tax in it.', null=True)),
            ],
            options={
                'default_permissions': ('view',),
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='orderline',
            name='order_line_is_a_document',
        ),
        migrations.AddField(
            model_name='orderline',
            name='returning_quantity',
            field=models.IntegerField(db_default=0, default=0, editable=False, help_text='How many come back, or are back; a trigger counts.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='orderline',
            trigger=pgtrigger.compiler.Trigger(name='order_line_is_a_document', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."discount_minor" IS DISTINCT FROM (NEW."discount_minor") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."list_price_minor" IS DISTINCT FROM (NEW."list_price_minor") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."order_id" IS DISTINCT FROM (NEW."order_id") OR OLD."position" IS DISTINCT FROM (NEW."position") OR OLD."product_id" IS DISTINCT FROM (NEW."product_id") OR OLD."quantity" IS DISTINCT FROM (NEW."quantity") OR OLD."sku" IS DISTINCT FROM (NEW."sku") OR OLD."tax_included_minor" IS DISTINCT FROM (NEW."tax_included_minor") OR OLD."tax_minor" IS DISTINCT FROM (NEW."tax_minor") OR OLD."taxes" IS DISTINCT FROM (NEW."taxes") OR OLD."total_minor" IS DISTINCT FROM (NEW."total_minor") OR OLD."unit_price_minor" IS DISTINCT FROM (NEW."unit_price_minor") OR OLD."variant_id" IS DISTINCT FROM (NEW."variant_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='cefc67d03b35290d835a9fbb3139c23a086da2c0', operation='UPDATE', pgid='pgtrigger_order_line_is_a_document_edd87', table='orders_orderline', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='orderline',
            trigger=pgtrigger.compiler.Trigger(name='order_line_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='42d2bd265487f6f81df9714f3a76fa7c620eeb85', operation='DELETE', pgid='pgtrigger_order_line_stays_2a949', table='orders_orderline', when='BEFORE')),
        ),
        AddConstraintNotValid(
            model_name='orderline',
            constraint=models.CheckConstraint(condition=models.Q(('returning_quantity__gte', 0), ('returning_quantity__lte', models.F('quantity'))), name='order_line_comes_back_at_most_once'),
        ),
        migrations.AddField(
            model_name='return',
            name='order',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='returns', to='orders.order'),
        ),
        migrations.AddField(
            model_name='return',
            name='refund',
            field=models.OneToOneField(blank=True, help_text='Less than the amount when a part of it had gone back before.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='given_for', to='orders.refund'),
        ),
        migrations.AddField(
            model_name='returnline',
            name='order_line',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='returns', to='orders.orderline'),
        ),
        migrations.AddField(
            model_name='returnline',
            name='parent',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='orders.return'),
        ),
        migrations.AddIndex(
            model_name='return',
            index=models.Index(fields=['requested_at', 'id'], name='return_by_time'),
        ),
        migrations.AddIndex(
            model_name='return',
            index=models.Index(fields=['status', 'requested_at', 'id'], name='return_by_status'),
        ),
        migrations.AddConstraint(
            model_name='return',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['requested', 'approved', 'rejected', 'cancelled', 'received', 'inspected', 'closed'])), name='return_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='return',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount_minor__gte', 0), ('status__in', ['inspected', 'closed'])), models.Q(models.Q(('status__in', ['inspected', 'closed']), _negated=True), ('amount_minor', None), ('refund', None), ('refunds_shipping', False)), _connector='OR'), name='return_has_an_amount_once_inspected'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='return',
            trigger=pgtrigger.compiler.Trigger(name='return_status_follows', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{approved:cancelled,approved:received,inspected:closed,received:inspected,requested:approved,requested:cancelled,requested:rejected}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='e0c3fdfdcaf874179174385ff5e61ca0f2197090', operation='UPDATE', pgid='pgtrigger_return_status_follows_96475', table='orders_return', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='return',
            trigger=pgtrigger.compiler.Trigger(name='return_counts_while_it_is_wanted', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _line_id UUID;', func="\n            FOR _line_id IN SELECT order_line_id FROM orders_returnline WHERE parent_id = NEW.id ORDER BY 1 LOOP\n                PERFORM FROM orders_orderline WHERE id = _line_id FOR NO KEY UPDATE;\n                UPDATE orders_orderline SET returning_quantity = (\n                    SELECT COALESCE(sum(COALESCE(l.accepted, l.quantity)), 0)\n                    FROM orders_returnline l JOIN orders_return r ON r.id = l.parent_id\n                    WHERE l.order_line_id = _line_id\n                        AND r.status NOT IN ('rejected', 'cancelled')\n                ) WHERE id = _line_id;\n            END LOOP;\n            RETURN NULL;\n        ", hash='5a9ba6d81c72b30dc62c34a65b1295c891a3ff4b', operation='UPDATE OF "status"', pgid='pgtrigger_return_counts_while_it_is_wanted_462b2', table='orders_return', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='returnline',
            constraint=models.UniqueConstraint(fields=('parent', 'order_line'), name='return_line_once_an_order_line'),
        ),
        migrations.AddConstraint(
            model_name='returnline',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gte', 1)), name='return_line_quantity_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='returnline',
            constraint=models.CheckConstraint(condition=models.Q(('reason__in', ['defective', 'damaged_on_the_way', 'wrong_item', 'not_as_described', 'does_not_fit', 'changed_mind', 'arrived_late', 'other'])), name='return_line_reason_is_known'),
        ),
        migrations.AddConstraint(
            model_name='returnline',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('accepted', None), ('amount_minor', None), ('resolution', ''), ('tax_minor', None)), models.Q(('accepted', 0), ('amount_minor', 0), ('resolution', ''), ('tax_minor', 0)), models.Q(('accepted__gt', 0), ('accepted__lte', models.F('quantity')), ('amount_minor__gte', 0), ('resolution__in', ['restock', 'write_off']), ('tax_minor__gte', 0), ('tax_minor__lte', models.F('amount_minor'))), _connector='OR'), name='return_line_accepts_what_came_back'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='returnline',
            trigger=pgtrigger.compiler.Trigger(name='return_line_is_of_its_order', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        IF NOT EXISTS (\n            SELECT FROM orders_return r JOIN orders_orderline l ON l.order_id = r.order_id\n            WHERE r.id = NEW.parent_id AND l.id = NEW.order_line_id\n        ) THEN\n            RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'return_line_is_of_its_order',\n                MESSAGE = 'The line is of another order.';\n        END IF;\n        RETURN NEW;\n        ", hash='1b4860abde82c8e0ee17da2d7d02c5ac26d761d9', operation='INSERT OR UPDATE OF "parent_id", "order_line_id"', pgid='pgtrigger_return_line_is_of_its_order_01116', table='orders_returnline', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='returnline',
            trigger=pgtrigger.compiler.Trigger(name='return_line_counts_against_its_order_line', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _line_id UUID;', func="\n            FOR _line_id IN SELECT NEW.order_line_id LOOP\n                PERFORM FROM orders_orderline WHERE id = _line_id FOR NO KEY UPDATE;\n                UPDATE orders_orderline SET returning_quantity = (\n                    SELECT COALESCE(sum(COALESCE(l.accepted, l.quantity)), 0)\n                    FROM orders_returnline l JOIN orders_return r ON r.id = l.parent_id\n                    WHERE l.order_line_id = _line_id\n                        AND r.status NOT IN ('rejected', 'cancelled')\n                ) WHERE id = _line_id;\n            END LOOP;\n            RETURN NULL;\n        ", hash='a35520baf409dad2b4a07b9b06bdd060bf82d37b', operation='INSERT', pgid='pgtrigger_return_line_counts_against_its_order_line_c7911', table='orders_returnline', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='returnline',
            trigger=pgtrigger.compiler.Trigger(name='return_line_counts_while_it_is_there', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _line_id UUID;', func="\n            FOR _line_id IN SELECT OLD.order_line_id LOOP\n                PERFORM FROM orders_orderline WHERE id = _line_id FOR NO KEY UPDATE;\n                UPDATE orders_orderline SET returning_quantity = (\n                    SELECT COALESCE(sum(COALESCE(l.accepted, l.quantity)), 0)\n                    FROM orders_returnline l JOIN orders_return r ON r.id = l.parent_id\n                    WHERE l.order_line_id = _line_id\n                        AND r.status NOT IN ('rejected', 'cancelled')\n                ) WHERE id = _line_id;\n            END LOOP;\n            RETURN NULL;\n        ", hash='358d18d7b7539794d8e8b166f4ea73a65a1be540', operation='DELETE', pgid='pgtrigger_return_line_counts_while_it_is_there_3a2c8', table='orders_returnline', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='returnline',
            trigger=pgtrigger.compiler.Trigger(name='return_line_counts_what_is_accepted', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _line_id UUID;', func="\n            FOR _line_id IN SELECT OLD.order_line_id UNION SELECT NEW.order_line_id ORDER BY 1 LOOP\n                PERFORM FROM orders_orderline WHERE id = _line_id FOR NO KEY UPDATE;\n                UPDATE orders_orderline SET returning_quantity = (\n                    SELECT COALESCE(sum(COALESCE(l.accepted, l.quantity)), 0)\n                    FROM orders_returnline l JOIN orders_return r ON r.id = l.parent_id\n                    WHERE l.order_line_id = _line_id\n                        AND r.status NOT IN ('rejected', 'cancelled')\n                ) WHERE id = _line_id;\n            END LOOP;\n            RETURN NULL;\n        ", hash='36153c71bef6b38e52d16be2ff3162265875220b', operation='UPDATE OF "parent_id", "order_line_id", "quantity", "accepted"', pgid='pgtrigger_return_line_counts_what_is_accepted_5fef8', table='orders_returnline', when='AFTER')),
        ),
    ]
