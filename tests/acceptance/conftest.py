"""The order of the suite."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Crowds come last: the store works on what they have bought for a while."""
    items.sort(key=lambda item: item.path.stem == "test_buyers")
