"""An expired order becomes paid when its money comes late and its stock is still free."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0007_retained_invoices'),
    ]
    accepts = {
        "triggers orders_order": "It allows one step more; the release before does not take it.",
    }

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='order',
            name='order_status_follows',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='order',
            trigger=pgtrigger.compiler.Trigger(name='order_status_follows', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{expired:paid,fulfilling:completed,paid:cancelled,paid:fulfilling,pending_payment:cancelled,pending_payment:expired,pending_payment:paid}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='b80e3747212d00cb2c3108eb9d36916485c92465', operation='UPDATE', pgid='pgtrigger_order_status_follows_62e1d', table='orders_order', when='BEFORE')),
        ),
    ]
