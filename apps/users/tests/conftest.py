"""Who asks."""

import pytest
from rest_framework.test import APIClient

from apps.users.models import User
from apps.users.tests.factories import UserFactory, access_token_for


def client_of(user: User, **session_facts: object) -> APIClient:
    """Return a client that is logged in as this person."""
    client = APIClient()
    token = access_token_for(user, **session_facts)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


@pytest.fixture
def me(db: None) -> User:
    return UserFactory.create(first_name="Ada", last_name="Lovelace")


@pytest.fixture
def client_me(me: User) -> APIClient:
    return client_of(me)
