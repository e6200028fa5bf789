"""Whatever the schema allows, and much that it does not: no server error, no surprising answer."""

import os
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.catalog.tests.factories import (
    AnswerFactory,
    AttributeChoiceFactory,
    BrandFactory,
    CategoryFactory,
    CollectionFactory,
    ExportFactory,
    ImageFactory,
    ImportFactory,
    PriceListFactory,
    ProductTypeFactory,
    ReviewPhotoFactory,
    SearchBoostFactory,
    SearchRedirectFactory,
    SearchSynonymFactory,
    StockAlertFactory,
    StockCountFactory,
    StockTransferFactory,
    TagFactory,
    VariantFactory,
)
from apps.kernel.audit import record
from apps.kernel.models import AuditEntry
from apps.orders.tests.factories import (
    CouponFactory,
    delivered_order,
    documents_of,
    gift_card,
    placed_order,
    proposed_change,
    ready_cart,
    requested_return,
    return_photo,
    saved_item,
    simulation_of,
    tax_rate,
    tax_zone,
)
from apps.users.tests.factories import (
    AddressFactory,
    ApiKeyFactory,
    CustomerGroupFactory,
    RoleFactory,
    SessionFactory,
    UserFactory,
    access_token_for,
)
from ecommerce.privacy.models import ErasureRequest
from ecommerce.privacy.services import exports
from ecommerce.wsgi import application

pytestmark = pytest.mark.long
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# `SCHEMATHESIS_EXAMPLES=500 make test ARGS=ecommerce/tests/test_schemathesis.py` digs deeper.
DEEPER = "SCHEMATHESIS_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "15"))

schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", application)
schema.config.phases.coverage.enabled = DEEPER
schema.config.phases.coverage.unexpected_methods = set()


@pytest.fixture(autouse=True)
def _requests_share_the_tests_transaction() -> Iterator[None]:
    """Keep the end of a request from closing the connection, as Django's test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def shop(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A transaction around all tests: what they find is made once, each takes its own back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def boss(shop: None) -> Any:
    """Somebody who may do everything."""
    return UserFactory.create(is_staff=True, is_superuser=True)


@pytest.fixture
def staff(boss: Any) -> dict[str, str]:
    """Headers of whom the requests come from."""
    return {"Authorization": f"Bearer {access_token_for(boss)}"}


@pytest.fixture(scope="module")
def known(boss: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Path parameters that lead to something, and the headers of who holds it."""
    variant = VariantFactory.create(stock=50)
    answer = AnswerFactory.create(
        customer_id=boss.pk, question__customer_id=boss.pk, question__product=variant.product
    )
    photo = ReviewPhotoFactory.create(review__product=variant.product, review__customer_id=boss.pk)
    card, code = gift_card()
    cart, cart_holder = ready_cart({variant.pk: 2}, gift_cards=(code,))
    order, order_holder = placed_order({variant.pk: 1})
    invoice, credit_note = documents_of(order)
    item = cart.items.get()
    coupon = CouponFactory.create(code="SUN")
    saved = saved_item(cart, variant.pk)
    transfer = StockTransferFactory.create()
    address = AddressFactory.create(user=boss)
    rate = tax_rate(tax_zone("KW"), "5")
    record("test.happened", about=1)
    choice = AttributeChoiceFactory.create()
    category = CategoryFactory.create()
    export = exports.ask(user_id=boss.pk)
    exports.advance_export()
    erasure = ErasureRequest.objects.create(
        user_id=boss.pk, erase_at=timezone.now(), next_action_at=timezone.now()
    )
    bringing_back = requested_return(delivered_order({variant.pk: 1})[0])
    paths = {
        "cart_id": str(cart.pk),
        "item_id": str(item.pk),
        "coupon": coupon.code,
        "promotion_id": str(coupon.promotion_id),
        "batch_id": str(coupon.batch_id),
        "simulation_id": str(simulation_of(coupon.promotion).pk),
        "gift_card_id": str(card.pk),
        "saved_item_id": str(saved.pk),
        "order_id": str(order.pk),
        "change_id": str(proposed_change(order).pk),
        "return_id": str(bringing_back.pk),
        "return_photo_id": str(return_photo(bringing_back).pk),
        "invoice_id": str(invoice.pk),
        "credit_note_id": str(credit_note.pk),
        "address_id": str(address.pk),
        "count_id": str(StockCountFactory.create().pk),
        "location_id": str(transfer.to_location_id),
        "transfer_id": str(transfer.pk),
        "alert_id": str(StockAlertFactory.create(customer_id=boss.pk).pk),
        "variant_id": str(variant.pk),
        "class_id": str(rate.tax_class_id),
        "zone_id": str(rate.zone_id),
        "rate_id": str(rate.pk),
        "list_id": str(PriceListFactory.create().pk),
        "key": str(variant.product_id),
        "product_id": str(variant.product_id),
        "answer_id": str(answer.pk),
        "question_id": str(answer.question_id),
        "media_id": str(ImageFactory.create(product=variant.product).pk),
        "review_id": str(photo.review_id),
        "photo_id": str(photo.pk),
        "synonym_id": str(SearchSynonymFactory.create().pk),
        "boost_id": str(SearchBoostFactory.create().pk),
        "redirect_id": str(SearchRedirectFactory.create().pk),
        "user_id": str(UserFactory.create().pk),
        "group_id": str(CustomerGroupFactory.create().pk),
        "role_id": str(RoleFactory.create().key),
        "key_id": str(ApiKeyFactory.create(owner=boss).pk),
        "session_id": str(SessionFactory.create(user=boss).pk),
        "entry_id": str(AuditEntry.objects.latest("id").pk),
        "export_id": str(export.pk),
        "request_id": str(erasure.pk),
        "import_id": str(ImportFactory.create().pk),
        "product_export_id": str(ExportFactory.create().pk),
        "of": "products",
        "code": "not_found",
        "country": "KR",
        "product_type": str(ProductTypeFactory.create().pk),
        "attribute_id": str(choice.attribute_id),
        "choice_id": str(choice.pk),
        "category": str(category.pk),
        "collection": str(CollectionFactory.create().pk),
        "category_id": str(category.pk),
        "brand": str(BrandFactory.create().pk),
        "tag": str(TagFactory.create().pk),
    }
    headers = {"X-Cart-Token": cart_holder.token, "X-Order-Token": order_holder.token}
    return paths, headers


@pytest.mark.django_db
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not DEEPER,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_the_schema_promises(
    case: Any, staff: dict[str, str], known: tuple[dict[str, str], dict[str, str]]
) -> None:
    paths, holder = known

    case.call_and_validate(headers=staff, checks=CHECKS)

    if case.path_parameters:
        case.path_parameters = {name: paths[name] for name in case.path_parameters}
        case.headers = {name: text for name, text in case.headers.items() if name != "If-Match"}
        fresh = {**staff, **holder, "Idempotency-Key": str(uuid4())}
        case.call_and_validate(headers=fresh, checks=CHECKS)
