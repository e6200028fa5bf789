"""What every search engine promises: one set of behaviours, run against each of them."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.catalog.models import (
    Brand,
    Product,
    ProductType,
    SearchBoost,
    SearchRedirect,
    SearchSynonym,
    Tag,
    Variant,
)
from apps.catalog.search import index
from apps.catalog.search.engine import MOST_HITS, Engine, SearchQuery
from apps.catalog.search.engines import ENGINES
from apps.catalog.services.attributes import change_choice
from apps.catalog.services.categories import change_category
from apps.catalog.services.changes import tell_changes
from apps.catalog.services.indexing.rebuilding import reindex
from apps.catalog.services.indexing.writing import index_due
from apps.catalog.services.labels import change_label
from apps.catalog.services.product_types import change_product_type
from apps.catalog.services.search_index import refresh
from apps.catalog.tests.factories import (
    AttributeChoiceFactory,
    AttributeFactory,
    BrandFactory,
    CategoryFactory,
    ProductFactory,
    ProductTypeFactory,
    TagFactory,
    VariantFactory,
)

pytestmark = pytest.mark.django_db


class Indexed:
    """Elasticsearch, asked after the index has been told what the test has written."""

    def __getattr__(self, name: str) -> Any:
        if not index.in_use():
            reindex()
        while index_due():
            pass
        index.refresh(index.alias())
        return getattr(ENGINES["elasticsearch"](), name)


@pytest.fixture(params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param != "elasticsearch":
        return ENGINES[request.param]()
    request.getfixturevalue("search_cluster")
    return Indexed()


@pytest.fixture
def shop() -> dict[str, Product]:
    """A small shop: what is bought there, by a short name."""
    food = CategoryFactory(name="Food", slug="food")
    frozen = CategoryFactory(name="Frozen Food", slug="frozen", parent=food)
    dairy = CategoryFactory(name="Dairy", slug="dairy", parent=food)
    clothes = CategoryFactory(name="Clothes", slug="clothes")
    alpine = BrandFactory(name="Alpine", slug="alpine")
    harvest = BrandFactory(name="Golden Harvest", slug="golden-harvest")
    things: dict[str, dict[str, Any]] = {
        "margherita": {"name": "Pizza Margherita", "category": frozen, "brand": harvest, "p": 499},
        "salami": {"name": "Pizza Salami", "category": frozen, "brand": alpine, "p": 599},
        "cheese": {"name": "Mountain Cheese", "category": dairy, "brand": alpine, "p": 1250},
        "yoghurt": {"name": "Blueberry Yogurt", "category": dairy, "brand": harvest, "p": 99},
        "cream": {"name": "Crème Fraîche", "category": dairy, "brand": None, "p": 149},
        "shirt": {"name": "Cotton Shirt", "category": clothes, "brand": alpine, "p": 2999},
        "socks": {"name": "Wool Socks", "category": clothes, "brand": None, "p": 899},
    }
    for key, stars, count, score in (("salami", 4, 3, 3.6875), ("socks", 5, 500, 4.9851)):
        things[key] |= {
            "rating_average": stars,
            "rating_count": count,
            "rating_stars": stars * count,
            "rating_score": score,
        }
    options = {"shirt": [{"size": "S"}, {"size": "L"}], "socks": [{"size": "L"}]}
    shop: dict[str, Product] = {}
    for key, thing in things.items():
        price = thing.pop("p")
        product = ProductFactory.create(**thing, slug=key, price_from_minor=price)
        for number, chosen in enumerate(options.get(key, [{}])):
            VariantFactory(
                product=product,
                sku=f"{key.upper()}-{number}",
                price_minor=price,
                options=chosen,
                stock={"salami": 0, "shirt": 2}.get(key, 100),
            )
        shop[key] = product
    Product.objects.filter(slug="socks").update(description="Keeps warm, goes with any shirt.")
    refresh(product_ids=[product.pk for product in shop.values()])
    return shop


@pytest.fixture
def find(engine: Engine, shop: dict[str, Product]) -> Callable[..., list[str]]:
    """Search, and name what was found by its slug."""

    def find(text: str, **options: Any) -> list[str]:
        slugs = {product.pk: slug for slug, product in shop.items()}
        hits = engine.search(SearchQuery(text=text, **options))
        return [slugs[product_id] for product_id in hits.product_ids]

    return find


def counts(values: Any) -> dict[str, int]:
    return {value.value: value.count for value in values}


@pytest.mark.parametrize(
    "text, found",
    [
        ("mountain cheese", ["cheese"]),
        ("CHEESES", ["cheese"]),
        ("cheese, mountain!", ["cheese"]),
        ("creme fraiche", ["cream"]),
        ("crème", ["cream"]),
        ("the cheese", ["cheese"]),
        ("yogurt blueberry", ["yoghurt"]),
        ("golden harvest pizza", ["margherita"]),
    ],
    ids=["words", "plural", "punctuation", "no-accent", "accent", "stop-word", "order", "brand"],
)
def test_words_are_found_in_whatever_form_they_are_typed(find, text, found):
    assert find(text) == found


@pytest.mark.parametrize(
    "text, found",
    [("margh", ["margherita"]), ("berry", ["yoghurt"]), ("mount chee", ["cheese"])],
    ids=["beginning", "inside", "two-parts"],
)
def test_a_part_of_a_word_is_enough(find, text, found):
    assert find(text) == found


@pytest.mark.parametrize(
    "text, found, meant",
    [
        ("chese", ["cheese"], "cheese"),
        ("cheesse", ["cheese"], "cheese"),
        ("chwese", ["cheese"], "cheese"),
        ("cehese", ["cheese"], "cheese"),
        ("bluebarry yogrt", ["yoghurt"], "blueberry yogurt"),
        ("montain cheese", ["cheese"], "mountain cheese"),
    ],
    ids=["left-out", "doubled", "changed", "swapped", "two-words", "one-of-two"],
)
def test_a_typo_finds_what_was_meant_and_says_so(engine, find, text, found, meant):
    assert find(text) == found
    assert engine.search(SearchQuery(text=text)).did_you_mean == meant


def test_what_is_typed_right_is_not_put_right(engine, shop):
    assert engine.search(SearchQuery(text="cheese")).did_you_mean is None
    assert engine.search(SearchQuery(text="margh")).did_you_mean is None


def test_a_word_that_nothing_is_called_is_left_out(find):
    assert find("xylophone cheese") == ["cheese"]
    assert find("xylophone") == []


def test_when_nothing_has_all_words_what_has_some_is_found(find):
    assert set(find("wool pizza")) == {"socks", "margherita", "salami"}
    assert find("cotton shirt margherita") == ["shirt"]


def test_a_name_counts_for_more_than_a_description(find):
    assert find("shirt") == ["shirt", "socks"]


def test_what_is_sold_out_comes_last(find):
    assert find("pizza") == ["margherita", "salami"]


@pytest.mark.parametrize("text", ["CHEESE-0", "cheese-0"])
def test_a_sku_finds_its_product_first(find, text):
    assert find(text)[0] == "cheese"


ANY_TEXT = [
    "",
    " ",
    "!?$%&/()=",
    "'",
    '"',
    "\\",
    "%",
    "_",
    "*",
    "a:*",
    "<->",
    "'; DROP TABLE catalog_product; --",
    "😀",
    "🇩🇪 👩‍👩‍👧",
    "جبن",
    "奶酪",
    "Ёлка",
    "\u202echeese",
    "\0",
    "x" * 200,
    "a " * 100,
    "((((((((",
    "1.5.2",
    ".",
    "a.b",
    "ß",
    "ﬁ",
]


def test_any_text_is_answered(engine, shop):
    for text in ANY_TEXT:
        assert engine.search(SearchQuery(text=text)).total >= 0, text
        assert engine.suggest(text, limit=5).products is not None, text


def test_filters_hold_together_and_their_values_apart(find):
    assert find("food", category="frozen") == ["margherita", "salami"]
    assert set(find("alpine", brands=("alpine",))) == {"salami", "cheese", "shirt"}
    both = ("alpine", "golden-harvest")
    assert set(find("food", brands=both, category="dairy")) == {"cheese", "yoghurt"}
    assert find("pizza", price_from=500, price_to=599) == ["salami"]
    assert find("pizza", availability=("in_stock",)) == ["margherita"]
    assert find("pizza", availability=("out_of_stock", "in_stock")) == ["margherita", "salami"]
    assert find("clothes", attributes={"size": ("S",)}) == ["shirt"]
    assert set(find("clothes", attributes={"size": ("S", "L")})) == {"shirt", "socks"}


def test_a_filter_by_what_does_not_exist_finds_nothing(find):
    assert find("pizza", category="no-such") == []
    assert find("pizza", brands=("no-such",)) == []
    assert find("clothes", attributes={"colour": ("red",)}) == []


def test_a_category_is_named_by_id_or_slug_and_holds_what_is_below(engine, shop, find):
    food = shop["cheese"].category.parent

    assert set(find("food", category=food.pk)) == set(find("food", category="food"))
    assert len(find("food", category=food.pk)) == 5


def test_facets_count_all_hits(engine, shop):
    facets = engine.search(SearchQuery(text="alpine", limit=1)).facets

    assert counts(facets.categories) == {
        "food": 2,
        "frozen": 1,
        "dairy": 1,
        "clothes": 1,
    }
    assert counts(facets.brands) == {"alpine": 3}
    assert counts(facets.availability) == {"in_stock": 1, "low_stock": 1, "out_of_stock": 1}
    assert [(p.price_from, p.price_below, p.count) for p in facets.prices] == [
        (500, 1000, 1),
        (1000, 2000, 1),
        (2000, 5000, 1),
    ]
    assert counts(facets.attributes["size"]) == {"S": 1, "L": 1}
    assert [value.label for value in facets.brands] == ["Alpine"]


def test_a_facet_counts_without_its_own_filter_and_with_all_others(engine, shop):
    facets = engine.search(
        SearchQuery(text="food", brands=("alpine",), category="frozen", price_from=100)
    ).facets

    assert counts(facets.brands) == {"alpine": 1, "golden-harvest": 1}
    assert counts(facets.categories) == {"food": 2, "frozen": 1, "dairy": 1}
    assert counts(facets.availability) == {"out_of_stock": 1}
    assert [(p.price_from, p.count) for p in facets.prices] == [(500, 1)]


def test_choosing_another_value_gives_as_many_hits_as_its_facet_said(engine, shop):
    chosen = SearchQuery(text="food", brands=("alpine",))
    for value in engine.search(chosen).facets.brands:
        other = engine.search(SearchQuery(text="food", brands=(value.value,)))

        assert other.total == value.count


@pytest.mark.parametrize(
    "sort, found",
    [
        ("price", ["margherita", "salami"]),
        ("-price", ["salami", "margherita"]),
        ("name", ["margherita", "salami"]),
        ("-created_at", ["salami", "margherita"]),
        ("rating", ["salami", "margherita"]),
    ],
)
def test_hits_come_in_the_order_that_is_asked_for(find, sort, found):
    assert find("pizza", sort=sort) == found


def test_pages_hold_every_hit_once(engine, find):
    whole = find("food")

    assert [find("food", limit=2, offset=offset) for offset in (0, 2, 4, 6)] == [
        whole[:2],
        whole[2:4],
        whole[4:],
        [],
    ]
    assert engine.search(SearchQuery(text="food", limit=2)).total == 5


def test_more_than_a_thousand_hits_are_not_counted(engine):
    category = CategoryFactory()
    products = Product.objects.bulk_create(
        ProductFactory.build(category=category, name=f"Screw {number}", slug=f"screw-{number}")
        for number in range(MOST_HITS + 5)
    )
    refresh(product_ids=[product.pk for product in products])

    hits = engine.search(SearchQuery(text="screw"))

    assert (hits.total, hits.total_is_capped) == (MOST_HITS, True)
    assert len(hits.product_ids) == 25


def test_five_stars_count_for_less_than_the_name(find):
    # The socks have 500 reviews of five stars, and a shirt in their description.
    assert find("shirt") == ["shirt", "socks"]


def test_of_two_that_fit_alike_the_better_rated_comes_first(engine):
    category = CategoryFactory()
    rated = {"rating_average": 5, "rating_count": 5, "rating_stars": 25, "rating_score": 4.25}
    products = [
        ProductFactory.create(name="Kettle", category=category, **rating)
        for rating in ({}, rated, {})
    ]
    for product in products:
        VariantFactory(product=product, stock=9)
    refresh(product_ids=[product.pk for product in products])

    assert engine.search(SearchQuery(text="kettle")).product_ids[0] == products[1].pk


def test_synonyms_count_both_ways_or_one_way(find):
    SearchSynonym.objects.create(terms=["trousers", "wool socks"], stems=["trouser", "wool sock"])
    SearchSynonym.objects.create(terms=["fromage", "cheese"], stems=["fromag", "chees"])
    SearchSynonym.objects.create(
        terms=["knitwear", "socks"], stems=["knitwear", "sock"], two_way=False
    )

    assert find("fromage") == ["cheese"]
    assert find("trousers") == ["socks"]
    assert find("knitwear") == ["socks"]
    assert find("mountain fromage") == ["cheese"]


def test_boosts_move_products_brands_and_categories(find, shop):
    SearchBoost.objects.create(brand=shop["cheese"].brand, weight=50)
    SearchBoost.objects.create(query="clothes", category=shop["shirt"].category, weight=2)

    assert find("food")[0] == "cheese"
    assert find("clothes")[0] == "shirt"


def test_what_is_buried_comes_after_the_rest(find, shop):
    first, *_ = find("dairy")
    SearchBoost.objects.create(query="dairy", product=shop[first], weight=0.01)

    assert find("dairy")[-1] == first


def test_what_is_pinned_comes_first_for_its_query_only(find, shop):
    SearchBoost.objects.create(query="pizza", product=shop["socks"], pinned=True)

    assert find("Pizza!") == ["socks", "margherita", "salami"]
    assert find("pizza", category="frozen") == ["margherita", "salami"]
    assert find("pizza salami") == ["salami"]


def test_a_redirect_is_told_to_who_looks_for_exactly_that(engine, shop):
    SearchRedirect.objects.create(query="returns", path="/help/returns")

    assert engine.search(SearchQuery(text=" Returns ")).redirect == "/help/returns"
    assert engine.search(SearchQuery(text="returns please")).redirect is None


def test_unpublished_products_are_not_found(find, shop):
    Product.objects.filter(slug="cheese").update(status="archived")
    refresh(product_ids=[shop["cheese"].pk])

    assert find("cheese") == []


def test_suggestions_continue_what_is_typed(engine, shop):
    found = engine.suggest("piz", limit=5)
    assert {each.slug for each in found.products} == {"margherita", "salami"}

    found = engine.suggest("fro", limit=5)
    assert [each.slug for each in found.categories] == ["frozen"]

    found = engine.suggest("golden h", limit=5)
    assert [(each.slug, each.name) for each in found.brands] == [
        ("golden-harvest", "Golden Harvest")
    ]


def test_suggestions_forgive_typos_and_are_as_many_as_wanted(engine, shop):
    assert [each.slug for each in engine.suggest("montain", limit=5).products] == ["cheese"]
    assert len(engine.suggest("pizza", limit=1).products) == 1


def test_what_is_told_of_a_product_is_found_below_its_name(engine, find, shop):
    material = AttributeFactory(code="material", kind="choice")
    merino = AttributeChoiceFactory(attribute=material, code="merino", name="Merino Fleece")
    care = AttributeFactory(code="care", kind="text", is_filterable=False)
    knitwear = ProductTypeFactory(name="Knitwear", attributes=[material, care])
    tell(shop["socks"], knitwear, material=merino.code, care="Handwash cold")
    shop["fleece"] = VariantFactory(product__name="Merino", stock=100).product
    shop["socks"].tags.add(TagFactory(name="Handmade"))
    refresh(product_ids=[shop["socks"].pk, shop["fleece"].pk])

    assert find("merino") == ["fleece", "socks"]  # a name counts for more
    for text in ("fleece", "handwash", "knitwear", "handmade", "hand washes cold socks"):
        assert find(text) == ["socks"], text
    assert find("wool", attributes={"care": ("Handwash cold",)}) == []


def test_hits_are_narrowed_by_attributes_of_any_kind(engine, find, shop):
    colour = AttributeFactory(code="colour", kind="multi_choice")
    for code in ("red", "blue"):
        AttributeChoiceFactory(attribute=colour, code=code, name=f"Deep {code}")
    warm, weight = (
        AttributeFactory(code="warm", kind="boolean"),
        AttributeFactory(code="weight", kind="number", unit="g"),
    )
    clothing = ProductTypeFactory(attributes=[colour, warm, weight])
    tell(shop["socks"], clothing, colour=["red", "blue"], warm=True, weight=80.5)
    tell(shop["shirt"], clothing, colour=["blue"], warm=False)
    # An option of a third product is called as the attribute and one of its choices are.
    Variant.objects.filter(product=shop["cheese"]).update(options={"colour": "red"})
    refresh(product_ids=[shop[key].pk for key in ("socks", "shirt", "cheese")])

    assert set(find("clothes", attributes={"colour": ("blue",)})) == {"shirt", "socks"}
    assert find("clothes", attributes={"colour": ("red",)}) == ["socks"]
    assert find("clothes", attributes={"warm": ("false",)}) == ["shirt"]
    assert find("clothes", attributes={"weight": ("80.5",), "size": ("L",)}) == ["socks"]
    assert find("mountain", attributes={"colour": ("red",)}) == ["cheese"]
    chosen = SearchQuery(text="clothes", attributes={"colour": ("red",)})
    facets = engine.search(chosen).facets.attributes
    assert [(v.value, v.label, v.count) for v in facets["colour"]] == [
        ("blue", "Deep blue", 2),
        ("red", "Deep red", 1),
    ]
    assert counts(facets["warm"]) == {"true": 1}
    assert counts(facets["size"]) == {"L": 1}


def tell(product: Product, product_type: ProductType, **attributes: Any) -> None:
    Product.objects.filter(pk=product.pk).update(type=product_type, attributes=attributes)


def test_a_new_name_of_what_products_have_in_common_reaches_all_of_them(engine, find, shop):
    material = AttributeFactory(code="material", kind="choice")
    merino = AttributeChoiceFactory(attribute=material, code="merino", name="Merino")
    knitwear, tag = ProductTypeFactory(options=["size"], attributes=[material]), TagFactory()
    for key in ("socks", "shirt"):
        tell(shop[key], knitwear, material=merino.code)
        shop[key].tags.add(tag)

    def told_of(name: str, products: set[str]) -> None:
        while tell_changes():
            pass
        assert set(find(name)) == products

    change_category(category_id=shop["socks"].category_id, fields={"name": "Apparel"})
    told_of("apparel", {"socks", "shirt"})
    change_label(kind=Brand, label_id=shop["shirt"].brand_id, name="Glacier")
    told_of("glacier", {"salami", "cheese", "shirt"})
    change_label(kind=Tag, label_id=tag.pk, name="Handmade")
    told_of("handmade", {"socks", "shirt"})
    change_product_type(type_id=knitwear.pk, fields={"name": "Knitted"})
    told_of("knitted", {"socks", "shirt"})
    change_choice(attribute_id=material.pk, choice_id=merino.pk, name="Fleece")
    told_of("fleece", {"socks", "shirt"})

    assert find("alpine") == []
    facets = engine.search(SearchQuery(text="apparel")).facets
    assert [value.label for value in facets.categories] == ["Apparel"]
    assert [value.label for value in facets.brands] == ["Glacier"]
    assert [value.label for value in facets.attributes["material"]] == ["Fleece"]


def test_an_engine_says_its_name(request, engine, shop):
    backend = request.node.callspec.params["engine"]

    assert engine.search(SearchQuery(text="pizza")).backend == backend
    assert engine.suggest("pizza", limit=1).backend == backend
