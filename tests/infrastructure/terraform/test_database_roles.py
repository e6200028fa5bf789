"""The two users that take turns at the database, made by `roles.sql` in a real PostgreSQL."""

import re
from collections.abc import Callable, Iterator

import psycopg
import pytest
from core import TERRAFORM

from ecommerce.local.children import unprivileged_account
from ecommerce.local.postgres import Cluster, find_programs
from ecommerce.local.state import State
from ecommerce.local.testing import throwaway_folder

ROLES = TERRAFORM / "modules" / "database" / "roles.sql"

LogIn = Callable[..., psycopg.Connection]


@pytest.fixture(scope="module")
def log_in() -> Iterator[LogIn]:
    """Log in at a server that has run roles.sql as RDS's administrator would: no superuser."""
    with throwaway_folder() as folder:
        state = State(folder)
        state.create()
        account = unprivileged_account()
        programs = find_programs(account)
        cluster = Cluster(state=state, account=account, programs=programs, throwaway=True)
        cluster.start()

        def connect(user: str, password: str, dbname: str) -> psycopg.Connection:
            return psycopg.connect(
                host="127.0.0.1",
                port=cluster.port,
                user=user,
                password=password,
                dbname=dbname,
                autocommit=True,
            )

        try:
            with connect("postgres", state.secrets()["postgres_password"], "postgres") as root:
                root.execute("CREATE ROLE store_admin LOGIN CREATEROLE CREATEDB PASSWORD 'admins'")
            with connect("store_admin", "admins", "postgres") as admin:
                for statement in statements("first"):
                    admin.execute(statement)
                # What AWS's function does when it is the other user's turn.
                admin.execute("ALTER ROLE store_clone PASSWORD 'second'")
            yield connect
        finally:
            cluster.child.stop(patience=10)


def statements(password: str) -> list[str]:
    """Return the statements of roles.sql, with the variable that psql would fill in."""
    text = re.sub(r"^--.*$", "", ROLES.read_text(), flags=re.MULTILINE)
    assert text.count(":'password'") == 1
    filled = text.replace(":'password'", f"'{password}'")
    return [part.strip() for part in filled.split(";") if part.strip()]


def test_what_one_user_made_the_other_changes(log_in: LogIn):
    with log_in("store", "first", "store") as first:
        first.execute("CREATE TABLE parcels (id int)")
    with log_in("store_clone", "second", "store") as second:
        second.execute("ALTER TABLE parcels ADD weight int")
        second.execute("CREATE TABLE labels (id int)")

    with log_in("store", "first", "store") as first:
        first.execute("DROP TABLE labels")
        owners = first.execute(
            "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()

    assert owners == [("store_owner",)]


def test_the_shops_users_make_no_databases_and_no_users(log_in: LogIn):
    with log_in("store", "first", "store") as shop:
        for statement in ("CREATE DATABASE mine", "CREATE ROLE mine"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                shop.execute(statement)


def test_nobody_logs_in_as_the_owner_of_the_tables(log_in: LogIn):
    with log_in("store", "first", "store") as shop:
        may = shop.execute(
            "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname LIKE 'store%' ORDER BY 1"
        ).fetchall()

    assert may == [
        ("store", True),
        ("store_admin", True),
        ("store_clone", True),
        ("store_owner", False),
    ]
