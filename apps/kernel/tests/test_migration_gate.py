"""The gate refuses what keeps a store waiting or breaks it, and lets through what does not."""

from collections.abc import Iterator
from typing import Any

import pgtrigger
import pgtrigger.migrations
import pytest
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import NotSupportedError, migrations, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from django.db.models.functions import Random

from apps.kernel.migration_gate.findings import Verdict
from apps.kernel.migration_gate.gate import (
    judge,
    judge_one,
    known_to,
    let_tables_be_emptied,
)
from apps.kernel.migration_gate.schema import Known
from apps.kernel.migration_gate.scratch import scratch_database

AMOUNT_IS_POSITIVE = models.CheckConstraint(
    condition=models.Q(amount__gt=0), name="amount_is_positive"
)
NOTE_IS_THERE = models.CheckConstraint(condition=models.Q(note__isnull=False), name="note_is_there")
INDEX = models.Index(fields=["amount"], name="by_amount")
FIRST = (
    migrations.CreateModel(
        "Customer",
        [("id", models.BigAutoField(primary_key=True))],
    ),
    migrations.CreateModel(
        "Sale",
        [
            ("id", models.BigAutoField(primary_key=True)),
            ("amount", models.IntegerField(db_default=1)),
            ("name", models.CharField(max_length=50)),
            ("note", models.TextField(null=True)),
            ("paid", models.BooleanField(default=False)),
        ],
        options={"indexes": [models.Index(fields=["name"], name="by_name")]},
    ),
)


@pytest.fixture(scope="module")
def executor(django_db_blocker: Any) -> Iterator[MigrationExecutor]:
    """An executor on a database of its own: to read all migrations for each test costs seconds."""
    with django_db_blocker.unblock(), scratch_database() as connection:
        yield MigrationExecutor(connection)


def empty(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


class Change:
    """The change of a small schema by one release after another."""

    def __init__(self, executor: MigrationExecutor) -> None:
        empty(executor.connection)
        self.executor = executor
        executor.recorder = MigrationRecorder(executor.connection)  # its table is gone, too
        self.state = ProjectState()
        self.steps = 0
        self.release(*FIRST)

    def release(
        self, *operations: Any, atomic: bool = True, beside: Known | None = None, **body: Any
    ) -> Verdict:
        """Judge a migration of these operations by what the code before it knows, or `beside`."""
        self.steps += 1
        body |= {"operations": operations, "atomic": atomic}
        planted = type("Migration", (Migration,), body)(f"step_{self.steps}", "shop")
        return judge_one(self.executor, self.state, planted, beside)

    def codes(self, *operations: Any, **body: Any) -> set[str]:
        return {finding.code for finding in self.release(*operations, **body).refused}


@pytest.fixture
def change(executor: MigrationExecutor) -> Change:
    return Change(executor)


def pay_all(apps: Any, schema_editor: Any) -> None:
    apps.get_model("shop", "Sale").objects.filter(paid=False).update(paid=True)


def pay_one_by_one(apps: Any, schema_editor: Any) -> None:
    for sale in apps.get_model("shop", "Sale").objects.all():
        sale.paid = True
        sale.save()


def pay_in_batches(apps: Any, schema_editor: Any) -> None:
    sales = apps.get_model("shop", "Sale").objects
    last = 0
    while ids := list(sales.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:500]):
        sales.filter(pk__in=ids, paid=False).update(paid=True)
        last = ids[-1]


def add_field(name: str, field: Any) -> migrations.AddField:
    return migrations.AddField("sale", name, field)


def alter_field(name: str, field: Any) -> migrations.AlterField:
    return migrations.AlterField("sale", name, field)


BAD = {
    "a column without a default of the database": (
        [add_field("channel", models.CharField(max_length=9, default="web"))],
        {"requires shop_sale.channel"},
    ),
    "a dropped column": ([migrations.RemoveField("sale", "note")], {"drops shop_sale.note"}),
    "a dropped table": ([migrations.DeleteModel("Customer")], {"drops shop_customer"}),
    "a renamed column": (
        [migrations.RenameField("sale", "note", "remark")],
        {"renames shop_sale.note"},
    ),
    "a renamed table": (
        [migrations.RenameModel("Customer", "Buyer")],
        {"renames shop_customer"},
    ),
    "an index that is built while writers wait": (
        [migrations.AddIndex("sale", INDEX)],
        {"reads shop_sale"},
    ),
    "a unique constraint": (
        [
            migrations.AddConstraint(
                "sale", models.UniqueConstraint(fields=["name"], name="name_is_unique")
            )
        ],
        {"reads shop_sale", "tightens shop_sale"},
    ),
    "a check of all rows under a lock": (
        [migrations.AddConstraint("sale", AMOUNT_IS_POSITIVE)],
        {"reads shop_sale", "tightens shop_sale"},
    ),
    "a check that is validated while the lock is held": (
        [
            AddConstraintNotValid("sale", AMOUNT_IS_POSITIVE),
            ValidateConstraint("sale", "amount_is_positive"),
        ],
        {"reads shop_sale", "tightens shop_sale"},
    ),
    "a foreign key in a table with rows": (
        [
            add_field(
                "customer", models.ForeignKey("shop.Customer", null=True, on_delete=models.PROTECT)
            )
        ],
        {"reads shop_sale"},
    ),
    "another type": (
        [alter_field("amount", models.BigIntegerField(db_default=1))],
        {"rewrites shop_sale", "retypes shop_sale.amount"},
    ),
    "a shorter text": (
        [alter_field("name", models.CharField(max_length=20))],
        {"rewrites shop_sale"},
    ),
    "a column that may no longer be empty": (
        [alter_field("note", models.TextField())],
        {"reads shop_sale", "requires shop_sale.note"},
    ),
    "a default that differs from row to row": (
        [add_field("lot", models.FloatField(db_default=Random()))],
        {"rewrites shop_sale"},
    ),
    "a default that goes": (
        [alter_field("amount", models.IntegerField())],
        {"requires shop_sale.amount"},
    ),
    "a change of all rows": ([migrations.RunPython(pay_all)], {"backfills shop_sale"}),
    "a change of all rows, one by one": (
        [migrations.RunPython(pay_one_by_one)],
        {"backfills shop_sale"},
    ),
    "a change of all rows beside a strong lock": (
        [add_field("seen", models.BooleanField(null=True)), migrations.RunPython(pay_all)],
        {"reads shop_sale"},
    ),
    "a trigger": (
        [
            pgtrigger.migrations.AddTrigger(
                "sale", pgtrigger.Protect(name="sales_stay", operation=pgtrigger.Delete)
            )
        ],
        {"triggers shop_sale"},
    ),
    "a table that is emptied": (
        [migrations.RunSQL("TRUNCATE shop_sale")],
        {"rewrites shop_sale"},
    ),
}


@pytest.mark.parametrize(("operations", "codes"), BAD.values(), ids=BAD.keys())
def test_what_hurts_a_running_store_is_refused_by_name(
    change: Change, operations: list[Any], codes: set[str]
) -> None:
    assert change.codes(*operations) == codes


GOOD = {
    "a column that may be empty": [add_field("seen", models.BooleanField(null=True))],
    "a column with a default of the database": [
        add_field("channel", models.CharField(max_length=9, default="web", db_default="web"))
    ],
    "a longer text": [alter_field("name", models.CharField(max_length=90))],
    "a text without end": [alter_field("name", models.TextField())],
    "a new table that refers to an old one": [
        migrations.CreateModel(
            "Parcel",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("sale", models.ForeignKey("shop.Sale", on_delete=models.PROTECT)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["sale"], name="one_parcel")],
            },
        )
    ],
    "words only": [alter_field("paid", models.BooleanField(default=False, help_text="Is it?"))],
    "a rule about a new column": [
        add_field("channel", models.CharField(max_length=9, default="web", db_default="web")),
        AddConstraintNotValid(
            "sale",
            models.CheckConstraint(
                condition=models.Q(channel__in=["web", "shop"]), name="channel_is_known"
            ),
        ),
    ],
    "a row that is found by its key": [
        migrations.RunPython(
            lambda apps, _: apps.get_model("shop", "Sale").objects.get_or_create(id=1)
        )
    ],
}


@pytest.mark.parametrize("operations", GOOD.values(), ids=GOOD.keys())
def test_what_hurts_nobody_passes(change: Change, operations: list[Any]) -> None:
    assert change.codes(*operations) == set()


def test_indexes_come_and_go_concurrently(change: Change) -> None:
    assert change.codes(AddIndexConcurrently("sale", INDEX), atomic=False) == set()
    assert change.codes(RemoveIndexConcurrently("sale", "by_amount"), atomic=False) == set()


@pytest.mark.parametrize("sql", ["VACUUM FULL shop_sale", "VACUUM shop_sale -- INDEX CONCURRENTLY"])
def test_what_cannot_be_measured_is_refused(change: Change, sql: str) -> None:
    assert change.codes(migrations.RunSQL(sql), atomic=False) == {"unmeasured"}


def test_a_word_in_a_comment_hides_nothing(change: Change) -> None:
    sql = "CREATE INDEX by_amount ON shop_sale (amount) -- INDEX CONCURRENTLY"

    assert change.codes(migrations.RunSQL(sql)) == {"reads shop_sale"}


def test_what_cannot_be_undone_is_done_one_by_one(change: Change) -> None:
    other = models.Index(fields=["paid"], name="by_paid")

    found = change.codes(
        AddIndexConcurrently("sale", INDEX), AddIndexConcurrently("sale", other), atomic=False
    )

    assert found == {"mixes operations"}


def test_rows_are_changed_in_batches_outside_one_transaction(change: Change) -> None:
    assert change.codes(migrations.RunPython(pay_in_batches), atomic=False) == set()


def test_a_change_of_all_rows_is_refused_outside_a_transaction_too(change: Change) -> None:
    assert change.codes(migrations.RunPython(pay_all), atomic=False) == {"backfills shop_sale"}


def test_a_strong_lock_is_refused_where_nothing_bounds_the_wait(change: Change) -> None:
    found = change.codes(add_field("seen", models.BooleanField(null=True)), atomic=False)

    assert found == {"locks shop_sale"}


def test_a_check_is_added_in_two_releases(change: Change) -> None:
    assert change.codes(AddConstraintNotValid("sale", AMOUNT_IS_POSITIVE)) == {"tightens shop_sale"}
    assert change.codes(ValidateConstraint("sale", "amount_is_positive"), atomic=False) == set()


def test_a_column_becomes_not_null_without_a_look_at_all_rows(change: Change) -> None:
    change.release(AddConstraintNotValid("sale", NOTE_IS_THERE))
    change.release(ValidateConstraint("sale", "note_is_there"), atomic=False)

    found = change.codes(alter_field("note", models.TextField()))

    assert found == {"requires shop_sale.note"}  # and it does not read the table


def test_a_unique_constraint_made_from_an_index_demands_nothing_new(change: Change) -> None:
    build = "CREATE UNIQUE INDEX CONCURRENTLY name_is_unique ON shop_sale (name)"
    use = "ALTER TABLE shop_sale ADD CONSTRAINT name_is_unique UNIQUE USING INDEX name_is_unique"

    assert change.codes(migrations.RunSQL(build), atomic=False) == {"tightens shop_sale"}
    assert change.codes(migrations.RunSQL(use)) == set()


def test_a_column_is_dropped_after_a_release_that_does_not_know_it(change: Change) -> None:
    forget = migrations.RemoveField("sale", "note")
    drop = migrations.RunSQL("ALTER TABLE shop_sale DROP COLUMN note")

    assert change.codes(migrations.SeparateDatabaseAndState(state_operations=[forget])) == set()
    assert change.codes(drop) == set()


def test_a_reason_lets_a_migration_through(change: Change) -> None:
    why = "Nothing has read it since March."

    judged = change.release(
        migrations.RemoveField("sale", "note"), accepts={"drops shop_sale.note": why}
    )

    assert judged.refused == ()
    assert [reason for _, reason in judged.accepted] == [why]


@pytest.mark.parametrize(
    ("accepts", "refused"),
    [
        ({"drops shop_sale.note": " "}, {"drops shop_sale.note"}),
        (
            {"drops shop_sale.note": "Old.", "drops shop_sale.name": "Old."},
            {"drops shop_sale.name"},
        ),
    ],
    ids=["an empty reason", "an exception without its case"],
)
def test_an_exception_has_a_reason_and_a_case(
    change: Change, accepts: dict[str, str], refused: set[str]
) -> None:
    assert change.codes(migrations.RemoveField("sale", "note"), accepts=accepts) == refused


def test_what_is_said_names_the_lock_the_table_and_the_statement(change: Change) -> None:
    [finding] = change.release(migrations.AddIndex("sale", INDEX)).refused

    assert finding.effect == "blocks"
    assert finding.detail == (
        "It reads all of shop_sale; so long wait writes of shop_sale (ShareLock): "
        'CREATE INDEX "by_amount" ON "shop_sale" ("amount")'
    )


def test_every_migration_of_ours_passes(executor: MigrationExecutor) -> None:
    empty(executor.connection)

    verdicts = list(judge(executor.connection))

    assert {each.migration: each.refused for each in verdicts if each.refused} == {}
    assert len(verdicts) >= 11
    assert "orders.0001_carts_orders_payments_shipments" in {each.migration for each in verdicts}


def test_a_reason_counts_that_only_a_release_of_its_own_would_need(change: Change) -> None:
    beside = known_to(change.state)
    change.release(add_field("code", models.CharField(max_length=9, null=True)))
    once = models.UniqueConstraint(fields=["code"], name="sale_code_is_used_once")

    verdict = change.release(
        migrations.AddConstraint("sale", once),
        beside=beside,
        accepts={"tightens shop_sale": "The column is new.", "drops shop_sale.code": "Never."},
    )

    assert "tightens shop_sale" not in {finding.code for finding in verdict.refused}
    assert "drops shop_sale.code" in {finding.code for finding in verdict.refused}


def test_a_table_that_a_new_one_refers_to_can_be_emptied_by_old_code(change: Change) -> None:
    known = known_to(change.state)
    change.release(
        migrations.CreateModel(
            "Letter",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("to", models.ForeignKey("shop.Customer", on_delete=models.CASCADE)),
            ],
        )
    )

    with change.executor.connection.cursor() as cursor:
        with pytest.raises(NotSupportedError):
            cursor.execute("TRUNCATE shop_customer")
        let_tables_be_emptied(change.executor.connection, known)
        cursor.execute("TRUNCATE shop_customer")
