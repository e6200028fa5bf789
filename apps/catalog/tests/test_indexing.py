"""The search cluster's index: what the database says, whatever happens on the way there."""

from io import StringIO
from threading import Event

import pytest
from django.core.management import CommandError, call_command

from apps.catalog.models import IndexingWork, Product
from apps.catalog.search import index
from apps.catalog.services.indexing import comparing, queue
from apps.catalog.services.indexing.locks import ReindexIsRunning
from apps.catalog.services.indexing.rebuilding import reindex
from apps.catalog.services.indexing.writing import index_due
from apps.catalog.services.products import (
    VariantDraft,
    archive_product,
    change_product,
    create_product,
)
from apps.catalog.tasks import make_index
from apps.catalog.tests.factories import CategoryFactory
from apps.kernel.delivery import relay_batch
from apps.kernel.ids import new_id
from apps.kernel.money import Money
from apps.kernel.tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("search_cluster")]

NOWHERE = "http://127.0.0.1:1"


def publish(name="Oak Table", *, description=""):
    return create_product(
        fields={
            "name": name,
            "category": CategoryFactory().slug,
            "status": "published",
            "variants": [VariantDraft(sku=f"SKU-{new_id()}", price=Money(24900, "USD"))],
            "description": description,
        }
    )


def rename(product: Product, name: str) -> None:
    change_product(product_id=product.pk, fields={"name": name})


def deliver() -> None:
    """Do what workers do, as long as something is due."""
    while relay_batch():
        pass
    while IndexingWork.objects.filter(next_action_at__isnull=False).exists():
        IndexingWork.objects.filter(next_action_at__isnull=False).update(
            next_action_at="2026-01-01T00:00:00Z", lease_until=None
        )
        index_due()


def indexed(product: Product) -> dict[str, object]:
    return index.found_in_index([product.pk])[product.pk][1]


def differences() -> comparing.Differences:
    return comparing.differences(patience=0)


def test_a_change_reaches_the_index():
    reindex()
    product = publish("Oak Table", description="Solid.")
    deliver()

    assert indexed(product)["name"] == "Oak Table"  # django-elasticsearch-dsl #505 sent {}
    assert indexed(product)["price_minor"] == 24900
    rename(product, "Elm Table")
    deliver()

    assert indexed(product)["name"] == "Elm Table"
    assert not differences()
    work = IndexingWork.objects.get()
    assert (work.version, work.next_action_at, work.waiting_since, work.tries) == (2, None, None, 0)


def test_a_product_that_is_not_published_any_more_leaves_the_index():
    product = publish()
    reindex()
    archive_product(product_id=product.pk)
    deliver()

    assert not differences()
    assert list(index.published_in_index()) == []


def test_a_write_that_is_late_never_replaces_a_newer_one():
    product = publish("Oak Table")
    reindex()
    [name] = index.in_use()
    (before,) = comparing.documents_of([product.pk])
    rename(product, "Elm Table")
    archive_product(product_id=product.pk)
    deliver()

    refused = index.write([name], [index.Version(product.pk, 1, before)])

    assert refused == {}
    assert indexed(product) == {"product_id": str(product.pk), "is_published": False}


def test_what_changes_while_it_is_written_stays_due():
    product = publish()
    deliver_events_only()
    [claim] = queue.claim(limit=10)
    queue.enqueue([product.pk])

    queue.finish([claim])

    [again] = queue.claim(limit=10)
    assert (claim.version, again.version) == (1, 2)


def deliver_events_only() -> None:
    while relay_batch():
        pass


def test_a_cluster_that_is_away_loses_nothing(settings):
    reindex()
    here, settings.ELASTICSEARCH_URL = settings.ELASTICSEARCH_URL, NOWHERE
    product = publish()
    deliver_events_only()

    assert index_due() is False
    work = IndexingWork.objects.get()
    assert (work.lease_until, work.tries) == (None, 1)
    assert work.next_action_at > work.waiting_since
    settings.ELASTICSEARCH_URL = here
    deliver()

    assert indexed(product)["name"] == "Oak Table"


def test_nothing_is_written_where_there_is_no_index_yet():
    publish()
    deliver_events_only()

    assert index_due() is False
    assert index.indices() == {}
    assert IndexingWork.objects.get().next_action_at is not None


def test_a_cluster_without_an_index_gets_one(settings):
    product = publish()

    make_index()

    assert indexed(product)["name"] == "Oak Table"
    before = index.indices()
    make_index()
    assert index.indices() == before
    settings.ELASTICSEARCH_URL = NOWHERE
    make_index()  # it only says so


def test_without_a_cluster_nothing_waits_for_one(settings):
    settings.ELASTICSEARCH_URL = ""
    publish()
    deliver_events_only()

    assert not IndexingWork.objects.exists()
    settings.ELASTICSEARCH_URL = NOWHERE


def test_a_product_that_the_index_refuses_keeps_no_other_back(caplog):
    index.client().indices.create(
        index=f"{index.alias()}-narrow",
        mappings={"date_detection": False, "properties": {"name": {"type": "date"}}},
        aliases={index.alias(): {}},
    )
    fine, faulty = publish("2026-11-28"), publish("Elm Table")
    deliver_events_only()

    index_due()

    assert list(IndexingWork.objects.filter(tries=1).values_list("pk", flat=True)) == [faulty.pk]
    assert indexed(fine)["name"] == "2026-11-28"
    assert "refuses a product" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_share_the_work():
    queue.enqueue(new_id() for _ in range(60))

    claims = at_once(*[lambda: queue.claim(limit=20)] * 3)

    taken = [claim.product_id for batch in claims for claim in batch]
    assert len(taken) == len(set(taken)) == 60


def test_a_reindex_replaces_the_index_and_leaves_no_other():
    product = publish()
    reindex()
    before = index.in_use()

    assert reindex() == 1
    after = index.in_use()

    assert len(after) == 1
    assert after != before
    assert index.indices() == {after[0]: {index.alias()}}
    assert indexed(product)["name"] == "Oak Table"


@pytest.mark.django_db(transaction=True)
def test_a_reindex_loses_no_write_of_the_meantime():
    products = [publish(f"Table {number}") for number in range(12)]
    reindex()
    over = Event()

    def change() -> None:
        round_ = 0
        while not over.is_set():
            for product in products[round_ % 2 :: 2]:
                rename(product, f"Table of round {round_}")
            archive_product(product_id=products[round_ % 12].pk)
            round_ += 1

    def work() -> None:
        while not over.is_set():
            relay_batch()
            index_due()

    def rebuild() -> None:
        try:
            for _ in range(2):
                reindex()
        finally:
            over.set()

    at_once(change, work, rebuild)
    deliver()

    assert not differences()
    assert len(index.indices()) == 1


def test_an_interrupted_reindex_leaves_the_old_index_in_its_place():
    product = publish()
    reindex()
    before = index.indices()

    def interrupt(written: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reindex(progress=interrupt)

    assert index.indices() == before
    assert indexed(product)["name"] == "Oak Table"


def test_what_a_killed_reindex_has_left_is_removed_by_the_next():
    publish()
    reindex()
    left = index.create()
    assert len(index.in_use()) == 2

    reindex()

    assert left not in index.indices()
    assert len(index.indices()) == 1


@pytest.mark.django_db(transaction=True)
def test_one_reindex_runs_at_a_time():
    def hold() -> str:
        try:
            reindex(progress=lambda written: held.wait(10))
        except ReindexIsRunning:
            held.set()
            return "refused"
        return "made"

    publish()
    held = Event()

    assert sorted(at_once(hold, hold)) == ["made", "refused"]


def test_verify_tells_what_is_missing_surplus_and_stale_and_repairs_it():
    kept, missing, stale, surplus = (publish(name) for name in ("A", "B", "C", "D"))
    reindex()
    [name] = index.in_use()
    index.client().delete(index=name, id=str(missing.pk))
    index.client().update(index=name, id=str(stale.pk), doc={"name": "Z"})
    Product.objects.filter(pk=surplus.pk).update(status="archived")
    index.refresh(name)

    found = differences()

    assert found == comparing.Differences(
        frozenset({missing.pk}), frozenset({surplus.pk}), frozenset({stale.pk})
    )
    comparing.repair(found)
    deliver()
    index.refresh(name)
    assert not differences()
    assert indexed(kept)["name"] == "A"


def test_a_repair_outdoes_an_index_that_is_ahead_of_a_restored_database():
    product = publish()
    reindex()
    deliver()
    [name] = index.in_use()
    (document,) = comparing.documents_of([product.pk])
    index.write([name], [index.Version(product.pk, 900, None)])

    comparing.repair(differences())
    deliver()

    assert indexed(product)["name"] == document.name
    assert IndexingWork.objects.get(pk=product.pk).version == 901


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("search", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_the_command_makes_the_index_and_proves_it():
    product = publish()

    assert "1 products are in the new index" in command("reindex")
    assert command("verify", "--patience=0") == "The index is what the database says.\n"
    [name] = index.in_use()
    index.client().update(index=name, id=str(product.pk), doc={"name": "Z"})
    with pytest.raises(CommandError, match="0 missing, 0 surplus, 1 stale"):
        command("verify", "--patience=0")
    assert f"stale {product.pk}" in command("verify", "--patience=0", "--repair")
    deliver()
    assert command("verify", "--patience=0") == "The index is what the database says.\n"


def test_the_command_needs_a_cluster(settings):
    settings.ELASTICSEARCH_URL = ""
    with pytest.raises(CommandError, match="set ELASTICSEARCH_URL"):
        command("verify")
    settings.ELASTICSEARCH_URL = NOWHERE
    with pytest.raises(CommandError, match="does not answer"):
        command("verify", "--patience=0")
