"""Who asks."""

import pytest
from rest_framework.test import APIClient

from apps.users.models import User
from apps.users.tests.factories import UserFactory, client_of


@pytest.fixture
def me(db: None) -> User:
    return UserFactory.create(first_name="Ada", last_name="Lovelace")


@pytest.fixture
def client_me(me: User) -> APIClient:
    return client_of(me)
