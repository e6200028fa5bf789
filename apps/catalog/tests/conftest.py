"""Who asks, where pictures go, and files of products that come and go."""

import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from apps.catalog.models import Import
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


@pytest.fixture
def take(tmp_path: Path) -> Callable[..., Import]:
    """Take a file in, given as text or bytes; return the import."""

    def take(content: str | bytes, *options: str, name: str = "products.csv") -> Import:
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        with suppress(CommandError):
            told: dict[str, Any] = {"stdout": io.StringIO(), "stderr": io.StringIO()}
            call_command("import_products", str(file), *options, **told)
        return Import.objects.latest("created_at")

    return take


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., bytes]:
    """Return what is exported."""

    def export(*options: str, file_format: str = "csv") -> bytes:
        output = tmp_path / f"export.{file_format}"
        call_command("export_products", "--format", file_format, "--output", str(output), *options)
        return output.read_bytes()

    return export
