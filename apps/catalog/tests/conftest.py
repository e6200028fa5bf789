"""Who asks, and where pictures go."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from apps.catalog.selectors import filters
from apps.catalog.tests.factories import StockLocationFactory


@pytest.fixture(autouse=True)
def main_location(db: None) -> None:
    """What the migrations made, also after a test that has emptied the tables."""
    StockLocationFactory()


@pytest.fixture(autouse=True)
def no_attributes_known() -> None:
    """What lists are filtered by is remembered for a while, beyond the end of a test."""
    filters._filterable.cache_clear()


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    """Where pictures are kept during the test."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def visitor() -> APIClient:
    return APIClient()


@pytest.fixture
def staff(db: None) -> APIClient:
    user = get_user_model().objects.create_superuser("staff@example.com", "long enough password")
    client = APIClient()
    client.force_authenticate(user, token=SimpleNamespace(second_factor=True))  # type: ignore[arg-type]  # like a session
    return client


@pytest.fixture
def customer(db: None) -> APIClient:
    user = get_user_model().objects.create_user("customer@example.com", "long enough password")
    client = APIClient()
    client.force_authenticate(user)
    return client
