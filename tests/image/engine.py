"""Images built and containers run for real, where no container service is: buildah, podman, runc.

The base image is Debian's own Python under the name that the Dockerfile asks for, because no
registry of images can be reached; everything else is the Dockerfile as it stands. Nothing is
fetched while it is built: the wheels are there before.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import toolbox

HOME = toolbox.TOOLS / "image"
BASE = "docker.io/library/python:3.11-slim-bookworm"
PROGRAMS = ("buildah", "podman", "runc", "mmdebstrap")
STORAGE = (f"--root={HOME}/storage", f"--runroot={HOME}/run")
BASE_FILE = """\
FROM scratch
ADD base.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
RUN ["ln", "-s", "/usr/bin/python3", "/usr/local/bin/python"]
"""
# As the manifests of the cluster and compose.yaml have it.
HARDENED = (
    "--read-only",
    "--read-only-tmpfs=false",
    "--tmpfs=/tmp:rw,noexec,nosuid,nodev,size=64m,mode=1777",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--volume=ecommerce-test-media:/var/lib/store",
    "--memory=768m",
    "--pids-limit=64",
)
# This machine's limits: no bridge, no timers of systemd, no right to raise a limit.
LIMITS = ("--ulimit=nofile=1024:1024", "--ulimit=nproc=512:512")
CONFINED = ("--network=host", "--no-healthcheck", *LIMITS)


class Engine:
    """Builds and runs. Raises CannotHave where the machine does not let it."""

    def __init__(self) -> None:
        if os.geteuid() != 0:
            raise toolbox.CannotHave("Building the image for real needs root here.")
        toolbox.installed(*PROGRAMS, packages=PROGRAMS)
        HOME.mkdir(parents=True, exist_ok=True)
        self._make_base()

    def _make_base(self) -> None:
        context = HOME / "base"
        with toolbox.made(context, BASE_FILE.encode()) as missing:
            if missing:
                context.mkdir()
                (context / "Dockerfile").write_text(BASE_FILE)
                include = "--include=python3,python3-venv,ca-certificates"
                archive = str(context / "base.tar")
                toolbox.run(
                    ["mmdebstrap", "--quiet", "--variant=minbase", include, "bookworm", archive]
                )
                toolbox.run(self._buildah("--tag", BASE, str(context)))

    def wheels(self) -> Path:
        """Return a folder with the wheels of both locks, and of nothing else."""
        folder = HOME / "wheels"
        locks = [toolbox.CHECKOUT / f"requirements{part}.lock" for part in ("", "-sandbox")]
        with toolbox.made(folder, b"".join(lock.read_bytes() for lock in locks)) as missing:
            if missing:
                pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps")
                pip += ("--only-binary=:all:", "--require-hashes", f"--dest={folder}")
                for lock in locks:
                    toolbox.run([*pip, f"--requirement={lock}"])
        return folder

    def build(self, target: str) -> str:
        """Build a target of the Dockerfile without a network. Returns the image's name."""
        offline = HOME / "pip.conf"
        offline.write_text("[global]\nno-index = true\nfind-links = /wheels\n")
        name = f"localhost/ecommerce-test-{target}"
        words = [f"--volume={self.wheels()}:/wheels:ro", f"--volume={offline}:/etc/pip.conf:ro"]
        words += [f"--target={target}", f"--tag={name}", str(toolbox.CHECKOUT)]
        done = subprocess.run(self._buildah(*words), check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return name

    def _buildah(self, *words: str) -> list[str]:
        # runc in a network of its own with nothing in it: a build that fetches fails.
        isolation = ("--isolation=oci", "--runtime=runc", "--network=none")
        command = ["buildah", *STORAGE, "bud", *isolation, *LIMITS]
        return [*command, "--format=docker", "--pull-never", "--layers", *words]

    def podman(self, *words: str, patience: float = 120) -> subprocess.CompletedProcess[str]:
        """Run podman; the caller looks at the outcome."""
        command = ["podman", *STORAGE, "--runtime=runc", "--cgroup-manager=cgroupfs", *words]
        return subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=patience
        )

    def forget_media(self) -> None:
        """Begin with an empty volume."""
        self.podman("volume", "rm", "--force", "ecommerce-test-media")

    def inspect(self, kind: str, name: str) -> dict:
        """Return what podman knows of an image or a container."""
        done = self.podman("inspect", f"--type={kind}", name)
        assert done.returncode == 0, done.stderr
        [facts] = json.loads(done.stdout)
        return dict(facts)

    def run(
        self, image: str, *command: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in a hardened container until it ends."""
        return self.podman("run", "--rm", *self._words(env or {}), image, *command)

    @contextmanager
    def running(
        self, image: str, *command: str, env: Mapping[str, str], name: str
    ) -> Iterator["Container"]:
        """Give a hardened container that runs, and remove it."""
        full_name = f"ecommerce-test-{name}"
        self.podman("rm", "--force", "--time=0", full_name)
        started = self.podman(
            "run", "--detach", f"--name={full_name}", *self._words(env), image, *command
        )
        try:
            assert started.returncode == 0, started.stderr
            yield Container(self, full_name)
        finally:
            self.podman("rm", "--force", "--time=5", full_name)

    def _words(self, env: Mapping[str, str]) -> Sequence[str]:
        return (*HARDENED, *CONFINED, *(f"--env={name}={value}" for name, value in env.items()))


@dataclass(frozen=True, slots=True)
class Container:
    """One that was started."""

    engine: Engine
    name: str

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside it."""
        return self.engine.podman("exec", self.name, *command)

    def is_running(self) -> bool:
        return bool(self.engine.inspect("container", self.name)["State"]["Running"])

    def output(self) -> str:
        done = self.engine.podman("logs", self.name)
        return done.stdout + done.stderr

    def terminate(self, *, within: int) -> tuple[int, float]:
        """Send SIGTERM, and SIGKILL after so many seconds. Returns exit code and seconds taken."""
        began = time.monotonic()
        self.engine.podman("stop", f"--time={within}", self.name, patience=within + 30)
        taken = time.monotonic() - began
        return int(self.engine.inspect("container", self.name)["State"]["ExitCode"]), taken
