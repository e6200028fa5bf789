"""The columns of product files, in their order. A new one is one line here.

`reads` is the SQL of the value that is kept, over `p` (the product), `b` (its brand), `t` (its
type) and `c` (its category, with the names of its path), or `v` (the variant) and `s` (its stock
in the main location). `writes` is the model's column, and for what is named by something else than
its id, the column that holds the id. A column without `writes` names a row, or services write it.
Where a column `keeps`, its empty cell says nothing and leaves what is there; elsewhere it empties
it.
"""

import re
from dataclasses import dataclass

from apps.catalog.columns.kinds import (
    Amount,
    Choice,
    Currency,
    Identifier,
    Kind,
    Moment,
    Text,
    Whole,
    YesNo,
)
from apps.catalog.columns.several import Names, Pairs, Path, Values
from apps.catalog.models import Product
from apps.catalog.models.products import SKU, TAX_CLASS
from apps.catalog.models.slugs import SLUG

LARGEST_QUANTITY = 1_000_000_000
MOST_VARIANTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its name in the header, what it takes, where it is kept, what it is."""

    name: str
    kind: Kind
    reads: str
    writes: str = ""
    keeps: bool = False
    explains: str


OF_PRODUCTS = (
    Column(
        name="id",
        kind=Identifier(),
        reads="p.id::text",
        keeps=True,
        explains="The product's id. It finds the product; new products get their own.",
    ),
    Column(
        name="external_ref",
        kind=Text(80),
        reads="p.external_ref",
        writes="external_ref",
        explains="What the product is called where it comes from. Without an id it finds it.",
    ),
    Column(
        name="slug",
        kind=Text(200, pattern=re.compile(SLUG), pattern_code="not_a_slug"),
        reads="p.slug",
        writes="slug",
        keeps=True,
        explains="The word in the product's address. Without an id and an external_ref it finds "
        "the product; empty makes one of the name.",
    ),
    Column(
        name="version",
        kind=Whole(1, 2**31 - 1),
        reads="p.version",
        keeps=True,
        explains="What the file was made from: a product that has changed since is refused.",
    ),
    Column(
        name="name",
        kind=Text(200, required=True),
        reads="p.name",
        writes="name",
        explains="The product's name. New products need one.",
    ),
    Column(
        name="description",
        kind=Text(20_000),
        reads="p.description",
        writes="description",
        explains="What is told about it.",
    ),
    Column(
        name="brand",
        kind=Text(120),
        reads="coalesce(b.name, '')",
        writes="brand_id",
        explains="The brand's name or slug; an unknown name makes a new brand.",
    ),
    Column(
        name="category",
        kind=Path(longest=120, deepest=10),
        reads="c.names",
        writes="category_id",
        explains="The category, from the root down; what is missing is made.",
    ),
    Column(
        name="type",
        kind=Text(160),
        reads="coalesce(t.slug, '')",
        writes="type_id",
        explains="The slug of the product type.",
    ),
    Column(
        name="attributes",
        kind=Values(most=200, longest=500),
        reads="p.attributes",
        writes="attributes",
        explains="All attributes, by their codes; which there are the product type says.",
    ),
    Column(
        name="tags",
        kind=Names(most=100, longest=60),
        reads="""ARRAY(
            SELECT g.name FROM catalog_product_tags pt JOIN catalog_tag g ON g.id = pt.tag_id
            WHERE pt.product_id = p.id ORDER BY g.name COLLATE "C"
        )""",
        explains="All tags, by name or slug; an unknown name makes a new tag.",
    ),
    Column(
        name="status",
        kind=Choice(Product.Status.values),
        reads="p.status",
        writes="status",
        keeps=True,
        explains="A published or scheduled product needs a category and a variant for sale.",
    ),
    Column(
        name="publish_at",
        kind=Moment(),
        reads="p.publish_at",
        writes="publish_at",
        explains="When a scheduled product is published; one whose time is over is at once.",
    ),
    Column(
        name="unpublish_at",
        kind=Moment(),
        reads="p.unpublish_at",
        writes="unpublish_at",
        explains="When a published or scheduled product leaves the shop again.",
    ),
    Column(
        name="package_size",
        kind=Text(60),
        reads="p.package_size",
        writes="package_size",
        explains="How much is in it, such as 500 g.",
    ),
    Column(
        name="tax_class",
        kind=Text(40, pattern=re.compile(TAX_CLASS), pattern_code="not_a_code"),
        reads="p.tax_class",
        writes="tax_class",
        explains="The code of the tax class; empty, or unknown to the taxes: the default one.",
    ),
    Column(
        name="seo_title",
        kind=Text(120),
        reads="p.seo_title",
        writes="seo_title",
        explains="What search engines show as the page's title.",
    ),
    Column(
        name="seo_description",
        kind=Text(320),
        reads="p.seo_description",
        writes="seo_description",
        explains="What they show below it.",
    ),
    Column(
        name="currency",
        kind=Currency(),
        reads="p.currency",
        keeps=True,
        explains="The currency of the prices; it has to be the store's.",
    ),
)

OF_VARIANTS = (
    Column(
        name="sku",
        kind=Text(64, required=True, pattern=re.compile(SKU), pattern_code="not_a_sku"),
        reads="v.sku",
        writes="sku",
        explains="What the variant is called, in whatever case. It finds the variant, and where "
        "nothing names the product, the product.",
    ),
    Column(
        name="variant_name",
        kind=Text(120),
        reads="v.name",
        writes="name",
        explains="What is added to the product's name, such as Large.",
    ),
    Column(
        name="options",
        kind=Pairs(most=20, longest_name=60, longest=120),
        reads="v.options",
        writes="options",
        explains="By what the variant differs from the others.",
    ),
    Column(
        name="price",
        kind=Amount(),
        reads="v.price_minor",
        writes="price_minor",
        explains="The price of one piece.",
    ),
    Column(
        name="compare_at_price",
        kind=Amount(),
        reads="v.compare_at_minor",
        writes="compare_at_minor",
        explains="The higher price to compare with.",
    ),
    Column(
        name="weight_grams",
        kind=Whole(0, 100_000_000, empty=0),
        reads="v.weight_grams",
        writes="weight_grams",
        explains="The weight with its package.",
    ),
    Column(
        name="position",
        kind=Whole(0, 2**31 - 1),
        reads="v.position",
        writes="position",
        keeps=True,
        explains="Where it stands among the variants; empty for new ones: at the end.",
    ),
    Column(
        name="for_sale",
        kind=YesNo(),
        reads="v.is_active",
        writes="is_active",
        keeps=True,
        explains="Whether it can be bought; empty for new ones: when they have a price.",
    ),
    Column(
        name="on_hand",
        kind=Whole(0, LARGEST_QUANTITY),
        reads="coalesce(s.on_hand, 0)",
        keeps=True,
        explains="What was counted in the main location; an empty cell changes nothing. The "
        "difference goes into the stock ledger.",
    ),
)

STOCK, TAGS = "on_hand", "tags"
PRODUCT_COLUMNS = {column.name: column for column in OF_PRODUCTS}
VARIANT_COLUMNS = {column.name: column for column in OF_VARIANTS}
