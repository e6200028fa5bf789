"""Files of products that staff send and fetch: what is asked for, and how far it has come."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.kernel.ids import new_id
from apps.kernel.models import Work

FORMATS = ("csv", "jsonl")
ON_ERROR = ("reject_everything", "reject_failed_rows", "ignore_failed")


class Format(models.TextChoices):
    """How a file is written."""

    CSV = "csv", "CSV"
    JSON_LINES = "jsonl", "JSON Lines"


class Import(Work):
    """One file of products that is taken in, batch by batch.

    A worker that claims it goes on at `offset`, which is committed with the batch before it. It is
    looked at as a whole first (inspecting); then all of it is compared with the catalog (checking:
    for a dry run, and where one error rejects everything); then it is written.
    """

    class State(models.TextChoices):
        RUNNING = "running", "under way"
        COMPLETED = "completed", "completed"
        REJECTED = "rejected", "nothing of it was taken"
        STOPPED = "stopped", "stopped on the way; it can go on"

    class Phase(models.TextChoices):
        INSPECTING = "inspecting", "the file is looked at"
        CHECKING = "checking", "it is compared, nothing is written"
        WRITING = "writing", "it is written"

    class OnError(models.TextChoices):
        REJECT_EVERYTHING = "reject_everything", "one error rejects the whole file"
        REJECT_FAILED_ROWS = "reject_failed_rows", "rows with errors are left out"
        IGNORE_FAILED = "ignore_failed", "cells with errors are left out"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    file = models.CharField(
        max_length=200, blank=True, help_text="In the storage; empty: a file of this machine."
    )
    file_name = models.CharField(max_length=200, help_text="As whoever sent it calls it.")
    format = models.CharField(max_length=5, choices=Format)
    on_error = models.CharField(max_length=20, choices=OnError, default=OnError.REJECT_FAILED_ROWS)
    dry_run = models.BooleanField(default=False)
    retry_of = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.SET_NULL,
        related_name="retries",
        help_text="Only what failed there is taken in.",
    )
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    phase = models.CharField(max_length=10, choices=Phase, default=Phase.INSPECTING)
    offset = models.BigIntegerField(default=0)
    line = models.PositiveBigIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    read = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    fault_code = models.CharField(max_length=40, blank=True)
    fault_detail = models.CharField(max_length=500, blank=True)
    fault_line = models.PositiveBigIntegerField(null=True)
    actor_id = models.UUIDField(null=True, help_text="Who started it; empty: the command line.")
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("add", "view")
        constraints = [
            models.CheckConstraint(condition=Q(format__in=FORMATS), name="import_format_is_known"),
            models.CheckConstraint(
                condition=Q(on_error__in=ON_ERROR), name="import_policy_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state="running", finished_at=None)
                | Q(
                    state__in=["completed", "rejected", "stopped"],
                    next_action_at=None,
                    finished_at__isnull=False,
                ),
                name="import_is_running_or_finished",
            ),
            models.CheckConstraint(
                condition=Q(phase__in=["inspecting", "checking", "writing"]),
                name="import_phase_is_known",
            ),
            models.CheckConstraint(
                condition=Q(read=F("created") + F("changed") + F("unchanged") + F("failed")),
                name="import_rows_add_up",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_action_at"],
                name="import_due",
                condition=Q(next_action_at__isnull=False),
            ),
            models.Index(fields=["created_at", "id"], name="import_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.state})"


class ImportRow(models.Model):
    """What became of one product of a file."""

    class Outcome(models.TextChoices):
        CREATED = "created", "created"
        CHANGED = "changed", "changed"
        UNCHANGED = "unchanged", "unchanged"
        FAILED = "failed", "failed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    of_import = models.ForeignKey(
        Import, on_delete=models.CASCADE, related_name="rows", db_index=False
    )
    line = models.PositiveBigIntegerField()
    offset = models.BigIntegerField(help_text="Where its first line begins in the file.")
    key = models.UUIDField(help_text="Made of what names the product; a file names it once.")
    outcome = models.CharField(max_length=10, choices=Outcome)
    product_id = models.UUIDField(null=True)
    faults = models.JSONField(default=list, help_text="Line, column, code and detail of each.")
    changes = models.JSONField(default=dict, help_text="In a dry run: before and after, by column.")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["of_import", "line"], name="import_row_is_told_once"),
            models.UniqueConstraint(
                fields=["of_import", "key"],
                name="import_row_names_a_product_once",
                condition=~Q(outcome="failed"),
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["created", "changed", "unchanged", "failed"]),
                name="import_row_outcome_is_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["of_import", "line"],
                name="import_row_failed",
                condition=Q(outcome="failed"),
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.outcome}"


class ImportName(models.Model):
    """A slug, reference or SKU that a row of a file takes while nothing is written."""

    id = models.BigAutoField(primary_key=True)
    of_import = models.ForeignKey(
        Import, on_delete=models.CASCADE, related_name="names", db_index=False
    )
    key = models.UUIDField(help_text="Made of the name.")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["of_import", "key"], name="import_name_is_taken_once"),
        ]

    def __str__(self) -> str:
        return f"{self.of_import_id}: {self.key}"


class Export(Work):
    """One file of all products, written in parts: `after` is the last product that is in one."""

    class State(models.TextChoices):
        RUNNING = "running", "being written"
        COMPLETED = "completed", "completed"
        STOPPED = "stopped", "stopped on the way"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    format = models.CharField(max_length=5, choices=Format)
    without = ArrayField(
        models.CharField(max_length=40), default=list, help_text="Columns that are left out."
    )
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    parts = models.PositiveIntegerField(default=0)
    products = models.PositiveIntegerField(default=0)
    after = models.UUIDField(null=True)
    actor_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("add", "view")
        constraints = [
            models.CheckConstraint(condition=Q(format__in=FORMATS), name="export_format_is_known"),
            models.CheckConstraint(
                condition=Q(state="running", finished_at=None)
                | Q(
                    state__in=["completed", "stopped"],
                    next_action_at=None,
                    finished_at__isnull=False,
                ),
                name="export_is_running_or_finished",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_action_at"],
                name="export_due",
                condition=Q(next_action_at__isnull=False),
            ),
            models.Index(fields=["created_at", "id"], name="export_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.format}, {self.products} products ({self.state})"
