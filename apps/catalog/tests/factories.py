"""The dullest valid rows of a catalog. Public to the tests of other apps."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import factory
import pgtrigger
from django.conf import settings
from django.utils import timezone

from apps.catalog.models import (
    Answer,
    Attribute,
    AttributeChoice,
    BoughtTogether,
    Brand,
    Category,
    Collection,
    Export,
    Image,
    Import,
    Price,
    PriceChange,
    PriceList,
    Product,
    ProductType,
    ProductTypeAttribute,
    Question,
    Review,
    ReviewPhoto,
    SearchBoost,
    SearchRedirect,
    SearchSynonym,
    StockAlert,
    StockCount,
    StockLocation,
    StockTransfer,
    Tag,
    Variant,
)
from apps.catalog.services.stock import receive_first, set_policy
from apps.kernel.ids import new_id


class StockLocationFactory(factory.django.DjangoModelFactory[StockLocation]):
    """The main location, also after a test that has emptied the tables."""

    class Meta:
        model = StockLocation
        django_get_or_create = ["code"]

    code = StockLocation.MAIN
    name = "Main warehouse"


class CategoryFactory(factory.django.DjangoModelFactory[Category]):
    """A root category, or a child of `parent`."""

    class Meta:
        model = Category

    id = factory.LazyFunction(new_id)
    name = factory.Sequence(lambda n: f"Category {n}")
    slug = factory.Sequence(lambda n: f"category-{n}")
    parent = None
    path = factory.LazyAttribute(lambda new: f"{new.parent.path if new.parent else '/'}{new.id}/")


class BrandFactory(factory.django.DjangoModelFactory[Brand]):
    """A brand."""

    class Meta:
        model = Brand

    name = factory.Sequence(lambda n: f"Brand {n}")
    slug = factory.Sequence(lambda n: f"brand-{n}")


class TagFactory(factory.django.DjangoModelFactory[Tag]):
    """A tag."""

    class Meta:
        model = Tag

    name = factory.Sequence(lambda n: f"Tag {n}")
    slug = factory.Sequence(lambda n: f"tag-{n}")


class AttributeFactory(factory.django.DjangoModelFactory[Attribute]):
    """A text that lists are filtered by."""

    class Meta:
        model = Attribute

    code = factory.Sequence(lambda n: f"attribute_{n}")
    name = factory.LazyAttribute(lambda new: new.code.capitalize())
    kind = Attribute.Kind.TEXT
    is_filterable = True


class AttributeChoiceFactory(factory.django.DjangoModelFactory[AttributeChoice]):
    """A choice of an attribute to choose one of."""

    class Meta:
        model = AttributeChoice

    attribute = factory.SubFactory(AttributeFactory, kind=Attribute.Kind.CHOICE)
    code = factory.Sequence(lambda n: f"choice-{n}")
    name = factory.LazyAttribute(lambda new: new.code.capitalize())


class ProductTypeFactory(factory.django.DjangoModelFactory[ProductType]):
    """A product type; `attributes=[…]` gives it these, none of them required."""

    class Meta:
        model = ProductType
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Type {n}")
    slug = factory.Sequence(lambda n: f"type-{n}")

    @factory.post_generation
    def attributes(self: Any, create: bool, extracted: Any, **_: Any) -> None:  # noqa: FBT001 - factory_boy calls it so
        for position, attribute in enumerate(extracted or ()):
            ProductTypeAttribute.objects.create(
                product_type=self, attribute=attribute, position=position
            )


class CollectionFactory(factory.django.DjangoModelFactory[Collection]):
    """An empty collection by hand."""

    class Meta:
        model = Collection

    name = factory.Sequence(lambda n: f"Collection {n}")
    slug = factory.Sequence(lambda n: f"collection-{n}")
    kind = Collection.Kind.MANUAL


class ProductFactory(factory.django.DjangoModelFactory[Product]):
    """A published product for 10.00 without variants; VariantFactory makes one to buy."""

    class Meta:
        model = Product

    name = factory.Sequence(lambda n: f"Product {n}")
    slug = factory.Sequence(lambda n: f"product-{n}")
    category = factory.SubFactory(CategoryFactory)
    status = Product.Status.PUBLISHED
    published_at = factory.LazyFunction(timezone.now)
    currency = factory.LazyFunction(lambda: settings.STORE_CURRENCY)
    price_from_minor = 1000


class VariantFactory(factory.django.DjangoModelFactory[Variant]):
    """An active variant; `stock=7` also takes seven pieces of it in, `ahead=3` sells three more.

    A product that is made along the way costs what the variant costs.
    """

    class Meta:
        model = Variant
        skip_postgeneration_save = True

    product = factory.SubFactory(
        ProductFactory,
        price_from_minor=factory.SelfAttribute("..price_minor"),
        compare_at_minor=factory.SelfAttribute("..compare_at_minor"),
    )
    sku = factory.Sequence(lambda n: f"SKU-{n}")
    price_minor = 1000
    compare_at_minor = None
    currency = factory.LazyFunction(lambda: settings.STORE_CURRENCY)
    weight_grams = 500

    @classmethod
    def since(cls, at: datetime, **fields: Any) -> Variant:
        """Make one that has had its price since then."""
        with pgtrigger.ignore("catalog.Variant:first_prices_are_noted"):
            variant = cls.create(**fields)
        PriceChange.objects.create(
            variant=variant,
            currency=variant.currency,
            min_quantity=1,
            amount_minor=variant.price_minor,
            compare_at_minor=variant.compare_at_minor,
            at=at,
        )
        return variant

    @factory.post_generation
    def stock(self: Any, create: bool, extracted: int | None, **_: Any) -> None:  # noqa: FBT001 - factory_boy calls it so
        StockLocationFactory()
        if extracted:
            receive_first(quantities={self.pk: extracted}, reason="test")

    @factory.post_generation
    def ahead(self: Any, create: bool, extracted: int | None, **_: Any) -> None:  # noqa: FBT001 - factory_boy calls it so
        if extracted:
            set_policy(variant_id=self.pk, policy="backorder", limit=extracted)


class StockAlertFactory(factory.django.DjangoModelFactory[StockAlert]):
    """Somebody waits for a variant that is not there."""

    class Meta:
        model = StockAlert

    customer_id = factory.LazyFunction(new_id)
    variant = factory.SubFactory(VariantFactory)


class PriceListFactory(factory.django.DjangoModelFactory[PriceList]):
    """A list for everybody in the store's currency."""

    class Meta:
        model = PriceList

    code = factory.Sequence(lambda n: f"list-{n}")
    name = factory.Sequence(lambda n: f"List {n}")
    currency = factory.LazyFunction(lambda: settings.STORE_CURRENCY)


class PriceFactory(factory.django.DjangoModelFactory[Price]):
    """A sale for 8.00 that has begun and lasts a day; in a `price_list` it has no end."""

    class Meta:
        model = Price

    variant = factory.SubFactory(VariantFactory)
    price_list = None
    amount_minor = 800
    valid_from = factory.LazyFunction(lambda: timezone.now() - timedelta(minutes=1))
    valid_until = factory.LazyAttribute(
        lambda new: None if new.price_list else timezone.now() + timedelta(days=1)
    )

    @classmethod
    def overlooked(cls, **fields: Any) -> Price:
        """Make one whose first moment has come, and that nobody has dealt with yet."""
        with pgtrigger.ignore("catalog.Price:price_is_noted"):
            price = cls.create(**fields)
        Price.objects.filter(pk=price.pk).update(next_change_at=price.valid_from)
        return price


class ReviewFactory(factory.django.DjangoModelFactory[Review]):
    """A shown review with four stars, by somebody who has nothing else here."""

    class Meta:
        model = Review

    product = factory.SubFactory(ProductFactory)
    customer_id = factory.LazyFunction(new_id)
    author_name = "Anna K."
    rating = 4
    title = "Solid"
    body = "Stands well."
    status = Review.Status.APPROVED


def companions_of(variant: Any) -> list[UUID]:
    """Return the products that are bought together with the variant's product, best first."""
    pairs = BoughtTogether.objects.filter(product=variant.product_id).order_by("-score", "other")
    return list(pairs.values_list("other_id", flat=True))


class StockCountFactory(factory.django.DjangoModelFactory[StockCount]):
    """A count that found nothing."""

    class Meta:
        model = StockCount

    location = factory.SubFactory(StockLocationFactory)
    reason = "test"


class StockTransferFactory(factory.django.DjangoModelFactory[StockTransfer]):
    """A draft without lines, from the main location to another one."""

    class Meta:
        model = StockTransfer

    from_location = factory.SubFactory(StockLocationFactory)
    to_location = factory.SubFactory(StockLocationFactory, code="shop", name="Shop")


class ImageFactory(factory.django.DjangoModelFactory[Image]):
    """A picture of a product, whose file is nowhere."""

    class Meta:
        model = Image

    product = factory.SubFactory(ProductFactory)
    file = factory.Sequence(lambda n: f"products/{n}.png")
    alt = "From the side"
    width = height = 100


class ImportFactory(factory.django.DjangoModelFactory[Import]):
    """An import of the command line that has just begun."""

    class Meta:
        model = Import

    file_name = "products.csv"
    format = "csv"


class ExportFactory(factory.django.DjangoModelFactory[Export]):
    """An export that a worker has not taken up yet."""

    class Meta:
        model = Export

    format = "csv"
    next_action_at = factory.LazyFunction(timezone.now)


class SearchSynonymFactory(factory.django.DjangoModelFactory[SearchSynonym]):
    """Two words that mean the same."""

    class Meta:
        model = SearchSynonym

    terms = factory.Sequence(lambda n: [f"one{n}", f"other{n}"])
    stems = factory.SelfAttribute("terms")


class SearchBoostFactory(factory.django.DjangoModelFactory[SearchBoost]):
    """A brand that is always preferred."""

    class Meta:
        model = SearchBoost

    brand = factory.SubFactory(BrandFactory)
    weight = 2


class SearchRedirectFactory(factory.django.DjangoModelFactory[SearchRedirect]):
    """A query that leads to a page."""

    class Meta:
        model = SearchRedirect

    query = factory.Sequence(lambda n: f"query{n}")
    path = "/help"


class ReviewPhotoFactory(factory.django.DjangoModelFactory[ReviewPhoto]):
    """A photo of a review; its file is not there."""

    class Meta:
        model = ReviewPhoto

    review = factory.SubFactory(ReviewFactory)
    file = factory.LazyFunction(lambda: f"reviews/{new_id()}.webp")
    width = height = 100
    position = 0


class QuestionFactory(factory.django.DjangoModelFactory[Question]):
    """A shown question of somebody who has nothing else here."""

    class Meta:
        model = Question

    product = factory.SubFactory(ProductFactory)
    customer_id = factory.LazyFunction(new_id)
    author_name = "Anna K."
    body = "Is it heavy?"
    status = Question.Status.APPROVED


class AnswerFactory(factory.django.DjangoModelFactory[Answer]):
    """A shown answer of another customer."""

    class Meta:
        model = Answer

    question = factory.SubFactory(QuestionFactory)
    customer_id = factory.LazyFunction(new_id)
    author_name = "Ben"
    body = "Not at all."
    status = Answer.Status.APPROVED
