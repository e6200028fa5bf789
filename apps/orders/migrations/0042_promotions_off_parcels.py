"""Whether a promotion has taken off the price of a parcel, kept with the order."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0041_held_units'),
    ]

    accepts = {
        "triggers orders_orderpromotion": "It refuses what the release before does not write."
    }

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='orderpromotion',
            name='order_promotion_is_a_document',
        ),
        migrations.AddField(
            model_name='orderpromotion',
            name='off_parcel',
            field=models.BooleanField(null=True),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='orderpromotion',
            trigger=pgtrigger.compiler.Trigger(name='order_promotion_is_a_document', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."order_id" IS DISTINCT FROM (NEW."order_id") OR OLD."position" IS DISTINCT FROM (NEW."position") OR OLD."promotion_id" IS DISTINCT FROM (NEW."promotion_id") OR OLD."coupon_id" IS DISTINCT FROM (NEW."coupon_id") OR OLD."code" IS DISTINCT FROM (NEW."code") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."amount_minor" IS DISTINCT FROM (NEW."amount_minor") OR OLD."off_parcel" IS DISTINCT FROM (NEW."off_parcel"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='4c7696e0a8a13b77ebdec414ee0dd5541f218ce5', operation='UPDATE', pgid='pgtrigger_order_promotion_is_a_document_372c1', table='orders_orderpromotion', when='BEFORE')),
        ),
    ]
