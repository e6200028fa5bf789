"""Changes of orders as they were previewed; what edits took off a total after it was paid."""

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
        ('orders', '0022_validate_returning_quantity'),
    ]
    operations = [
        migrations.CreateModel(
            name='ChangeSet',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('cancel', 'cancel'), ('refund', 'refund'), ('return', 'return'), ('edit', 'edit')], max_length=20)),
                ('status', models.CharField(choices=[('proposed', 'proposed'), ('confirmed', 'confirmed')], default=apps.orders.states.ChangeStatus['PROPOSED'], max_length=20)),
                ('order_version', models.PositiveIntegerField()),
                ('body', models.JSONField(help_text='What was asked for.')),
                ('preview', models.JSONField(help_text='What it comes to, in minor units.')),
                ('actor_id', models.UUIDField(blank=True, help_text='Empty: a guest.', null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('expires_at', models.DateTimeField()),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('outcome', models.JSONField(db_default={}, default=dict, help_text='Ids of what was made.')),
            ],
            options={
                'default_permissions': ('view',),
            },
        ),
        migrations.AddField(
            model_name='order',
            name='reduced_minor',
            field=models.BigIntegerField(db_default=0, default=0, help_text='What edits took off the total after it was paid.'),
        ),
        AddConstraintNotValid(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('reduced_minor__gte', 0)), name='order_is_never_made_dearer'),
        ),
        migrations.AddField(
            model_name='changeset',
            name='order',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='orders.order'),
        ),
        migrations.AddIndex(
            model_name='changeset',
            index=models.Index(condition=models.Q(('status', 'proposed')), fields=['expires_at'], name='change_set_by_expiry'),
        ),
        migrations.AddConstraint(
            model_name='changeset',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['proposed', 'confirmed'])), name='change_set_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='changeset',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['cancel', 'refund', 'return', 'edit'])), name='change_set_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='changeset',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('confirmed_at__isnull', False), ('status', 'confirmed')), models.Q(('confirmed_at', None), ('status', 'proposed')), _connector='OR'), name='change_set_confirmed_has_its_time'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='changeset',
            trigger=pgtrigger.compiler.Trigger(name='change_set_status_follows', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{proposed:confirmed}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='d878893a59ceaaf91a3b2a50bb29b9e039a4b008', operation='UPDATE', pgid='pgtrigger_change_set_status_follows_17405', table='orders_changeset', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='changeset',
            trigger=pgtrigger.compiler.Trigger(name='change_set_is_a_document', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."actor_id" IS DISTINCT FROM (NEW."actor_id") OR OLD."body" IS DISTINCT FROM (NEW."body") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."expires_at" IS DISTINCT FROM (NEW."expires_at") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."order_id" IS DISTINCT FROM (NEW."order_id") OR OLD."order_version" IS DISTINCT FROM (NEW."order_version") OR OLD."preview" IS DISTINCT FROM (NEW."preview"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='904b6648c78a317dba019af408c70895b76c03a6', operation='UPDATE', pgid='pgtrigger_change_set_is_a_document_edf56', table='orders_changeset', when='BEFORE')),
        ),
    ]
