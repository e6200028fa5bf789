"""Read the process's environment, or refuse to start and name what is missing."""

import os
from collections.abc import Mapping

from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})


def flag(name: str, *, default: bool = False) -> bool:
    """Return a yes/no variable. Raises ImproperlyConfigured for any other word."""
    word = os.environ.get(name, "1" if default else "0").strip().lower()
    if word not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {word!r}.")
    return word in TRUE


DEBUG = flag("DEBUG")


def env(name: str, *, dev: str | None = None, default: str | None = None) -> str:
    """Return the variable. An empty one counts as missing.

    `dev` counts only when DEBUG is on; `default` is for what is safe everywhere.
    Raises ImproperlyConfigured, naming the variable, when there is nothing to return.
    """
    value = os.environ.get(name) or None
    if value is None:
        value = dev if DEBUG and dev is not None else default
    if value is None:
        raise ImproperlyConfigured(f"Set the environment variable {name}.")
    return value


def env_int(name: str, *, default: int) -> int:
    """Return a whole-number variable. Raises ImproperlyConfigured when it is not one."""
    word = os.environ.get(name, str(default))
    try:
        return int(word)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {word!r}.") from error


def env_share(name: str, *, default: float) -> float:
    """Return a variable from 0 to 1. Raises ImproperlyConfigured when it is not one."""
    word = os.environ.get(name, str(default))
    try:
        share = float(word)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise ImproperlyConfigured(f"{name} must be a number from 0 to 1, not {word!r}.")
    return share


def env_list(name: str, *, dev: str | None = None, default: str | None = None) -> list[str]:
    """Return a comma-separated variable as a list without empty entries."""
    return [part.strip() for part in env(name, dev=dev, default=default).split(",") if part.strip()]


def env_counts(name: str, *, default: Mapping[str, int]) -> dict[str, int]:
    """Return the defaults, changed by a variable like `reads=600,writes=100`; `*` changes all.

    Raises ImproperlyConfigured for another name, and for what is no whole number above 0.
    """
    changes = dict(part.partition("=")[::2] for part in env_list(name, default=""))
    faulty = [
        f"{key}={number}"
        for key, number in changes.items()
        if key not in {*default, "*"} or not number.isdecimal() or int(number) < 1
    ]
    if faulty:
        known = ", ".join(["*", *default])
        raise ImproperlyConfigured(
            f"{name} must give each of {known} a number above 0, not {', '.join(faulty)}."
        )
    return {key: int(changes.get(key, changes.get("*", own))) for key, own in default.items()}
