"""Gift cards and store credit: three new tables, and what carts, orders and payments say of them."""

import apps.kernel.ids
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0031_promotion_simulations'),
    ]
    accepts = {
        "tightens orders_ledgerentry": "Accounts are added to those that are known; none is taken "
        "away.",
        "tightens orders_ledgerposting": "Kinds are added to those that are known; none is taken "
        "away.",
        "tightens orders_order": "The release before writes nothing into the new column.",
        "tightens orders_paymentattempt": "The release before writes nothing into the new column; "
        "of what was turned into store credit it is refused a refund, as it has to be.",
    }

    operations = [
        migrations.CreateModel(
            name='OrderTender',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('position', models.PositiveSmallIntegerField()),
                ('amount_minor', models.BigIntegerField()),
                ('returned_minor', models.BigIntegerField(db_default=0, default=0)),
            ],
            options={
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='StoredValue',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('gift_card', 'gift card'), ('store_credit', 'store credit')], max_length=20)),
                ('currency', models.CharField(max_length=3)),
                ('balance_minor', models.BigIntegerField(default=0, editable=False, help_text='The sum of its movements; a trigger counts.')),
                ('code_hash', models.CharField(blank=True, help_text='SHA-256, cards only.', max_length=64)),
                ('last_four', models.CharField(blank=True, help_text="Of a card's code.", max_length=4)),
                ('customer_id', models.UUIDField(blank=True, help_text='Store credit only.', null=True)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('disabled_at', models.DateTimeField(blank=True, null=True)),
                ('note', models.CharField(blank=True, help_text='For staff.', max_length=200)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'verbose_name': 'gift card or store credit',
                'verbose_name_plural': 'gift cards and store credit',
                'permissions': [('issue_giftcard', 'Can issue gift cards'), ('change_giftcard', 'Can disable gift cards, extend them and write notes'), ('grant_storecredit', 'Can grant store credit and take it back')],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='ValueMovement',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('issue', 'Issue'), ('spend', 'Spend'), ('give_back', 'given back'), ('refund', 'refunded to it'), ('adjust', 'Adjust'), ('expire', 'Expire')], max_length=20)),
                ('source_id', models.UUIDField(help_text='What made it: an order, a payment, a refund, a grant.')),
                ('amount_minor', models.BigIntegerField(help_text='Negative: it was taken off.')),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'default_permissions': ('view',),
            },
        ),
        migrations.RemoveConstraint(
            model_name='ledgerentry',
            name='ledger_entry_account_is_known',
        ),
        migrations.RemoveConstraint(
            model_name='ledgerposting',
            name='ledger_posting_kind_is_known',
        ),
        migrations.AddField(
            model_name='cart',
            name='gift_cards',
            field=models.JSONField(blank=True, db_default=[], default=list, help_text='Ids, in the order in which they pay.'),
        ),
        migrations.AddField(
            model_name='cart',
            name='store_credit',
            field=models.BooleanField(db_default=False, default=False, help_text="Whether the customer's pays after the cards."),
        ),
        migrations.AddField(
            model_name='order',
            name='tendered_minor',
            field=models.BigIntegerField(db_default=0, default=0, help_text='What gift cards and store credit pay of the total.'),
        ),
        migrations.AddField(
            model_name='paymentattempt',
            name='credited_minor',
            field=models.BigIntegerField(db_default=0, default=0, editable=False, help_text='What of it was turned into store credit, and cannot go back any more.'),
        ),
        migrations.AlterField(
            model_name='ledgerentry',
            name='account',
            field=models.CharField(choices=[('stripe', 'money at Stripe'), ('authorised', 'set aside for us on cards (memorandum)'), ('authorisations', 'the other side of it (memorandum)'), ('unapplied', 'received, and for nothing that is sold'), ('refunds_payable', 'promised back, and not yet sent'), ('tax', 'tax to be paid over'), ('sales', 'goods at the prices before discounts'), ('discounts', 'discounts granted'), ('shipping', 'shipping charged'), ('refunds', 'given back of goods and shipping'), ('gift_cards', 'owed to those who hold gift cards'), ('store_credit', 'owed to customers as store credit'), ('tendered', 'stored value set aside for orders that are not paid yet'), ('cards_issued', 'gift cards issued by hand'), ('goodwill', 'store credit granted by hand'), ('breakage', 'gift cards that have expired')], max_length=20),
        ),
        migrations.AlterField(
            model_name='ledgerentry',
            name='order',
            field=models.ForeignKey(db_index=False, help_text="Empty for what is of no order that is known, such as a gift card's issue.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ledger_entries', to='orders.order'),
        ),
        migrations.AlterField(
            model_name='ledgerposting',
            name='kind',
            field=models.CharField(choices=[('authorisation', 'Authorisation'), ('void', 'Void'), ('capture', 'Capture'), ('refund_promise', 'refund promised'), ('refund', 'Refund'), ('refund_failure', 'refund failed'), ('sale', 'sale without a payment'), ('stored_value', 'movement of stored value')], max_length=20),
        ),
        migrations.AlterField(
            model_name='ledgerposting',
            name='source_id',
            field=models.UUIDField(help_text='The payment, refund, stray payment, order or movement.'),
        ),
        AddConstraintNotValid(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('account__in', ['stripe', 'authorised', 'authorisations', 'unapplied', 'refunds_payable', 'tax', 'sales', 'discounts', 'shipping', 'refunds', 'gift_cards', 'store_credit', 'tendered', 'cards_issued', 'goodwill', 'breakage'])), name='ledger_entry_account_is_known'),
        ),
        AddConstraintNotValid(
            model_name='ledgerposting',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['authorisation', 'void', 'capture', 'refund_promise', 'refund', 'refund_failure', 'sale', 'stored_value'])), name='ledger_posting_kind_is_known'),
        ),
        AddConstraintNotValid(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('tendered_minor__gte', 0), ('tendered_minor__lte', models.F('grand_total_minor') + models.F('reduced_minor'))), name='order_tenders_are_part_of_the_total'),
        ),
        AddConstraintNotValid(
            model_name='paymentattempt',
            constraint=models.CheckConstraint(condition=models.Q(('credited_minor', 0), models.Q(('credited_minor__gt', 0), ('credited_minor__lte', django.db.models.expressions.CombinedExpression(models.F('amount_minor'), '-', models.F('refund_promised_minor'))), ('status', 'captured')), _connector='OR'), name='attempt_gives_back_what_was_captured_once'),
        ),
        migrations.AddField(
            model_name='ordertender',
            name='order',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='tenders', to='orders.order'),
        ),
        migrations.AddIndex(
            model_name='storedvalue',
            index=models.Index(condition=models.Q(('balance_minor__gt', 0), ('expires_at__isnull', False)), fields=['expires_at'], name='gift_card_by_expiry'),
        ),
        migrations.AddIndex(
            model_name='storedvalue',
            index=models.Index(condition=models.Q(('last_four', ''), _negated=True), fields=['last_four'], name='gift_card_by_last_four'),
        ),
        migrations.AddConstraint(
            model_name='storedvalue',
            constraint=models.CheckConstraint(condition=models.Q(('balance_minor__gte', 0)), name='stored_value_is_not_overdrawn'),
        ),
        migrations.AddConstraint(
            model_name='storedvalue',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(models.Q(('code_hash', ''), _negated=True), models.Q(('last_four', ''), _negated=True), ('customer_id__isnull', True), ('kind', 'gift_card')), models.Q(('code_hash', ''), ('customer_id__isnull', False), ('disabled_at__isnull', True), ('expires_at__isnull', True), ('kind', 'store_credit'), ('last_four', '')), _connector='OR'), name='stored_value_has_a_code_or_a_customer'),
        ),
        migrations.AddConstraint(
            model_name='storedvalue',
            constraint=models.UniqueConstraint(condition=models.Q(('code_hash', ''), _negated=True), fields=('code_hash',), name='gift_card_code_is_unique'),
        ),
        migrations.AddConstraint(
            model_name='storedvalue',
            constraint=models.UniqueConstraint(condition=models.Q(('customer_id__isnull', False)), fields=('customer_id', 'currency'), name='store_credit_once_a_currency'),
        ),
        migrations.AddField(
            model_name='ordertender',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tenders', to='orders.storedvalue'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='storedvalue',
            trigger=pgtrigger.compiler.Trigger(name='stored_value_begins_with_nothing', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW.balance_minor <> 0)', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='968fb701dca5c4d6ec783dad4830c36b8ed5bfae', operation='INSERT', pgid='pgtrigger_stored_value_begins_with_nothing_67788', table='orders_storedvalue', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='storedvalue',
            trigger=pgtrigger.compiler.Trigger(name='stored_value_changes_by_movements', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (pg_trigger_depth() = 0)', func='RAISE EXCEPTION \'pgtrigger: Cannot update of "balance_minor" rows from % table\', TG_TABLE_NAME;', hash='409691d01adcd200209ff73c4ce8c9cb432d5cdf', operation='UPDATE OF "balance_minor"', pgid='pgtrigger_stored_value_changes_by_movements_e04b7', table='orders_storedvalue', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='storedvalue',
            trigger=pgtrigger.compiler.Trigger(name='stored_value_keeps_what_it_is', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."currency" IS DISTINCT FROM (NEW."currency") OR OLD."code_hash" IS DISTINCT FROM (NEW."code_hash") OR OLD."last_four" IS DISTINCT FROM (NEW."last_four") OR OLD."customer_id" IS DISTINCT FROM (NEW."customer_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='e292dab12a5e2646d6610a3723420da0ff305b2a', operation='UPDATE', pgid='pgtrigger_stored_value_keeps_what_it_is_76d06', table='orders_storedvalue', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='storedvalue',
            trigger=pgtrigger.compiler.Trigger(name='stored_value_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='c13ce0bd76d1309d90dac116254df4c698d896b8', operation='DELETE', pgid='pgtrigger_stored_value_stays_9192a', table='orders_storedvalue', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='valuemovement',
            name='account',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='orders.storedvalue'),
        ),
        migrations.AddField(
            model_name='valuemovement',
            name='order',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='value_movements', to='orders.order'),
        ),
        migrations.AddConstraint(
            model_name='ordertender',
            constraint=models.UniqueConstraint(fields=('order', 'account'), name='order_tender_once_an_account'),
        ),
        migrations.AddConstraint(
            model_name='ordertender',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gte', 1)), name='order_tender_pays_something'),
        ),
        migrations.AddConstraint(
            model_name='ordertender',
            constraint=models.CheckConstraint(condition=models.Q(('returned_minor__gte', 0), ('returned_minor__lte', models.F('amount_minor'))), name='order_tender_returns_at_most_what_it_paid'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ordertender',
            trigger=pgtrigger.compiler.Trigger(name='order_tender_is_a_document', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."order_id" IS DISTINCT FROM (NEW."order_id") OR OLD."account_id" IS DISTINCT FROM (NEW."account_id") OR OLD."position" IS DISTINCT FROM (NEW."position") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='785dae360c8d70e538c2d5293f958b9341635b30', operation='UPDATE', pgid='pgtrigger_order_tender_is_a_document_e349a', table='orders_ordertender', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ordertender',
            trigger=pgtrigger.compiler.Trigger(name='order_tender_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='4ff6830989562d77200b285f084ae7a456d39960', operation='DELETE', pgid='pgtrigger_order_tender_stays_cb5f1', table='orders_ordertender', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='valuemovement',
            index=models.Index(fields=['account', 'id'], name='value_movement_of_account'),
        ),
        migrations.AddConstraint(
            model_name='valuemovement',
            constraint=models.UniqueConstraint(fields=('account', 'source_id', 'kind'), name='value_movement_happens_once'),
        ),
        migrations.AddConstraint(
            model_name='valuemovement',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['issue', 'spend', 'give_back', 'refund', 'adjust', 'expire'])), name='value_movement_kind_is_known'),
        ),
        migrations.AddConstraint(
            model_name='valuemovement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'adjust'), models.Q(('amount_minor', 0), _negated=True)), models.Q(('amount_minor__gt', 0), ('kind__in', ['issue', 'give_back', 'refund'])), models.Q(('amount_minor__lt', 0), ('kind__in', ['spend', 'expire'])), _connector='OR'), name='value_movement_goes_its_way'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='valuemovement',
            trigger=pgtrigger.compiler.Trigger(name='value_movement_changes_its_balance', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    UPDATE orders_storedvalue SET balance_minor = balance_minor + NEW.amount_minor\n    WHERE id = NEW.account_id;\n    RETURN NULL;\n', hash='dd950a7b48a3cc52458d9119d23dd7d70c4ad17a', operation='INSERT', pgid='pgtrigger_value_movement_changes_its_balance_96421', table='orders_valuemovement', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='valuemovement',
            trigger=pgtrigger.compiler.Trigger(name='value_movement_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='959eabd817fc96406bfb5eb75e16b7f86c4c8ace', operation='UPDATE OR DELETE', pgid='pgtrigger_value_movement_stays_a34d1', table='orders_valuemovement', when='BEFORE')),
        ),
    ]
