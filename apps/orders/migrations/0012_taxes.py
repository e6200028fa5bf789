"""Tax classes, zones and their areas, and rates by time."""

import apps.kernel.ids
import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0011_promotions'),
    ]

    operations = [
        BtreeGistExtension(),
        migrations.CreateModel(
            name='TaxArea',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('country', models.CharField(blank=True, help_text='ISO 3166-1 alpha-2; empty: wherever no other area is.', max_length=2)),
                ('region', models.CharField(blank=True, help_text='As addresses write it; empty: the whole country.', max_length=100)),
                ('postal_prefix', models.CharField(blank=True, help_text='How its postal codes begin.', max_length=10)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='TaxRate',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(help_text='Which tax it is, such as vat or county.', max_length=40, validators=[django.core.validators.RegexValidator('^[a-z0-9]+(-[a-z0-9]+)*\\Z', 'Use small letters, digits and single hyphens.', code='code')])),
                ('name', models.CharField(help_text='As invoices show it.', max_length=120)),
                ('ppm', models.PositiveIntegerField(help_text='Parts per million: 8.875 % is 88750.')),
                ('valid_from', models.DateTimeField(blank=True, null=True)),
                ('valid_until', models.DateTimeField(blank=True, null=True)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name='TaxZone',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120)),
                ('prices_include_tax', models.BooleanField(default=False, help_text='Whether the prices are with tax, or it is added to them.')),
                ('shipping_taxed', models.BooleanField(default=True)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name='TaxClass',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(help_text='Products name it; it never changes.', max_length=40, validators=[django.core.validators.RegexValidator('^[a-z0-9]+(-[a-z0-9]+)*\\Z', 'Use small letters, digits and single hyphens.', code='code')])),
                ('name', models.CharField(max_length=120)),
                ('is_default', models.BooleanField(default=False)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                'verbose_name_plural': 'tax classes',
                'constraints': [models.UniqueConstraint(fields=('code',), name='tax_class_code_is_unique'), models.CheckConstraint(condition=models.Q(('code__regex', '^[a-z0-9]+(-[a-z0-9]+)*\\Z')), name='tax_class_code_is_a_code'), models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='tax_class_default_is_one')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='taxclass',
            trigger=pgtrigger.compiler.Trigger(name='tax_class_keeps_its_code', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."code" IS DISTINCT FROM (NEW."code"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='6912c31fb6ccac287c1249da150964fe286fb3cd', operation='UPDATE', pgid='pgtrigger_tax_class_keeps_its_code_53d49', table='orders_taxclass', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='taxclass',
            trigger=pgtrigger.compiler.Trigger(name='tax_class_default_is_there', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', func="\n                IF EXISTS (SELECT FROM orders_taxclass)\n                    AND NOT EXISTS (SELECT FROM orders_taxclass WHERE is_default) THEN\n                    RAISE EXCEPTION USING ERRCODE = 'check_violation',\n                        CONSTRAINT = 'tax_class_default_is_there',\n                        MESSAGE = 'One of the tax classes has to be the default one.';\n                END IF;\n                RETURN NULL;\n                ", hash='b4ae39b988bcf3c6ad35d79fd0784dd4d9ff87ea', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_tax_class_default_is_there_fbdbe', table='orders_taxclass', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        migrations.AddField(
            model_name='taxrate',
            name='tax_class',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rates', to='orders.taxclass'),
        ),
        migrations.AddField(
            model_name='taxzone',
            name='shipping_tax_class',
            field=models.ForeignKey(blank=True, help_text='How parcels are taxed; empty: as the default class.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='zones_of_shipping', to='orders.taxclass'),
        ),
        migrations.AddField(
            model_name='taxrate',
            name='zone',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rates', to='orders.taxzone'),
        ),
        migrations.AddField(
            model_name='taxarea',
            name='zone',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='areas', to='orders.taxzone'),
        ),
        migrations.AddConstraint(
            model_name='taxzone',
            constraint=models.UniqueConstraint(fields=('name',), name='tax_zone_name_is_unique'),
        ),
        migrations.AddConstraint(
            model_name='taxrate',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('zone', '='), ('tax_class', '='), ('code', '='), (models.Func(models.F('valid_from'), models.F('valid_until'), models.Value('[)'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='tax_rates_do_not_overlap', violation_error_message='Another rate of this tax is valid at that time.'),
        ),
        migrations.AddConstraint(
            model_name='taxrate',
            constraint=models.CheckConstraint(condition=models.Q(('ppm__gte', 0), ('ppm__lte', 1000000)), name='tax_rate_is_0_to_100_percent'),
        ),
        migrations.AddConstraint(
            model_name='taxrate',
            constraint=models.CheckConstraint(condition=models.Q(('code__regex', '^[a-z0-9]+(-[a-z0-9]+)*\\Z')), name='tax_rate_code_is_a_code'),
        ),
        migrations.AddConstraint(
            model_name='taxrate',
            constraint=models.CheckConstraint(condition=models.Q(('valid_from', None), ('valid_until', None), ('valid_from__lt', models.F('valid_until')), _connector='OR'), name='tax_rate_begins_before_it_ends', violation_error_message='A rate begins before it ends.'),
        ),
        migrations.AddConstraint(
            model_name='taxarea',
            constraint=models.UniqueConstraint(fields=('country', 'region', 'postal_prefix'), name='tax_area_is_in_one_zone', violation_error_message='This area is in a zone already.'),
        ),
        migrations.AddConstraint(
            model_name='taxarea',
            constraint=models.CheckConstraint(condition=models.Q(('country__in', ['', 'AD', 'AE', 'AF', 'AG', 'AI', 'AL', 'AM', 'AO', 'AQ', 'AR', 'AS', 'AT', 'AU', 'AW', 'AX', 'AZ', 'BA', 'BB', 'BD', 'BE', 'BF', 'BG', 'BH', 'BI', 'BJ', 'BL', 'BM', 'BN', 'BO', 'BQ', 'BR', 'BS', 'BT', 'BV', 'BW', 'BY', 'BZ', 'CA', 'CC', 'CD', 'CF', 'CG', 'CH', 'CI', 'CK', 'CL', 'CM', 'CN', 'CO', 'CR', 'CU', 'CV', 'CW', 'CX', 'CY', 'CZ', 'DE', 'DJ', 'DK', 'DM', 'DO', 'DZ', 'EC', 'EE', 'EG', 'EH', 'ER', 'ES', 'ET', 'FI', 'FJ', 'FK', 'FM', 'FO', 'FR', 'GA', 'GB', 'GD', 'GE', 'GF', 'GG', 'GH', 'GI', 'GL', 'GM', 'GN', 'GP', 'GQ', 'GR', 'GS', 'GT', 'GU', 'GW', 'GY', 'HK', 'HM', 'HN', 'HR', 'HT', 'HU', 'ID', 'IE', 'IL', 'IM', 'IN', 'IO', 'IQ', 'IR', 'IS', 'IT', 'JE', 'JM', 'JO', 'JP', 'KE', 'KG', 'KH', 'KI', 'KM', 'KN', 'KP', 'KR', 'KW', 'KY', 'KZ', 'LA', 'LB', 'LC', 'LI', 'LK', 'LR', 'LS', 'LT', 'LU', 'LV', 'LY', 'MA', 'MC', 'MD', 'ME', 'MF', 'MG', 'MH', 'MK', 'ML', 'MM', 'MN', 'MO', 'MP', 'MQ', 'MR', 'MS', 'MT', 'MU', 'MV', 'MW', 'MX', 'MY', 'MZ', 'NA', 'NC', 'NE', 'NF', 'NG', 'NI', 'NL', 'NO', 'NP', 'NR', 'NU', 'NZ', 'OM', 'PA', 'PE', 'PF', 'PG', 'PH', 'PK', 'PL', 'PM', 'PN', 'PR', 'PS', 'PT', 'PW', 'PY', 'QA', 'RE', 'RO', 'RS', 'RU', 'RW', 'SA', 'SB', 'SC', 'SD', 'SE', 'SG', 'SH', 'SI', 'SJ', 'SK', 'SL', 'SM', 'SN', 'SO', 'SR', 'SS', 'ST', 'SV', 'SX', 'SY', 'SZ', 'TC', 'TD', 'TF', 'TG', 'TH', 'TJ', 'TK', 'TL', 'TM', 'TN', 'TO', 'TR', 'TT', 'TV', 'TW', 'TZ', 'UA', 'UG', 'UM', 'US', 'UY', 'UZ', 'VA', 'VC', 'VE', 'VG', 'VI', 'VN', 'VU', 'WF', 'WS', 'YE', 'YT', 'ZA', 'ZM', 'ZW'])), name='tax_area_country_is_a_code'),
        ),
        migrations.AddConstraint(
            model_name='taxarea',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('country', ''), _negated=True), models.Q(('postal_prefix', ''), ('region', '')), _connector='OR'), name='tax_area_everywhere_is_not_narrowed'),
        ),
        migrations.AddConstraint(
            model_name='taxarea',
            constraint=models.CheckConstraint(condition=models.Q(('region__regex', '^([^a-z ]([^a-z]*[^a-z ])?)?\\Z')), name='tax_area_region_is_a_key'),
        ),
        migrations.AddConstraint(
            model_name='taxarea',
            constraint=models.CheckConstraint(condition=models.Q(('postal_prefix__regex', '^[0-9A-Z]*\\Z')), name='tax_area_postal_prefix_is_a_key'),
        ),
    ]
