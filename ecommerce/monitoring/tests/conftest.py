"""What the tests of monitoring share with those of the project."""

from ecommerce.tests.conftest import database_away

__all__ = ["database_away"]
