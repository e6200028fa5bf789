"""Many at once, on real threads and a real database: exact, and without a deadlock."""

import random
from collections.abc import Callable

import pytest

from apps.catalog import interface as catalog
from apps.catalog.models import (
    AttributeChoice,
    Brand,
    Category,
    ChangedProduct,
    Product,
    Reservation,
    Stock,
    Variant,
)
from apps.catalog.services.attributes import remove_choice
from apps.catalog.services.bulk import BulkRow, write_products
from apps.catalog.services.categories import (
    CategoryCycle,
    change_category,
    count_products,
    move_category,
    place_category,
    remove_category,
)
from apps.catalog.services.changes import tell_changes
from apps.catalog.services.imports.plans import OnError
from apps.catalog.services.labels import add_label, change_label, remove_label
from apps.catalog.services.product_types import change_product_type
from apps.catalog.services.products import SkuTaken, VariantDraft, change_product, create_product
from apps.catalog.services.slugs import NameTaken, SlugTaken
from apps.catalog.tests.factories import (
    AttributeChoiceFactory,
    BrandFactory,
    CategoryFactory,
    ProductFactory,
    ProductTypeFactory,
    VariantFactory,
)
from apps.kernel.errors import DomainError, VersionMismatch
from apps.kernel.ids import new_id
from apps.kernel.models import OutboxEvent
from apps.kernel.money import Money
from apps.kernel.tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 32


def outcome(action: Callable[[], object]) -> Callable[[], object]:
    """Return the action as one that returns what it would raise."""

    def attempt() -> object:
        try:
            return action()
        except DomainError as refusal:
            return refusal

    return attempt


def test_an_order_is_settled_once_however_many_try():
    variants = [VariantFactory(stock=10) for _ in range(3)]
    for _ in range(5):
        order = new_id()
        catalog.reserve(order_id=order, quantities={v.pk: 2 for v in variants})

        settled = at_once(
            *[lambda order=order: catalog.release(order_id=order)] * 8,
            *[lambda order=order: catalog.ship(order_id=order)] * 8,
        )

        assert sorted(settled) == [False] * 15 + [True]
        assert len(set(Reservation.objects.filter(order_id=order).values_list("state"))) == 1
    assert set(Stock.objects.values_list("reserved", flat=True)) == {0}
    assert catalog.stock_differences() == []


def test_the_first_goods_of_a_variant_may_come_from_everywhere_at_once():
    variant = VariantFactory()

    results = at_once(
        *[lambda: catalog.receive(quantities={variant.pk: 3}, reason="test")] * THREADS
    )

    assert results == [None] * THREADS
    assert Stock.objects.get().on_hand == 3 * THREADS
    assert catalog.stock_differences() == []


def test_many_products_are_counted_while_all_of_them_are_bought():
    variants = [VariantFactory(stock=100) for _ in range(4)]

    def count(order: list[Variant]) -> list[str]:
        rows = [
            BulkRow(
                action="update",
                product_id=each.product_id,
                fields={
                    "variants": [VariantDraft(sku=each.sku, price=Money(1, "USD"), on_hand=100)]
                },
            )
            for each in order
        ]
        results = write_products(
            rows=rows, on_error=OnError.REJECT_EVERYTHING, actor_id=variants[0].pk
        )
        return [result.status for result in results]

    def buy() -> list[str]:
        for _ in range(8):
            catalog.reserve(order_id=new_id(), quantities={each.pk: 1 for each in variants})
        return ["bought"]

    count(variants)  # so that the search knows their words
    results = at_once(lambda: count(variants), lambda: count(variants[::-1]), buy, buy)

    assert results == [["updated"] * 4, ["updated"] * 4, ["bought"], ["bought"]]
    assert set(Stock.objects.values_list("on_hand", "reserved")) == {(100, 16)}
    assert catalog.stock_differences() == []


def test_a_sku_is_given_to_one_of_those_who_want_it():
    lines = [VariantDraft(sku="OAK", price=Money(100, "USD"))]

    def create(number: int) -> object:
        return create_product(fields={"name": f"Oak {number}", "variants": lines})

    results = at_once(*[outcome(lambda n=n: create(n)) for n in range(8)])

    assert sum(isinstance(result, Product) for result in results) == 1
    assert sum(isinstance(result, SkuTaken) for result in results) == 7
    assert Product.objects.count() == 1


def test_of_two_changes_to_one_version_the_second_is_refused():
    product = VariantFactory().product

    def change() -> int:
        return change_product(
            product_id=product.pk, fields={"description": "x"}, expected_version=1
        ).version

    results = at_once(*[outcome(change)] * 8)

    assert sum(result == 2 for result in results) == 1
    assert sum(isinstance(result, VersionMismatch) for result in results) == 7
    assert OutboxEvent.objects.count() == 1


def test_two_moves_cannot_make_a_cycle_between_them():
    def move(category: Category, parent: Category) -> None:
        place_category(
            category=Category.objects.get(pk=category.pk),
            parent=Category.objects.get(pk=parent.pk),
        )

    for _ in range(5):
        first, second = CategoryFactory(), CategoryFactory()

        results = at_once(
            outcome(lambda a=first, b=second: move(a, b)),
            outcome(lambda a=first, b=second: move(b, a)),
        )

        assert sum(isinstance(result, CategoryCycle) for result in results) == 1
        assert sum(result is None for result in results) == 1


def test_a_choice_is_either_taken_away_or_made_never_both():
    for _ in range(10):
        choice = AttributeChoiceFactory()
        attribute = choice.attribute
        kind = ProductTypeFactory(attributes=[attribute])
        product = VariantFactory(product__type=kind).product

        at_once(
            outcome(
                lambda p=product, a=attribute, c=choice: change_product(
                    product_id=p.pk, fields={"attributes": {a.code: c.code}}
                )
            ),
            outcome(lambda a=attribute, c=choice: remove_choice(attribute_id=a.pk, choice_id=c.pk)),
        )

        product.refresh_from_db()
        is_there = AttributeChoice.objects.filter(pk=choice.pk).exists()
        assert is_there == bool(product.attributes)


def test_options_change_either_in_the_type_or_in_a_product_never_in_both():
    for number in range(10):
        kind = ProductTypeFactory()
        product = ProductFactory(type=kind, status="draft")
        lines = [VariantDraft(sku=f"NEW-{number}", price=Money(100, "USD"))]

        results = at_once(
            outcome(
                lambda p=product, lines=lines: change_product(
                    product_id=p.pk, fields={"variants": lines}
                )
            ),
            outcome(lambda k=kind: change_product_type(type_id=k.pk, fields={"options": ["size"]})),
        )

        assert sum(isinstance(result, DomainError) for result in results) == 1, results


def test_a_brand_goes_or_stays_whole_while_products_are_given_it():
    for number in range(10):
        brand = BrandFactory(name=f"Acme {number}")
        product = ProductFactory(status="draft")

        at_once(
            outcome(
                lambda p=product, b=brand: change_product(product_id=p.pk, fields={"brand": b.name})
            ),
            outcome(lambda b=brand: remove_label(kind=Brand, label_id=b.pk)),
        )

        product.refresh_from_db()
        assert product.brand.name == brand.name


def test_a_changed_brand_is_told_of_each_product_while_products_are_written():
    brand = BrandFactory()
    products = [ProductFactory(brand=brand, status="draft") for _ in range(4)]

    at_once(
        *[
            lambda n=n: change_label(kind=Brand, label_id=brand.pk, name=f"A {n}", slug=f"a-{n}")
            for n in range(4)
        ],
        *[
            lambda p=p: change_product(product_id=p.pk, fields={"description": "x"}).version
            for p in products
        ],
        *[tell_changes] * 4,
    )

    tell_changes()
    assert not ChangedProduct.objects.exists()
    for product in products:
        product.refresh_from_db()
        assert product.version >= 3
        assert OutboxEvent.objects.filter(aggregate_id=product.pk).count() == product.version - 1


def test_a_name_is_given_to_one_of_those_who_want_it():
    results = at_once(*[outcome(lambda: add_label(kind=Brand, name="Acme"))] * 8)

    assert sum(isinstance(result, NameTaken | SlugTaken) for result in results) == 7
    assert Brand.objects.count() == 1


def test_a_category_goes_or_stays_whole_while_products_are_put_into_it():
    for _ in range(10):
        category = CategoryFactory()
        product = ProductFactory(status="draft")

        at_once(
            outcome(
                lambda p=product, c=category: change_product(
                    product_id=p.pk, fields={"category": c.pk}
                )
            ),
            outcome(lambda c=category: remove_category(category_id=c.pk)),
        )

        product.refresh_from_db()
        assert Category.objects.filter(pk=product.category_id).exists()
        moved = product.category_id == category.pk
        assert Category.objects.filter(pk=category.pk).exists() == moved


def test_of_two_editors_of_a_category_the_second_is_refused():
    category = CategoryFactory()

    results = at_once(
        *[
            outcome(
                lambda: (
                    change_category(
                        category_id=category.pk, fields={"description": "x"}, expected_version=1
                    ).version
                )
            )
        ]
        * 4,
        *[
            outcome(
                lambda: (
                    move_category(category_id=category.pk, parent=None, expected_version=1).version
                )
            )
        ]
        * 4,
    )

    assert sum(result == 2 for result in results) == 1
    assert sum(isinstance(result, VersionMismatch) for result in results) == 7


def test_the_tree_is_moved_changed_and_counted_by_many_without_a_deadlock():
    roots = [CategoryFactory() for _ in range(3)]
    leaves = [CategoryFactory(parent=root) for root in roots for _ in range(2)]
    products = [VariantFactory(product__category=leaf).product for leaf in leaves]

    def shuffle(seed: int) -> int:
        chance = random.Random(seed)
        done = 0
        for _ in range(5):
            try:
                move_category(
                    category_id=chance.choice(roots + leaves).pk,
                    parent=chance.choice(roots + leaves).pk,
                    position=chance.randint(0, 2),
                )
                change_category(
                    category_id=chance.choice(roots + leaves).pk,
                    fields={"slug": f"s-{new_id().hex}"},
                )
                done += 1
            except DomainError:
                continue
        return done

    def write(product: Product) -> None:
        for leaf in leaves:
            change_product(product_id=product.pk, fields={"category": leaf.pk})

    at_once(
        *[lambda seed=seed: shuffle(seed) for seed in range(8)],
        *[lambda p=product: write(p) for product in products],
        *[count_products, tell_changes] * 2,
    )

    count_products()
    for category in Category.objects.all():
        above = category.parent.path if category.parent else "/"
        assert category.path == f"{above}{category.pk}/"
        below = Product.objects.filter(category__path__startswith=category.path)
        assert category.product_count == below.count()
