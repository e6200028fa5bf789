"""`make archive`, `make backup`, `make restore`: recovery, told where the local database is."""

import os
from collections.abc import Sequence
from urllib.parse import urlsplit

from ecommerce.local.children import unprivileged_account
from ecommerce.local.errors import CannotStart
from ecommerce.local.postgres import find_programs, within_reach
from ecommerce.local.state import PREPARED, State
from ecommerce.recovery.__main__ import main
from ecommerce.recovery.programs import Tools


def recover(state: State, arguments: Sequence[str]) -> int:
    """Run a recovery command for the local database. Returns its exit code. Raises CannotStart."""
    if os.environ.get("DATABASE_URL"):
        raise CannotStart(
            "DATABASE_URL names a server of yours; `python -m ecommerce.recovery` backs it up."
        )
    state.create()
    account = unprivileged_account()
    tools = Tools(within_reach(state, account, find_programs(account)), account)
    target = state.place_for(account, "backups")
    tools.make_folder(target)
    if "restore" in arguments:
        state.claim(on_wait=lambda: None)
        state.forget(PREPARED)
        where = ["--into", str(state.place_for(account, "postgres"))]
        return main([f"--target={target}", *arguments, *where], tools=tools)
    server = _superuser_address(state)
    return main([f"--target={target}", f"--server={server}", *arguments], tools=tools)


def _superuser_address(state: State) -> str:
    known = state.read("environment.json")
    if not known:
        raise CannotStart("There is no database yet: `make run` makes one.")
    host = urlsplit(known["DATABASE_URL"]).netloc.rpartition("@")[2]
    return f"postgresql://postgres:{state.secrets()['postgres_password']}@{host}/postgres"
