"""How much of the stock one buyer holds back with orders that nobody has paid."""

import pgtrigger
from django.db import models
from django.db.models import Q

from apps.orders.models.order import Order

LONGEST_BUYER = 254
OF_A_BUYER, OF_A_NETWORK = "held_units_of_a_buyer", "held_units_of_a_network"


class HeldUnits(models.Model):
    """The pieces of an unpaid order, who holds them and from where; gone once it is not unpaid.

    All that one buyer holds, and all that is held from one network, is at most what the row says
    that was written last, however many orders are placed at once.
    """

    order = models.OneToOneField(
        Order, on_delete=models.CASCADE, primary_key=True, related_name="held_units"
    )
    buyer = models.CharField(
        max_length=LONGEST_BUYER, help_text="A customer's id, or a guest's address."
    )
    network = models.CharField(max_length=50, blank=True, help_text="Empty: from inside.")
    units = models.PositiveIntegerField()
    most_of_buyer = models.PositiveIntegerField(help_text="The limit at that time.")
    most_of_network = models.PositiveIntegerField(help_text="The limit at that time.")

    class Meta:
        default_permissions = ("view",)
        verbose_name_plural = "held units"
        constraints = [
            models.CheckConstraint(condition=~Q(buyer=""), name="held_units_are_somebodys"),
        ]
        indexes = [
            models.Index(fields=["buyer"], name="held_units_by_buyer"),
            models.Index(fields=["network"], name="held_units_by_network"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="held_units_are_limited",
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("units"),
                when=pgtrigger.Before,
                func=f"""
                IF TG_OP = 'UPDATE' AND NEW.units <= OLD.units THEN
                    RETURN NEW;
                END IF;
                PERFORM pg_advisory_xact_lock(key) FROM (
                    SELECT DISTINCT hashtextextended(name, 0) AS key
                    FROM unnest(ARRAY['held by ' || NEW.buyer, 'held from ' || NEW.network]) AS name
                    ORDER BY key
                ) AS keys;
                IF NEW.units + (
                    SELECT coalesce(sum(units), 0) FROM orders_heldunits
                    WHERE buyer = NEW.buyer AND order_id <> NEW.order_id
                ) > NEW.most_of_buyer THEN
                    RAISE EXCEPTION USING ERRCODE = 'check_violation',
                        CONSTRAINT = '{OF_A_BUYER}',
                        MESSAGE = 'This buyer holds as much as may be held without a payment.';
                END IF;
                IF NEW.network <> '' AND NEW.units + (
                    SELECT coalesce(sum(units), 0) FROM orders_heldunits
                    WHERE network = NEW.network AND order_id <> NEW.order_id
                ) > NEW.most_of_network THEN
                    RAISE EXCEPTION USING ERRCODE = 'check_violation',
                        CONSTRAINT = '{OF_A_NETWORK}',
                        MESSAGE = 'From there as much is held as may be without a payment.';
                END IF;
                RETURN NEW;
                """,  # noqa: S608 - nothing but constants
            ),
        ]

    def __str__(self) -> str:
        return f"{self.units} of {self.buyer}"
