"""Everything that changes price lists, but for the prices in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from apps.catalog.models import PriceList
from apps.catalog.selectors.prices import UnknownPriceList
from apps.kernel.audit import record
from apps.kernel.errors import Conflict, Invalid, VersionMismatch

# Due at once: the sweeper notes what follows for each product, and tells it.
MARK = """
WITH locked AS MATERIALIZED (
    SELECT id FROM catalog_price
    WHERE price_list_id = %s
        AND (next_change_at IS NULL OR next_change_at > statement_timestamp())
    ORDER BY id FOR UPDATE
)
UPDATE catalog_price p SET next_change_at = statement_timestamp() FROM locked
WHERE p.id = locked.id
"""
DECIDES = {"customer_group_id", "priority", "valid_from", "valid_until", "is_active"}


class PriceListCodeTaken(Conflict):
    """There is a price list with this code."""

    code = "price_list_code_taken"


class PriceListInUse(Conflict):
    """The list has, or had, prices: switch it off instead."""

    code = "price_list_in_use"


class EndsBeforeItBegins(Invalid):
    """What is valid for a time begins before it ends."""

    code = "ends_before_it_begins"


class PriceListFields(TypedDict, total=False):
    """What may be said about a list later, too; what is left out stays as it is."""

    code: str
    name: str
    customer_group_id: UUID | None
    priority: int
    valid_from: datetime | None
    valid_until: datetime | None
    is_active: bool


@transaction.atomic
def create_price_list(*, currency: str, fields: PriceListFields) -> PriceList:
    """Make a list without prices. Raises PriceListCodeTaken, EndsBeforeItBegins."""
    price_list = PriceList(currency=currency, **fields)
    _must_begin_first(price_list)
    with _one_of_the_code():
        price_list.save(force_insert=True)
    record("catalog.price_list_added", about=price_list.pk, after={"currency": currency, **fields})
    return price_list


@transaction.atomic
def change_price_list(
    *, list_id: UUID, fields: PriceListFields, expected_version: int | None = None
) -> PriceList:
    """Change what `fields` names. What is bought costs the new prices at once; lists follow.

    Raises UnknownPriceList, VersionMismatch, PriceListCodeTaken, EndsBeforeItBegins.
    """
    price_list = _locked(list_id, expected_version)
    before = {name: getattr(price_list, name) for name in fields}
    for name, value in fields.items():
        setattr(price_list, name, value)
    _must_begin_first(price_list)
    price_list.version += 1
    # Before the list is written: who holds a price may still have to refer to its list.
    if any(before[name] != getattr(price_list, name) for name in DECIDES & fields.keys()):
        with connection.cursor() as cursor:
            cursor.execute(MARK, [price_list.pk])
    with _one_of_the_code():
        price_list.save(update_fields=[*fields, "version"])
    record("catalog.price_list_changed", about=list_id, before=before, after=dict(fields))
    return price_list


@transaction.atomic
def remove_price_list(*, list_id: UUID, expected_version: int | None = None) -> None:
    """Remove a list that never had a price. Raises UnknownPriceList, VersionMismatch,
    PriceListInUse."""
    price_list = _locked(list_id, expected_version)
    if price_list.prices.exists() or price_list.changes.exists():
        raise PriceListInUse("The list has, or had, prices: switch it off instead.")
    record("catalog.price_list_deleted", about=list_id, before={"code": price_list.code})
    price_list.delete()


def _locked(list_id: UUID, expected_version: int | None) -> PriceList:
    # Not its key: whoever notes a price of the list refers to it.
    price_list = PriceList.objects.select_for_update(no_key=True).filter(pk=list_id).first()
    if price_list is None:
        raise UnknownPriceList("There is no such price list.")
    if expected_version not in {None, price_list.version}:
        raise VersionMismatch("The list was changed in the meantime.", version=price_list.version)
    return price_list


def _must_begin_first(price_list: PriceList) -> None:
    begins, ends = price_list.valid_from, price_list.valid_until
    if begins and ends and begins >= ends:
        raise EndsBeforeItBegins("A list begins before it ends.")


@contextmanager
def _one_of_the_code() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "price_list_code_is_unique" not in str(error):
            raise
        raise PriceListCodeTaken("There is a price list with this code.") from error
