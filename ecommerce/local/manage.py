"""Run a management command of Django in the environment of the local store."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ecommerce.local.environment import (
    ADMIN_EMAIL,
    production_like_environment,
    store_environment,
    without_postgres_variables,
)
from ecommerce.local.errors import CannotStart
from ecommerce.local.servers import open_servers
from ecommerce.local.state import CHECKOUT, PREPARED, State
from ecommerce.local.supervisor import chosen_ports


def manage(state: State, arguments: Sequence[str]) -> int:
    """Run `manage.py` with the arguments. Returns its exit code. Raises CannotStart."""
    with variables_of(state) as variables:
        state.forget(PREPARED)  # the command may undo a migration, or empty a table
        return _manage(arguments, variables)


def check_deployment() -> int:
    """Ask Django for a missing migration and for anything unsafe in a production environment."""
    variables = production_like_environment()
    return _manage(["check", "--deploy", "--fail-level", "WARNING"], variables) or _manage(
        ["makemigrations", "--check", "--dry-run"], variables
    )


def _manage(arguments: Sequence[str], variables: dict[str, str]) -> int:
    return subprocess.call(
        # makemigrations warns that it cannot compare with a database; it need not.
        [sys.executable, "-W", "ignore::RuntimeWarning", "manage.py", *arguments],
        cwd=CHECKOUT,
        env=without_postgres_variables(os.environ) | variables,
    )


def renew_admin_password(state: State) -> int:
    """Give the admin a new one-time password and show it. Raises CannotStart."""
    if not state.read("environment.json"):
        raise CannotStart("There is no admin yet: `make run` makes one and shows its password.")
    password = state.renew_secret("admin_password")
    with variables_of(state) as variables:
        code = _manage(
            ["create_admin", "--email", ADMIN_EMAIL, "--reset"],
            variables | {"ADMIN_PASSWORD": password},
        )
    if code == 0:
        print(f"{ADMIN_EMAIL} has the new password {password}")
    return code


@contextmanager
def variables_of(state: State) -> Iterator[dict[str, str]]:
    """Give the environment of the running store, or of servers started for this command alone.

    Raises CannotStart.
    """
    state.create()
    if state.is_running():
        yield state.read("environment.json")
        return
    held = state.claim(on_wait=lambda: None)
    servers = open_servers(state, logs=state.folder, held=[held])
    port, sandbox_port = chosen_ports()
    try:
        yield store_environment(
            given=os.environ,
            servers=servers,
            secrets=state.secrets(),
            folder=state.folder,
            port=port,
            sandbox_port=sandbox_port,
        )
    finally:
        for child in servers.children():
            child.stop(patience=10)
