"""Simulations: what a promotion would have changed about orders of the past."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.kernel.ids import new_id
from apps.kernel.models import Work
from apps.orders.models.promotion import Promotion


class PromotionSimulation(Work):
    """A promotion held against past orders, in the order of their time, batch by batch.

    `after_at` and `after_id` name the last order that the figures hold.
    """

    class State(models.TextChoices):
        RUNNING = "running", "under way"
        COMPLETED = "completed", "completed"
        STOPPED = "stopped", "stopped on the way"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    promotion = models.ForeignKey(Promotion, on_delete=models.CASCADE, related_name="simulations")
    promotion_version = models.PositiveIntegerField()
    placed_from = models.DateTimeField()
    placed_until = models.DateTimeField(help_text="Orders of that moment are not in it.")
    most_orders = models.PositiveIntegerField(null=True, help_text="Null: all of that time.")
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    stopped_because = models.CharField(max_length=40, blank=True)
    after_at = models.DateTimeField(null=True)
    after_id = models.UUIDField(null=True)
    orders_seen = models.PositiveIntegerField(default=0)
    orders_affected = models.PositiveIntegerField(default=0)
    orders_incomplete = models.PositiveIntegerField(
        default=0, help_text="With goods that are sold no more: nobody knows their category."
    )
    orders_differing = models.PositiveIntegerField(
        default=0, help_text="Whose own promotions would take off something else now."
    )
    amounts = models.JSONField(
        default=dict, help_text="By currency: discount, before and after, in minor units."
    )
    conflicts = models.JSONField(
        default=dict, help_text="By promotion: orders in which it is displaced, or keeps this out."
    )
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("add", "view")
        constraints = [
            models.CheckConstraint(
                condition=Q(state="running", finished_at=None, next_action_at__isnull=False)
                | Q(
                    state__in=["completed", "stopped"],
                    finished_at__isnull=False,
                    next_action_at=None,
                ),
                name="simulation_is_running_or_finished",
            ),
            models.CheckConstraint(
                condition=Q(placed_from__lt=F("placed_until")),
                name="simulation_begins_before_it_ends",
            ),
            models.CheckConstraint(
                condition=Q(orders_affected__lte=F("orders_seen"))
                & (Q(most_orders=None) | Q(orders_seen__lte=F("most_orders"))),
                name="simulation_counts_what_it_has_seen",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_action_at"],
                name="simulation_due",
                condition=Q(next_action_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.promotion_id}: {self.orders_seen} orders ({self.state})"
