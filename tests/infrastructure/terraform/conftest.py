"""What the tests of `terraform/` share: the core, and copies of the configuration."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import toolbox
from core import Core, copied, core, installed


@pytest.fixture(scope="session")
def terraform() -> Iterator[Core]:
    try:
        with core(installed()) as running:
            yield running
    except toolbox.CannotHave as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the configuration for what the core leaves behind."""
    return copied(tmp_path_factory.mktemp("untouched"))


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A copy of the configuration that may be hurt."""
    return copied(tmp_path)
