"""Terraform's core, with the stand-in in the place of the AWS provider."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import toolbox

HERE = Path(__file__).resolve().parent
TERRAFORM = toolbox.CHECKOUT / "terraform"
SCHEMA = HERE / "aws-schema.json.gz"
# A backend that keeps nothing: planning needs one, and the real one is a bucket.
NO_BACKEND = 'terraform {\n  backend "local" {}\n}\n'


@dataclass(frozen=True, slots=True)
class Core:
    """The command, and the environment in which it finds the stand-in."""

    command: tuple[str, ...]
    environment: dict[str, str]

    def run(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the folder; its two outputs come as one, without colours."""
        return subprocess.run(
            [*self.command, *arguments],
            cwd=folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )

    def validated(self, folder: Path) -> subprocess.CompletedProcess[str]:
        """Return what `validate` says of a root module or a module."""
        done = self.run(folder, "init", "-backend=false", "-no-color")
        return done if done.returncode else self.run(folder, "validate", "-no-color")

    def tested(self, folder: Path) -> subprocess.CompletedProcess[str]:
        """Return what the module's own tests say."""
        done = self.run(folder, "init", "-backend=false", "-no-color")
        return done if done.returncode else self.run(folder, "test", "-no-color")

    def planned(self, folder: Path) -> dict[str, Any]:
        """Return what `terraform show -json` has of a plan for an empty account."""
        (folder / "backend_override.tf").write_text(NO_BACKEND)
        for arguments in (
            ("init", "-no-color"),
            ("plan", "-no-color", "-refresh=false", "-lock=false", "-out=plan"),
        ):
            done = self.run(folder, *arguments)
            assert done.returncode == 0, done.stdout
        plan: dict[str, Any] = json.loads(self.run(folder, "show", "-json", "plan").stdout)
        return plan


def installed() -> tuple[str, ...]:
    """Return this machine's Terraform, or the one in a package. Raises toolbox.CannotHave."""
    found = shutil.which("terraform")
    return (found,) if found else packaged()


def packaged() -> tuple[str, ...]:
    """Return Terraform from a Python package. Raises toolbox.CannotHave."""
    python = toolbox.python_environment("terraform_core") / "bin" / "python"
    return (str(python), str(HERE / "packaged_core.py"))


@contextmanager
def core(command: tuple[str, ...]) -> Iterator[Core]:
    """Start the stand-in and give the core that uses it. Raises toolbox.CannotHave.

    The stand-in ends with its standard input, also when a test fails.
    """
    python = toolbox.python_environment("terraform") / "bin" / "python"
    with subprocess.Popen(
        [str(python), str(HERE / "stand_in_provider.py"), str(SCHEMA)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as provider:
        assert provider.stdout
        reattach = provider.stdout.readline()
        # A person's TF_VAR_… would change a plan; TF_CLI_CONFIG_FILE may name what is not there.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
        yield Core(
            command,
            kept
            | {
                "TF_REATTACH_PROVIDERS": reattach,
                "CHECKPOINT_DISABLE": "1",
                "TF_IN_AUTOMATION": "1",
            },
        )


def copied(to: Path) -> Path:
    """Return a copy of `terraform/` that may be hurt."""
    return shutil.copytree(
        TERRAFORM, to / "terraform", ignore=shutil.ignore_patterns(".terraform*", "*_override.tf")
    )


def modules(root: Path) -> list[Path]:
    """Return every folder that holds a configuration, root modules and modules."""
    return sorted({file.parent for file in root.rglob("versions.tf")})
