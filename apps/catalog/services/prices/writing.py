"""Everything that changes the prices of variants beside their products."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Upper

from apps.catalog.models import Price, Product, Variant
from apps.catalog.pricing import LARGEST_PRICE
from apps.catalog.services.prices.current import begin_and_end
from apps.catalog.services.prices.due import tell
from apps.catalog.services.prices.lists import EndsBeforeItBegins
from apps.catalog.services.products import CompareAtNotHigher
from apps.catalog.services.stock import UnknownVariant
from apps.kernel.audit import record_all
from apps.kernel.errors import Conflict, DomainError, Invalid, VersionMismatch
from apps.kernel.money import Money

OVERLAPS = ("price_schedules_do_not_overlap", "price_becomes_regular_once_at_a_time")

SHARE_LISTS = """
SELECT id, code, currency FROM catalog_pricelist
WHERE code = ANY(%s) ORDER BY id FOR SHARE
"""


class NoSuchPriceList(Invalid):
    """A price list that was named does not exist."""

    code = "no_such_price_list"


class PriceInOtherCurrency(Invalid):
    """A price is in its list's currency, or in the store's."""

    code = "price_in_other_currency"


class PriceOutOfBounds(Invalid):
    """A price is a whole number of minor units from 0 to 10^12."""

    code = "price_out_of_bounds"


class PriceIsOver(Invalid):
    """The price would have ended already."""

    code = "price_is_over"


class RegularPriceMissing(Invalid):
    """A variant always has a price of its own."""

    code = "regular_price_missing"


class NotAScheduledPrice(Invalid):
    """Without a list a price needs an end or a beginning to come; else it is the variant's own."""

    code = "not_a_scheduled_price"


class QuantityPriceNeedsList(Invalid):
    """Prices by quantity belong in a list."""

    code = "quantity_price_needs_list"


class PricesOverlap(Conflict):
    """Another price of the same kind is valid at that time."""

    code = "prices_overlap"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceDraft:
    """A price as somebody wants it: in a list, by its code, or else a sale or a new regular price.

    Without `valid_from` it counts from now on. `price` None takes it away.
    """

    price: Money | None
    price_list: str | None = None
    min_quantity: int = 1
    compare_at: Money | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    @property
    def is_regular(self) -> bool:
        """Whether it is the variant's own price."""
        return self.price_list is None and self.valid_from is None and self.valid_until is None


@dataclass(frozen=True, slots=True)
class _Writer:
    """The lists that are named, locked, and the moment that counts as now."""

    lists: Mapping[str, tuple[UUID, str]]
    now: datetime

    def row(self, variant_id: UUID, draft: PriceDraft) -> Price:
        """Return the draft as a row, found again if it is there. Raises what refuses it."""
        if draft.price_list is not None and draft.price_list not in self.lists:
            raise NoSuchPriceList("There is no such price list.", price_list=draft.price_list)
        list_id, currency = (
            (None, settings.STORE_CURRENCY)
            if draft.price_list is None
            else self.lists[draft.price_list]
        )
        _check_amounts(draft, currency)
        if list_id is None and draft.min_quantity != 1:
            raise QuantityPriceNeedsList("Prices by quantity belong in a list.")
        begins, ends = draft.valid_from or self.now, draft.valid_until
        if ends is not None and begins >= ends:
            raise EndsBeforeItBegins("A price begins before it ends.")
        if ends is not None and ends <= self.now:
            raise PriceIsOver("The price would have ended already.")
        if list_id is None and ends is None and begins <= self.now:
            raise NotAScheduledPrice("This is the variant's own price: change the product.")
        row = self.found(variant_id, list_id, draft) or Price(
            variant_id=variant_id, price_list_id=list_id, min_quantity=draft.min_quantity
        )
        if row._state.adding:
            row.valid_from = begins
        row.valid_until = ends
        if draft.price is not None:
            row.amount_minor = draft.price.minor
        row.compare_at_minor = draft.compare_at.minor if draft.compare_at else None
        return row

    def set(self, variant: Variant | None, draft: PriceDraft) -> None:
        """Write one price of a variant, or take it away. Raises what refuses it."""
        if variant is None:
            raise UnknownVariant("There is no such variant.")
        if draft.is_regular and draft.min_quantity == 1:
            if draft.price is None:
                raise RegularPriceMissing("A variant always has a price of its own.")
            _check_amounts(draft, variant.currency)
            variant.price_minor = draft.price.minor
            variant.compare_at_minor = draft.compare_at.minor if draft.compare_at else None
            variant.save(update_fields=["price_minor", "compare_at_minor"])
            return
        row = self.row(variant.pk, draft)
        if draft.price is not None:
            row.save()
        elif not row._state.adding:
            row.delete()

    def found(self, variant_id: UUID, list_id: UUID | None, draft: PriceDraft) -> Price | None:
        """Return the row that the draft is about: by its beginning, or the one that counts now."""
        rows = Price.objects.filter(
            variant=variant_id, price_list=list_id, min_quantity=draft.min_quantity
        )
        if draft.valid_from is not None:
            rows = rows.filter(valid_from=draft.valid_from)
            if list_id is None and draft.price is not None:
                # A sale and a new regular price may begin at the same moment.
                rows = rows.filter(valid_until__isnull=draft.valid_until is None)
        else:
            rows = rows.filter(valid_from__lte=self.now)
            if list_id is None:
                rows = rows.filter(valid_until__isnull=False)
        # What is taken away need not say its end, but if it does, it is the sale.
        of_its_kind = F("valid_until").asc(nulls_first=draft.valid_until is None or None)
        return rows.order_by(of_its_kind).first()


@transaction.atomic
def replace_prices(
    *, variant_id: UUID, drafts: Sequence[PriceDraft], expected_version: int | None = None
) -> None:
    """Make these the prices of a variant beside its own; what is not named ends now.

    The version is the product's. Raises UnknownVariant, VersionMismatch, PricesOverlap, and what
    makes no sense: NoSuchPriceList, PriceInOtherCurrency, PriceOutOfBounds, CompareAtNotHigher,
    EndsBeforeItBegins, PriceIsOver, NotAScheduledPrice, QuantityPriceNeedsList.
    """
    writer = _writer(drafts)
    product = Product.objects.select_for_update(of=("self",)).filter(variants=variant_id).first()
    if product is None:
        raise UnknownVariant("There is no such variant.")
    if expected_version not in {None, product.version}:
        raise VersionMismatch("The product has changed.", version=product.version)
    begin_and_end(product_ids=[product.pk])
    before = _facts([variant_id])
    rows = [writer.row(variant_id, draft) for draft in drafts]
    kept = {row.pk for row in rows}
    if len(kept) < len(rows):
        raise PricesOverlap("Two prices are valid at the same time.")
    Price.objects.filter(variant=variant_id).exclude(pk__in=kept).delete()
    with _without_overlaps():
        for row in sorted(rows, key=lambda row: row._state.adding):  # what is there makes room
            row.save()
    _tell({variant_id: product.pk}, before)


@transaction.atomic
def set_prices(
    *, rows: Mapping[int, tuple[str, PriceDraft]], all_or_nothing: bool
) -> dict[int, DomainError]:
    """Set prices, by SKU: the variants' own and those of lists and sales; all others stay.

    Each is found by list, quantity and beginning, so doing it again changes nothing. Returns why
    rows were refused, by their numbers; with `all_or_nothing` nothing is written then.
    """
    writer = _writer([draft for _, draft in rows.values()])
    products = _lock_products_of({sku.upper() for sku, _ in rows.values()})
    begin_and_end(product_ids=products)
    variants = {each.sku.upper(): each for each in Variant.objects.filter(product__in=products)}
    before = _facts([variant.pk for variant in variants.values()])
    refusals: dict[int, DomainError] = {}
    for number, (sku, draft) in rows.items():
        try:
            with _without_overlaps():
                writer.set(variants.get(sku.upper()), draft)
        except DomainError as refusal:
            refusals[number] = refusal
    if refusals and all_or_nothing:
        transaction.set_rollback(True)
    else:
        _tell({each.pk: each.product_id for each in variants.values()}, before)
    return refusals


def _writer(drafts: Iterable[PriceDraft]) -> _Writer:
    """Lock the lists that are named against changes, and look at the clock."""
    codes = {draft.price_list for draft in drafts if draft.price_list is not None}
    with connection.cursor() as cursor:
        cursor.execute(SHARE_LISTS, [sorted(codes)])
        lists = {code: (list_id, currency) for list_id, code, currency in cursor.fetchall()}
        cursor.execute("SELECT statement_timestamp()")
        return _Writer(lists, cursor.fetchone()[0])


def _lock_products_of(skus: Collection[str]) -> list[UUID]:
    """Lock the products that have these SKUs, in the order of their ids."""
    named = Variant.objects.annotate(upper=Upper("sku")).filter(upper__in=skus)
    products = Product.objects.select_for_update().filter(pk__in=named.values("product"))
    return list(products.order_by("pk").values_list("pk", flat=True))


def _check_amounts(draft: PriceDraft, currency: str) -> None:
    for money in filter(None, (draft.price, draft.compare_at)):
        if money.currency != currency:
            raise PriceInOtherCurrency(f"This price has to be in {currency}.", currency=currency)
        if not 0 <= money.minor <= LARGEST_PRICE:
            raise PriceOutOfBounds("A price is from 0 to 10^12 minor units.")
    if draft.price and draft.compare_at and not draft.price < draft.compare_at:
        raise CompareAtNotHigher("The price to compare with has to be higher.")


@contextmanager
def _without_overlaps() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if not any(name in str(error) for name in OVERLAPS):
            raise
        raise PricesOverlap("Another price is valid at that time.") from error


def _facts(variant_ids: Collection[UUID]) -> dict[UUID, dict[str, object]]:
    """Return what the audit log tells about the prices of variants."""
    facts: dict[UUID, dict[str, object]] = {
        pk: {"regular": price, "compare at": compare_at}
        for pk, price, compare_at in Variant.objects.filter(pk__in=variant_ids).values_list(
            "pk", "price_minor", "compare_at_minor"
        )
    }
    for row in Price.objects.filter(variant__in=variant_ids).select_related("price_list"):
        where = row.price_list.code if row.price_list else "sale" if row.valid_until else "regular"
        facts[row.variant_id][f"{where} from {row.min_quantity}, {row.valid_from:%FT%TZ}"] = {
            "price": row.amount_minor,
            "compare at": row.compare_at_minor,
            "until": row.valid_until,
        }
    return facts


def _tell(products: Mapping[UUID, UUID], before: Mapping[UUID, Mapping[str, object]]) -> None:
    """Record what has changed of these variants, and let everybody know of their products."""
    after = _facts(list(products))
    changed = [pk for pk in products if before[pk] != after[pk]]
    entries = []
    for pk in changed:
        names = [n for n in {**before[pk], **after[pk]} if before[pk].get(n) != after[pk].get(n)]
        was, now = ({name: facts[pk].get(name) for name in names} for facts in (before, after))
        entries.append((pk, was, now))
    record_all("catalog.prices_changed", entries)
    tell({products[pk] for pk in changed})
