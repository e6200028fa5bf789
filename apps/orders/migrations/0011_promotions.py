"""Promotions, their codes, who used them, and what they took off orders."""

import apps.kernel.ids
import apps.orders.states
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.lookups
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0010_validate_what_an_order_remembers'),
    ]

    operations = [
        migrations.CreateModel(
            name='CouponBatch',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('count', models.PositiveIntegerField()),
                ('uses_limit', models.PositiveIntegerField(help_text='Of each code; null: none.', null=True)),
                ('uses_per_customer', models.PositiveIntegerField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'verbose_name_plural': 'coupon batches',
                'default_permissions': ('add', 'view'),
            },
        ),
        migrations.AddField(
            model_name='cart',
            name='coupons',
            field=models.JSONField(blank=True, db_default=[], default=list, help_text='Codes.'),
        ),
        migrations.CreateModel(
            name='Coupon',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(max_length=40, validators=[django.core.validators.RegexValidator('^[A-Z0-9]+([-_][A-Z0-9]+)*\\Z', 'Use letters, digits and single hyphens or underscores.', code='coupon_code')])),
                ('uses_limit', models.PositiveIntegerField(null=True)),
                ('uses_per_customer', models.PositiveIntegerField(null=True)),
                ('uses', models.PositiveIntegerField(default=0)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='coupons', to='orders.couponbatch')),
            ],
            options={
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='Promotion',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(help_text='Shoppers see it.', max_length=120)),
                ('status', models.CharField(choices=[('draft', 'draft'), ('active', 'active'), ('archived', 'archived')], default=apps.orders.states.PromotionStatus['DRAFT'], max_length=10)),
                ('benefit', models.JSONField()),
                ('goods', models.JSONField(default=dict, help_text='Empty: all goods.')),
                ('needs_code', models.BooleanField(default=False)),
                ('priority', models.SmallIntegerField(default=0)),
                ('exclusive', models.BooleanField(default=False)),
                ('stacking_group', models.CharField(blank=True, max_length=40)),
                ('currency', models.CharField(blank=True, help_text='Empty: any; says no amount.', max_length=3)),
                ('min_subtotal_minor', models.BigIntegerField(default=0)),
                ('min_quantity', models.PositiveIntegerField(default=0)),
                ('customer_group_ids', models.JSONField(default=list)),
                ('first_order_only', models.BooleanField(default=False)),
                ('starts_at', models.DateTimeField(blank=True, null=True)),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('max_discount_minor', models.BigIntegerField(blank=True, null=True)),
                ('budget_minor', models.BigIntegerField(blank=True, null=True)),
                ('uses_limit', models.PositiveIntegerField(blank=True, null=True)),
                ('uses_per_customer', models.PositiveIntegerField(blank=True, null=True)),
                ('uses', models.PositiveIntegerField(default=0, editable=False)),
                ('budget_used_minor', models.BigIntegerField(default=0, editable=False)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('status', 'active')), fields=['id'], name='promotion_that_counts')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'active', 'archived'])), name='promotion_status_is_known'), models.CheckConstraint(condition=models.Q(django.db.models.lookups.Exact(models.Func(models.F('benefit'), function='jsonb_typeof', output_field=models.TextField()), models.Value('object')), django.db.models.lookups.Exact(models.Func(models.F('goods'), function='jsonb_typeof', output_field=models.TextField()), models.Value('object')), django.db.models.lookups.Exact(models.Func(models.F('customer_group_ids'), function='jsonb_typeof', output_field=models.TextField()), models.Value('array'))), name='promotion_documents_have_their_form'), models.CheckConstraint(condition=models.Q(('currency', ''), ('currency__regex', '^[A-Z]{3}\\Z'), _connector='OR'), name='promotion_currency_is_a_code'), models.CheckConstraint(condition=models.Q(models.Q(('currency', ''), _negated=True), models.Q(('budget_minor', None), ('max_discount_minor', None), ('min_subtotal_minor', 0)), _connector='OR'), name='promotion_amounts_have_a_currency'), models.CheckConstraint(condition=models.Q(('starts_at', None), ('ends_at', None), ('starts_at__lt', models.F('ends_at')), _connector='OR'), name='promotion_begins_before_it_ends'), models.CheckConstraint(condition=models.Q(('min_subtotal_minor__gte', 0), models.Q(('max_discount_minor', None), ('max_discount_minor__gte', 1), _connector='OR'), models.Q(('budget_minor', None), ('budget_minor__gte', 1), _connector='OR'), models.Q(('uses_limit', None), ('uses_limit__gte', 1), _connector='OR'), models.Q(('uses_per_customer', None), ('uses_per_customer__gte', 1), _connector='OR')), name='promotion_limits_are_from_one_on'), models.CheckConstraint(condition=models.Q(('uses_limit', None), ('uses__lte', models.F('uses_limit')), _connector='OR'), name='promotion_is_used_within_its_limit'), models.CheckConstraint(condition=models.Q(('budget_used_minor__gte', 0), models.Q(('budget_minor', None), ('budget_used_minor__lte', models.F('budget_minor')), _connector='OR')), name='promotion_spends_within_its_budget')],
            },
        ),
        migrations.CreateModel(
            name='OrderPromotion',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('position', models.PositiveSmallIntegerField()),
                ('code', models.CharField(blank=True, max_length=40)),
                ('name', models.CharField(max_length=120)),
                ('amount_minor', models.BigIntegerField()),
                ('given_back_at', models.DateTimeField(null=True)),
                ('coupon', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='orders.coupon')),
                ('order', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='promotions', to='orders.order')),
                ('promotion', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='orders.promotion')),
            ],
            options={
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='CustomerUses',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('customer_id', models.UUIDField(db_index=True)),
                ('uses', models.PositiveIntegerField()),
                ('most', models.PositiveIntegerField(null=True)),
                ('coupon', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='customers', to='orders.coupon')),
                ('promotion', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='customers', to='orders.promotion')),
            ],
            options={
                'verbose_name_plural': 'customer uses',
                'default_permissions': ('view',),
            },
        ),
        migrations.AddField(
            model_name='couponbatch',
            name='promotion',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='batches', to='orders.promotion'),
        ),
        migrations.AddField(
            model_name='coupon',
            name='promotion',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='coupons', to='orders.promotion'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='promotion',
            trigger=pgtrigger.compiler.Trigger(name='promotion_status_follows', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{active:archived,archived:active,draft:active,draft:archived}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='8618aa118e55046cc1c131e4e0c47de6f973d30d', operation='UPDATE', pgid='pgtrigger_promotion_status_follows_03a0a', table='orders_promotion', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='promotion',
            trigger=pgtrigger.compiler.Trigger(name='promotion_keeps_its_currency', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."currency" IS DISTINCT FROM (NEW."currency"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='6abd7dfe45367c5489a1c3c42d42daa0e6dffc27', operation='UPDATE', pgid='pgtrigger_promotion_keeps_its_currency_6b639', table='orders_promotion', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='orderpromotion',
            index=models.Index(condition=models.Q(('coupon', None), _negated=True), fields=['coupon'], name='order_promotion_by_coupon'),
        ),
        migrations.AddConstraint(
            model_name='orderpromotion',
            constraint=models.UniqueConstraint(fields=('order', 'promotion'), name='order_promotion_applies_once'),
        ),
        migrations.AddConstraint(
            model_name='orderpromotion',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gte', 1)), name='order_promotion_takes_something_off'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='orderpromotion',
            trigger=pgtrigger.compiler.Trigger(name='order_promotion_is_a_document', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."order_id" IS DISTINCT FROM (NEW."order_id") OR OLD."position" IS DISTINCT FROM (NEW."position") OR OLD."promotion_id" IS DISTINCT FROM (NEW."promotion_id") OR OLD."coupon_id" IS DISTINCT FROM (NEW."coupon_id") OR OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='69d2b6b71e977858e5f1d7af1c882da3f111b0dc', operation='UPDATE', pgid='pgtrigger_order_promotion_is_a_document_372c1', table='orders_orderpromotion', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='orderpromotion',
            trigger=pgtrigger.compiler.Trigger(name='order_promotion_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='b249dda373b8a632d0514b290b2e0966b0c6d910', operation='DELETE', pgid='pgtrigger_order_promotion_stays_d74d5', table='orders_orderpromotion', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='customeruses',
            constraint=models.UniqueConstraint(fields=('promotion', 'coupon', 'customer_id'), name='customer_uses_are_counted_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='customeruses',
            constraint=models.CheckConstraint(condition=models.Q(('most', None), ('uses__lte', models.F('most')), _connector='OR'), name='customer_uses_stay_within_the_limit'),
        ),
        migrations.AddConstraint(
            model_name='couponbatch',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('uses_limit', None), ('uses_limit__gte', 1), _connector='OR'), models.Q(('uses_per_customer', None), ('uses_per_customer__gte', 1), _connector='OR')), name='coupon_batch_limits_are_from_one_on'),
        ),
        migrations.AddIndex(
            model_name='coupon',
            index=models.Index(fields=['promotion', 'id'], name='coupon_of_promotion'),
        ),
        migrations.AddConstraint(
            model_name='coupon',
            constraint=models.UniqueConstraint(fields=('code',), name='coupon_code_is_unique'),
        ),
        migrations.AddConstraint(
            model_name='coupon',
            constraint=models.CheckConstraint(condition=models.Q(('code__regex', '^[A-Z0-9]+([-_][A-Z0-9]+)*\\Z')), name='coupon_code_is_a_code'),
        ),
        migrations.AddConstraint(
            model_name='coupon',
            constraint=models.CheckConstraint(condition=models.Q(('uses_limit', None), ('uses__lte', models.F('uses_limit')), _connector='OR'), name='coupon_is_used_within_its_limit'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='coupon',
            trigger=pgtrigger.compiler.Trigger(name='coupon_keeps_what_it_says', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."promotion_id" IS DISTINCT FROM (NEW."promotion_id") OR OLD."batch_id" IS DISTINCT FROM (NEW."batch_id") OR OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."uses_limit" IS DISTINCT FROM (NEW."uses_limit") OR OLD."uses_per_customer" IS DISTINCT FROM (NEW."uses_per_customer"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='03f873772b275241a490f9657dd764de4dc47465', operation='UPDATE', pgid='pgtrigger_coupon_keeps_what_it_says_7d885', table='orders_coupon', when='BEFORE')),
        ),
    ]
