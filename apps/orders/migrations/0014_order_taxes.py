"""Which taxes an order and each of its lines bear, rate by rate."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0013_the_default_tax_class'),
    ]

    accepts = {
        "triggers orders_order": "What the release before writes has no tax and no taxes.",
        "triggers orders_orderline": "What the release before writes has no tax and no taxes.",
    }

    operations = [
        migrations.AddField(
            model_name='order',
            name='taxes',
            field=models.JSONField(db_default=[], default=list, help_text='Each tax: code, name, ppm, net and amount in minor units.'),
        ),
        migrations.AddField(
            model_name='orderline',
            name='taxes',
            field=models.JSONField(db_default=[], default=list, help_text='Each tax: code, ppm and amount in minor units.'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='order',
            trigger=pgtrigger.compiler.Trigger(name='order_taxes_add_up', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        IF NEW.tax_minor + NEW.tax_included_minor <> (\n            SELECT coalesce(sum((tax->>'amount')::bigint), 0)\n            FROM jsonb_array_elements(NEW.taxes) AS tax\n        ) THEN\n            RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'order_taxes_add_up',\n                MESSAGE = 'The taxes do not add up to the tax.';\n        END IF;\n        RETURN NEW;\n        ", hash='cc397b13856699d5b195eb7e39570ed07094b1e8', operation='INSERT OR UPDATE OF "taxes", "tax_minor", "tax_included_minor"', pgid='pgtrigger_order_taxes_add_up_a0c3e', table='orders_order', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='orderline',
            trigger=pgtrigger.compiler.Trigger(name='order_line_taxes_add_up', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n        IF NEW.tax_minor + NEW.tax_included_minor <> (\n            SELECT coalesce(sum((tax->>'amount')::bigint), 0)\n            FROM jsonb_array_elements(NEW.taxes) AS tax\n        ) THEN\n            RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'order_line_taxes_add_up',\n                MESSAGE = 'The taxes do not add up to the tax.';\n        END IF;\n        RETURN NEW;\n        ", hash='5e6103f38d800f28fe02d14cbffb179d2ddeae64', operation='INSERT OR UPDATE OF "taxes", "tax_minor", "tax_included_minor"', pgid='pgtrigger_order_line_taxes_add_up_38106', table='orders_orderline', when='BEFORE')),
        ),
    ]
