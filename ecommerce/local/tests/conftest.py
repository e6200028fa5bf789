"""A state folder for each test, also reachable for the account PostgreSQL runs as."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecommerce.local.state import State


@pytest.fixture
def reachable() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def state(reachable: Path) -> State:
    made = State(reachable / "state", private_parent=reachable)
    made.create()
    return made
