"""What the monitoring tests share: the configuration in a copy that may be spoilt, and readers."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import toolbox
from questions import Ask, asking


@pytest.fixture(scope="session")
def promtool(tool: Callable[[str], Path]) -> Ask:
    return asking(tool("promtool"))


@pytest.fixture(scope="session")
def amtool(tool: Callable[[str], Path]) -> Ask:
    return asking(tool("amtool"))


@pytest.fixture(scope="session")
def reader() -> Path:
    """The Python that knows Grafana's fields and the grammar of PromQL."""
    try:
        return toolbox.python_environment("monitoring") / "bin" / "python"
    except toolbox.CannotHave as reason:
        pytest.skip(str(reason))


@pytest.fixture
def config(tmp_path: Path, checkout: Path) -> Path:
    """A copy of config/ into which a test may put an error."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(checkout / "config", tmp_path / "config", ignore=ignored))
