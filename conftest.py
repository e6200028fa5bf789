"""What all tests share: real servers, named in the first lines of the report."""

import os

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to test on a database that nobody chose."""
    if not os.environ.get("DATABASE_URL") or not os.environ.get("REDIS_URL"):
        raise pytest.UsageError(
            "The tests need the servers of DATABASE_URL and REDIS_URL. Run `make test`."
        )


def pytest_report_header(config: pytest.Config) -> str:
    """Name the servers in use."""
    return f"servers: {os.environ.get('SERVERS_IN_USE', 'as DATABASE_URL and REDIS_URL say')}"
