"""What the infrastructure suites share: programs, and the checkout they read."""

from collections.abc import Callable
from pathlib import Path

import pytest
import toolbox


@pytest.fixture(scope="session")
def tool() -> Callable[[str], Path]:
    """Return a program by name; a test whose program cannot be had is skipped and says why."""

    def find(name: str) -> Path:
        try:
            return toolbox.program(name)
        except toolbox.CannotHave as reason:
            pytest.skip(str(reason))

    return find


@pytest.fixture(scope="session")
def checkout() -> Path:
    return toolbox.CHECKOUT
