"""The catalog in the back office."""

import re
from io import BytesIO

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image as Pillow

from apps.catalog import interface as catalog
from apps.catalog.models import (
    Attribute,
    Brand,
    Category,
    Image,
    Product,
    ProductType,
    Reservation,
    Stock,
    StockLocation,
    StockMovement,
    Tag,
    Variant,
)
from apps.catalog.tests.factories import (
    AttributeFactory,
    CategoryFactory,
    ProductTypeFactory,
    TagFactory,
    VariantFactory,
)
from apps.kernel.ids import new_id
from apps.kernel.models import OutboxEvent

pytestmark = pytest.mark.django_db
MODELS = [
    Attribute,
    Brand,
    Category,
    Product,
    ProductType,
    Reservation,
    Stock,
    StockLocation,
    StockMovement,
    Tag,
]


@pytest.fixture
def office(enter) -> Client:
    user = get_user_model().objects.create_superuser("boss@example.com", "long enough password")
    return enter(Client(), user)


def address(model, page, *args):
    return reverse(f"admin:catalog_{model._meta.model_name}_{page}", args=args)


def product_form(product=None, variants=(), images=(), **fields):
    """The fields of the product page, as a browser sends them."""
    form = {
        "name": "Oak Table",
        "slug": "oak-table",
        "status": "published",
        "description": "",
        "package_size": "",
        "external_ref": "",
        "brand": "",
        "category": "",
        "type": "",
        "attributes": "{}",
        "seo_title": "",
        "seo_description": "",
        **fields,
    }
    for prefix, rows in (("variants", variants), ("images", images)):
        form[f"{prefix}-TOTAL_FORMS"] = len(rows)
        form[f"{prefix}-INITIAL_FORMS"] = sum("id" in row for row in rows)
        for index, row in enumerate(rows):
            for name, value in {"product": product.pk if product else "", **row}.items():
                form[f"{prefix}-{index}-{name}"] = value
    return form


def variant_row(**fields):
    return {
        "sku": "OAK",
        "name": "",
        "options": "{}",
        "price_minor": "249.00",
        "compare_at_minor": "",
        "weight_grams": "0",
        "position": "0",
        "is_active": "on",
        **fields,
    }


def png(size=(40, 30), kind="PNG", **options):
    target = BytesIO()
    Pillow.new("RGB", size, "teal").save(target, kind, **options)
    return target.getvalue()


@pytest.mark.parametrize("model", MODELS)
def test_every_page_answers(office, model):
    variant = VariantFactory(stock=5, product__category=CategoryFactory(parent=CategoryFactory()))
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 2})
    Brand.objects.create(name="Holz", slug="holz")
    ProductTypeFactory(attributes=[AttributeFactory()])
    TagFactory()
    row = model.objects.first()

    assert office.get(address(model, "changelist"), {"q": "5"}).status_code == 200
    assert office.get(address(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", [Stock, StockMovement, Reservation])
def test_ledgers_and_balances_are_not_written_by_hand(office, model):
    variant = VariantFactory(stock=5)
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 2})
    row = model.objects.first()

    assert office.get(address(model, "add")).status_code == 403
    assert office.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    if model is not Stock:
        assert office.post(address(model, "change", row.pk), {"quantity": 1}).status_code == 403
    assert catalog.stock_differences() == []


def test_a_new_product_is_published_with_its_price_and_its_event(office):
    form = product_form(variants=[variant_row()], category=CategoryFactory().pk)

    response = office.post(address(Product, "add"), form)

    assert response.status_code == 302, response.context["errors"]
    product = Product.objects.get()
    assert (product.status, product.price_from_minor) == ("published", 24900)
    assert product.published_at is not None
    assert Variant.objects.get().currency == "USD"
    assert OutboxEvent.objects.get().payload["version"] == product.version


def test_saving_a_product_updates_price_version_and_event(office):
    variant = VariantFactory(sku="OAK")
    product = variant.product
    row = variant_row(id=variant.pk, price_minor="5.00", compare_at_minor="8.00")
    form = product_form(product, [row], category=product.category_id)

    response = office.post(address(Product, "change", product.pk), form)

    assert response.status_code == 302, response.context["errors"]
    product.refresh_from_db()
    assert (product.price_from_minor, product.compare_at_minor) == (500, 800)
    assert (product.version, product.name) == (2, "Oak Table")
    assert OutboxEvent.objects.get().payload == {"product_id": str(product.pk), "version": 2}


@pytest.mark.parametrize(
    "changes",
    [
        {"is_active": ""},
        {"price_minor": ""},
        {"price_minor": "-1"},
        {"price_minor": "1.001"},
        {"compare_at_minor": "1.00"},
        {"options": '{"size": 1}'},
        {"options": "[]"},
        {"sku": "a b"},
        {"sku": "taken"},
    ],
)
def test_a_wrong_variant_is_shown_and_changes_nothing(office, changes):
    VariantFactory(sku="TAKEN")
    variant = VariantFactory(sku="OAK")
    product = variant.product
    form = product_form(
        product, [variant_row(id=variant.pk, **changes)], category=product.category_id
    )

    response = office.post(address(Product, "change", product.pk), form)

    assert response.status_code == 200
    assert response.context["errors"]
    product.refresh_from_db()
    assert (product.version, product.price_from_minor) == (1, 1000)


def test_a_product_is_not_published_without_a_category(office):
    response = office.post(address(Product, "add"), product_form(variants=[variant_row()]))

    assert response.status_code == 200
    assert not Product.objects.exists()


def test_a_product_leaves_the_shop_and_its_category_at_once(office):
    variant = VariantFactory(sku="OAK")
    product = variant.product
    form = product_form(product, [variant_row(id=variant.pk)], status="draft")

    response = office.post(address(Product, "change", product.pk), form)

    assert response.status_code == 302, response.context["errors"]
    product.refresh_from_db()
    assert (product.status, product.category_id) == ("draft", None)


def test_products_are_not_deleted(office):
    product = VariantFactory().product

    response = office.post(address(Product, "delete", product.pk), {"post": "yes"})

    assert response.status_code == 403


def test_moving_a_category_moves_what_is_below(office):
    home, garden = CategoryFactory(), CategoryFactory()
    tables = CategoryFactory(parent=home)
    oak = CategoryFactory(parent=tables)
    form = {"name": "Tables", "slug": "tables", "parent": garden.pk, "position": 0}

    response = office.post(address(Category, "change", tables.pk), form)

    assert response.status_code == 302, response.context["errors"]
    oak.refresh_from_db()
    assert oak.path == f"/{garden.pk}/{tables.pk}/{oak.pk}/"


def test_a_category_cannot_be_moved_below_itself(office):
    home = CategoryFactory()
    tables = CategoryFactory(parent=home)
    form = {"name": "Home", "slug": "home", "parent": tables.pk, "position": 0}

    response = office.post(address(Category, "change", home.pk), form)

    assert response.status_code == 200
    assert "A category cannot stand below itself." in response.content.decode()


def test_an_eleventh_level_is_a_message_not_a_failure(office):
    parent = None
    for _ in range(10):
        parent = CategoryFactory(parent=parent)
    form = {"name": "Deep", "slug": "deep", "parent": parent.pk, "position": 0}

    response = office.post(address(Category, "add"), form, follow=True)

    assert "The category tree has at most ten levels." in response.content.decode()
    assert Category.objects.count() == 10


SOLD = {"policy": "deny", "backorder_limit": 0}


def test_how_a_variant_is_sold_is_said_at_its_balance(office):
    variant = VariantFactory(stock=20)
    stock = Stock.objects.get()
    sold = {
        "policy": "preorder",
        "backorder_limit": 7,
        "available_on": "2030-01-02",
        "is_hot": "on",
    }

    office.post(address(Stock, "change", stock.pk), sold)

    stock.refresh_from_db()
    assert (stock.policy, stock.backorder_limit, stock.is_hot) == ("preorder", 7, True)
    assert (stock.on_hand, stock.units.count()) == (20, 14)
    assert catalog.offers(variant_ids=[variant.pk])[variant.pk].available == 27
    assert StockMovement.objects.count() == 1


def test_a_count_without_a_reason_and_a_preorder_without_a_day_are_refused(office):
    VariantFactory(stock=5)
    stock = Stock.objects.get()

    for wrong in (
        {**SOLD, "counted": 3},
        {"policy": "preorder", "backorder_limit": 7},
        {"policy": "backorder", "backorder_limit": 0},
    ):
        assert office.post(address(Stock, "change", stock.pk), wrong).status_code == 200

    stock.refresh_from_db()
    assert (stock.on_hand, stock.policy) == (5, "deny")


def test_a_count_is_booked_with_its_reason(office):
    VariantFactory(stock=5)
    stock = Stock.objects.get()

    office.post(address(Stock, "change", stock.pk), {**SOLD, "counted": 3, "reason": "two broken"})

    stock.refresh_from_db()
    assert stock.on_hand == 3
    movement = StockMovement.objects.latest("id")
    assert (movement.kind, movement.on_hand_delta) == ("count", -2)
    assert (movement.reason, movement.actor_id) == (
        "two broken",
        get_user_model().objects.get().pk,
    )


def test_a_count_that_orders_forbid_is_a_message_not_a_failure(office):
    variant = VariantFactory(stock=5)
    catalog.reserve(order_id=new_id(), quantities={variant.pk: 4})
    stock = Stock.objects.get()

    response = office.post(
        address(Stock, "change", stock.pk), {**SOLD, "counted": 3, "reason": "x"}, follow=True
    )

    assert "Orders hold back more than that." in response.content.decode()
    stock.refresh_from_db()
    assert stock.on_hand == 5


def upload(office, content, name="../evil.php.png"):
    variant = VariantFactory(sku="OAK")
    product = variant.product
    picture = SimpleUploadedFile(name, content, "image/png")
    form = product_form(
        product,
        [variant_row(id=variant.pk)],
        [{"file": picture, "alt": "A table", "position": 0}],
        category=product.category_id,
    )
    return office.post(address(Product, "change", product.pk), form)


def test_an_uploaded_picture_is_encoded_anew_under_a_name_of_ours(office, media):
    exif = Pillow.Exif()
    exif[0x010E] = "secret place"

    response = upload(office, png(kind="JPEG", exif=exif, comment="secret thought"))

    assert response.status_code == 302, response.context["errors"]
    image = Image.objects.get()
    assert (image.width, image.height) == (40, 30)
    assert "evil" not in image.file.name
    assert image.file.name.endswith(".jpeg")
    kept = (media / image.file.name).read_bytes()
    assert b"secret" not in kept
    assert Pillow.open(BytesIO(kept)).format == "JPEG"


@pytest.mark.parametrize("name", ["a\0.php.png", "a.png\0.php", "../../a.png", ".png", "a" * 300])
def test_the_uploaders_name_is_never_used(office, media, name):
    upload(office, png(), name)

    for image in Image.objects.all():  # or the name was refused
        assert re.fullmatch(r"products/[0-9a-f-]{36}\.png", image.file.name)
    assert not list(media.rglob("*php*"))


@pytest.mark.parametrize(
    "content",
    [
        b"<?php system('id');",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        png()[:60],
        png((4100, 4000)),
        png(kind="GIF"),
        b"",
    ],
    ids=["script", "svg", "cut off", "too many pixels", "gif", "empty"],
)
def test_what_is_no_picture_of_ours_is_refused(office, media, content):
    response = upload(office, content)

    assert response.status_code == 200
    assert response.context["errors"]
    assert not Image.objects.exists()
    assert list(media.rglob("*.*")) == []


def test_staff_without_rights_see_nothing(client, enter):
    user = get_user_model().objects.create_user(
        "clerk@example.com", "long enough password", is_staff=True
    )
    enter(client, user)

    for model in MODELS:
        assert client.get(address(model, "changelist")).status_code == 403
