"""What the tests of privacy share: the list of erasures in a folder of its own, a worker's turn."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apps.kernel.tasks import send_mails
from ecommerce.privacy.models import ErasureRequest
from ecommerce.privacy.services import erasures


@pytest.fixture(autouse=True)
def audit_root(settings: Any, tmp_path: Path) -> Path:
    """Return where the list of erasures is kept outside the database."""
    settings.STORAGES = settings.STORAGES | {
        "audit": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        }
    }
    return tmp_path


@pytest.fixture
def later() -> Callable[[], None]:
    """Return a function that lets all waiting be over and does what is due, until nothing is."""

    def work() -> None:
        for _ in range(4):
            ErasureRequest.objects.filter(next_action_at__isnull=False).update(
                next_action_at=timezone.now()
            )
            while erasures.advance_erasure():
                pass
            send_mails()

    return work
