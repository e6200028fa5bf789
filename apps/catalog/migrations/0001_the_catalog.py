"""The tables of the catalog."""

import apps.catalog.models.media
import apps.kernel.ids
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.db.models.lookups
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Stock',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('on_hand', models.BigIntegerField(default=0)),
                ('reserved', models.BigIntegerField(default=0)),
            ],
            options={
                'verbose_name_plural': 'stock',
            },
        ),
        migrations.CreateModel(
            name='Brand',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('slug', models.CharField(max_length=160, validators=[django.core.validators.RegexValidator('^(?![0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\Z)[a-z0-9]+(-[a-z0-9]+)*\\Z', 'Use small letters, digits and single hyphens.', code='slug')])),
            ],
            options={
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Upper('name'), name='brand_name_is_unique_in_any_case'), models.UniqueConstraint(fields=('slug',), name='brand_slug_is_unique'), models.CheckConstraint(condition=models.Q(('slug__regex', '^(?![0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\Z)[a-z0-9]+(-[a-z0-9]+)*\\Z')), name='brand_slug_is_a_slug')],
            },
        ),
        migrations.CreateModel(
            name='Category',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('slug', models.CharField(max_length=160, validators=[django.core.validators.RegexValidator('^(?![0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\Z)[a-z0-9]+(-[a-z0-9]+)*\\Z', 'Use small letters, digits and single hyphens.', code='slug')])),
                ('position', models.PositiveIntegerField(default=0)),
                ('path', models.TextField(db_collation='C', editable=False, help_text='/root id/…/own id/, kept by the services.')),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='catalog.category')),
            ],
            options={
                'verbose_name_plural': 'categories',
            },
        ),
        migrations.CreateModel(
            name='Product',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('slug', models.CharField(max_length=220, validators=[django.core.validators.RegexValidator('^(?![0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\Z)[a-z0-9]+(-[a-z0-9]+)*\\Z', 'Use small letters, digits and single hyphens.', code='slug')])),
                ('name', models.CharField(max_length=200)),
                ('description', models.TextField(blank=True, max_length=20000)),
                ('status', models.CharField(choices=[('draft', 'draft'), ('published', 'published'), ('archived', 'archived')], default='draft', max_length=10)),
                ('published_at', models.DateTimeField(editable=False, null=True)),
                ('package_size', models.CharField(blank=True, max_length=60)),
                ('external_ref', models.CharField(blank=True, help_text='Where an import found it; unique when set.', max_length=80)),
                ('currency', models.CharField(editable=False, max_length=3)),
                ('price_from_minor', models.BigIntegerField(editable=False, null=True)),
                ('compare_at_minor', models.BigIntegerField(editable=False, null=True)),
                ('rating_average', models.DecimalField(decimal_places=2, default=0, editable=False, max_digits=3)),
                ('rating_count', models.PositiveIntegerField(default=0, editable=False)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('brand', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='products', to='catalog.brand')),
                ('category', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='products', to='catalog.category')),
            ],
        ),
        migrations.CreateModel(
            name='Image',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('file', models.ImageField(height_field='height', storage=apps.catalog.models.media.product_storage, upload_to='products', width_field='width')),
                ('alt', models.CharField(blank=True, max_length=200)),
                ('width', models.PositiveIntegerField(editable=False)),
                ('height', models.PositiveIntegerField(editable=False)),
                ('position', models.PositiveIntegerField(default=0)),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='images', to='catalog.product')),
            ],
        ),
        migrations.CreateModel(
            name='Reservation',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('order_id', models.UUIDField()),
                ('quantity', models.IntegerField()),
                ('state', models.CharField(choices=[('active', 'held back'), ('released', 'given back'), ('shipped', 'shipped')], default='active', max_length=10)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('stock', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reservations', to='catalog.stock')),
            ],
        ),
        migrations.CreateModel(
            name='StockLocation',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(max_length=40)),
                ('name', models.CharField(max_length=120)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('code',), name='stock_location_code_is_unique')],
            },
        ),
        migrations.AddField(
            model_name='stock',
            name='location',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='stock', to='catalog.stocklocation'),
        ),
        migrations.CreateModel(
            name='StockMovement',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('receive', 'goods came in'), ('adjust', 'the count was corrected'), ('reserve', 'an order holds it back'), ('release', 'an order gave it back'), ('ship', 'it left with a parcel'), ('return', 'it came back')], max_length=10)),
                ('on_hand_delta', models.BigIntegerField()),
                ('reserved_delta', models.BigIntegerField()),
                ('order_id', models.UUIDField(blank=True, db_index=True, null=True)),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('actor_id', models.UUIDField(blank=True, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('stock', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='catalog.stock')),
            ],
        ),
        migrations.CreateModel(
            name='Variant',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('sku', models.CharField(max_length=64, validators=[django.core.validators.RegexValidator('^[!-~]{1,64}\\Z', 'Use up to 64 visible ASCII characters, no spaces.', code='sku')])),
                ('name', models.CharField(blank=True, help_text="What is added to the product's name, such as Large.", max_length=120)),
                ('options', models.JSONField(blank=True, default=dict)),
                ('price_minor', models.BigIntegerField(blank=True, null=True)),
                ('compare_at_minor', models.BigIntegerField(blank=True, null=True)),
                ('currency', models.CharField(editable=False, max_length=3)),
                ('position', models.PositiveIntegerField(default=0)),
                ('weight_grams', models.PositiveIntegerField(default=0)),
                ('is_active', models.BooleanField(default=True)),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='variants', to='catalog.product')),
            ],
        ),
        migrations.AddField(
            model_name='stock',
            name='variant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='stock', to='catalog.variant'),
        ),
        migrations.AddConstraint(
            model_name='category',
            constraint=models.UniqueConstraint(fields=('slug',), name='category_slug_is_unique'),
        ),
        migrations.AddConstraint(
            model_name='category',
            constraint=models.UniqueConstraint(fields=('path',), name='category_path_is_unique'),
        ),
        migrations.AddConstraint(
            model_name='category',
            constraint=models.UniqueConstraint(fields=('parent', 'name'), name='category_name_is_unique_among_siblings', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='category',
            constraint=models.CheckConstraint(condition=models.Q(('slug__regex', '^(?![0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\Z)[a-z0-9]+(-[a-z0-9]+)*\\Z')), name='category_slug_is_a_slug'),
        ),
        migrations.AddConstraint(
            model_name='category',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('parent', None), ('path', django.db.models.functions.text.Concat(models.Value('/', output_field=models.TextField()), django.db.models.functions.comparison.Cast('id', models.TextField()), models.Value('/', output_field=models.TextField())))), models.Q(('parent__isnull', False), ('path__endswith', django.db.models.functions.text.Concat(models.Value('/', output_field=models.TextField()), django.db.models.functions.comparison.Cast('parent_id', models.TextField()), models.Value('/', output_field=models.TextField()), django.db.models.functions.comparison.Cast('id', models.TextField()), models.Value('/', output_field=models.TextField())))), _connector='OR'), name='category_path_ends_with_parent_and_self'),
        ),
        migrations.AddConstraint(
            model_name='category',
            constraint=models.CheckConstraint(condition=django.db.models.lookups.Exact(django.db.models.expressions.CombinedExpression(django.db.models.functions.text.StrIndex(models.F('path'), django.db.models.functions.text.Concat(models.Value('/', output_field=models.TextField()), django.db.models.functions.comparison.Cast('id', models.TextField()), models.Value('/', output_field=models.TextField()))), '+', models.Value(37)), django.db.models.functions.text.Length('path')), name='category_is_not_its_own_ancestor'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('status', 'published')), fields=['created_at', 'id'], name='product_published_by_age'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('status', 'published')), fields=['price_from_minor', 'id'], name='product_published_by_price'),
        ),
        migrations.AddIndex(
            model_name='product',
            index=models.Index(condition=models.Q(('status', 'published')), fields=['name', 'id'], name='product_published_by_name'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.UniqueConstraint(fields=('slug',), name='product_slug_is_unique'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.UniqueConstraint(condition=models.Q(('external_ref', ''), _negated=True), fields=('external_ref',), name='product_external_ref_is_unique'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(('slug__regex', '^(?![0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\Z)[a-z0-9]+(-[a-z0-9]+)*\\Z')), name='product_slug_is_a_slug'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'published', 'archived'])), name='product_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'published'), _negated=True), models.Q(('category__isnull', False), ('price_from_minor__isnull', False), ('published_at__isnull', False)), _connector='OR'), name='product_published_has_category_price_and_date'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}\\Z')), name='product_currency_is_a_code'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(('price_from_minor', None), ('price_from_minor__gte', 0), _connector='OR'), name='product_price_is_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(('compare_at_minor', None), models.Q(('compare_at_minor__gt', models.F('price_from_minor')), ('price_from_minor__isnull', False)), _connector='OR'), name='product_compare_at_is_higher'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(('rating_average__gte', 0), ('rating_average__lte', 5)), name='product_rating_is_0_to_5'),
        ),
        migrations.AddConstraint(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(('version__gte', 1)), name='product_version_starts_at_one'),
        ),
        migrations.AddConstraint(
            model_name='image',
            constraint=models.CheckConstraint(condition=models.Q(('height__gte', 1), ('width__gte', 1)), name='image_has_a_size'),
        ),
        migrations.AddConstraint(
            model_name='reservation',
            constraint=models.UniqueConstraint(fields=('order_id', 'stock'), name='reservation_is_made_once_per_order'),
        ),
        migrations.AddConstraint(
            model_name='reservation',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='reservation_quantity_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='reservation',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['active', 'released', 'shipped'])), name='reservation_state_is_known'),
        ),
        migrations.AddConstraint(
            model_name='stockmovement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'receive'), ('on_hand_delta__gt', 0), ('reserved_delta', 0)), models.Q(('kind', 'adjust'), ('reserved_delta', 0), models.Q(('on_hand_delta', 0), _negated=True)), models.Q(('kind', 'reserve'), ('on_hand_delta', 0), ('order_id__isnull', False), ('reserved_delta__gt', 0)), models.Q(('kind', 'release'), ('on_hand_delta', 0), ('order_id__isnull', False), ('reserved_delta__lt', 0)), models.Q(('kind', 'ship'), ('on_hand_delta__lt', 0), ('order_id__isnull', False), ('reserved_delta', models.F('on_hand_delta'))), models.Q(('kind', 'return'), ('on_hand_delta__gt', 0), ('order_id__isnull', False), ('reserved_delta', 0)), _connector='OR'), name='stock_movement_fits_its_kind'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='stockmovement',
            trigger=pgtrigger.compiler.Trigger(name='stock_movements_stay', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e3a698c0e78b529a611dd68a39e31204d2b157e5', operation='UPDATE OR DELETE', pgid='pgtrigger_stock_movements_stay_77a0c', table='catalog_stockmovement', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='variant',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Upper('sku'), name='variant_sku_is_unique_in_any_case', violation_error_message='There is a variant with this SKU.'),
        ),
        migrations.AddConstraint(
            model_name='variant',
            constraint=models.CheckConstraint(condition=models.Q(('sku__regex', '^[!-~]{1,64}\\Z')), name='variant_sku_is_visible_ascii'),
        ),
        migrations.AddConstraint(
            model_name='variant',
            constraint=models.CheckConstraint(condition=models.Q(('price_minor', None), ('price_minor__gte', 0), _connector='OR'), name='variant_price_is_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='variant',
            constraint=models.CheckConstraint(condition=models.Q(('is_active', False), ('price_minor__isnull', False), _connector='OR'), name='variant_active_has_a_price', violation_error_message='What is for sale needs a price.'),
        ),
        migrations.AddConstraint(
            model_name='variant',
            constraint=models.CheckConstraint(condition=models.Q(('compare_at_minor', None), models.Q(('compare_at_minor__gt', models.F('price_minor')), ('price_minor__isnull', False)), _connector='OR'), name='variant_compare_at_is_higher'),
        ),
        migrations.AddConstraint(
            model_name='variant',
            constraint=models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}\\Z')), name='variant_currency_is_a_code'),
        ),
        migrations.AddConstraint(
            model_name='variant',
            constraint=models.CheckConstraint(condition=models.Q(django.db.models.lookups.Exact(models.Func(models.F('options'), function='jsonb_typeof', output_field=models.TextField()), models.Value('object')), models.Func(models.F('options'), output_field=models.BooleanField(), template='NOT jsonb_path_exists(\n                        %(expressions)s, \'$.* ? (@.type() != "string")\')')), name='variant_options_are_strings'),
        ),
        migrations.AddConstraint(
            model_name='stock',
            constraint=models.UniqueConstraint(fields=('variant', 'location'), name='stock_is_kept_once_per_location'),
        ),
        migrations.AddConstraint(
            model_name='stock',
            constraint=models.CheckConstraint(condition=models.Q(('reserved__gte', 0), ('reserved__lte', models.F('on_hand'))), name='stock_reserved_is_between_0_and_on_hand'),
        ),
    ]
