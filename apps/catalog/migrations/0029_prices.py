"""Price lists, prices by time and quantity, and the history of all prices."""

import apps.kernel.ids
import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0028_questions_and_answers'),
    ]

    accepts = {
        'triggers catalog_variant': 'It only notes prices; what the release before writes is noted, too.',
        'triggers catalog_product': 'As for catalog_variant.',
    }

    operations = [
        BtreeGistExtension(),
        migrations.CreateModel(
            name='Price',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('min_quantity', models.PositiveIntegerField(default=1, help_text='It applies when so many pieces are bought.')),
                ('amount_minor', models.BigIntegerField()),
                ('compare_at_minor', models.BigIntegerField(blank=True, null=True)),
                ('valid_from', models.DateTimeField(blank=True, db_default=django.db.models.functions.datetime.Now())),
                ('valid_until', models.DateTimeField(blank=True, null=True)),
                ('next_change_at', models.DateTimeField(editable=False, help_text='When it begins or ends next. Kept by the database.', null=True)),
            ],
            options={
                'default_permissions': ('change', 'view'),
            },
        ),
        migrations.CreateModel(
            name='PriceChange',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('min_quantity', models.PositiveIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('amount_minor', models.BigIntegerField(null=True)),
                ('compare_at_minor', models.BigIntegerField(null=True)),
                ('lowest_minor', models.BigIntegerField(null=True)),
                ('at', models.DateTimeField()),
            ],
            options={
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='PriceList',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(max_length=40, validators=[django.core.validators.RegexValidator('^[a-z0-9]+(-[a-z0-9]+)*\\Z', 'Use small letters, digits and single hyphens.', code='code')])),
                ('name', models.CharField(max_length=120)),
                ('currency', models.CharField(help_text='ISO 4217; it never changes.', max_length=3)),
                ('customer_group_id', models.UUIDField(blank=True, help_text='Id of the customer group; empty: for everybody.', null=True)),
                ('priority', models.SmallIntegerField(default=0, help_text='The higher one counts where several lists have a price.')),
                ('valid_from', models.DateTimeField(blank=True, null=True)),
                ('valid_until', models.DateTimeField(blank=True, null=True)),
                ('is_active', models.BooleanField(default=True)),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
            ],
        ),
        migrations.AddField(
            model_name='product',
            name='lowest_minor',
            field=models.BigIntegerField(editable=False, help_text='In the 30 days before the reduction.', null=True),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='product',
            trigger=pgtrigger.compiler.Trigger(name='prices_are_noted_when_published', sql=pgtrigger.compiler.UpsertTriggerSql(condition="WHEN ((OLD.status = 'published') <> (NEW.status = 'published'))", declare='DECLARE seen_at timestamptz := statement_timestamp(); noted_at timestamptz := now();', func="\nINSERT INTO catalog_pricechange (variant_id, price_list_id, min_quantity, currency, amount_minor,\n    compare_at_minor, lowest_minor, at)\nSELECT s.variant_id, s.price_list_id, s.min_quantity, s.currency, s.amount_minor,\n    s.compare_at_minor, CASE WHEN s.compare_at_minor IS NOT NULL THEN (\n        SELECT min(h.amount_minor) FROM (\n            SELECT h.amount_minor, h.at, lead(h.at, 1, s.at) OVER (ORDER BY h.at, h.id) AS until\n            FROM catalog_pricechange h\n            WHERE h.variant_id = s.variant_id AND h.currency = s.currency\n                AND h.min_quantity = s.min_quantity\n                AND h.price_list_id IS NOT DISTINCT FROM s.price_list_id\n        ) h\n        WHERE h.until > h.at AND h.until > s.at - interval '720 hours'\n    ) END, s.at\nFROM (\n    SELECT coalesce(n.variant_id, o.variant_id) AS variant_id,\n        coalesce(n.price_list_id, o.price_list_id) AS price_list_id,\n        coalesce(n.min_quantity, o.min_quantity) AS min_quantity,\n        coalesce(n.currency, o.currency) AS currency,\n        n.amount_minor, n.compare_at_minor, greatest(noted_at, o.at) AS at\n    FROM (\n        SELECT v.id AS variant_id, NULL::uuid AS price_list_id, 1 AS min_quantity, k.currency,\n            r.amount_minor, r.compare_at_minor\n        FROM catalog_variant v JOIN catalog_product d ON d.id = v.product_id\n        CROSS JOIN LATERAL (\n            SELECT v.currency UNION\n            SELECT l.currency FROM catalog_price p\n            JOIN catalog_pricelist l ON l.id = p.price_list_id\n            WHERE p.variant_id = v.id AND l.customer_group_id IS NULL\n        ) k\n        CROSS JOIN LATERAL (\nSELECT c.amount_minor, c.compare_at_minor, c.source, c.group_list_id FROM (\n    SELECT p.amount_minor, coalesce(p.compare_at_minor, CASE\n            WHEN p.price_list_id IS NULL AND p.valid_until IS NOT NULL\n                AND greatest(v.price_minor, v.compare_at_minor) > p.amount_minor\n            THEN greatest(v.price_minor, v.compare_at_minor)\n        END) AS compare_at_minor,\n        CASE WHEN l.customer_group_id IS NOT NULL THEN 1 WHEN l.id IS NOT NULL THEN 2\n            WHEN p.valid_until IS NOT NULL THEN 3 ELSE 4 END AS place,\n        l.priority,\n        CASE WHEN l.id IS NULL AND p.valid_until IS NULL THEN p.valid_from END AS since,\n        CASE WHEN l.id IS NOT NULL THEN 'list:' || l.code\n            WHEN p.valid_until IS NOT NULL THEN 'sale' ELSE 'regular' END AS source,\n        CASE WHEN l.customer_group_id IS NOT NULL THEN l.id END AS group_list_id\n    FROM catalog_price p LEFT JOIN catalog_pricelist l ON l.id = p.price_list_id\n    WHERE p.variant_id = v.id AND p.min_quantity <= 1\n        AND p.valid_from <= seen_at AND (p.valid_until IS NULL OR p.valid_until > seen_at)\n        AND CASE WHEN l.id IS NULL THEN v.currency = k.currency ELSE l.currency = k.currency\n            AND (l.customer_group_id IS NULL OR l.customer_group_id = NULL::uuid)\n            AND l.is_active AND (l.valid_from IS NULL OR l.valid_from <= seen_at)\n        AND (l.valid_until IS NULL OR l.valid_until > seen_at) END\n    UNION ALL\n    SELECT v.price_minor, v.compare_at_minor, 4, NULL, NULL, 'regular', NULL\n    WHERE v.currency = k.currency AND v.price_minor IS NOT NULL\n) c\nORDER BY c.place, c.priority DESC NULLS LAST, c.since DESC NULLS LAST, c.amount_minor LIMIT 1\n) r\n        WHERE v.id IN (SELECT id FROM catalog_variant WHERE product_id = NEW.id) AND v.is_active AND d.status = 'published'\n        UNION ALL\n        SELECT p.variant_id, p.price_list_id, p.min_quantity, l.currency, p.amount_minor,\n            p.compare_at_minor\n        FROM catalog_price p JOIN catalog_pricelist l ON l.id = p.price_list_id\n        JOIN catalog_variant v ON v.id = p.variant_id\n        JOIN catalog_product d ON d.id = v.product_id\n        WHERE p.variant_id IN (SELECT id FROM catalog_variant WHERE product_id = NEW.id) AND v.is_active AND d.status = 'published'\n            AND p.valid_from <= seen_at AND (p.valid_until IS NULL OR p.valid_until > seen_at) AND l.is_active AND (l.valid_from IS NULL OR l.valid_from <= seen_at)\n        AND (l.valid_until IS NULL OR l.valid_until > seen_at)\n    ) n\n    FULL JOIN (\n        SELECT DISTINCT ON (h.variant_id, h.price_list_id, h.min_quantity, h.currency) h.*\n        FROM catalog_pricechange h WHERE h.variant_id IN (SELECT id FROM catalog_variant WHERE product_id = NEW.id)\n        ORDER BY h.variant_id, h.price_list_id, h.min_quantity, h.currency, h.at DESC, h.id DESC\n    ) o ON o.variant_id = n.variant_id AND o.min_quantity = n.min_quantity\n        AND o.currency = n.currency\n        AND coalesce(o.price_list_id, '00000000-0000-0000-0000-000000000000') = coalesce(n.price_list_id, '00000000-0000-0000-0000-000000000000')\n    WHERE (n.amount_minor, n.compare_at_minor)\n        IS DISTINCT FROM (o.amount_minor, o.compare_at_minor)\n) s;\nRETURN NULL;\n", hash='88c50bc4909635608868125f4fd68ce7be60743e', operation='UPDATE', pgid='pgtrigger_prices_are_noted_when_published_f01c2', table='catalog_product', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='variant',
            trigger=pgtrigger.compiler.Trigger(name='first_prices_are_noted', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nINSERT INTO catalog_pricechange (variant_id, min_quantity, currency, amount_minor,\n    compare_at_minor, at)\nSELECT v.id, 1, v.currency, v.price_minor, v.compare_at_minor, now()\nFROM fresh v JOIN catalog_product d ON d.id = v.product_id\nWHERE v.is_active AND v.price_minor IS NOT NULL AND d.status = 'published'\nORDER BY v.id;\nRETURN NULL;\n", hash='bbe3b0be7070f62ec2918917e61a9ddec4a97bd4', level='STATEMENT', operation='INSERT', pgid='pgtrigger_first_prices_are_noted_f17d6', referencing='REFERENCING NEW TABLE AS fresh ', table='catalog_variant', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='variant',
            trigger=pgtrigger.compiler.Trigger(name='prices_are_noted', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN ((OLD.price_minor, OLD.compare_at_minor, OLD.is_active) IS DISTINCT FROM (NEW.price_minor, NEW.compare_at_minor, NEW.is_active))', declare='DECLARE seen_at timestamptz := statement_timestamp(); noted_at timestamptz := now();', func="\nINSERT INTO catalog_pricechange (variant_id, price_list_id, min_quantity, currency, amount_minor,\n    compare_at_minor, lowest_minor, at)\nSELECT s.variant_id, s.price_list_id, s.min_quantity, s.currency, s.amount_minor,\n    s.compare_at_minor, CASE WHEN s.compare_at_minor IS NOT NULL THEN (\n        SELECT min(h.amount_minor) FROM (\n            SELECT h.amount_minor, h.at, lead(h.at, 1, s.at) OVER (ORDER BY h.at, h.id) AS until\n            FROM catalog_pricechange h\n            WHERE h.variant_id = s.variant_id AND h.currency = s.currency\n                AND h.min_quantity = s.min_quantity\n                AND h.price_list_id IS NOT DISTINCT FROM s.price_list_id\n        ) h\n        WHERE h.until > h.at AND h.until > s.at - interval '720 hours'\n    ) END, s.at\nFROM (\n    SELECT coalesce(n.variant_id, o.variant_id) AS variant_id,\n        coalesce(n.price_list_id, o.price_list_id) AS price_list_id,\n        coalesce(n.min_quantity, o.min_quantity) AS min_quantity,\n        coalesce(n.currency, o.currency) AS currency,\n        n.amount_minor, n.compare_at_minor, greatest(noted_at, o.at) AS at\n    FROM (\n        SELECT v.id AS variant_id, NULL::uuid AS price_list_id, 1 AS min_quantity, k.currency,\n            r.amount_minor, r.compare_at_minor\n        FROM catalog_variant v JOIN catalog_product d ON d.id = v.product_id\n        CROSS JOIN LATERAL (\n            SELECT v.currency UNION\n            SELECT l.currency FROM catalog_price p\n            JOIN catalog_pricelist l ON l.id = p.price_list_id\n            WHERE p.variant_id = v.id AND l.customer_group_id IS NULL\n        ) k\n        CROSS JOIN LATERAL (\nSELECT c.amount_minor, c.compare_at_minor, c.source, c.group_list_id FROM (\n    SELECT p.amount_minor, coalesce(p.compare_at_minor, CASE\n            WHEN p.price_list_id IS NULL AND p.valid_until IS NOT NULL\n                AND greatest(v.price_minor, v.compare_at_minor) > p.amount_minor\n            THEN greatest(v.price_minor, v.compare_at_minor)\n        END) AS compare_at_minor,\n        CASE WHEN l.customer_group_id IS NOT NULL THEN 1 WHEN l.id IS NOT NULL THEN 2\n            WHEN p.valid_until IS NOT NULL THEN 3 ELSE 4 END AS place,\n        l.priority,\n        CASE WHEN l.id IS NULL AND p.valid_until IS NULL THEN p.valid_from END AS since,\n        CASE WHEN l.id IS NOT NULL THEN 'list:' || l.code\n            WHEN p.valid_until IS NOT NULL THEN 'sale' ELSE 'regular' END AS source,\n        CASE WHEN l.customer_group_id IS NOT NULL THEN l.id END AS group_list_id\n    FROM catalog_price p LEFT JOIN catalog_pricelist l ON l.id = p.price_list_id\n    WHERE p.variant_id = v.id AND p.min_quantity <= 1\n        AND p.valid_from <= seen_at AND (p.valid_until IS NULL OR p.valid_until > seen_at)\n        AND CASE WHEN l.id IS NULL THEN v.currency = k.currency ELSE l.currency = k.currency\n            AND (l.customer_group_id IS NULL OR l.customer_group_id = NULL::uuid)\n            AND l.is_active AND (l.valid_from IS NULL OR l.valid_from <= seen_at)\n        AND (l.valid_until IS NULL OR l.valid_until > seen_at) END\n    UNION ALL\n    SELECT v.price_minor, v.compare_at_minor, 4, NULL, NULL, 'regular', NULL\n    WHERE v.currency = k.currency AND v.price_minor IS NOT NULL\n) c\nORDER BY c.place, c.priority DESC NULLS LAST, c.since DESC NULLS LAST, c.amount_minor LIMIT 1\n) r\n        WHERE v.id IN (NEW.id) AND v.is_active AND d.status = 'published'\n        UNION ALL\n        SELECT p.variant_id, p.price_list_id, p.min_quantity, l.currency, p.amount_minor,\n            p.compare_at_minor\n        FROM catalog_price p JOIN catalog_pricelist l ON l.id = p.price_list_id\n        JOIN catalog_variant v ON v.id = p.variant_id\n        JOIN catalog_product d ON d.id = v.product_id\n        WHERE p.variant_id IN (NEW.id) AND v.is_active AND d.status = 'published'\n            AND p.valid_from <= seen_at AND (p.valid_until IS NULL OR p.valid_until > seen_at) AND l.is_active AND (l.valid_from IS NULL OR l.valid_from <= seen_at)\n        AND (l.valid_until IS NULL OR l.valid_until > seen_at)\n    ) n\n    FULL JOIN (\n        SELECT DISTINCT ON (h.variant_id, h.price_list_id, h.min_quantity, h.currency) h.*\n        FROM catalog_pricechange h WHERE h.variant_id IN (NEW.id)\n        ORDER BY h.variant_id, h.price_list_id, h.min_quantity, h.currency, h.at DESC, h.id DESC\n    ) o ON o.variant_id = n.variant_id AND o.min_quantity = n.min_quantity\n        AND o.currency = n.currency\n        AND coalesce(o.price_list_id, '00000000-0000-0000-0000-000000000000') = coalesce(n.price_list_id, '00000000-0000-0000-0000-000000000000')\n    WHERE (n.amount_minor, n.compare_at_minor)\n        IS DISTINCT FROM (o.amount_minor, o.compare_at_minor)\n) s;\nRETURN NULL;\n", hash='a00fe04198b4f89be06a63094c13ccaa23f309c1', operation='UPDATE', pgid='pgtrigger_prices_are_noted_c73a6', table='catalog_variant', when='AFTER')),
        ),
        migrations.AddField(
            model_name='price',
            name='variant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='prices', to='catalog.variant'),
        ),
        migrations.AddField(
            model_name='pricechange',
            name='variant',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='price_changes', to='catalog.variant'),
        ),
        migrations.AddConstraint(
            model_name='pricelist',
            constraint=models.UniqueConstraint(fields=('code',), name='price_list_code_is_unique', violation_error_message='There is a list with this code.'),
        ),
        migrations.AddConstraint(
            model_name='pricelist',
            constraint=models.CheckConstraint(condition=models.Q(('code__regex', '^[a-z0-9]+(-[a-z0-9]+)*\\Z')), name='price_list_code_is_a_code'),
        ),
        migrations.AddConstraint(
            model_name='pricelist',
            constraint=models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}\\Z')), name='price_list_currency_is_a_code'),
        ),
        migrations.AddConstraint(
            model_name='pricelist',
            constraint=models.CheckConstraint(condition=models.Q(('valid_from', None), ('valid_until', None), ('valid_from__lt', models.F('valid_until')), _connector='OR'), name='price_list_begins_before_it_ends', violation_error_message='A list begins before it ends.'),
        ),
        migrations.AddField(
            model_name='pricechange',
            name='price_list',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='catalog.pricelist'),
        ),
        migrations.AddField(
            model_name='price',
            name='price_list',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='prices', to='catalog.pricelist'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pricelist',
            trigger=pgtrigger.compiler.Trigger(name='price_list_keeps_its_currency', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."currency" IS DISTINCT FROM (NEW."currency"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='6390ec8f9d4b8f9c3d73f6f5649911367cd3f142', operation='UPDATE', pgid='pgtrigger_price_list_keeps_its_currency_43346', table='catalog_pricelist', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='pricechange',
            index=models.Index(fields=['variant', 'at', 'id'], name='price_change_of_variant'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pricechange',
            trigger=pgtrigger.compiler.Trigger(name='price_changes_stay', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='751c3cb84adbc3c468e1c01fb74a362c2af9eece', operation='UPDATE OR DELETE', pgid='pgtrigger_price_changes_stay_c5416', table='catalog_pricechange', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='price',
            index=models.Index(condition=models.Q(('next_change_at__isnull', False)), fields=['next_change_at'], name='price_due'),
        ),
        migrations.AddConstraint(
            model_name='price',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('price_list__isnull', False), ('valid_until__isnull', False), _connector='OR'), expressions=[('variant', '='), (django.db.models.functions.comparison.Coalesce('price_list', models.Value('00000000-0000-0000-0000-000000000000', models.UUIDField())), '='), ('min_quantity', '='), (models.Func(models.F('valid_from'), models.F('valid_until'), models.Value('[)'), function='tstzrange', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='price_schedules_do_not_overlap', violation_error_message='Another price is valid at that time.'),
        ),
        migrations.AddConstraint(
            model_name='price',
            constraint=models.UniqueConstraint(condition=models.Q(('price_list', None), ('valid_until', None)), fields=('variant', 'valid_from'), name='price_becomes_regular_once_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='price',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gte', 0), ('amount_minor__lte', 1000000000000)), name='price_amount_is_in_bounds'),
        ),
        migrations.AddConstraint(
            model_name='price',
            constraint=models.CheckConstraint(condition=models.Q(('compare_at_minor', None), models.Q(('compare_at_minor__gt', models.F('amount_minor')), ('compare_at_minor__lte', 1000000000000)), _connector='OR'), name='price_compare_at_is_higher', violation_error_message='The price to compare with has to be higher.'),
        ),
        migrations.AddConstraint(
            model_name='price',
            constraint=models.CheckConstraint(condition=models.Q(('min_quantity__gte', 1), ('min_quantity__lte', 1000000)), name='price_quantity_is_in_bounds'),
        ),
        migrations.AddConstraint(
            model_name='price',
            constraint=models.CheckConstraint(condition=models.Q(('price_list__isnull', False), ('min_quantity', 1), _connector='OR'), name='price_of_many_is_in_a_list', violation_error_message='Prices by quantity belong in a list.'),
        ),
        migrations.AddConstraint(
            model_name='price',
            constraint=models.CheckConstraint(condition=models.Q(('valid_until', None), ('valid_from__lt', models.F('valid_until')), _connector='OR'), name='price_begins_before_it_ends', violation_error_message='A price begins before it ends.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='price',
            trigger=pgtrigger.compiler.Trigger(name='price_knows_what_is_due', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE dealt_with timestamptz;', func="\nIF TG_OP = 'UPDATE' THEN\n    IF (NEW.valid_from, NEW.valid_until) IS NOT DISTINCT FROM (OLD.valid_from, OLD.valid_until) THEN\n        IF NEW.next_change_at IS NOT NULL THEN\n            RETURN NEW;\n        END IF;\n        dealt_with := OLD.next_change_at;\n    END IF;\nEND IF;\nIF NEW.price_list_id IS NULL AND NEW.valid_until IS NULL THEN\n    NEW.next_change_at := CASE WHEN dealt_with IS NULL THEN NEW.valid_from END;\nELSIF dealt_with IS NULL AND NEW.valid_until <= statement_timestamp() THEN\n    NEW.next_change_at := NEW.valid_until;\nELSE\n    NEW.next_change_at := (\n        SELECT min(moment) FROM (\n            VALUES (NEW.valid_from), (NEW.valid_until)\n            UNION ALL SELECT valid_from FROM catalog_pricelist WHERE id = NEW.price_list_id\n            UNION ALL SELECT valid_until FROM catalog_pricelist WHERE id = NEW.price_list_id\n        ) moments (moment) WHERE moment > coalesce(dealt_with, statement_timestamp())\n    );\nEND IF;\nRETURN NEW;\n", hash='6c6276e379d24c6aa7337f429b544dd62b75b346', operation='INSERT OR UPDATE', pgid='pgtrigger_price_knows_what_is_due_08939', table='catalog_price', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='price',
            trigger=pgtrigger.compiler.Trigger(name='price_is_noted', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE seen_at timestamptz := statement_timestamp(); noted_at timestamptz := now(); about uuid := coalesce(NEW.variant_id, OLD.variant_id);', func="\n                IF TG_OP = 'UPDATE' AND NEW.next_change_at <= seen_at\n                    AND coalesce(OLD.next_change_at > seen_at, true) THEN\n                    RETURN NULL;  -- its list was changed: noted when that is dealt with\n                END IF;\n                IF TG_OP <> 'INSERT' AND OLD.next_change_at <= seen_at THEN\n                    seen_at := OLD.next_change_at;\n                    noted_at := OLD.next_change_at;\n                END IF;\n                \nINSERT INTO catalog_pricechange (variant_id, price_list_id, min_quantity, currency, amount_minor,\n    compare_at_minor, lowest_minor, at)\nSELECT s.variant_id, s.price_list_id, s.min_quantity, s.currency, s.amount_minor,\n    s.compare_at_minor, CASE WHEN s.compare_at_minor IS NOT NULL THEN (\n        SELECT min(h.amount_minor) FROM (\n            SELECT h.amount_minor, h.at, lead(h.at, 1, s.at) OVER (ORDER BY h.at, h.id) AS until\n            FROM catalog_pricechange h\n            WHERE h.variant_id = s.variant_id AND h.currency = s.currency\n                AND h.min_quantity = s.min_quantity\n                AND h.price_list_id IS NOT DISTINCT FROM s.price_list_id\n        ) h\n        WHERE h.until > h.at AND h.until > s.at - interval '720 hours'\n    ) END, s.at\nFROM (\n    SELECT coalesce(n.variant_id, o.variant_id) AS variant_id,\n        coalesce(n.price_list_id, o.price_list_id) AS price_list_id,\n        coalesce(n.min_quantity, o.min_quantity) AS min_quantity,\n        coalesce(n.currency, o.currency) AS currency,\n        n.amount_minor, n.compare_at_minor, greatest(noted_at, o.at) AS at\n    FROM (\n        SELECT v.id AS variant_id, NULL::uuid AS price_list_id, 1 AS min_quantity, k.currency,\n            r.amount_minor, r.compare_at_minor\n        FROM catalog_variant v JOIN catalog_product d ON d.id = v.product_id\n        CROSS JOIN LATERAL (\n            SELECT v.currency UNION\n            SELECT l.currency FROM catalog_price p\n            JOIN catalog_pricelist l ON l.id = p.price_list_id\n            WHERE p.variant_id = v.id AND l.customer_group_id IS NULL\n        ) k\n        CROSS JOIN LATERAL (\nSELECT c.amount_minor, c.compare_at_minor, c.source, c.group_list_id FROM (\n    SELECT p.amount_minor, coalesce(p.compare_at_minor, CASE\n            WHEN p.price_list_id IS NULL AND p.valid_until IS NOT NULL\n                AND greatest(v.price_minor, v.compare_at_minor) > p.amount_minor\n            THEN greatest(v.price_minor, v.compare_at_minor)\n        END) AS compare_at_minor,\n        CASE WHEN l.customer_group_id IS NOT NULL THEN 1 WHEN l.id IS NOT NULL THEN 2\n            WHEN p.valid_until IS NOT NULL THEN 3 ELSE 4 END AS place,\n        l.priority,\n        CASE WHEN l.id IS NULL AND p.valid_until IS NULL THEN p.valid_from END AS since,\n        CASE WHEN l.id IS NOT NULL THEN 'list:' || l.code\n            WHEN p.valid_until IS NOT NULL THEN 'sale' ELSE 'regular' END AS source,\n        CASE WHEN l.customer_group_id IS NOT NULL THEN l.id END AS group_list_id\n    FROM catalog_price p LEFT JOIN catalog_pricelist l ON l.id = p.price_list_id\n    WHERE p.variant_id = v.id AND p.min_quantity <= 1\n        AND p.valid_from <= seen_at AND (p.valid_until IS NULL OR p.valid_until > seen_at)\n        AND CASE WHEN l.id IS NULL THEN v.currency = k.currency ELSE l.currency = k.currency\n            AND (l.customer_group_id IS NULL OR l.customer_group_id = NULL::uuid)\n            AND l.is_active AND (l.valid_from IS NULL OR l.valid_from <= seen_at)\n        AND (l.valid_until IS NULL OR l.valid_until > seen_at) END\n    UNION ALL\n    SELECT v.price_minor, v.compare_at_minor, 4, NULL, NULL, 'regular', NULL\n    WHERE v.currency = k.currency AND v.price_minor IS NOT NULL\n) c\nORDER BY c.place, c.priority DESC NULLS LAST, c.since DESC NULLS LAST, c.amount_minor LIMIT 1\n) r\n        WHERE v.id IN (about) AND v.is_active AND d.status = 'published'\n        UNION ALL\n        SELECT p.variant_id, p.price_list_id, p.min_quantity, l.currency, p.amount_minor,\n            p.compare_at_minor\n        FROM catalog_price p JOIN catalog_pricelist l ON l.id = p.price_list_id\n        JOIN catalog_variant v ON v.id = p.variant_id\n        JOIN catalog_product d ON d.id = v.product_id\n        WHERE p.variant_id IN (about) AND v.is_active AND d.status = 'published'\n            AND p.valid_from <= seen_at AND (p.valid_until IS NULL OR p.valid_until > seen_at) AND l.is_active AND (l.valid_from IS NULL OR l.valid_from <= seen_at)\n        AND (l.valid_until IS NULL OR l.valid_until > seen_at)\n    ) n\n    FULL JOIN (\n        SELECT DISTINCT ON (h.variant_id, h.price_list_id, h.min_quantity, h.currency) h.*\n        FROM catalog_pricechange h WHERE h.variant_id IN (about)\n        ORDER BY h.variant_id, h.price_list_id, h.min_quantity, h.currency, h.at DESC, h.id DESC\n    ) o ON o.variant_id = n.variant_id AND o.min_quantity = n.min_quantity\n        AND o.currency = n.currency\n        AND coalesce(o.price_list_id, '00000000-0000-0000-0000-000000000000') = coalesce(n.price_list_id, '00000000-0000-0000-0000-000000000000')\n    WHERE (n.amount_minor, n.compare_at_minor)\n        IS DISTINCT FROM (o.amount_minor, o.compare_at_minor)\n) s;\nRETURN NULL;\n\n                ", hash='db1e31ee51922806a6329e5976736eab5923a8d3', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_price_is_noted_6d885', table='catalog_price', when='AFTER')),
        ),
    ]
