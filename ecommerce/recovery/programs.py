"""PostgreSQL's own programs, run as the user that owns the backups."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from ecommerce.local.children import Account
from ecommerce.local.errors import CannotStart
from ecommerce.local.postgres import Programs, find_programs
from ecommerce.recovery.errors import CannotRecover


@dataclass(frozen=True, slots=True)
class Tools:
    """One installation's programs. As root they run as `account`, because the server must."""

    programs: Programs
    account: Account | None

    def command(self, program: str, *arguments: str | Path) -> list[str]:
        """Return the command line of a program."""
        return [str(self.programs.folder / program), *map(str, arguments)]

    def options(self, server: str = "") -> dict[str, Any]:
        """Return how to run a program: as whom, and with the password of `server` out of sight."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        password = unquote(urlsplit(server).password or "")
        secret = {"PGPASSWORD": password} if password else {}
        account = self.account
        return {
            "cwd": "/",
            "env": {**plain, **secret, "LC_ALL": "C", "TZ": "UTC"},
            "stdin": subprocess.DEVNULL,
            **({"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}),
        }

    def run(self, program: str, *arguments: str | Path, server: str = "") -> str:
        """Run a program to its end and return its output. Raises CannotRecover."""
        done = subprocess.run(
            self.command(program, *arguments),
            check=False,
            capture_output=True,
            text=True,
            **self.options(server),
        )
        if done.returncode:
            raise CannotRecover(f"{program} failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def make_folder(self, folder: Path) -> None:
        """Make the folder, and those above it, for the user whom the programs run as."""
        for path in (*reversed(folder.parents), folder):
            if not path.exists():
                path.mkdir(mode=0o700)
                if self.account:
                    os.chown(path, self.account.uid, self.account.gid)


def without_password(server: str) -> str:
    """Return the address of a server as it may stand on a command line."""
    parts = urlsplit(server)
    user, host = parts.username or "", parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}@{host}" if user else host))


def tools_for(repository: Path) -> Tools:
    """Return the programs of this machine, to run as the repository's owner.

    Raises CannotRecover when there are none, or root owns what the server must be able to read.
    """
    account = None
    if os.geteuid() == 0:
        if not repository.exists() or (owner := repository.stat()).st_uid == 0:
            raise CannotRecover(
                f"PostgreSQL does not run as root: make {repository} and give it to the user it "
                "runs as."
            )
        account = Account(uid=owner.st_uid, gid=owner.st_gid)
    try:
        return Tools(find_programs(account), account)
    except CannotStart as refusal:
        raise CannotRecover(str(refusal)) from None
