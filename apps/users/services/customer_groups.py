"""Everything that changes customer groups, and who is in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from apps.kernel.audit import record
from apps.kernel.errors import Conflict, VersionMismatch
from apps.users.models import CustomerGroup, User
from apps.users.selectors.customer_groups import UnknownCustomerGroup
from apps.users.selectors.people import UnknownPerson


class CustomerGroupCodeTaken(Conflict):
    """There is a customer group with this code."""

    code = "customer_group_code_taken"


class CustomerGroupInUse(Conflict):
    """Somebody is in the group."""

    code = "customer_group_in_use"


@transaction.atomic
def create_group(*, code: str, name: str) -> CustomerGroup:
    """Make a group that nobody is in yet. Raises CustomerGroupCodeTaken."""
    with _one_of_the_code():
        group = CustomerGroup.objects.create(code=code, name=name)
    record("users.customer_group_added", about=group.pk, after={"code": code, "name": name})
    return group


@transaction.atomic
def change_group(
    *, group_id: UUID, expected_version: int | None = None, **changes: str
) -> CustomerGroup:
    """Set what is given of code and name.

    Raises UnknownCustomerGroup, VersionMismatch, CustomerGroupCodeTaken.
    """
    group = _locked(group_id, expected_version)
    before = {name: getattr(group, name) for name in changes}
    for name, value in changes.items():
        setattr(group, name, value)
    group.version += 1
    with _one_of_the_code():
        group.save(update_fields=[*changes, "version"])
    record("users.customer_group_changed", about=group.pk, before=before, after=changes)
    return group


@transaction.atomic
def remove_group(*, group_id: UUID, expected_version: int | None = None) -> None:
    """Remove a group that nobody is in.

    Raises UnknownCustomerGroup, VersionMismatch, CustomerGroupInUse.
    """
    group = _locked(group_id, expected_version)
    if group.members.exists():
        raise CustomerGroupInUse("Somebody is in this group.")
    record("users.customer_group_deleted", about=group.pk, before={"code": group.code})
    group.delete()


@transaction.atomic
def put_into_group(*, group_id: UUID, user_id: UUID) -> None:
    """Let a person be in this group, and in no other. It counts at the next request.

    Raises UnknownCustomerGroup, UnknownPerson.
    """
    _locked(group_id, None)  # until the end, so that it cannot be removed meanwhile
    _move(user_id, to=group_id)


@transaction.atomic
def take_out_of_group(*, group_id: UUID, user_id: UUID) -> None:
    """Let a person be in no group.

    Raises UnknownCustomerGroup, UnknownPerson, also for who is not in this one.
    """
    _locked(group_id, None)
    if not User.objects.filter(pk=user_id, customer_group=group_id).exists():
        raise UnknownPerson("There is no such person in this group.")
    _move(user_id, to=None)


def _move(user_id: UUID, *, to: UUID | None) -> None:
    person = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if person is None:
        raise UnknownPerson("There is no such person.")
    if person.customer_group_id == to:
        return
    User.objects.filter(pk=user_id).update(customer_group=to, version=F("version") + 1)
    record(
        "users.customer_group_assigned",
        about=user_id,
        before={"group": person.customer_group_id},
        after={"group": to},
    )


def _locked(group_id: UUID, expected_version: int | None) -> CustomerGroup:
    group = CustomerGroup.objects.select_for_update().filter(pk=group_id).first()
    if group is None:
        raise UnknownCustomerGroup("There is no such customer group.")
    if expected_version not in {None, group.version}:
        raise VersionMismatch("The group was changed in the meantime.", version=group.version)
    return group


@contextmanager
def _one_of_the_code() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "customer_group_code_is_unique" not in str(error):
            raise
        raise CustomerGroupCodeTaken("There is a group with this code.") from error
