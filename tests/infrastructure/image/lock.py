"""Whether the locks say what the image needs: requirements.txt and all it needs, with hashes."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# Of the image, whatever machine the test runs on.
PLATFORM = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.0",
    "python_version": "3.11",
    "sys_platform": "linux",
}


@dataclass(frozen=True, slots=True)
class Locked:
    """One package of a lock."""

    version: str
    hashes: int


def locked(text: str) -> dict[str, Locked]:
    """Return the packages of a lock by name."""
    entries = re.split(r"^(?=\S)", text, flags=re.MULTILINE)
    found = {}
    for entry in entries:
        if match := re.match(r"([\w.-]+)==(\S+)", entry):
            hashes = re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry)
            found[canonicalize_name(match[1])] = Locked(match[2], len(hashes))
    return found


def groups(text: str) -> dict[str, list[Requirement]]:
    """Return what requirements.txt pins, by the groups it is divided into."""
    found: dict[str, list[Requirement]] = {}
    for part in re.split(r"^# ", text, flags=re.MULTILINE)[1:]:
        heading, *lines = part.splitlines()
        pinned = [line.partition("#")[0].strip() for line in lines]
        found[heading.partition(":")[0]] = [Requirement(line) for line in pinned if line]
    return found


def needed(wanted: Iterable[Requirement]) -> set[str]:
    """Return the names of these packages and of all they need, as the installed ones say."""
    seen: set[tuple[str, str]] = set()
    queue = [(each, "") for each in wanted]
    while queue:
        requirement, of_extra = queue.pop()
        marker = requirement.marker
        if marker and not marker.evaluate({**PLATFORM, "extra": of_extra}):
            continue
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                queue += [(each, extra) for each in _needs_of(name)]
    return {name for name, _ in seen}


def _needs_of(name: str) -> list[Requirement]:
    try:
        return [Requirement(line) for line in requires(name) or ()]
    except PackageNotFoundError:  # the Python of this machine does without it
        return []


def disagreements(
    wanted: list[Requirement], lock: Mapping[str, Locked], beside: Mapping[str, Locked]
) -> Iterator[str]:
    """Yield what the lock has wrong. `beside`: what is installed already."""
    for requirement in wanted:
        name = canonicalize_name(requirement.name)
        version = str(requirement.specifier).removeprefix("==")
        if name not in lock:
            yield f"{name} is not locked."
        elif lock[name].version != version:
            yield f"{name} is pinned to {version}, but locked at {lock[name].version}."
    closure = needed(wanted)
    yield from (f"{name} is needed and not locked." for name in sorted(closure - set(lock)))
    yield from (f"{name} is locked and not needed." for name in sorted(set(lock) - closure))
    yield from (f"{name} is locked without a hash." for name in lock if not lock[name].hashes)
    yield from (
        f"{name} is locked at {lock[name].version} and at {beside[name].version}."
        for name in sorted(set(lock) & set(beside))
        if lock[name].version != beside[name].version
    )
