"""Payments that a restored database has forgotten, on their way back: one new table."""

import apps.kernel.ids
import apps.orders.states
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0003_validate_attempt_method'),
    ]

    operations = [
        migrations.CreateModel(
            name='StrayPayment',
            fields=[
                ('next_action_at', models.DateTimeField(blank=True, null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('tries', models.PositiveIntegerField(default=0)),
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('provider', models.CharField(max_length=20)),
                ('reference', models.CharField(help_text="The provider's id.", max_length=255)),
                ('attempt_id', models.UUIDField(help_text='The attempt that the database has forgotten.')),
                ('amount_minor', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('status', models.CharField(choices=[('open', 'open'), ('returned', 'returned'), ('refused', 'refused')], default=apps.orders.states.StrayStatus['OPEN'], max_length=20)),
                ('failure_code', models.CharField(blank=True, max_length=100)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('next_action_at__isnull', False)), fields=['next_action_at'], name='stray_payment_due')],
                'constraints': [models.UniqueConstraint(fields=('provider', 'reference'), name='stray_payment_is_kept_once'), models.CheckConstraint(condition=models.Q(('status__in', ['open', 'returned', 'refused'])), name='stray_payment_status_is_known'), models.CheckConstraint(condition=models.Q(('next_action_at__isnull', False), models.Q(('status', 'open'), _negated=True), _connector='OR'), name='stray_payment_open_means_due')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='straypayment',
            trigger=pgtrigger.compiler.Trigger(name='stray_payment_status_follows', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{open:refused,open:returned}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='0ff87c22d1b32dccd00c1e77d5f9471560e2f0f3', operation='UPDATE', pgid='pgtrigger_stray_payment_status_follows_ee837', table='orders_straypayment', when='BEFORE')),
        ),
    ]
