"""What files of products do to the catalog, and what the catalog writes into files."""

import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command

from apps.catalog import interface as catalog
from apps.catalog.management.commands.import_products import Command
from apps.catalog.models import Import, ImportRow, Product, Stock, StockMovement, Variant
from apps.catalog.services.imports import runs
from apps.kernel.models import AuditEntry, OutboxEvent

pytestmark = pytest.mark.django_db

HEADER = "external_ref,name,category,status,sku,price"
LONG = f"{'x' * 100}\n" * 12_000


def counts(done):
    return done.created, done.changed, done.unchanged, done.failed


def faults_of(done):
    rows = done.rows.filter(outcome="failed").order_by("line")
    return [(f["line"], f["column"], f["code"]) for row in rows for f in row.faults]


def lines(*rows):
    return "\r\n".join([HEADER, *rows, ""])


def test_a_file_makes_products_and_the_same_file_again_changes_nothing(take):
    content = lines(
        "A,Apples,Food > Fruit,published,APPLE-1,1.50",
        "A,,,,APPLE-2,2.50",
        "B,Beans,,,,",
    )

    first = take(content)
    again = take(content)

    assert counts(first) == (2, 0, 0, 0)
    assert counts(again) == (0, 0, 2, 0)
    apples = Product.objects.get(external_ref="A")
    assert (apples.status, apples.price_from_minor, apples.version) == ("published", 150, 1)
    fruit = apples.category
    assert (fruit.parent.name, fruit.product_count, fruit.parent.product_count) == ("Food", 1, 1)
    assert list(apples.variants.order_by("position").values_list("sku", "position")) == [
        ("APPLE-1", 0),
        ("APPLE-2", 1),
    ]
    assert Product.objects.get(external_ref="B").status == "draft"


def test_what_a_file_does_not_say_stays_as_it_is(take):
    take(lines("A,Apples,Food,published,APPLE,1.50"))
    Product.objects.update(description="By hand", package_size="1 kg")

    done = take("external_ref,sku,price\nA,apple,2\n")

    assert counts(done) == (0, 1, 0, 0)
    apples = Product.objects.get()
    assert (apples.description, apples.package_size) == ("By hand", "1 kg")
    assert (apples.price_from_minor, apples.version) == (200, 2)
    assert list(OutboxEvent.objects.order_by("seq").values_list("seq", "payload__version")) == [
        (1, 1),
        (2, 2),
    ]
    entry = AuditEntry.objects.get(action="catalog.product_written")
    assert (entry.before, entry.after) == (
        {"apple: sku": "APPLE", "apple: price": 150},
        {"apple: sku": "apple", "apple: price": 200},
    )


def test_a_sku_alone_finds_its_product(take):
    take(lines("A,Apples,Food,published,APPLE-1,1.50", "A,,,,APPLE-2,2.50"))

    done = take("sku,price\nAPPLE-1,1\nAPPLE-2,2\nPEAR,3\n")

    assert counts(done) == (0, 2, 0, 1)
    assert faults_of(done) == [(4, "name", "required")]
    assert list(Variant.objects.order_by("sku").values_list("price_minor", flat=True)) == [100, 200]
    assert Product.objects.get().version == 3


def test_stock_is_counted_through_the_ledger_only_where_the_file_tells_it(take):
    take("external_ref,name,sku,price,on_hand\nA,Apples,APPLE,1,5\nB,Beans,BEANS,1,\n")
    take("sku,on_hand\nAPPLE,3\nBEANS,\n")

    assert list(StockMovement.objects.order_by("id").values_list("kind", "on_hand_delta")) == [
        ("receive", 5),
        ("count", -2),
    ]
    assert Stock.objects.get().on_hand == 3
    assert catalog.stock_differences() == []
    assert Product.objects.get(external_ref="A").version == 1


@pytest.mark.parametrize("limit_before", [0, 4], ids=["there", "came for those who wait"])
def test_stock_that_orders_hold_back_stays(take, limit_before):
    take("external_ref,name,sku,price,on_hand\nA,Apples,APPLE,1,5\n")
    Stock.objects.update(reserved=4, backorder_limit=limit_before)

    done = take("sku,on_hand\nAPPLE,3\n")

    assert faults_of(done) == [(2, "on_hand", "stock_is_reserved")]
    assert Stock.objects.get().on_hand == 5


FULL: dict[str, object] = {
    "external_ref": "X",
    "slug": "odd",
    "name": "=1+1",
    "description": "Two\r\nlines, \"quoted\",\n'and' a\ttab\rall; üñí 🍏",
    "brand": "@Brand",
    "category": ["A > B", " edge ", "back\\slash", "-c"],
    "type": "",
    "attributes": {},
    "tags": ["=tag", "a, b", "back\\slash", "vegan"],
    "status": "published",
    "publish_at": None,
    "unpublish_at": "2100-01-01T00:00:00+00:00",
    "package_size": "'single",
    "tax_class": "reduced",
    "seo_title": "@seo",
    "seo_description": "-seo;\n",
    "currency": "USD",
    "variants": [
        {
            "sku": "=SKU,1",
            "variant_name": "+1",
            "options": {"Size": "=L", "Größe": 'a"b'},
            "price": "1.50",
            "compare_at_price": "2.00",
            "weight_grams": 7,
            "position": 3,
            "for_sale": True,
            "on_hand": 9,
        },
        {
            "sku": "-OFF",
            "variant_name": "",
            "options": {},
            "price": None,
            "compare_at_price": None,
            "weight_grams": 0,
            "position": 5,
            "for_sale": False,
            "on_hand": 0,
        },
    ],
}


def rows_kept():
    return [
        list(model.objects.order_by("id").values())
        for model in (Product, Variant, Stock, StockMovement)
    ]


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_what_is_exported_comes_in_again_without_a_change(take, export, file_format):
    assert counts(take(json.dumps(FULL), name="products.jsonl")) == (1, 0, 0, 0)
    take("external_ref,name\nB,Beans\n")
    before = rows_kept()

    exported = export("--with-stock", file_format=file_format)
    again = take(exported, name=f"export.{file_format}")

    assert counts(again) == (0, 0, 2, 0)
    assert rows_kept() == before
    assert export("--with-stock", file_format=file_format) == exported
    if file_format == "jsonl":
        document = json.loads(exported.splitlines()[0])
        assert document.pop("id")
        assert document.pop("version") == 1
        assert document == FULL


def test_no_cell_of_an_export_is_a_formula(take, export):
    take(json.dumps(FULL), name="products.jsonl")

    rows = list(csv.reader(io.StringIO(export().decode(), newline="")))

    assert [cell for row in rows for cell in row if cell[:1] in tuple("=+-@\t\r")] == []
    assert "'=1+1" in rows[1]


def test_a_formula_in_a_file_is_kept_as_the_text_it_is(take):
    take('external_ref,name\nA,"=HYPERLINK(""http://x"")"\nB,\'=1\nC,\'plain\n')

    assert list(Product.objects.order_by("external_ref").values_list("name", flat=True)) == [
        '=HYPERLINK("http://x")',
        "=1",
        "'plain",
    ]


@pytest.mark.parametrize(
    ("content", "fault", "line"),
    [
        (b"", "empty_file", 1),
        (b"\r\n", "empty_file", 1),
        (HEADER.encode(), "empty_file", 1),
        (f"{HEADER}\nA,Apples,,,,\n".encode("utf-16"), "not_utf8", 1),
        (f"{HEADER}\nA,Äpfel,,,,\n".encode("latin-1"), "not_utf8", 2),
        (f"{HEADER}\nA,App\0les,,,,\n".encode(), "nul_character", 2),
        (b"PK\x03\x04 and so on", "packed_file", 1),
        (b"\x1f\x8b\x08 and so on", "packed_file", 1),
        (b"external_ref,nmae\nA,Apples\n", "unknown_column", 1),
        (b"external_ref;name\nA;Apples\n", "unknown_column", 1),
        (b"external_ref,name,name\nA,Apples,B\n", "duplicate_column", 1),
        (b"name,description\nApples,Good\n", "missing_column", 1),
        (f'{HEADER}\nA,"Apples,,,,\nB,Beans,,,,\n'.encode(), "malformed_csv", 2),
        (f'{HEADER}\nB,Beans,,,,\nA,"App"les,,,,\n'.encode(), "malformed_csv", 3),
        (f'{HEADER}\nA,"{"x" * 200_000}",,,,\n'.encode(), "malformed_csv", 2),
        (f'{HEADER}\nB,B,,,,\nA,"{LONG}",,,,\n'.encode(), "malformed_csv", 3),
        (f"{HEADER}\nB,B,,,,\n{'x' * 1_100_000}\n".encode(), "record_too_long", 3),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_read_is_rejected_as_a_whole(take, content, fault, line):
    good = b"external_ref,name\nGOOD,Good\n"
    assert counts(take(good)) == (1, 0, 0, 0)

    done = take(content)

    assert (done.state, done.fault_code) == ("rejected", fault)
    assert done.fault_line >= line if fault == "record_too_long" else done.fault_line == line
    assert counts(done) == (0, 0, 0, 0)
    assert Product.objects.count() == 1
    assert not done.rows.exists()


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ("A,Apples,,,,,", "", "wrong_number_of_cells"),
        ("A,Apples", "", "wrong_number_of_cells"),
        ("A,,,,,", "name", "required"),
        (f"A,{'x' * 201},,,,", "name", "too_long"),
        (f"{'x' * 81},A,,,,", "external_ref", "too_long"),
        ("A,Apples,Food > ,,,", "category", "not_a_path"),
        ("A,Apples,,sold,,", "status", "not_a_choice"),
        ("A,Apples,,published,,", "status", "not_publishable"),
        ("A,Apples,Food,published,APPLE,", "status", "not_publishable"),
        ("A,Apples,,,ÄPFEL,1", "sku", "not_a_sku"),
        ("A,Apples,,,,1", "sku", "required"),
        ("A,Apples,,,GOOD,1", "sku", "sku_taken"),
        ("A,Apples,,,good,1", "sku", "sku_taken"),
        ("A,Apples,,,APPLE,-1", "price", "out_of_bounds"),
        ("A,Apples,,,APPLE,1e9", "price", "not_an_amount"),
        ("A,Apples,,,APPLE,1.999", "price", "not_an_amount"),
        ("A,Apples,,,APPLE,999999999999", "price", "out_of_bounds"),
        ('A,Apples,,,APPLE,"1,50"', "price", "not_an_amount"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_a_bad_row_is_refused_by_line_and_column_and_the_others_come_in(take, row, column, code):
    done = take(lines("GOOD,Good,Food,published,GOOD,1", row, "ALSO,Also good,,,,"))

    assert counts(done) == (2, 0, 0, 1)
    assert faults_of(done) == [(3, column, code)]
    assert sorted(Product.objects.values_list("external_ref", flat=True)) == ["ALSO", "GOOD"]


@pytest.mark.parametrize(
    ("text", "column", "code"),
    [
        ("nonsense", "", "not_json"),
        ("[1]", "", "not_an_object"),
        ('{"external_ref": "A", "name": "A", "nmae": "B"}', "nmae", "unknown_column"),
        ('{"external_ref": "A", "name": 1}', "name", "not_text"),
        ('{"external_ref": "A", "name": "a\\u0000b"}', "name", "nul_character"),
        (
            '{"external_ref": "A", "name": "A", "variants": {}, "variants": 1}',
            "variants",
            "not_a_list",
        ),
        (
            '{"external_ref": "A", "name": "A", "variants": [{"sku": "A", "price": 1.5}]}',
            "price",
            "not_text",
        ),
        ('{"external_ref": "A", "name": "A", "category": "Food"}', "category", "not_a_path"),
        (
            '{"external_ref": "A", "name": "A", "variants": [{"sku": "A", "options": {"a": 1}}]}',
            "options",
            "not_an_object",
        ),
        ('{"id": "1", "name": "A"}', "id", "not_an_id"),
        ('{"id": "019c0000-0000-7000-8000-000000000000", "name": "A"}', "id", "unknown_product"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_bad_line_of_json_is_refused_and_the_others_come_in(take, text, column, code):
    done = take(f'{{"external_ref": "B", "name": "Good"}}\n{text}\n\n', name="products.jsonl")

    assert counts(done) == (1, 0, 0, 1)
    assert faults_of(done) == [(2, column, code)]


def test_a_product_or_sku_stands_in_a_file_once(take, monkeypatch):
    monkeypatch.setattr(runs, "BATCH", 2)

    done = take(
        lines("A,Apples,,,X,1", "B,Beans,,,,", "A,Again,,,,", "C,Cherries,,,x,1", "B,Two,,,,")
    )

    assert counts(done) == (2, 0, 0, 3)
    assert faults_of(done) == [
        (4, "", "duplicate_in_file"),
        (5, "sku", "sku_taken"),
        (6, "", "duplicate_in_file"),
    ]
    assert list(Product.objects.order_by("external_ref").values_list("name", flat=True)) == [
        "Apples",
        "Beans",
    ]


@pytest.mark.parametrize("options", [(), ("--dry-run",)], ids=["written", "dry-run"])
@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("D,Dates,,,x,1,", "sku"),
        ("D,Dates,,,D,1,apples", "slug"),
        ("D,Dates,,,D,1,free", None),
    ],
    ids=["sku", "slug", "free"],
)
def test_a_name_is_taken_for_all_later_rows_of_the_file(take, monkeypatch, options, row, column):
    monkeypatch.setattr(runs, "BATCH", 1)
    rows = ["A,Apples,,,X,1,apples", "B,Beans,,,X,1,free", row, "E,Eggs,,,E,1,"]

    done = take("\n".join([f"{HEADER},slug", *rows]), *options)

    refused = [(4, column, f"{column}_taken")] if column else []
    assert faults_of(done) == [(3, "sku", "sku_taken"), *refused]
    assert counts(done) == (3 - len(refused), 0, 0, 1 + len(refused))


def test_a_command_that_another_process_has_overtaken_says_so_and_writes_nothing(
    tmp_path, monkeypatch
):
    file = tmp_path / "products.csv"
    file.write_text(lines("A,Apples,,,X,1"))
    overtaken = Command._tell

    def tell(self, job):
        overtaken(self, job)
        Import.objects.update(offset=job.offset + 1)

    monkeypatch.setattr(Command, "_tell", tell)

    with pytest.raises(CommandError, match="Another process"):
        call_command("import_products", str(file), stdout=io.StringIO())
    assert not Product.objects.exists()


def test_rows_of_one_product_do_not_contradict_each_other(take):
    done = take(lines("A,Apples,,,X,1", "A,Pears,,,Y,1", "B,Beans,,,,"))

    assert counts(done) == (1, 0, 0, 1)
    assert faults_of(done) == [(3, "name", "contradicts_first_row")]


def test_a_product_that_changed_since_the_file_was_made_is_not_overwritten(take, export):
    take(lines("A,Apples,,,X,1", "B,Beans,,,Y,1"))
    exported = export()
    take("external_ref,name\nA,By hand\n")

    done = take(exported.replace(b"Apples", b"From the file").replace(b"Beans", b"Peas"))

    assert counts(done) == (0, 1, 0, 1)
    assert faults_of(done) == [(2, "version", "version_mismatch")]
    assert list(Product.objects.order_by("external_ref").values_list("name", flat=True)) == [
        "By hand",
        "Peas",
    ]


def test_a_dry_run_writes_nothing_and_tells_what_would_change(take):
    take(lines("A,Apples,Food,published,X,1"))
    before = rows_kept()

    done = take(lines("A,Pears,Food > Fruit,,X,1.25", "B,Beans,,,Y,", "C,,,,,"), "--dry-run")

    assert (done.state, counts(done)) == ("completed", (1, 1, 0, 1))
    assert rows_kept() == before
    rows = {row.line: row.changes for row in done.rows.all()}
    assert rows == {
        2: {
            "name": ["Apples", "Pears"],
            "category": [["Food"], ["Food", "Fruit"]],
            "X: price": ["1.00", "1.25"],
        },
        3: {
            "external_ref": ["", "B"],
            "name": ["", "Beans"],
            "Y: sku": ["", "Y"],
            "Y: position": [None, 0],
            "Y: for_sale": [None, False],
        },
        4: {},
    }


def test_where_one_error_rejects_everything_nothing_is_written(take):
    content = lines("A,Apples,,,X,1", "B,Beans,,,X,1")

    rejected = take(content, "--on-error", "reject_everything")
    taken = take(content.replace("Beans,,,X", "Beans,,,Y"), "--on-error", "reject_everything")

    assert (rejected.state, rejected.fault_code) == ("rejected", "rows_failed")
    assert faults_of(rejected) == [(3, "sku", "sku_taken")]
    assert (taken.state, counts(taken)) == ("completed", (2, 0, 0, 0))
    assert ImportRow.objects.filter(of_import=taken).count() == 2


def test_cells_that_cannot_be_read_may_be_left_out(take):
    done = take(
        lines("A,Apples,,sold,X,1", "B,,,,Y,1", "C,Cherries,,,Z,cheap"),
        "--on-error",
        "ignore_failed",
    )

    assert counts(done) == (2, 0, 0, 1)
    told = {row.line: [f["code"] for f in row.faults] for row in done.rows.all()}
    assert told == {2: ["not_a_choice"], 3: ["required", "required"], 4: ["not_an_amount"]}
    assert list(Variant.objects.order_by("sku").values_list("sku", "price_minor")) == [
        ("X", 100),
        ("Z", None),
    ]
