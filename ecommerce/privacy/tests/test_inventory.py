"""The inventory knows every column, and says what becomes of each."""

from collections import Counter
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import Model

from apps.kernel.privacy import Column, Fate, Kind
from ecommerce.privacy.inventory import as_markdown, columns

MODELS = [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]
HOW = "List it in the personal_data.py of its app, under what it tells of a person."


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_column_is_listed_once_under_its_kind(model: type[Model]) -> None:
    listed = Counter(column.name for column in columns() if column.model == model._meta.label)
    there = Counter(field.name for field in model._meta.concrete_fields)

    assert there - listed == Counter(), HOW
    assert listed - there == Counter(), "The list names what is not there, or names it twice."


def test_no_list_names_a_model_that_is_gone() -> None:
    assert {column.model for column in columns()} == {model._meta.label for model in MODELS}


def test_what_is_kept_of_a_person_is_kept_for_a_reason() -> None:
    personal = [column for column in columns() if column.kind is not Kind.NONE]

    assert [column for column in personal if column.fate is Fate.KEPT and not column.why] == []
    assert [column for column in personal if column.fate is Fate.NOBODYS] == []


def test_names_addresses_and_secrets_are_never_just_kept() -> None:
    kinds = {Kind.IDENTITY, Kind.CONTACT, Kind.SECRET}
    kept = {
        f"{column.table}.{column.name}"
        for column in columns()
        if column.kind in kinds and column.fate is Fate.KEPT
    }

    assert kept == {
        "kernel_auditentry.ip_digest",  # its salt is gone, so it tells nothing
        "orders_billingdocument.content",  # what invoices must keep
        "orders_retainedinvoice.address",
    }


def test_room_for_words_is_kept_only_where_it_is_known_what_stands_there() -> None:
    roomy = {
        f"{column.table}.{column.name}"
        for column in columns()
        if column.fate is Fate.KEPT and column.kind is not Kind.NONE and _has_room(column)
    }

    assert roomy == {
        "catalog_review.body",
        "catalog_answer.body",  # what was published, without a name
        "catalog_question.body",
        "catalog_review.title",  # an opinion that was published
        "catalog_reviewreply.body",  # what staff wrote to everybody
        "catalog_stockcount.reason",  # the same
        "catalog_stockmovement.reason",  # what staff wrote about goods
        "django_admin_log.object_id",
        "kernel_auditentry.after",  # ids, flags and amounts: see `record`
        "kernel_auditentry.before",
        "kernel_auditentry.request_id",
        "orders_billingdocument.content",
        "orders_changeset.outcome",  # ids
        "orders_changeset.preview",  # amounts, SKUs, names of promotions
        "orders_exchange.name",  # of the product
        "orders_orderline.name",  # of the product
        "orders_orderpromotion.name",  # of the promotion
        "orders_paymentattempt.failure_code",
        "orders_paymentattempt.reference",
        "orders_refund.failure_code",
        "orders_refund.reference",
        "orders_retainedinvoice.address",
        "orders_webhookevent.event_id",
        "orders_webhookevent.reference",
        "orders_order.taxes",  # codes and amounts
        "orders_orderline.taxes",
        "orders_webhookevent.type",
    }


def _has_room(column: Column) -> bool:
    [model] = [model for model in MODELS if model._meta.label == column.model]
    field: Any = model._meta.get_field(column.name)
    return column.free and not field.choices and (getattr(field, "max_length", 0) or 100) >= 100


def test_the_page_about_personal_data_is_up_to_date() -> None:
    page = settings.BASE_DIR / "docs" / "personal-data.md"

    assert page.read_text() == as_markdown(), (
        "Run `python manage.py privacy inventory > docs/personal-data.md`."
    )
