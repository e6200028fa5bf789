"""Promotions and their codes over HTTP: what staff write, and what is refused."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from apps.catalog.tests.factories import BrandFactory, CategoryFactory, ProductFactory, TagFactory
from apps.orders.models import Coupon, CouponBatch, Promotion
from apps.orders.tests.factories import CouponFactory, PromotionFactory
from apps.users.tests.factories import CustomerGroupFactory, StaffFactory, access_token_for

pytestmark = pytest.mark.django_db

PATH = "/api/v1/promotions"
TEN_PERCENT = {"kind": "percentage", "basis_points": 1000}


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


@pytest.fixture
def staff() -> APIClient:
    permissions = [
        *(f"orders.{verb}_promotion" for verb in ("add", "change", "delete", "view")),
        *("orders.add_couponbatch", "orders.view_couponbatch", "orders.view_coupon"),
    ]
    token = access_token_for(StaffFactory.create(permissions=permissions))
    return APIClient(headers={"Authorization": f"Bearer {token}"})


def test_a_draft_is_written_shown_activated_changed_and_archived(staff):
    draft = staff.post(PATH, {"name": "Spring", "benefit": TEN_PERCENT})
    path = f"{PATH}/{draft.json()['id']}"

    shown = staff.get(path)
    active = staff.post(f"{path}/activations", {}, headers={"If-Match": shown["ETag"]})
    stale = staff.patch(path, {"priority": 1}, headers={"If-Match": shown["ETag"]})
    changed = staff.patch(path, {"priority": 5}, headers={"If-Match": active["ETag"]})
    archived = staff.delete(path)
    again = staff.delete(path)

    assert (draft.status_code, draft["Location"]) == (201, path)
    assert draft.json() == {
        "id": draft.json()["id"],
        "status": "draft",
        "name": "Spring",
        "benefit": TEN_PERCENT,
        "goods": {},
        "needs_code": False,
        "priority": 0,
        "exclusive": False,
        "stacking_group": "",
        "currency": None,
        "min_subtotal": None,
        "min_quantity": 0,
        "customer_group_ids": [],
        "first_order_only": False,
        "starts_at": None,
        "ends_at": None,
        "max_discount": None,
        "budget": None,
        "uses_limit": None,
        "uses_per_customer": None,
        "uses": None,
        "budget_used": None,
        "created_at": draft.json()["created_at"],
        "version": 1,
        "warnings": [],
    }
    assert shown.json() == draft.json()
    assert (active.status_code, active.json()["status"]) == (201, "active")
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    assert (changed.json()["priority"], changed.json()["version"]) == (5, 3)
    assert (archived.status_code, staff.get(path).json()["status"]) == (204, "archived")
    assert (again.status_code, again.json()["code"]) == (409, "promotion_status_conflict")


def test_a_draft_that_nobody_wants_is_gone(staff):
    path = f"{PATH}/{CouponFactory(promotion__status='draft').promotion_id}"

    assert staff.delete(path).status_code == 204
    assert (staff.get(path).status_code, staff.get(path).json()["code"]) == (
        404,
        "unknown_promotion",
    )
    assert not Coupon.objects.exists()


@pytest.mark.parametrize(
    "benefit",
    [
        {"kind": "percentage", "basis_points": 1},
        {"kind": "amount_off", "amount": usd("3.00")},
        {"kind": "amount_off_each", "amount": usd("0.01")},
        {"kind": "free_shipping"},
        {"kind": "buy_x_get_y", "buy": 2, "get": 1},
        {
            "kind": "buy_x_get_y",
            "buy": 2,
            "get": 1,
            "basis_points": 5000,
            "gets": {"tags": ["red"]},
            "most_times": 3,
        },
        {
            "kind": "tiers",
            "by": "quantity",
            "tiers": [
                {"at_least": 2, "benefit": {"kind": "percentage", "basis_points": 500}},
                {"at_least": 5, "benefit": {"kind": "amount_off", "amount": usd("9.00")}},
            ],
        },
        {
            "kind": "tiers",
            "by": "subtotal",
            "tiers": [{"at_least_amount": usd("50.00"), "benefit": TEN_PERCENT}],
        },
    ],
    ids=lambda benefit: benefit["kind"],
)
def test_every_benefit_is_shown_as_it_was_said(staff, benefit):
    TagFactory(slug="red")

    answer = staff.post(PATH, {"name": "x", "benefit": benefit, "currency": "USD"})

    assert (answer.status_code, answer.json()["benefit"]) == (201, benefit)


def test_all_that_may_be_said_is_shown_as_it_was_said(staff):
    said = {
        "name": "All",
        "benefit": TEN_PERCENT,
        "goods": {
            "category_ids": [str(CategoryFactory().pk)],
            "brand_ids": [str(BrandFactory().pk)],
            "product_ids": [str(ProductFactory().pk)],
            "tags": [TagFactory().slug],
        },
        "needs_code": True,
        "priority": -3,
        "exclusive": True,
        "stacking_group": "seasons",
        "currency": "USD",
        "min_subtotal": usd("10.00"),
        "min_quantity": 2,
        "customer_group_ids": [str(CustomerGroupFactory().pk)],
        "first_order_only": True,
        "starts_at": "2026-12-01T00:00:00+00:00",
        "ends_at": "2026-12-24T00:00:00+00:00",
        "max_discount": usd("50.00"),
        "budget": usd("1000.00"),
        "uses_limit": 100,
        "uses_per_customer": 2,
    }

    shown = staff.post(PATH, said).json()

    assert {name: shown[name] for name in said} == said
    assert (shown["uses"], shown["budget_used"]) == (0, usd("0.00"))


UNKNOWN = str(uuid4())


@pytest.mark.parametrize(
    ("said", "pointer", "code"),
    [
        ({"name": ""}, "/name", "blank"),
        ({"name": 7}, "/name", "invalid"),
        ({"benefit": None}, "/benefit", "null"),
        ({"benefit": {}}, "/benefit/kind", "required"),
        ({"benefit": {"kind": "gift"}}, "/benefit/kind", "invalid_choice"),
        ({"benefit": {"kind": "percentage"}}, "/benefit/basis_points", "required"),
        ({"benefit": TEN_PERCENT | {"basis_points": 0}}, "/benefit/basis_points", "min_value"),
        ({"benefit": TEN_PERCENT | {"basis_points": -1}}, "/benefit/basis_points", "min_value"),
        ({"benefit": TEN_PERCENT | {"basis_points": 10001}}, "/benefit/basis_points", "max_value"),
        ({"benefit": TEN_PERCENT | {"basis_points": 12.5}}, "/benefit/basis_points", "invalid"),
        ({"benefit": TEN_PERCENT | {"amount": usd("1.00")}}, "/benefit/amount", "not_of_this_kind"),
        (
            {"benefit": {"kind": "amount_off", "amount": usd("0.00")}},
            "/benefit/amount",
            "min_value",
        ),
        (
            {"benefit": {"kind": "amount_off", "amount": usd("-1.00")}},
            "/benefit/amount",
            "negative",
        ),
        (
            {"benefit": {"kind": "amount_off", "amount": usd("0.001")}},
            "/benefit/amount",
            "not_an_amount",
        ),
        (
            {"benefit": {"kind": "amount_off", "amount": usd("1")}, "currency": "EUR"},
            "/benefit",
            "currency_mismatch",
        ),
        ({"benefit": {"kind": "amount_off", "amount": usd("1")}}, "/benefit", "currency_mismatch"),
        (
            {"benefit": {"kind": "buy_x_get_y", "buy": 0, "get": 1}},
            "/benefit/buy",
            "min_value",
        ),
        (
            {
                "benefit": {
                    "kind": "tiers",
                    "by": "quantity",
                    "tiers": [
                        {"at_least": 2, "benefit": TEN_PERCENT},
                        {"at_least": 2, "benefit": TEN_PERCENT},
                    ],
                }
            },
            "/tiers",
            "not_priceable",
        ),
        (
            {
                "benefit": {
                    "kind": "tiers",
                    "by": "subtotal",
                    "tiers": [{"at_least": 2, "benefit": TEN_PERCENT}],
                }
            },
            "/benefit/tiers",
            "required",
        ),
        ({"goods": {"category_ids": [UNKNOWN]}}, "/goods/category_ids", "unknown_category"),
        ({"goods": {"brand_ids": [UNKNOWN]}}, "/goods/brand_ids", "unknown_brand"),
        ({"goods": {"product_ids": [UNKNOWN]}}, "/goods/product_ids", "unknown_product"),
        ({"goods": {"tags": ["nothing"]}}, "/goods/tags", "unknown_tag"),
        ({"goods": {"category_ids": ["x"]}}, "/goods/category_ids/0", "invalid"),
        ({"customer_group_ids": [UNKNOWN]}, "/customer_group_ids", "unknown_group"),
        ({"currency": "XXX"}, "/currency", "unknown_currency"),
        ({"min_subtotal": usd("1.00")}, "/min_subtotal", "currency_mismatch"),
        (
            {"min_subtotal": usd("1.00"), "currency": "EUR"},
            "/min_subtotal",
            "currency_mismatch",
        ),
        ({"budget": usd("0.00"), "currency": "USD"}, "/budget", "min_value"),
        ({"budget": usd("99999999999.00"), "currency": "USD"}, "/budget", "too_large"),
        ({"uses_limit": 0}, "/uses_limit", "min_value"),
        ({"uses_limit": 2**63}, "/uses_limit", "max_value"),
        ({"uses_per_customer": 1.5}, "/uses_per_customer", "invalid"),
        ({"priority": 1001}, "/priority", "max_value"),
        ({"status": "active"}, "/status", "unknown_field"),
        ({"uses": 0}, "/uses", "unknown_field"),
    ],
)
def test_bad_promotions_are_bad_requests_and_change_nothing(staff, said, pointer, code):
    answer = staff.post(PATH, {"name": "x", "benefit": TEN_PERCENT} | said)

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert (pointer, code) in [(e["pointer"], e["code"]) for e in answer.json()["errors"]]
    assert not Promotion.objects.exists()


def test_a_promotion_begins_before_it_ends(staff):
    now = timezone.now()
    promotion = PromotionFactory(starts_at=now)

    answer = staff.patch(f"{PATH}/{promotion.pk}", {"ends_at": now.isoformat()})

    assert (answer.status_code, answer.json()["code"]) == (422, "promotion_ends_before_it_begins")


def test_a_limit_is_not_set_below_what_has_been_used(staff):
    promotion = PromotionFactory(uses_limit=5, uses=3)
    path = f"{PATH}/{promotion.pk}"

    answer = staff.patch(path, {"uses_limit": 2})

    assert (answer.status_code, answer.json()["code"]) == (409, "limit_below_uses")
    assert staff.patch(path, {"uses_limit": 3}).status_code == 200
    assert staff.patch(path, {"uses_limit": None}).json()["uses"] is None


def test_saving_warns_of_the_active_promotions_that_it_meets(staff):
    now = timezone.now()
    alone = PromotionFactory(exclusive=True)
    grouped = PromotionFactory(stacking_group="seasons")
    adding = PromotionFactory()
    for harmless in (
        {"status": "archived"},
        {"currency": "EUR"},
        {"ends_at": now},
        {"benefit": {"kind": "free_shipping"}},
        {"goods": {"product_ids": [UNKNOWN]}},
    ):
        PromotionFactory(**harmless)
    said = {
        "name": "New",
        "benefit": TEN_PERCENT,
        "currency": "USD",
        "stacking_group": "seasons",
        "goods": {"product_ids": [str(ProductFactory().pk)]},
        "starts_at": (now + timedelta(days=1)).isoformat(),
    }

    warnings = staff.post(PATH, said).json()["warnings"]

    assert {(each["code"], each["promotion_id"]) for each in warnings} == {
        ("excludes", str(alone.pk)),
        ("same_stacking_group", str(grouped.pk)),
        ("adds_up", str(adding.pk)),
    }


def test_promotions_are_listed_newest_first_and_by_status(staff):
    older, newer = PromotionFactory(), PromotionFactory(status="draft")

    everything = staff.get(PATH).json()["results"]
    drafts = staff.get(f"{PATH}?filter[status]=draft").json()["results"]

    assert [each["id"] for each in everything] == [str(newer.pk), str(older.pk)]
    assert [each["id"] for each in drafts] == [str(newer.pk)]
    assert staff.get(f"{PATH}?filter[status]=gone").status_code == 400


def batch(staff: APIClient, promotion: Promotion, key: str = "", **said: Any) -> Any:
    return staff.post(
        f"{PATH}/{promotion.pk}/coupon-batches",
        said,
        headers={"Idempotency-Key": key or uuid4().hex},
    )


def test_codes_are_made_once_for_one_key_and_listed_with_their_uses(staff):
    promotion = PromotionFactory(needs_code=True)

    made = batch(staff, promotion, "one", count=30, prefix="sun-", uses_per_customer=1)
    again = batch(staff, promotion, "one", count=30, prefix="sun-", uses_per_customer=1)
    listed = staff.get(f"{made['Location']}?limit=100").json()["results"]

    assert (made.status_code, made.content) == (201, again.content)
    assert [made.json()[name] for name in ("count", "uses_limit", "uses_per_customer")] == [
        30,
        1,
        1,
    ]
    assert len({row["code"] for row in listed}) == Coupon.objects.count() == 30
    assert all(row["code"].startswith("SUN-") and len(row["code"]) == 14 for row in listed)
    assert {row["uses"] for row in listed} == {0}
    batches = staff.get(f"{PATH}/{promotion.pk}/coupon-batches").json()["results"]
    assert batches == [made.json()]
    elsewhere = staff.get(f"{PATH}/{PromotionFactory().pk}/coupon-batches/{made.json()['id']}")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (404, "unknown_coupon_batch")


def test_a_code_by_name_is_taken_in_any_case(staff):
    promotion = PromotionFactory(needs_code=True)

    first = batch(staff, promotion, codes=["Summer"], uses_limit=None)
    second = batch(staff, PromotionFactory(needs_code=True), codes=["NEW", "sUMMER"])

    assert first.status_code == 201
    assert (second.status_code, second.json()["code"]) == (409, "coupon_code_taken")
    coupon = Coupon.objects.get()
    assert (coupon.code, coupon.uses_limit) == ("SUMMER", None)
    assert CouponBatch.objects.count() == 1
    [shown] = staff.get(first["Location"]).json()["results"]
    assert shown["uses"] is None


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"count": 0},
        {"count": 10_001},
        {"count": 1.5},
        {"count": 1, "codes": ["A"]},
        {"codes": []},
        {"codes": ["a", "A"]},
        {"codes": ["-A"]},
        {"codes": ["A B"]},
        {"codes": ["Ä"]},
        {"codes": ["ſ"]},
        {"codes": ["x" * 41]},
        {"codes": ["A"], "prefix": "B"},
        {"count": 1, "prefix": "x" * 21},
        {"count": 1, "uses_limit": 0},
        {"count": 1, "uses_per_customer": -1},
    ],
    ids=str,
)
def test_bad_batches_are_bad_requests_and_make_nothing(staff, said):
    answer = batch(staff, PromotionFactory(needs_code=True), **said)

    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert not CouponBatch.objects.exists()


def test_what_counts_without_a_code_gets_none(staff):
    answer = batch(staff, PromotionFactory(), count=1)

    assert (answer.status_code, answer.json()["code"]) == (409, "promotion_needs_no_code")


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
money = st.fixed_dictionaries(
    {
        "amount": st.sampled_from(["0", "0.01", "1.5", "-1", "1e3", "9" * 20, ""]) | anything,
        "currency": st.sampled_from(["USD", "EUR", "JPY", "usd"]) | anything,
    }
)
benefits = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(
            ["percentage", "amount_off", "buy_x_get_y", "tiers", "free_shipping"]
        )
    },
    optional={
        "basis_points": st.integers() | anything,
        "amount": money,
        "buy": st.integers(-1, 3) | anything,
        "get": st.integers(-1, 3) | anything,
        "gets": anything,
        "most_times": anything,
        "by": st.sampled_from(["quantity", "subtotal"]) | anything,
        "tiers": st.lists(
            st.fixed_dictionaries(
                {"benefit": st.just(TEN_PERCENT) | anything},
                optional={"at_least": st.integers(-1, 3), "at_least_amount": money},
            ),
            max_size=3,
        )
        | anything,
    },
)
drafts = st.fixed_dictionaries(
    {"name": st.just("x") | anything, "benefit": benefits | anything},
    optional={
        "goods": anything,
        "currency": st.sampled_from(["USD", "JPY", None]) | anything,
        "priority": anything,
        "min_subtotal": money,
        "min_quantity": st.integers() | anything,
        "customer_group_ids": anything,
        "starts_at": anything,
        "max_discount": money,
        "budget": money,
        "uses_limit": st.integers() | anything,
        "uses_per_customer": anything,
        "stacking_group": anything,
    },
)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(draft=drafts, change=drafts)
def test_whatever_is_said_is_taken_or_refused_and_what_is_taken_prices_carts(staff, draft, change):
    promotion = PromotionFactory(status="draft", currency="USD")

    for answer in (staff.post(PATH, draft), staff.patch(f"{PATH}/{promotion.pk}", change)):
        assert answer.status_code in {200, 201, 400, 422}
        if answer.status_code in {200, 201}:
            shown = staff.get(f"{PATH}/{answer.json()['id']}").json()
            activated = staff.post(f"{PATH}/{answer.json()['id']}/activations", {})
            assert activated.status_code == 201
            assert activated.json()["benefit"] == shown["benefit"]
            cart = APIClient().post("/api/v1/carts", {})
            assert cart.status_code == 201
    Promotion.objects.filter(status="active").update(status="archived")
