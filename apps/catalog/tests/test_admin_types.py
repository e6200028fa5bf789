"""Product types, attributes, brands and tags in the back office."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from apps.catalog.models import Attribute, AttributeChoice, Brand, Product, ProductType, Tag
from apps.catalog.tasks import tell_changes
from apps.catalog.tests.factories import (
    AttributeChoiceFactory,
    AttributeFactory,
    BrandFactory,
    ProductFactory,
    ProductTypeFactory,
    TagFactory,
    VariantFactory,
)
from apps.catalog.tests.test_admin import product_form, variant_row
from apps.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(enter) -> Client:
    user = get_user_model().objects.create_superuser("boss@example.com", "long enough password")
    return enter(Client(), user)


def address(model, page, *args):
    return reverse(f"admin:catalog_{model._meta.model_name}_{page}", args=args)


def rows(prefix, *rows, kept=0):
    form = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": kept}
    for index, row in enumerate(rows):
        form |= {f"{prefix}-{index}-{name}": value for name, value in row.items()}
    return form


def said(response):
    assert response.status_code == 302, response.context["errors"]
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_an_attribute_is_made_with_its_choices_and_keeps_code_and_kind(office):
    form = {"name": "Colour", "code": "colour", "kind": "choice", "unit": "", "is_filterable": "on"}
    choices = [{"name": "Red", "code": "red", "position": 2}]

    made = office.post(address(Attribute, "add"), {**form, **rows("attribute_choices", *choices)})

    assert made.status_code == 302, made.context["errors"]
    attribute = Attribute.objects.get()
    (red,) = AttributeChoice.objects.all()
    blue = {"name": "Blue", "code": "blue", "position": 1}
    again = {"id": red.pk, "attribute": attribute.pk, "name": "Crimson", "position": 2}
    office.post(
        address(Attribute, "change", attribute.pk),
        {**form, "code": "hue", "kind": "text", **rows("attribute_choices", again, blue, kept=1)},
    )
    attribute.refresh_from_db()
    assert (attribute.code, attribute.kind) == ("colour", "choice")
    assert list(AttributeChoice.objects.order_by("code").values_list("code", "name")) == [
        ("blue", "Blue"),
        ("red", "Crimson"),
    ]
    assert AuditEntry.objects.filter(action="catalog.attribute_choice_changed").count() == 1


def test_a_choice_that_products_have_made_stays_and_staff_are_told(office):
    red = AttributeChoiceFactory()
    kind = ProductTypeFactory(attributes=[red.attribute])
    ProductFactory(type=kind, attributes={red.attribute.code: red.code})
    row = {
        "id": red.pk,
        "attribute": red.attribute_id,
        "name": red.name,
        "position": 0,
        "DELETE": "on",
    }

    response = office.post(
        address(Attribute, "change", red.attribute_id),
        {"name": "x", "unit": "", **rows("attribute_choices", row, kept=1)},
    )

    assert "Products have this value." in said(response)
    assert AttributeChoice.objects.filter(pk=red.pk).exists()
    red.attribute.refresh_from_db()
    assert red.attribute.name != "x"


def test_a_type_is_made_changed_and_kept_while_products_need_it(office):
    cloth = AttributeFactory(code="cloth")
    form = {"name": "Shirts", "slug": "shirts", "options": "size,fit"}
    line = {"attribute": cloth.pk, "is_required": "on", "position": 1}

    made = office.post(address(ProductType, "add"), {**form, **rows("type_attributes", line)})

    assert made.status_code == 302, made.context["errors"]
    shirts = ProductType.objects.get()
    assert shirts.options == ["size", "fit"]
    assert shirts.type_attributes.get().is_required
    VariantFactory(
        product__type=shirts,
        product__attributes={"cloth": "linen"},
        options={"size": "S", "fit": "slim"},
    )
    kept = {**line, "id": shirts.type_attributes.get().pk, "product_type": shirts.pk}
    less = {**form, "options": "size", **rows("type_attributes", kept, kept=1)}
    response = office.post(address(ProductType, "change", shirts.pk), less)
    assert "Products of the type would not fit it any more." in said(response)
    shirts.refresh_from_db()
    assert shirts.options == ["size", "fit"]


@pytest.mark.parametrize(("model", "factory"), [(Brand, BrandFactory), (Tag, TagFactory)])
def test_names_are_written_by_their_service_and_kept_while_products_have_them(
    office, model, factory
):
    assert office.post(address(model, "add"), {"name": "New", "slug": "new"}).status_code == 302
    label = model.objects.get()
    product = ProductFactory()
    if model is Brand:
        Product.objects.update(brand=label)
    else:
        product.tags.add(label)

    office.post(address(model, "change", label.pk), {"name": "Newer", "slug": "new"})
    tell_changes()
    response = office.post(
        address(model, "changelist"),
        {"action": "delete_selected", "_selected_action": label.pk, "post": "yes"},
    )

    label.refresh_from_db()
    assert label.name == "Newer"
    product.refresh_from_db()
    assert product.version == 2
    assert response.status_code in {200, 302}
    assert model.objects.exists()


def test_a_product_that_does_not_fit_its_type_is_not_saved_and_staff_are_told(office):
    kind = ProductTypeFactory(attributes=[AttributeFactory(code="length", kind="number")])
    variant = VariantFactory(sku="OAK")
    form = product_form(
        variant.product,
        [variant_row(id=variant.pk)],
        category=variant.product.category_id,
        type=kind.pk,
        attributes='{"length": "long"}',
    )
    place = address(Product, "change", variant.product_id)

    refused = office.post(place, form)
    taken = office.post(place, {**form, "attributes": '{"length": 7}', "seo_title": "Oak"})

    assert "The value does not fit the attribute." in said(refused)
    assert taken.status_code == 302, taken.context["errors"]
    variant.product.refresh_from_db()
    assert (variant.product.attributes, variant.product.seo_title) == ({"length": 7}, "Oak")
