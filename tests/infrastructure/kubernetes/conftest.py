"""Every kustomization rendered once, and what a cluster holds when all of them are applied."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
from rendering import FOLDERS, Object, render


@pytest.fixture(scope="session")
def kubectl(tool: Callable[[str], Path]) -> Path:
    return tool("kubectl")


@pytest.fixture(scope="session")
def rendered(kubectl: Path, checkout: Path) -> dict[str, list[Object]]:
    """The objects of each kustomization, by its folder below k8s/."""
    return {folder: render(kubectl, checkout / "k8s" / folder) for folder in FOLDERS}


@pytest.fixture(scope="session", params=["staging", "production"])
def environment(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def cluster(environment: str, rendered: dict[str, list[Object]]) -> list[Object]:
    """Everything of one cluster: the platform and the store."""
    return [*rendered[f"clusters/{environment}"], *rendered[f"overlays/{environment}"]]


@pytest.fixture
def spoilt(rendered: dict[str, list[Object]]) -> list[Object]:
    """Everything of the production cluster, in a copy into which a test may put an error."""
    return deepcopy([*rendered["clusters/production"], *rendered["overlays/production"]])
