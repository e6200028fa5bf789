"""New rows are checked from here on; the rows that are there are checked by the next migration."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_carts_orders_payments_shipments")]
    accepts = {
        "tightens orders_paymentattempt": "The provider's references fit; anything else that the "
        "release before stores may be a card number, and it shall not, either.",
    }

    operations = [
        AddConstraintNotValid(
            model_name="paymentattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(method="")
                | models.Q(method__regex=r"\A[a-z]+_[A-Za-z0-9_]+\Z"),
                name="attempt_method_is_a_reference",
            ),
        ),
    ]
