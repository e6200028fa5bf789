"""Writing a batch of planned records: a few statements, whatever their number."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.catalog.columns.table import OF_PRODUCTS, OF_VARIANTS, STOCK, TAGS
from apps.catalog.formats import Record
from apps.catalog.models import Product, Variant
from apps.catalog.services.changes import ProductChanged
from apps.catalog.services.imports.plans import How, Outcome, Plan, planned
from apps.catalog.services.imports.references import category_ids
from apps.catalog.services.imports.sets import insert_rows, update_rows
from apps.catalog.services.labels import brand_ids, tag_ids
from apps.catalog.services.prices.current import settle_prices
from apps.catalog.services.products import SLUG_LENGTH
from apps.catalog.services.search_index import refresh
from apps.catalog.services.slugs import free_slug, slug_of
from apps.catalog.services.stock import count, receive_first
from apps.kernel.audit import record_all
from apps.kernel.errors import Conflict, DomainError
from apps.kernel.events import publish_all

BATCH = 2_000
# Two imports at a time would only fight over slugs and categories.
LOCK = 7_316_550_501
TRIES = 3
REASON = "import"


class ChangedMeanwhile(Conflict):
    """A product has changed between reading and writing it."""

    code = "changed_meanwhile"


def take_in(records: Sequence[Record], how: How) -> list[Plan]:
    """Create and change the products of the records; return what became of each.

    The caller is in a transaction. What the database refuses, because somebody else was faster or
    because of a rule that only it knows, is found by trying again with fewer records; alone, a
    record that is refused fails.
    """
    if not how.dry_run:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    return list(_take_in(records, how))


def _take_in(records: Sequence[Record], how: How, tries: int = 1) -> Iterator[Plan]:
    if not records:
        return
    try:
        with transaction.atomic():
            plans, later = planned(records, how)
            if not how.dry_run:
                _write([plan for plan in plans if plan.changes], how)
    except (DomainError, IntegrityError) as refusal:
        if len(records) > 1:
            half = len(records) // 2
            yield from _take_in(records[:half], how)
            yield from _take_in(records[half:], how)
        elif tries < TRIES:
            yield from _take_in(records, how, tries + 1)
        else:
            yield _refused(records[0], refusal)
        return
    yield from plans
    yield from _take_in(later, how)


def _refused(record: Record, refusal: DomainError | IntegrityError) -> Plan:
    plan = Plan(record, faults=list(record.faults))
    if isinstance(refusal, DomainError):
        plan.refuse("", refusal.code, refusal.detail)
    else:
        rule = getattr(getattr(refusal.__cause__, "diag", None), "constraint_name", None)
        plan.refuse("", "against_a_rule", f"The database has a rule against it: {rule}.")
    return plan


def _write(plans: list[Plan], how: How) -> None:
    """Write what is planned. Raises ChangedMeanwhile, StockIsReserved; IntegrityError."""
    plans = [plan for plan in plans if plan.outcome in {Outcome.CREATED, Outcome.CHANGED}]
    if not plans:
        return
    rewritten = [plan for plan in plans if plan.present and _is_rewritten(plan)]
    created = [plan for plan in plans if not plan.present]
    brands = brand_ids(
        references={plan.after["brand"] for plan in plans if "brand" in plan.changes} - {""}
    )
    categories = category_ids(
        paths={tuple(plan.after["category"] or ()) for plan in plans if "category" in plan.changes}
    )
    _name(created)
    now = timezone.now()
    rows = {
        id(plan): _product_row(plan, brands, categories, now) for plan in (*created, *rewritten)
    }
    insert_rows(Product, [rows[id(plan)] for plan in created])
    written = update_rows(Product, [rows[id(plan)] for plan in rewritten], guard="version")
    if written != len(rewritten):
        raise ChangedMeanwhile("A product has changed meanwhile.")
    _write_tags([plan for plan in plans if TAGS in plan.changes])
    _write_variants(plans)
    if rewritten:  # a sale may be on, of which a file knows nothing
        settle_prices(product_ids=[plan.product_id for plan in rewritten if plan.product_id])
    _count(plans, how)
    refresh(product_ids=[plan.product_id for plan in plans if plan.product_id])
    publish_all(
        {
            row["id"]: ProductChanged(product_id=row["id"], version=row["version"])
            for row in rows.values()
        }
    )
    record_all("catalog.product_written", [_entry(plan) for plan in rewritten], by=how.actor_id)


def _is_rewritten(plan: Plan) -> bool:
    """Whether more than the stock changes."""
    return any(name.rsplit(": ", 1)[-1] != STOCK for name in plan.changes)


def _name(created: list[Plan]) -> None:
    """Give the new products that have no slug one that is free."""
    nameless = [plan for plan in created if not plan.after["slug"]]
    candidates = [
        [name := plan.after["name"], f"{name[:120]} {plan.after['external_ref']}"]
        for plan in nameless
    ]
    tried = {slug_of(text, longest=SLUG_LENGTH) for texts in candidates for text in texts}
    taken = set(Product.objects.filter(slug__in=tried).values_list("slug", flat=True))
    taken |= {plan.after["slug"] for plan in created}
    for plan, texts in zip(nameless, candidates, strict=True):
        plan.after["slug"] = free_slug(texts, taken, longest=SLUG_LENGTH)


def _product_row(
    plan: Plan, brands: dict[str, UUID], categories: dict[tuple[str, ...], UUID], now: Any
) -> dict[str, Any]:
    after, present = plan.after, plan.present
    row = {column.writes: after[column.name] for column in OF_PRODUCTS if column.writes}
    row["brand_id"] = present.brand_id if present else None
    if "brand" in plan.changes:
        row["brand_id"] = brands[after["brand"]] if after["brand"] else None
    row["category_id"] = present.category_id if present else None
    if "category" in plan.changes:
        row["category_id"] = categories[tuple(after["category"])] if after["category"] else None
    row["type_id"] = plan.type.id if plan.type else None
    on_sale = [values for _, values in plan.variants_after() if values["for_sale"]]
    cheapest = min(on_sale, key=lambda v: (v["price"], v["position"]), default=None)
    published = present.published_at if present else None
    if after["status"] == Product.Status.PUBLISHED:
        published = published or now
    row |= {
        "id": plan.product_id,
        "published_at": published,
        "price_from_minor": cheapest["price"] if cheapest else None,
        "compare_at_minor": cheapest["compare_at_price"] if cheapest else None,
        "version": present.version + 1 if present else 1,
        "updated_at": now,
    }
    return row if present else row | {"currency": settings.STORE_CURRENCY, "created_at": now}


def _write_tags(plans: list[Plan]) -> None:
    if not plans:
        return
    ids = tag_ids(references={tag for plan in plans for tag in plan.after[TAGS]})
    worn = Product.tags.through
    worn.objects.filter(product_id__in=[plan.product_id for plan in plans]).delete()
    worn.objects.bulk_create(
        worn(product_id=plan.product_id, tag_id=tag_id)
        for plan in plans
        for tag_id in sorted({ids[tag] for tag in plan.after[TAGS]})
    )


def _write_variants(plans: list[Plan]) -> None:
    created, changed = [], []
    for plan in plans:
        for variant in plan.variants:
            row = {c.writes: variant.after[c.name] for c in OF_VARIANTS if c.writes}
            row["id"] = variant.id
            if variant.present is None:
                row |= {"product_id": plan.product_id, "currency": settings.STORE_CURRENCY}
                created.append(row)
            elif variant.changes.keys() - {STOCK}:
                changed.append(row)
    insert_rows(Variant, created)
    update_rows(Variant, changed)


def _count(plans: list[Plan], how: How) -> None:
    """Set the stock that the records tell, through the ledger."""
    received: dict[UUID, int] = {}
    counted: dict[UUID, int] = {}
    for plan in plans:
        for variant in plan.variants:
            if STOCK in variant.changes:
                on_hand = variant.after[STOCK]
                if variant.present:
                    counted[variant.id] = on_hand
                elif on_hand:
                    received[variant.id] = on_hand
    if received:
        receive_first(quantities=received, reason=REASON, actor_id=how.actor_id)
    if counted:
        count(counts=counted, reason=REASON, actor_id=how.actor_id)


def _entry(plan: Plan) -> tuple[UUID | None, dict[str, Any], dict[str, Any]]:
    """Return what the audit log tells of a change: no long texts."""
    told = {name: c for name, c in plan.changes.items() if name != "description"}
    return (
        plan.product_id,
        {name: before for name, (before, _) in told.items()},
        {name: after for name, (_, after) in told.items()},
    )
