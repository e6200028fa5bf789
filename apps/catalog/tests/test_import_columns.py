"""The columns of product files: what is written into cells, and read from them again."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.catalog.columns.table import OF_PRODUCTS, OF_VARIANTS
from apps.catalog.formats import Lines, csv_header, header_of, records, written
from apps.catalog.models import Product, Tag
from apps.catalog.models.exchange import Format
from apps.catalog.tests.factories import (
    AttributeChoiceFactory,
    AttributeFactory,
    ProductTypeFactory,
    TagFactory,
)
from apps.kernel.models import AuditEntry

ODD = st.sampled_from(
    ("=1+1", "'", "'=", "007", " edge ", "a\r\nb", '"', ",", ";", "\\", "é ", "🍏", "<")
)
TEXT = st.one_of(
    ODD, st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
)
NAME = TEXT.filter(str.strip)
VALUES = {
    "id": st.uuids().map(str),
    "external_ref": NAME,
    "slug": st.sampled_from(("apples", "a-1")),
    "version": st.integers(1, 9),
    "name": NAME,
    "description": TEXT,
    "brand": TEXT,
    "category": st.none() | st.lists(NAME, min_size=1, max_size=4),
    "type": st.sampled_from(("", "shirts")),
    "attributes": st.dictionaries(
        st.sampled_from(("colour", "cloth")), NAME.map(lambda text: text.strip(" "))
    ),
    "tags": st.lists(NAME, max_size=4, unique=True).map(sorted),
    "status": st.sampled_from(Product.Status.values),
    "publish_at": st.none() | st.datetimes(timezones=st.just(UTC)),
    "unpublish_at": st.none() | st.datetimes(timezones=st.just(UTC)),
    "package_size": TEXT,
    "tax_class": st.sampled_from(("", "reduced", "food-0")),
    "seo_title": TEXT,
    "seo_description": TEXT,
    "currency": st.just("USD"),
    "sku": st.text("!'=+-@,;\"\\09aZ~", min_size=1, max_size=9),
    "variant_name": TEXT,
    "options": st.dictionaries(TEXT, TEXT, max_size=3),
    "price": st.none() | st.integers(0, 10**12),
    "compare_at_price": st.none() | st.integers(0, 10**12),
    "weight_grams": st.integers(0, 10**8),
    "position": st.integers(0, 9),
    "for_sale": st.booleans(),
    "on_hand": st.integers(0, 10**9),
}
PRODUCTS = st.tuples(
    st.fixed_dictionaries({column.name: VALUES[column.name] for column in OF_PRODUCTS}),
    st.lists(
        st.fixed_dictionaries({column.name: VALUES[column.name] for column in OF_VARIANTS}),
        max_size=3,
    ),
)


@pytest.mark.parametrize("file_format", list(Format), ids=str)
@settings(max_examples=100, deadline=None)
@given(products=st.lists(PRODUCTS, min_size=1, max_size=3, unique_by=lambda each: each[0]["id"]))
def test_what_is_written_is_read_as_the_same_values(file_format, products):
    header = csv_header() if file_format is Format.CSV else b""
    lines = Lines(io.BytesIO(header + written(products, file_format)))

    read = list(records(lines, header_of(lines, file_format)))

    assert [fault for record in read for fault in record.faults] == []
    assert [(record.product, record.variants) for record in read] == products


@pytest.fixture
def shirts(db):
    """A type with an attribute of every kind."""
    colours = AttributeFactory(code="colours", kind="multi_choice")
    cut = AttributeFactory(code="cut", kind="choice")
    for attribute, codes in ((colours, ("red", "blue", "green")), (cut, ("slim", "wide"))):
        for position, code in enumerate(codes):
            AttributeChoiceFactory(attribute=attribute, code=code, position=position)
    kinds = {"cloth": "text", "length": "number", "organic": "boolean", "since": "date"}
    plain = [AttributeFactory(code=code, kind=kind) for code, kind in kinds.items()]
    return ProductTypeFactory(slug="shirts", options=["size"], attributes=[colours, cut, *plain])


CELL = "cloth=linen\\; =2; colours=blue,red; cut=slim; length=72.50; organic=TRUE; since=2026-02-28"
TOLD = {
    "cloth": "linen; =2",
    "colours": ["red", "blue"],
    "cut": "slim",
    "length": 72.5,
    "organic": True,
    "since": "2026-02-28",
}
HEADER = "external_ref,name,type,attributes,tags\n"


def counts(done):
    return done.created, done.changed, done.unchanged, done.failed


def codes_of(done):
    return [(f["column"], f["code"]) for row in done.rows.order_by("line") for f in row.faults]


def test_attributes_are_values_by_code_and_take_the_form_of_their_kind(take, shirts):
    done = take(f'{HEADER}A,Shirt,shirts,"{CELL}",\n')

    assert counts(done) == (1, 0, 0, 0)
    assert Product.objects.get().attributes == TOLD
    assert Product.objects.get().type == shirts


def test_a_json_line_tells_attributes_by_their_kind_or_as_text(take, shirts):
    document = {"external_ref": "A", "name": "Shirt", "type": "shirts", "attributes": TOLD}
    take(json.dumps(document), name="a.jsonl")

    again = take(json.dumps(document | {"attributes": {**TOLD, "length": "72.5"}}), name="b.jsonl")

    assert counts(again) == (0, 0, 1, 0)
    assert Product.objects.get().attributes == TOLD


@pytest.mark.parametrize(
    ("kind", "cell", "fault"),
    [
        ("shirts", "length=long", ("attributes", "unfit_attribute")),
        ("shirts", "length=030", ("attributes", "unfit_attribute")),
        ("shirts", "organic=yes", ("attributes", "unfit_attribute")),
        ("shirts", "cut=loose", ("attributes", "unfit_attribute")),
        ("shirts", '"colours=red,mauve"', ("attributes", "unfit_attribute")),
        ("shirts", "weight=1", ("attributes", "unfit_attribute")),
        ("", "cloth=linen", ("attributes", "unfit_attribute")),
        ("shirts", "cloth", ("attributes", "not_values")),
        ("shirts", "cloth=a; cloth=b", ("attributes", "not_values")),
        ("trousers", "", ("type", "unknown_product_type")),
    ],
)
def test_what_does_not_fit_the_type_is_refused_by_row(take, shirts, kind, cell, fault):
    done = take(f"{HEADER}A,Shirt,{kind},{cell},\nB,Good,,,\n")

    assert counts(done) == (1, 0, 0, 1)
    assert codes_of(done) == [fault]
    assert not Product.objects.filter(external_ref="A").exists()


def test_a_product_for_sale_needs_what_its_type_requires(take, shirts):
    shirts.type_attributes.filter(attribute__code="cut").update(is_required=True)
    head = "external_ref,name,category,type,attributes,status,sku,price,options\n"
    size = '"{""size"":""S""}"'

    done = take(
        f"{head}A,A,Food,shirts,cut=slim,published,A,1,{size}\n"
        f"B,B,Food,shirts,,published,B,1,{size}\n"
        "C,C,Food,shirts,cut=slim,published,C,1,\n"
        f"D,D,Food,shirts,cut=slim,published,D,1,{size}\nD,,,,,,E,1,{size}\n"
    )

    assert counts(done) == (1, 0, 0, 3)
    assert codes_of(done) == [
        ("attributes", "attribute_missing"),
        ("options", "unfit_options"),
        ("options", "unfit_options"),
    ]


def test_tags_are_found_by_name_or_slug_and_new_ones_are_made(take):
    TagFactory(name="Made in Italy", slug="italy")

    done = take(f'{HEADER}A,A,,,"italy, VEGAN"\nB,B,,,"vegan, made in italy"\n')
    again = take(f'{HEADER}A,A,,,"Made in Italy, vegan"\nB,B,,,\n')

    assert (counts(done), counts(again)) == ((2, 0, 0, 0), (0, 1, 1, 0))
    assert Tag.objects.count() == 2
    worn = {each.external_ref: each.tags.count() for each in Product.objects.all()}
    assert worn == {"A": 2, "B": 0}


def test_what_a_file_does_not_tell_of_attributes_and_tags_stays(take, shirts):
    take(f'{HEADER}A,Shirt,shirts,"{CELL}",vegan\n')

    changed = take("external_ref,name\nA,Other\n")
    emptied = take("external_ref,attributes,tags\nA,,\n")

    assert (counts(changed), counts(emptied)) == ((0, 1, 0, 0), (0, 1, 0, 0))
    shirt = Product.objects.get()
    assert (shirt.name, shirt.type, shirt.attributes, shirt.tags.count()) == (
        "Other",
        shirts,
        {},
        0,
    )
    entry = AuditEntry.objects.filter(action="catalog.product_written").latest("id")
    assert entry.after == {"attributes": {}, "tags": []}


TIMES = "external_ref,name,category,status,publish_at,unpublish_at,sku,price\n"
PAST, SOON, LATER = (
    (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days)).isoformat()
    for days in (0, 365 * 80, 365 * 90)
)


@pytest.mark.parametrize(
    ("status", "publish_at", "unpublish_at", "becomes"),
    [
        ("scheduled", SOON, "", ("scheduled", SOON, None)),
        ("scheduled", SOON, LATER, ("scheduled", SOON, LATER)),
        ("scheduled", PAST, LATER, ("published", None, LATER)),
        ("published", "", LATER, ("published", None, LATER)),
        ("draft", PAST, "", ("draft", None, None)),
    ],
    ids=["later", "for-a-while", "at-once", "until", "draft"],
)
@pytest.mark.django_db
def test_products_are_scheduled(take, status, publish_at, unpublish_at, becomes):
    done = take(f"{TIMES}A,Apples,Food,{status},{publish_at},{unpublish_at},A,1\n")

    assert counts(done) == (1, 0, 0, 0)
    apples = Product.objects.get()
    times = (apples.publish_at, apples.unpublish_at)
    assert (apples.status, *(at and at.isoformat() for at in times)) == becomes


@pytest.mark.parametrize(
    ("status", "publish_at", "unpublish_at", "fault"),
    [
        ("scheduled", "", "", ("publish_at", "not_publishable")),
        ("draft", SOON, "", ("publish_at", "not_scheduled")),
        ("published", SOON, "", ("publish_at", "not_scheduled")),
        ("draft", "", SOON, ("unpublish_at", "not_scheduled")),
        ("published", "", PAST, ("unpublish_at", "ends_before_it_begins")),
        ("scheduled", LATER, SOON, ("unpublish_at", "ends_before_it_begins")),
        ("scheduled", "tomorrow", "", ("publish_at", "not_a_time")),
        ("scheduled", "2100-01-01T00:00:00", "", ("publish_at", "not_a_time")),
    ],
    ids=range(8),
)
@pytest.mark.django_db
def test_times_that_contradict_the_status_are_refused(
    take, status, publish_at, unpublish_at, fault
):
    done = take(f"{TIMES}A,Apples,Food,{status},{publish_at},{unpublish_at},A,1\n")

    assert codes_of(done) == [fault]
    assert not Product.objects.exists()


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_an_export_with_everything_comes_in_again_without_a_change(
    take, export, shirts, file_format
):
    document = {
        "external_ref": "A",
        "name": "Shirt",
        "category": ["Clothing"],
        "type": "shirts",
        "attributes": TOLD,
        "tags": ["a, b", "made in Italy"],
        "status": "scheduled",
        "publish_at": SOON,
        "unpublish_at": LATER,
        "seo_title": "=Shirt",
        "seo_description": "Linen",
        "variants": [{"sku": "A", "price": "1.00", "options": {"size": "S"}}],
    }
    assert counts(take(json.dumps(document), name="a.jsonl")) == (1, 0, 0, 0)
    before = list(Product.objects.values())

    exported = export(file_format=file_format)
    again = take(exported, name=f"export.{file_format}")

    assert counts(again) == (0, 0, 1, 0)
    assert list(Product.objects.values()) == before
    assert export(file_format=file_format) == exported
    if file_format == "jsonl":
        told = json.loads(exported)
        assert {name: told[name] for name in document if name != "variants"} == {
            name: value for name, value in document.items() if name != "variants"
        }
