"""The dullest valid accounts. Public to the tests of all apps."""

import re
from datetime import timedelta
from typing import Any

import factory
import pyotp
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from apps.kernel.encryption import decrypted, encrypted
from apps.kernel.tests.mails import mails_to
from apps.users.models import Address, ApiKey, CustomerGroup, Role, SecondFactor, Session, User
from apps.users.services.api_keys import hash_of, new_secret
from apps.users.tokens import access_token

PASSWORD = "correct horse battery staple"


def permission(code: str) -> Permission:
    """Return a permission by `app.codename`."""
    app_label, codename = code.split(".")
    return Permission.objects.get(content_type__app_label=app_label, codename=codename)


class UserFactory(factory.django.DjangoModelFactory[User]):
    """A customer whose password is PASSWORD."""

    email = factory.Sequence(lambda n: f"customer-{n}@example.com")
    first_name = "Robin"
    last_name = "Doe"
    password = factory.django.Password(PASSWORD)

    class Meta:
        model = User


class StaffFactory(UserFactory):
    """Staff with the permissions given as `permissions=["catalog.change_product"]`."""

    email = factory.Sequence(lambda n: f"staff-{n}@example.com")
    is_staff = True

    class Meta:
        skip_postgeneration_save = True

    @factory.post_generation
    def permissions(self: User, _created: object, names: list[str] | None) -> None:
        for name in names or ():
            self.user_permissions.add(permission(name))


class CustomerGroupFactory(factory.django.DjangoModelFactory[CustomerGroup]):
    """A group that nobody is in."""

    code = factory.Sequence(lambda n: f"group-{n}")
    name = factory.Sequence(lambda n: f"Group {n}")

    class Meta:
        model = CustomerGroup


class RoleFactory(factory.django.DjangoModelFactory[Role]):
    """A role of the store's own with `permissions=["catalog.change_product"]`."""

    name = factory.Sequence(lambda n: f"Role {n}")

    class Meta:
        model = Role
        skip_postgeneration_save = True

    @factory.post_generation
    def permissions(self: Role, _created: object, names: list[str] | None) -> None:
        self.permissions.set([permission(name) for name in names or ()])


class ApiKeyFactory(factory.django.DjangoModelFactory[ApiKey]):
    """A key for `users.view_user` that ends in an hour. `secret_of` makes one to be used."""

    owner = factory.SubFactory(StaffFactory, permissions=["users.view_user"])
    name = factory.Sequence(lambda n: f"Key {n}")
    hash = factory.LazyFunction(lambda: hash_of(new_secret()))
    scopes = factory.LazyFunction(lambda: ["users.view_user"])
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=1))

    class Meta:
        model = ApiKey

    @classmethod
    def secret_of(cls, **fields: Any) -> str:
        """Make a key and return its secret."""
        secret = new_secret()
        cls.create(hash=hash_of(secret), **fields)
        return secret


class SessionFactory(factory.django.DjangoModelFactory[Session]):
    """A session that lasts another day."""

    user = factory.SubFactory(UserFactory)
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=1))

    class Meta:
        model = Session


class SecondFactorFactory(factory.django.DjangoModelFactory[SecondFactor]):
    """A second factor that is on; `code_of` tells its codes."""

    user = factory.SubFactory(UserFactory, has_second_factor=True)
    secret = factory.LazyFunction(lambda: encrypted(pyotp.random_base32().encode()))
    confirmed_at = factory.LazyFunction(timezone.now)
    last_step = 0

    class Meta:
        model = SecondFactor


def code_of(user: User, *, steps: int = 0) -> str:
    """Return what the person's app shows now, or so many half minutes later."""
    secret = decrypted(SecondFactor.objects.get(user=user).secret).decode()
    return pyotp.TOTP(secret).at(timezone.now() + timedelta(seconds=30 * steps))


class AddressFactory(factory.django.DjangoModelFactory[Address]):
    """An address in somebody's book."""

    user = factory.SubFactory(UserFactory)
    first_name = "Robin"
    last_name = "Doe"
    line1 = "1 Main Street"
    city = "Springfield"
    postal_code = "62701"
    country = "US"

    class Meta:
        model = Address


def mailed_token(address: str) -> str:
    """Hand over what is due, and return the token of the newest link that an address has got."""
    links = [
        found[1]
        for message in mails_to(address)
        if (found := re.search(r"/account/confirm#\w+=([\w-]+)", str(message.body)))
    ]
    return links[-1]


def enter(client: Client, user: User, **session_facts: object) -> Client:
    """Let a person into the back office in this browser, by a second factor. Returns it."""
    client.force_login(user)
    cookie = client.session
    session = SessionFactory.create(user=user, **{"second_factor": True, **session_facts})
    cookie["office_session"] = str(session.pk)
    cookie.save()
    return client


def access_token_for(user: User, **session_facts: object) -> str:
    """Open a session and return its bearer token. Staff have shown a second factor in it."""
    facts = {"second_factor": user.is_staff, **session_facts}
    return access_token_of(SessionFactory.create(user=user, **facts))


def client_of(user: User, **session_facts: object) -> APIClient:
    """Return a client of the API that a person is logged in with."""
    token = access_token_for(user, **session_facts)
    return APIClient(headers={"Authorization": f"Bearer {token}"})


def staff_client(*permissions: str, **session_facts: object) -> APIClient:
    """Return a client of somebody of the staff who may do just that."""
    return client_of(StaffFactory.create(permissions=permissions), **session_facts)


def access_token_of(session: Session) -> str:
    """Return a new bearer token of the session."""
    return access_token(user_id=session.user_id, session_id=session.pk)
