"""A catalog of any size made up from a seed: the same numbers give the same products."""

import random
from collections.abc import Iterator
from itertools import product as combinations

from django.conf import settings

from apps.catalog.services.imports.programs import ProductRecord, VariantRecord
from apps.kernel.money import EXPONENTS, Money

DEPARTMENTS = {
    "Kitchen": ("Pan", "Kettle", "Knife", "Bowl", "Cutting board", "Teapot", "Whisk", "Jar"),
    "Living": ("Lamp", "Cushion", "Rug", "Vase", "Shelf", "Armchair", "Mirror", "Blanket"),
    "Garden": ("Spade", "Planter", "Hose", "Lantern", "Bench", "Rake", "Bird house", "Apron"),
    "Clothing": ("Shirt", "Jacket", "Scarf", "Trousers", "Jumper", "Socks", "Hat", "Belt"),
    "Sports": ("Ball", "Mat", "Bottle", "Racket", "Helmet", "Rucksack", "Tent", "Gloves"),
    "Office": ("Notebook", "Pen", "Desk", "Chair", "Folder", "Stapler", "Tray", "Calendar"),
    "Toys": ("Puzzle", "Train", "Kite", "Puppet", "Board game", "Blocks", "Top", "Drum"),
    "Care": ("Soap", "Towel", "Brush", "Comb", "Sponge", "Razor", "Lotion", "Balm"),
}
LINES = ("Classic", "Everyday", "Studio", "Travel", "Heritage", "Junior", "Pro", "Slow")
MATERIALS = ("oak", "linen", "steel", "wool", "glass", "cotton", "bamboo", "clay", "cork", "brass")
MANNERS = ("folding", "large", "small", "soft", "sturdy", "light", "round", "deep", "tall", "quiet")
SYLLABLES = ("al", "ber", "cor", "da", "el", "fen", "gar", "hol", "il", "ka", "lo", "mir", "nor")
COLOURS = ("black", "white", "blue", "green", "red", "grey")
SIZES = ("S", "M", "L")
TEXT = (
    "Made of {material}, for people who use it every day.",
    "It is {manner}, and stays so.",
    "Wipe it with a damp cloth; do not put it into the oven.",
    "The maker keeps spare parts for ten years.",
    "Tested by hand before it leaves the workshop.",
    "Packed without plastic.",
)
BRANDS = 1_000


def generated(*, products: int, seed: int = 1) -> Iterator[ProductRecord]:
    """Yield so many products of 1,000 brands in 512 categories, one to six variants each.

    A product depends on the seed and its number only, so a larger catalog begins as a smaller one.
    Prices are in the store's currency, from 1 to about 1,000 of it.
    """
    for number in range(products):
        yield _product(number, seed)


def _product(number: int, seed: int) -> ProductRecord:
    dice = random.Random(seed * 1_000_000_007 + number)  # noqa: S311 - it has to repeat itself
    department, things = dice.choice(list(DEPARTMENTS.items()))
    thing, line = dice.choice(things), dice.choice(LINES)
    material, manner = dice.choice(MATERIALS), dice.choice(MANNERS)
    sentences = dice.sample(TEXT, dice.randint(2, len(TEXT)))
    cents = round(100 * 10 ** (3 * dice.random()))
    reduced = dice.random() < 0.1
    colours = dice.sample(COLOURS, dice.choice((1, 1, 2, 3)))
    sizes = SIZES[: dice.choice((1, 1, 2))]
    reference = f"generated-{seed}-{number}"
    return ProductRecord(
        external_ref=reference,
        name=f"{manner.capitalize()} {material} {thing.lower()} {number}",
        description=" ".join(sentences).format(material=material, manner=manner),
        brand=_brand(dice.randrange(BRANDS)),
        category_path=(department, thing, f"{line} {thing.lower()}"),
        variants=[
            VariantRecord(
                sku=f"G{seed}-{number}-{colour}-{size}".upper(),
                name=f"{colour}, {size}",
                options={"colour": colour, "size": size},
                price=_money(cents + 100 * place),
                compare_at=_money((cents + 100 * place) * 5 // 4 + 1) if reduced else None,
                on_hand=dice.choice((0, 3, 40, 500)),
                weight_grams=dice.randint(50, 5_000),
            )
            for place, (colour, size) in enumerate(combinations(colours, sizes))
        ],
    )


def _brand(number: int) -> str:
    dice = random.Random(number)  # noqa: S311 - it has to repeat itself
    return f"{''.join(dice.choices(SYLLABLES, k=3)).capitalize()} {number}"


def _money(cents: int) -> Money:
    """The same figures in any currency: hundredths of a unit, whatever its own smallest part is."""
    digits = EXPONENTS.get(settings.STORE_CURRENCY, 2)
    return Money(max(cents * 10**digits // 100, 1), settings.STORE_CURRENCY)
