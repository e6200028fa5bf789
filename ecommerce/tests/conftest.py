"""What the tests of the project share: servers that are away, and a view with a bug."""

from collections.abc import Iterator

import pytest
from django.db import connection

NOBODY_LISTENS = 1


@pytest.fixture
def database_away(transactional_db: None) -> Iterator[None]:
    """Every new connection is refused until the test ends."""
    port = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = NOBODY_LISTENS
    yield
    connection.settings_dict["PORT"] = port
    connection.close()
