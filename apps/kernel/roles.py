"""What a release says about a role. Which ones there are stands in `ecommerce/roles.py`."""

from dataclasses import dataclass
from typing import Final

EVERYTHING: Final = frozenset({"*"})


@dataclass(frozen=True, slots=True)
class DeclaredRole:
    """A role that every store has: what it is called, who it is for, what it may do."""

    name: str
    description: str
    permissions: frozenset[str]
