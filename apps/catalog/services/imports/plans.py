"""What is to be done with the records of a file: compared with what is there, nothing written."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.utils import timezone

from apps.catalog.columns.table import OF_PRODUCTS, OF_VARIANTS, STOCK, TAGS
from apps.catalog.formats import Fault, Record
from apps.catalog.models import Attribute, Brand, Import, ImportRow, Product, Tag
from apps.catalog.selectors.records import PresentProduct, PresentVariant, records_named
from apps.catalog.services.classification import (
    Definition,
    UnfitAttribute,
    UnfitOptions,
    check_complete,
    definitions_of,
    fitting,
)
from apps.catalog.services.imports.references import spelled
from apps.kernel.errors import Invalid
from apps.kernel.ids import new_id

WRITTEN = {column.name for column in OF_PRODUCTS if column.writes} | {TAGS}
IN_TIME = {Product.Status.PUBLISHED.value, Product.Status.SCHEDULED.value}
TIMED = ("status", "publish_at", "unpublish_at")  # what one of them says decides the others
NEW_PRODUCT = {column.name: column.kind.empty for column in OF_PRODUCTS} | {
    "status": Product.Status.DRAFT.value,
    "slug": "",
}
NEW_VARIANT = {column.name: column.kind.empty for column in OF_VARIANTS}


OnError = Import.OnError
Outcome = ImportRow.Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How records are taken in: what an error does, whether what is there stays, who does it."""

    on_error: OnError = OnError.REJECT_FAILED_ROWS
    dry_run: bool = False
    keeps_existing: bool = False
    actor_id: UUID | None = None


@dataclass(slots=True)
class PlannedVariant:
    """A variant that will be made, or changed if it is there."""

    id: UUID
    present: PresentVariant | None
    after: dict[str, Any]
    changes: dict[str, list[Any]]


@dataclass(slots=True)
class Plan:
    """What becomes of one record, and of which product.

    `changes` are by column, before and after; those of a variant are by `SKU: column`.
    """

    record: Record
    outcome: Outcome = Outcome.FAILED
    product_id: UUID | None = None
    present: PresentProduct | None = None
    after: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, list[Any]] = field(default_factory=dict)
    variants: list[PlannedVariant] = field(default_factory=list)
    type: Definition | None = None
    faults: list[Fault] = field(default_factory=list)

    def refuse(self, column: str, code: str, detail: str) -> None:
        """Let the record fail."""
        self.faults.append(Fault(self.record.line, column, code, detail))
        self.outcome = Outcome.FAILED

    def variants_after(self) -> list[tuple[UUID, dict[str, Any]]]:
        """Return all variants that the product will have, with their values."""
        planned = {variant.id: variant.after for variant in self.variants}
        present = self.present.variants if self.present else []
        kept = {each.id: each.values for each in present}
        return list((kept | planned).items())

    def names_taken(self) -> Iterator[tuple[str, str]]:
        """Yield the slugs, references and SKUs that nothing had before, by column."""
        if self.outcome not in {Outcome.CREATED, Outcome.CHANGED}:
            return
        for column in ("slug", "external_ref"):
            if column in self.changes and self.after[column]:
                yield column, self.after[column]
        for variant in self.variants:
            if variant.present is None:
                yield "sku", variant.after["sku"].upper()


def planned(records: Sequence[Record], how: How) -> tuple[list[Plan], list[Record]]:
    """Compare the records with what is there. A few statements, whatever their number.

    Returns also the records about a product that an earlier one is about already: they are
    compared with what has become of it.
    """
    planning = _Planning(records, how)
    plans, later = [], []
    for record in records:
        plan = planning.plan(record)
        if plan is None:
            later.append(record)
        else:
            plans.append(plan)
    return plans, later


class _Planning:
    """The products that a few records are about, and the names they take."""

    def __init__(self, records: Sequence[Record], how: How) -> None:
        self._how = how
        products = [record.product for record in records]
        skus = [v["sku"].upper() for record in records for v in record.variants]
        present = records_named(
            ids=[p["id"] for p in products if p.get("id")],
            refs=[p["external_ref"] for p in products if p.get("external_ref")],
            slugs=[p["slug"] for p in products if p.get("slug")],
            skus=skus,
        )
        self._by = {
            "id": {str(each.id): each.id for each in present},
            "external_ref": {each.values["external_ref"]: each.id for each in present},
            "slug": {each.values["slug"]: each.id for each in present},
            "sku": {v.values["sku"].upper(): each.id for each in present for v in each.variants},
        }
        self._present = {each.id: each for each in present}
        self._brands = spelled(
            Brand,
            (
                product["brand"]
                for product in products
                if product.get("brand") and not self._has_brand(product)
            ),
        )
        self._tags = spelled(Tag, (tag for product in products for tag in product.get(TAGS, ())))
        types = {product.get("type") for product in products}
        types |= {each.values["type"] for each in present}
        slugs = [slug for slug in types if slug]
        self._types = definitions_of(slugs=slugs) if slugs else {}
        self._now = timezone.now()
        self._done: set[UUID] = set()

    def plan(self, record: Record) -> Plan | None:
        """Return what becomes of the record, or None when its product was planned before."""
        plan = Plan(record, faults=list(record.faults))
        if record.faults and self._how.on_error != OnError.IGNORE_FAILED:
            return plan
        product_id = self._named(record.product, record.variants)
        if product_id is None and record.product.get("id"):
            plan.refuse("id", "unknown_product", "There is no product with this id.")
            return plan
        if product_id in self._done:
            return None
        plan.present = self._present.get(product_id) if product_id else None
        plan.product_id = product_id or new_id()
        if plan.present and self._how.keeps_existing:
            plan.outcome = Outcome.UNCHANGED
            return plan
        plan.outcome = Outcome.CHANGED if plan.present else Outcome.CREATED
        self._compare(plan)
        self._check(plan)
        if plan.outcome == Outcome.FAILED:
            return plan
        if not plan.changes and plan.present:
            plan.outcome = Outcome.UNCHANGED
            return plan
        self._take_names(plan)
        return plan

    def _named(
        self, product: Mapping[str, Any], variants: Sequence[Mapping[str, Any]]
    ) -> UUID | None:
        """Return the product that the first of id, reference, slug or SKU names."""
        for column in ("id", "external_ref", "slug"):
            if name := product.get(column):
                return self._by[column].get(name)
        return self._by["sku"].get(variants[0]["sku"].upper()) if variants else None

    def _has_brand(self, product: Mapping[str, Any]) -> bool:
        found = self._named(product, ())
        return bool(found and self._present[found].values["brand"] == product["brand"])

    def _compare(self, plan: Plan) -> None:
        before = plan.present.values if plan.present else NEW_PRODUCT
        given = {name: value for name, value in plan.record.product.items() if name in WRITTEN}
        if "brand" in given:
            given["brand"] = self._brands.get(given["brand"], given["brand"])
        if TAGS in given:
            given[TAGS] = sorted({self._tags.get(tag, tag) for tag in given[TAGS]})
        plan.after = {**before, **given}
        self._classify(plan, given)
        self._time(plan.after)
        plan.changes = _differences(before, plan.after, {*given, *TIMED})
        present = (
            {v.values["sku"].upper(): v for v in plan.present.variants} if plan.present else {}
        )
        place = max((v.values["position"] for v in present.values()), default=-1)
        for values in plan.record.variants:
            there = present.get(values["sku"].upper())
            if there is None:
                place += 1
                after = {
                    **NEW_VARIANT,
                    "position": place,
                    "for_sale": values.get("price") is not None,
                    **values,
                }
            else:
                after = {**there.values, **values}
            changes = _differences(there.values if there else NEW_VARIANT, after, after)
            if changes:
                planned_id = there.id if there else new_id()
                plan.variants.append(PlannedVariant(planned_id, there, after, changes))
                plan.changes |= {f"{after['sku']}: {name}": c for name, c in changes.items()}

    def _classify(self, plan: Plan, given: Mapping[str, Any]) -> None:
        """Find the product's type, and bring the attributes that are given into their form."""
        slug = plan.after["type"]
        plan.type = self._types.get(slug)
        if slug and plan.type is None:
            plan.refuse("type", "unknown_product_type", "There is no such product type.")
        elif "attributes" in given:
            known = plan.type.attributes if plan.type else {}
            values = {
                code: _of_text(known[code]["kind"], value) if code in known else value
                for code, value in given["attributes"].items()
            }
            try:
                plan.after["attributes"] = fitting(plan.type, values)
            except UnfitAttribute as refusal:
                _refuse_as(plan, "attributes", refusal)

    def _time(self, after: dict[str, Any]) -> None:
        """Let the times be those that go with the status."""
        if after["status"] == Product.Status.SCHEDULED and _is_over(after["publish_at"], self._now):
            after["status"] = Product.Status.PUBLISHED.value
        if after["status"] != Product.Status.SCHEDULED:
            after["publish_at"] = None
        if after["status"] not in IN_TIME:
            after["unpublish_at"] = None

    def _check(self, plan: Plan) -> None:
        """Refuse what would contradict itself, or what is there."""
        record, after = plan.record, plan.after
        if not after.get("name"):
            plan.refuse("name", "required", "A new product needs a name.")
        expected = record.product.get("version")
        if plan.present and plan.changes and expected not in {None, plan.present.version}:
            detail = f"The product has changed since; its version is {plan.present.version}."
            plan.refuse("version", "version_mismatch", detail)
        for column in ("slug", "external_ref"):
            owner = self._by[column].get(after[column]) if after[column] else None
            if owner not in {None, plan.product_id}:
                plan.refuse(column, f"{column}_taken", "Another product has it.")
        named: set[str] = set()
        for values in record.variants:
            sku = values["sku"].upper()
            if sku in named or self._by["sku"].get(sku, plan.product_id) != plan.product_id:
                plan.refuse("sku", "sku_taken", f"There is another variant {values['sku']}.")
            named.add(sku)
        for variant in plan.variants:
            self._check_variant(plan, variant)
        for_sale = [v for _, v in plan.variants_after() if v["for_sale"]]
        if after["status"] in IN_TIME and not (after["category"] and for_sale):
            detail = "A published product needs a category and a variant for sale."
            plan.refuse("status", "not_publishable", detail)
        self._check_times(plan)
        if plan.changes and not plan.faults:
            try:
                fitting(plan.type, after["attributes"])
                check_complete(
                    plan.type,
                    status=after["status"],
                    attributes=after["attributes"],
                    options=[(v["sku"], v["options"]) for v in for_sale],
                )
            except UnfitOptions as refusal:
                _refuse_as(plan, "options", refusal)
            except Invalid as refusal:
                _refuse_as(plan, "attributes", refusal)

    def _check_times(self, plan: Plan) -> None:
        after, given = plan.after, plan.record.product
        if after["status"] == Product.Status.SCHEDULED and after["publish_at"] is None:
            detail = "A scheduled product needs the time when it is published."
            plan.refuse("publish_at", "not_publishable", detail)
        before = plan.present.values if plan.present else NEW_PRODUCT
        for column in ("publish_at", "unpublish_at"):
            told = given.get(column)
            if told and not after[column] and told != before[column] and told > self._now:
                detail = f"What is {after['status']} has no such time."
                plan.refuse(column, "not_scheduled", detail)
        ends = after["unpublish_at"]
        begins = max(after["publish_at"] or self._now, self._now)
        if ends and ends <= begins and plan.changes.keys() & set(TIMED):
            detail = "It would leave the shop before it comes, or in the past."
            plan.refuse("unpublish_at", "ends_before_it_begins", detail)

    @staticmethod
    def _check_variant(plan: Plan, variant: PlannedVariant) -> None:
        price, compare_at = variant.after["price"], variant.after["compare_at_price"]
        if compare_at is not None and (price is None or compare_at <= price):
            detail = "The price to compare with has to be higher than the price."
            plan.refuse("compare_at_price", "compare_at_not_higher", detail)
        if price is None and variant.after["for_sale"]:
            plan.refuse("price", "price_required", "What is for sale needs a price.")
        promised = variant.present.promised if variant.present else 0
        if STOCK in variant.changes and variant.after[STOCK] < promised:
            detail = f"Orders hold back {promised} of {variant.after['sku']}."
            plan.refuse(STOCK, "stock_is_reserved", detail)

    def _take_names(self, plan: Plan) -> None:
        """Let no later record take the same names."""
        if plan.product_id is None:
            return
        self._done.add(plan.product_id)
        for column in ("slug", "external_ref"):
            if plan.after[column]:
                self._by[column][plan.after[column]] = plan.product_id
        for variant in plan.variants:
            self._by["sku"][variant.after["sku"].upper()] = plan.product_id


def _differences(
    before: Mapping[str, Any], after: Mapping[str, Any], names: Iterable[str]
) -> dict[str, list[Any]]:
    return {name: [before[name], after[name]] for name in names if before[name] != after[name]}


def _of_text(kind: str, value: Any) -> Any:
    """Return what a text stands for, as the value of an attribute of this kind."""
    if not isinstance(value, str):
        return value
    match kind:
        case Attribute.Kind.NUMBER:
            with suppress(orjson.JSONDecodeError):
                return orjson.loads(value)
        case Attribute.Kind.BOOLEAN:
            return {"true": True, "false": False}.get(value.lower(), value)
        case Attribute.Kind.MULTI_CHOICE:
            return [choice.strip() for choice in value.split(",")]
    return value


def _is_over(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


def _refuse_as(plan: Plan, column: str, refusal: Invalid) -> None:
    facts = ", ".join(f"{name}: {value}" for name, value in refusal.facts.items())
    plan.refuse(column, refusal.code, f"{refusal.detail} {facts}".strip())
