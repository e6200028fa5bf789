"""The places of environments.toml, and the AWS account that each of them is in."""

import os
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from programs import Refused, carry_out, output

FILE = Path("config/pipeline/environments.toml")


@dataclass(frozen=True, slots=True)
class Registry:
    """Where images are kept."""

    account: str
    region: str
    repository: str
    role: str

    @property
    def host(self) -> str:
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com"

    @property
    def image(self) -> str:
        """The image's name without tag or digest."""
        return f"{self.host}/{self.repository}"


@dataclass(frozen=True, slots=True)
class Environment:
    """One running store: a namespace of a cluster, and its public address."""

    name: str
    account: str
    region: str
    cluster: str
    namespace: str
    role: str
    url: str
    needs_approval: bool
    migration_seconds: int
    rollout_seconds: int

    @property
    def context(self) -> str:
        """What `aws eks update-kubeconfig` calls the cluster."""
        return f"arn:aws:eks:{self.region}:{self.account}:cluster/{self.cluster}"


def registry() -> Registry:
    """Return where images are kept. Raises Refused."""
    return Registry(**_section("registry"))


def environment(name: str) -> Environment:
    """Return the environment of that name. Raises Refused."""
    return Environment(name=name, **_section(name))


def _section(name: str) -> dict[str, Any]:
    places = tomllib.loads(FILE.read_text())
    if name not in places:
        raise Refused(f"{FILE} knows no {name}; it knows {', '.join(sorted(places))}.")
    return dict(places[name])


def use_account(place: Registry | Environment) -> None:
    """Take the place's role with the identity Jenkins gave, and be sure of the account.

    Raises Refused.
    """
    if "AWS_WEB_IDENTITY_TOKEN_FILE" in os.environ:
        os.environ.setdefault("AWS_ROLE_ARN", place.role)
    os.environ["AWS_REGION"] = place.region
    account = output("aws", "sts", "get-caller-identity", "--query=Account", "--output=text")
    if account != place.account:
        raise Refused(
            f"these credentials are of the AWS account {account}, but {FILE} says {place.account}."
        )


def show() -> None:
    """Print one value of a section, for the Makefile: `environments.py staging url`."""
    _, section, name = sys.argv
    print(_section(section)[name])


if __name__ == "__main__":
    carry_out(show)
