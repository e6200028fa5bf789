"""The state folder of this checkout: where it is, its secrets, its locks, its removal."""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ecommerce.local.children import Account, run_as
from ecommerce.local.errors import CannotStart

CHECKOUT = Path(__file__).resolve().parents[2]
PREPARED = "prepared.json"  # which sources the database was last brought up to date with
PRIVATE_PARENT = Path("/var/tmp")  # noqa: S108 - what we make there is checked to be ours


class State:
    """One folder with everything the local store keeps between two starts."""

    def __init__(self, folder: Path, *, private_parent: Path = PRIVATE_PARENT) -> None:
        self.folder = folder.absolute()
        self.private_parent = private_parent
        self._locks: list[int] = []

    @classmethod
    def of_checkout(cls) -> "State":
        """Return the state in `.local`, or in the folder that STATE_DIR names."""
        return cls(Path(os.environ.get("STATE_DIR") or CHECKOUT / ".local"))

    def create(self) -> None:
        """Make the folder, enterable but not readable for others.

        Raises CannotStart when it belongs to somebody else.
        """
        try:
            self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
            writable = os.access(self.folder, os.W_OK | os.X_OK)
        except PermissionError:
            writable = False
        if not writable:
            raise CannotStart(
                f"The folder {self.folder} cannot be written by this user; "
                "run as the user it belongs to, or set STATE_DIR to a folder of yours."
            )

    # Locks

    def claim(self, *, on_wait: Callable[[], None], patience: float = 20) -> int:
        """Take the store of this checkout for this process.

        Returns a descriptor to hand to every child: as long as one of them holds it, the next
        start waits for it to end, so that a killed store never meets its successor.

        Raises CannotStart when the store is running, or its processes do not end.
        """
        if self._lock("lock") is None:
            raise CannotStart(
                "The store of this checkout is already running; stop it with Ctrl-C first."
            )
        deadline = time.monotonic() + patience
        announced = False
        while (held := self._lock("children.lock")) is None:
            if not announced:
                on_wait()
                announced = True
            if time.monotonic() > deadline:
                raise CannotStart(
                    "Processes of a previous start are still running; end them and try again."
                )
            time.sleep(0.05)
        return held

    def release(self) -> None:
        """Let others claim the store; for whoever goes on without it."""
        while self._locks:
            os.close(self._locks.pop())

    def is_running(self) -> bool:
        """Tell whether a store of this checkout is running now."""
        if not (self.folder / "lock").exists():
            return False
        descriptor = self._lock("lock")
        if descriptor is None:
            return True
        self._locks.remove(descriptor)
        os.close(descriptor)
        return False

    def _lock(self, name: str) -> int | None:
        try:
            descriptor = os.open(self.folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        except PermissionError:
            raise CannotStart(
                f"The folder {self.folder} belongs to another user; run as that user, "
                "or let that user run `make clean-data`."
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        self._locks.append(descriptor)
        return descriptor

    # Files only we may read

    def read(self, name: str) -> dict[str, str]:
        """Return what `write` stored under the name, or nothing."""
        try:
            content: dict[str, str] = json.loads((self.folder / name).read_text())
        except FileNotFoundError:
            return {}
        return content

    def write(self, name: str, content: dict[str, str]) -> None:
        """Store the content under the name, whole or not at all, readable by this user alone."""
        target = self.folder / name
        part = target.with_name(name + ".part")
        part.unlink(missing_ok=True)
        write_private(part, json.dumps(content, indent=2))
        part.replace(target)

    def forget(self, name: str) -> None:
        """Remove what `write` stored under the name."""
        (self.folder / name).unlink(missing_ok=True)

    def secrets(self) -> dict[str, str]:
        """Return the generated secrets of this store, making those that are missing."""
        known = self.read("secrets.json")
        missing = {name: make() for name, make in GENERATORS.items() if name not in known}
        if missing:
            known |= missing
            self.write("secrets.json", known)
        return known

    def renew_secret(self, name: str) -> str:
        """Replace one generated secret and return the new one."""
        known = self.secrets() | {name: GENERATORS[name]()}
        self.write("secrets.json", known)
        return known[name]

    def remembered_port(self, name: str) -> int:
        """Return the port `name` had at the last start if it is free, else a free one."""
        ports = self.read("ports.json")
        port = int(ports.get(name, 0))
        if not port or not is_free(port):
            port = free_port()
            self.write("ports.json", ports | {name: str(port)})
        return port

    # Where `nobody` can reach

    def place_for(self, account: Account | None, name: str) -> Path:
        """Return a folder `name` that the account can reach, linked from the state folder.

        That is the state folder itself, unless the account cannot enter it (a checkout below
        /root): then a private folder below /var/tmp whose name derives from our path.
        """
        if account is None or can_reach(account, self.folder):
            return self.folder / name
        link, private = self.folder / name, self._private_folder(account)
        if link.is_symlink():
            link.unlink()
        elif link.exists():  # made while the account could still enter our folder
            link.rename(private / name)
        link.symlink_to(private / name)
        return private / name

    def _private_folder(self, account: Account) -> Path:
        """Return our folder outside the checkout; one from before the checkout moved stays ours."""
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]
        known = self._known_private_folder()
        private = known or self.private_parent / f"ecommerce-{digest}"
        try:
            private.mkdir(mode=0o710)
        except FileExistsError:
            found = private.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                raise CannotStart(f"{private} belongs to another user; remove it first.") from None
        os.chown(private, -1, account.gid)
        private.chmod(0o710)  # whatever the umask says
        (private / "owner").write_text(str(self.folder))
        self._elsewhere.unlink(missing_ok=True)
        self._elsewhere.symlink_to(private)
        return private

    @property
    def _elsewhere(self) -> Path:
        return self.folder / "elsewhere"

    def _known_private_folder(self) -> Path | None:
        """Return the folder we were using, unless it belongs to a checkout we were copied from."""
        if not self._elsewhere.is_symlink():
            return None
        known = self._elsewhere.readlink()
        if known.parent != self.private_parent or not (known / "owner").exists():
            return None
        owner = Path((known / "owner").read_text())
        return known if owner == self.folder or not owner.exists() else None

    def remove(self) -> None:
        """Delete all data of this store, also what lies outside the state folder.

        Raises CannotStart while the store is running.
        """
        if self.is_running():
            raise CannotStart("The store is running; stop it with Ctrl-C first.")
        if private := self._known_private_folder():
            shutil.rmtree(private)
        if self.folder.exists():
            shutil.rmtree(self.folder)


def can_reach(account: Account | None, path: Path) -> bool:
    """Tell whether the account can enter the folder, or execute the file, at `path`."""
    return account is None or run_as(["test", "-x", path], account).returncode == 0


def fingerprint(*paths: Path) -> str:
    """Return what changes when a file at or below the paths is edited, comes or goes."""
    digest = hashlib.sha256()
    files = (file for path in paths for file in (path, *path.rglob("*")) if file.is_file())
    for file in sorted(file for file in files if file.parent.name != "__pycache__"):
        found = file.stat()
        digest.update(f"{file} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def write_private(path: Path, text: str) -> None:
    """Make a file that only this user can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _signing_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


GENERATORS: dict[str, Callable[[], str]] = {
    "secret_key": lambda: secrets.token_urlsafe(50),
    "jwt_signing_key": _signing_key,
    "postgres_password": lambda: secrets.token_hex(24),
    "database_password": lambda: secrets.token_hex(24),
    "redis_password": lambda: secrets.token_hex(24),
    "stripe_secret_key": lambda: "sk_test_" + secrets.token_hex(24),
    "stripe_webhook_secret": lambda: "whsec_" + secrets.token_hex(24),
    "admin_password": lambda: secrets.token_urlsafe(12),
}
