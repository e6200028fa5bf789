"""Stock is allocated, ordered ahead, kept at several places, and reserved for a time only."""

import django.db.models.deletion
import django.db.models.expressions
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0005_the_search_index'),
    ]
    accepts = {
        "tightens catalog_stock": "The new rules allow all that the old ones did; what the release "
        "before does not know is 0 there.",
        "tightens catalog_stockmovement": "The lines of the release before fit: they allocate 0.",
        "tightens catalog_reservation": "The states of the release before are among the known.",
        "tightens catalog_stocklocation": "The release before has no other location than active.",
    }

    operations = [
        migrations.CreateModel(
            name='StockUnit',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.RemoveConstraint(
            model_name='reservation',
            name='reservation_state_is_known',
        ),
        migrations.RemoveConstraint(
            model_name='stock',
            name='stock_reserved_is_between_0_and_on_hand',
        ),
        migrations.RemoveConstraint(
            model_name='stockmovement',
            name='stock_movement_fits_its_kind',
        ),
        migrations.AddField(
            model_name='reservation',
            name='allocated_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='reservation',
            name='expires_at',
            field=models.DateTimeField(blank=True, help_text='When it is given back by itself; empty: never.', null=True),
        ),
        migrations.AddField(
            model_name='reservation',
            name='returned',
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='stock',
            name='allocated',
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='stock',
            name='available_on',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='stock',
            name='backorder_limit',
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='stock',
            name='is_hot',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='stock',
            name='policy',
            field=models.CharField(choices=[('deny', 'sells what lies there'), ('backorder', 'sells what will come again'), ('preorder', 'sells what will come first')], db_default='deny', default='deny', max_length=10),
        ),
        migrations.AddField(
            model_name='stocklocation',
            name='is_active',
            field=models.BooleanField(db_default=True, default=True, help_text='What lies elsewhere is not sold.'),
        ),
        migrations.AddField(
            model_name='stocklocation',
            name='priority',
            field=models.SmallIntegerField(db_default=0, default=0),
        ),
        # The main location, which is there already, comes first; what is new comes after it.
        migrations.AlterField(
            model_name='stocklocation',
            name='priority',
            field=models.SmallIntegerField(db_default=100, default=100),
        ),
        migrations.AddField(
            model_name='stockmovement',
            name='allocated_delta',
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='stockmovement',
            name='document_id',
            field=models.UUIDField(blank=True, help_text='The transfer, count or adjustment it belongs to.', null=True),
        ),
        migrations.AlterField(
            model_name='reservation',
            name='state',
            field=models.CharField(choices=[('active', 'held back'), ('allocated', 'paid'), ('released', 'given back'), ('shipped', 'shipped')], default='active', max_length=10),
        ),
        migrations.AlterField(
            model_name='stockmovement',
            name='kind',
            field=models.CharField(choices=[('receive', 'goods came in'), ('adjust', 'the balance was corrected'), ('count', 'a count found something else'), ('transfer', 'it went to another location'), ('reserve', 'an order holds it back'), ('release', 'an order gave it back'), ('allocate', 'an order has paid it'), ('ship', 'it left with a parcel'), ('return', 'it came back')], max_length=10),
        ),
        AddConstraintNotValid(
            model_name='reservation',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['active', 'allocated', 'released', 'shipped'])), name='reservation_state_is_known'),
        ),
        AddConstraintNotValid(
            model_name='reservation',
            constraint=models.CheckConstraint(condition=models.Q(('returned', 0), models.Q(('returned__gt', 0), ('returned__lte', models.F('quantity')), ('state', 'shipped')), _connector='OR'), name='reservation_returns_what_was_shipped'),
        ),
        AddConstraintNotValid(
            model_name='reservation',
            constraint=models.CheckConstraint(condition=models.Q(('allocated_at__isnull', True), ('state', 'allocated'), _negated=True), name='reservation_allocated_has_its_time'),
        ),
        AddConstraintNotValid(
            model_name='stock',
            constraint=models.CheckConstraint(condition=models.Q(('on_hand__gte', 0)), name='stock_on_hand_is_not_negative'),
        ),
        AddConstraintNotValid(
            model_name='stock',
            constraint=models.CheckConstraint(condition=models.Q(('reserved__gte', 0)), name='stock_reserved_is_not_negative'),
        ),
        AddConstraintNotValid(
            model_name='stock',
            constraint=models.CheckConstraint(condition=models.Q(('allocated__gte', 0)), name='stock_allocated_is_not_negative'),
        ),
        AddConstraintNotValid(
            model_name='stock',
            constraint=models.CheckConstraint(condition=models.Q(('reserved__lte', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('on_hand'), '+', models.F('backorder_limit')), '-', models.F('allocated')))), name='stock_promises_are_covered'),
        ),
        AddConstraintNotValid(
            model_name='stock',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('available_on', None), ('backorder_limit__gte', 0), ('policy', 'deny')), models.Q(('backorder_limit__gt', 0), ('policy', 'backorder')), models.Q(('available_on__isnull', False), ('backorder_limit__gt', 0), ('policy', 'preorder')), _connector='OR'), name='stock_policy_is_complete'),
        ),
        AddConstraintNotValid(
            model_name='stocklocation',
            constraint=models.CheckConstraint(condition=models.Q(('is_active', True), models.Q(('code', 'main'), _negated=True), _connector='OR'), name='stock_location_main_is_active', violation_error_message='The main location serves the orders.'),
        ),
        AddConstraintNotValid(
            model_name='stockmovement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('allocated_delta', 0), ('kind', 'receive'), ('on_hand_delta__gt', 0), ('reserved_delta', 0)), models.Q(('allocated_delta', 0), ('kind__in', ['adjust', 'count', 'transfer']), ('reserved_delta', 0), models.Q(('on_hand_delta', 0), _negated=True)), models.Q(('allocated_delta', 0), ('kind', 'reserve'), ('on_hand_delta', 0), ('order_id__isnull', False), ('reserved_delta__gt', 0)), models.Q(('allocated_delta__lte', 0), ('kind', 'release'), ('on_hand_delta', 0), ('order_id__isnull', False), ('reserved_delta__lte', 0), models.Q(('allocated_delta', 0), ('reserved_delta', 0), _negated=True)), models.Q(('allocated_delta', django.db.models.expressions.CombinedExpression(models.F('reserved_delta'), '*', models.Value(-1))), ('kind', 'allocate'), ('on_hand_delta', 0), ('order_id__isnull', False), ('reserved_delta__lt', 0)), models.Q(('allocated_delta__lte', 0), ('kind', 'ship'), ('on_hand_delta', django.db.models.expressions.CombinedExpression(models.F('reserved_delta'), '+', models.F('allocated_delta'))), ('on_hand_delta__lt', 0), ('order_id__isnull', False), ('reserved_delta__lte', 0)), models.Q(('allocated_delta', 0), ('kind', 'return'), ('on_hand_delta__gt', 0), ('order_id__isnull', False), ('reserved_delta', 0)), _connector='OR'), name='stock_movement_fits_its_kind'),
        ),
        migrations.AddField(
            model_name='stockunit',
            name='stock',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='units', to='catalog.stock'),
        ),
    ]
