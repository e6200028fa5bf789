"""Reviews: who writes, who reads, who decides, and what a product's rating makes of it."""

from typing import Any

import pgtrigger
import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from rest_framework.test import APIClient

from apps.catalog.models import Product, Purchase, Review, ReviewReport, SearchEntry
from apps.catalog.services.erasure import erase
from apps.catalog.services.purchases import note_purchase
from apps.catalog.services.ratings import wrong_ratings
from apps.catalog.tasks import note_purchase as on_order_completed
from apps.catalog.tests.factories import ProductFactory, ReviewFactory
from apps.kernel.events import Event, publish
from apps.kernel.ids import new_id
from apps.kernel.models import AuditEntry, OutboxEvent
from apps.kernel.privacy import Person

pytestmark = pytest.mark.django_db

API = "/api/v1"


def client_of(name: str, **facts: Any) -> Any:
    """A customer of that first name, logged in."""
    user = get_user_model().objects.create_user(
        f"{name.lower()}@example.com", "long enough password", **{"first_name": name, **facts}
    )
    client: Any = APIClient()
    client.force_authenticate(user)
    client.id = user.pk
    return client


@pytest.fixture
def anna() -> Any:
    return client_of("Anna", last_name="kovacs")


@pytest.fixture
def ben() -> Any:
    return client_of("Ben")


@pytest.fixture
def product() -> Product:
    return ProductFactory.create()


def write(client: Any, product: Product, **text: Any) -> Any:
    body = {"rating": 5, "title": "Great", "body": "It holds.", **text}
    return client.post(f"{API}/products/{product.pk}/reviews", body)


def decide(staff: Any, review_id: object, decision: str = "approve", **more: Any) -> Any:
    body = {"decision": decision, **more}
    return staff.post(f"{API}/reviews/{review_id}/moderations", body)


def rating_of(product: Product) -> tuple[int, int, float, float]:
    row = Product.objects.get(pk=product.pk)
    return row.rating_count, row.rating_stars, float(row.rating_average), row.rating_score


def changes_of(product: Product) -> int:
    return OutboxEvent.objects.filter(
        name="catalog.product_changed", aggregate_id=product.pk
    ).count()


# Writing


def test_a_review_is_shown_once_it_has_been_approved(anna, staff, visitor, product) -> None:
    written = write(anna, product)
    address = f"{API}/products/{product.pk}/reviews"
    before = visitor.get(address).json()["results"]

    approved = decide(staff, written.json()["id"])

    assert written.status_code == 201
    assert written["Location"].endswith(f"/reviews/{written.json()['id']}")
    assert (written.json()["status"], written.json()["version"]) == ("pending", 1)
    assert before == []
    assert (approved.status_code, approved.json()["status"]) == (200, "approved")
    [shown] = visitor.get(address).json()["results"]
    assert shown == {
        "id": written.json()["id"],
        "product": {"id": str(product.pk), "slug": product.slug, "name": product.name},
        "author": "Anna K.",
        "rating": 5,
        "title": "Great",
        "body": "It holds.",
        "verified": False,
        "helpful_count": 0,
        "photos": [],
        "replies": [],
        "created_at": shown["created_at"],
        "updated_at": shown["updated_at"],
    }


def test_a_customer_reviews_a_product_once(anna, ben, product) -> None:
    first, second, other = write(anna, product), write(anna, product, rating=1), write(ben, product)

    assert (first.status_code, other.status_code) == (201, 201)
    assert (second.status_code, second.json()["code"]) == (409, "review_exists")
    assert Review.objects.get(customer_id=anna.id).rating == 5
    with pytest.raises(IntegrityError, match="review_is_written_once_a_product"):
        ReviewFactory.create(product=product, customer_id=anna.id)


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_what_is_not_for_sale_has_no_reviews(anna, visitor, status) -> None:
    hidden = ProductFactory.create(status=status, published_at=None)
    review = ReviewFactory.create(product=hidden)

    for answer in (
        write(anna, hidden),
        visitor.get(f"{API}/products/{hidden.pk}/reviews"),
        visitor.get(f"{API}/products/{hidden.pk}/rating"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_product")
    assert visitor.get(f"{API}/reviews/{review.pk}").status_code == 404


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ({"rating": 0}, "/rating"),
        ({"rating": 6}, "/rating"),
        ({"rating": "5"}, "/rating"),
        ({"rating": True}, "/rating"),
        ({"title": "x" * 121}, "/title"),
        ({"body": "x" * 5001}, "/body"),
        ({"body": None}, "/body"),
        ({"status": "approved"}, "/status"),
        ({"author": "Somebody"}, "/author"),
    ],
    ids=["no star", "six stars", "text", "truth", "title", "body", "null", "status", "author"],
)
def test_what_makes_no_review_is_refused_and_nothing_written(anna, product, text, pointer) -> None:
    refused = write(anna, product, **text)

    assert refused.status_code == 400
    assert [entry["pointer"] for entry in refused.json()["errors"]] == [pointer]
    assert not Review.objects.exists()


def test_texts_are_kept_as_they_were_written(anna, product) -> None:
    text = "<script>alert(1)</script> & 'quotes' \u202e \U0001f600"

    assert write(anna, product, body=text).json()["body"] == text


def test_a_nul_character_is_refused(anna, product) -> None:
    refused = anna.post(
        f"{API}/products/{product.pk}/reviews",
        b'{"rating": 5, "body": "a\\u0000b"}',
        content_type="application/json",
    )

    assert refused.status_code == 400


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [("", "", None), ("Anna", "", "Anna"), ("", "Kovacs", None), ("Anna Lea", "ó", "Anna Lea Ó.")],
    ids=["no name", "first", "last", "both"],
)
def test_the_name_that_others_read_is_short(product, first, last, shown) -> None:
    author = client_of("Anna", first_name=first, last_name=last)

    assert write(author, product).json()["author"] == shown


# Changing one's own


def test_a_changed_review_is_read_again_before_it_counts_again(anna, staff, product) -> None:
    review_id = write(anna, product).json()["id"]
    etag = decide(staff, review_id)["ETag"]

    changed = anna.patch(f"{API}/reviews/{review_id}", {"rating": 2}, headers={"If-Match": etag})

    assert (changed.status_code, changed.json()["status"]) == (200, "pending")
    assert (changed.json()["rating"], changed.json()["title"]) == (2, "Great")
    assert rating_of(product)[:2] == (0, 0)
    decide(staff, review_id)
    assert rating_of(product)[:2] == (1, 2)


def test_an_old_version_is_neither_changed_nor_deleted_nor_decided(anna, staff, product) -> None:
    written = write(anna, product)
    address, old = f"{API}/reviews/{written.json()['id']}", written["ETag"]
    anna.patch(address, {"body": "Now worse."})

    answers = [
        anna.patch(address, {"body": "x"}, headers={"If-Match": old}),
        anna.delete(address, headers={"If-Match": old}),
        staff.post(f"{address}/moderations", {"decision": "approve"}, headers={"If-Match": old}),
    ]

    assert [answer.status_code for answer in answers] == [412, 412, 412]
    review = Review.objects.get()
    assert (review.body, review.status, review.version) == ("Now worse.", "pending", 2)


def test_somebody_elses_review_does_not_exist_for_changes(anna, ben, product) -> None:
    review = ReviewFactory.create(product=product, customer_id=anna.id)
    address = f"{API}/reviews/{review.pk}"

    assert ben.patch(address, {"rating": 1}).status_code == 404
    assert ben.delete(address).status_code == 404
    assert anna.delete(address).status_code == 204
    assert not Review.objects.exists()
    assert rating_of(product) == (0, 0, 0, 3.5)


def test_what_waits_is_there_for_its_author_and_staff_alone(
    anna, ben, staff, visitor, product
) -> None:
    review = ReviewFactory.create(product=product, customer_id=anna.id, status="pending")
    address = f"{API}/reviews/{review.pk}"

    assert [client.get(address).status_code for client in (visitor, ben)] == [404, 404]
    assert anna.get(address).json()["status"] == "pending"
    assert staff.get(address).json()["report_count"] == 0
    mine = anna.get(f"{API}/users/me/reviews").json()["results"]
    assert [(row["id"], row["status"]) for row in mine] == [(str(review.pk), "pending")]
    assert ben.get(f"{API}/users/me/reviews").json()["results"] == []


# Deciding


def test_a_rejected_review_tells_its_author_why(anna, staff, product) -> None:
    review_id = write(anna, product).json()["id"]

    without = decide(staff, review_id, "reject", reason="  ")
    rejected = decide(staff, review_id, "reject", reason="It names a person.")

    assert (without.status_code, without.json()["code"]) == (422, "reason_missing")
    assert rejected.status_code == 200
    seen = anna.get(f"{API}/reviews/{review_id}").json()
    assert (seen["status"], seen["reason"]) == ("rejected", "It names a person.")
    entry = AuditEntry.objects.get(action="catalog.review_moderated")
    assert (entry.about, entry.before, entry.after) == (
        review_id,
        {"status": "pending"},
        {"status": "rejected"},
    )


def test_the_queue_shows_what_waits_oldest_first(anna, ben, staff, product) -> None:
    waiting = [write(client, product).json()["id"] for client in (anna, ben)]
    ReviewFactory.create(product=product)

    queue = staff.get(f"{API}/reviews?status=pending").json()["results"]

    assert [row["id"] for row in queue] == waiting
    assert len(staff.get(f"{API}/reviews?status=approved").json()["results"]) == 1


def test_the_store_answers(anna, staff, visitor, product) -> None:
    review = ReviewFactory.create(product=product, customer_id=anna.id)

    answered = staff.post(f"{API}/reviews/{review.pk}/replies", {"body": "Thank you."})

    assert answered.status_code == 201
    [reply] = visitor.get(f"{API}/reviews/{review.pk}").json()["replies"]
    assert reply["body"] == "Thank you."
    missing = staff.post(f"{API}/reviews/{new_id()}/replies", {"body": "x"})
    assert (missing.status_code, missing.json()["code"]) == (404, "unknown_review")


@pytest.mark.parametrize("path", ["moderations", "replies"])
def test_customers_decide_and_answer_nothing(anna, product, path) -> None:
    review = ReviewFactory.create(product=product, status="pending")

    assert anna.post(f"{API}/reviews/{review.pk}/{path}", {}).status_code == 403
    assert anna.get(f"{API}/reviews").status_code == 403


# Votes and reports


def test_a_vote_counts_once_and_can_be_taken_back(anna, ben, product) -> None:
    review = ReviewFactory.create(product=product, customer_id=anna.id)
    votes = f"{API}/reviews/{review.pk}/votes"

    assert [ben.post(votes).json() for _ in range(2)] == [{"helpful_count": 1}] * 2
    own = anna.post(votes)
    assert (own.status_code, own.json()["code"]) == (422, "own_review")
    assert [ben.delete(votes).status_code for _ in range(2)] == [204, 204]
    review.refresh_from_db()
    assert review.helpful_count == 0


@pytest.mark.parametrize("path", ["votes", "reports"])
def test_there_is_nothing_to_say_of_what_is_not_shown(ben, product, path) -> None:
    review = ReviewFactory.create(product=product, status="pending")

    answer = ben.post(
        f"{API}/reviews/{review.pk}/{path}", {"cause": "spam"} if path[0] == "r" else {}
    )

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_review")


def test_the_third_report_sends_a_review_back_to_be_read(anna, staff, visitor, product) -> None:
    review = ReviewFactory.create(product=product, customer_id=anna.id)
    reports = f"{API}/reviews/{review.pk}/reports"
    reporters = [client_of(name) for name in ("Cleo", "Dora", "Emil")]
    complaint = {"cause": "spam", "detail": "An advertisement."}

    said = [client.post(reports, complaint).status_code for client in (*reporters[:2], *reporters)]

    assert said == [204] * 5
    assert visitor.get(f"{API}/reviews/{review.pk}").status_code == 404
    assert rating_of(product)[:2] == (0, 0)
    assert changes_of(product) == 1
    decide(staff, review.pk)
    review.refresh_from_db()
    assert (review.status, review.report_count) == ("approved", 0)
    assert ReviewReport.objects.count() == 3
    assert client_of("Finn").post(reports, complaint).status_code == 204
    assert visitor.get(f"{API}/reviews/{review.pk}").status_code == 200
    own = anna.post(reports, complaint)
    assert (own.status_code, own.json()["code"]) == (422, "own_review")


# The rating


def test_the_rating_follows_what_is_shown(staff, visitor, product) -> None:
    reviews = [
        ReviewFactory.create(product=product, rating=stars, status="pending")
        for stars in (5, 4, 4, 1)
    ]
    for review in reviews:
        decide(staff, review.pk)

    assert rating_of(product) == (4, 14, 3.5, 3.5)
    decide(staff, reviews[3].pk, "reject", reason="Not about it.")
    assert rating_of(product) == (3, 13, 4.33, 3.8125)
    answer = visitor.get(f"{API}/products/{product.pk}/rating").json()
    assert answer == {
        "average": 4.33,
        "count": 3,
        "histogram": {"1": 0, "2": 0, "3": 0, "4": 2, "5": 1},
    }
    document = visitor.get(f"{API}/products/{product.pk}").json()
    assert document["rating"] == {"average": 4.33, "count": 3}
    assert changes_of(product) == 5


def test_the_search_knows_the_rating_of_now(staff, product) -> None:
    decide(staff, ReviewFactory.create(product=product, rating=5, status="pending").pk)

    assert SearchEntry.objects.get(product=product).rating == 3.75, "five times 3.5, and a 5"


def test_a_product_without_reviews_has_no_average(visitor, product) -> None:
    assert visitor.get(f"{API}/products/{product.pk}/rating").json() == {
        "average": None,
        "count": 0,
        "histogram": dict.fromkeys("12345", 0),
    }


def test_one_enthusiast_does_not_outweigh_many_who_are_content(visitor) -> None:
    unrated, loved, trusted, disliked = (ProductFactory.create() for _ in range(4))
    ReviewFactory.create(product=loved, rating=5)
    for stars in (5, 5, 4, 5, 4):
        ReviewFactory.create(product=trusted, rating=stars)
    ReviewFactory.create(product=disliked, rating=1)

    first = visitor.get(f"{API}/products?sort=-rating&limit=2").json()
    rest = visitor.get(first["next"]).json()

    found = [row["id"] for row in (*first["results"], *rest["results"])]
    assert found == [str(each.pk) for each in (trusted, loved, unrated, disliked)]
    assert visitor.get(rest["previous"]).json()["results"] == first["results"]


def test_a_product_that_is_saved_whole_keeps_the_rating_of_now(product) -> None:
    stale = Product.objects.get(pk=product.pk)
    ReviewFactory.create(product=product, rating=5)

    stale.save()

    assert rating_of(product) == (1, 5, 5.0, 3.75)


def test_the_command_finds_and_mends_a_rating_that_was_changed_past_the_triggers(
    product, capsys
) -> None:
    ReviewFactory.create(product=product, rating=3)
    call_command("ratings", "verify")
    with pgtrigger.ignore():
        Product.objects.update(rating_count=2, rating_stars=9)

    with pytest.raises(CommandError, match="1 ratings are wrong"):
        call_command("ratings", "verify")
    call_command("ratings", "verify", "--repair")

    assert list(wrong_ratings()) == []
    assert rating_of(product) == (1, 3, 3.0, 3.4167)
    assert f"{product.pk}: 2 reviews with 9 stars, not 1 with 3" in capsys.readouterr().err


def test_the_database_refuses_what_is_no_rating(product) -> None:
    with pytest.raises(IntegrityError, match="review_has_1_to_5_stars"), transaction.atomic():
        ReviewFactory.create(product=product, rating=6)
    review = ReviewFactory.create(product=product)
    with pytest.raises(DatabaseError, match="Cannot update"):
        Review.objects.filter(pk=review.pk).update(product=ProductFactory.create())


# Lists


def test_reviews_are_sorted_and_filtered(visitor, product) -> None:
    ReviewFactory.create(product=product, rating=1, body="old")
    ReviewFactory.create(product=product, rating=5, body="new", is_verified=True)
    Review.objects.filter(body="old").update(helpful_count=7)

    def bodies(query: str) -> list[str]:
        page = visitor.get(f"{API}/products/{product.pk}/reviews?{query}").json()
        return [row["body"] for row in page["results"]]

    assert bodies("") == ["new", "old"]
    assert bodies("sort=-helpful") == ["old", "new"]
    assert bodies("sort=-rating") == ["new", "old"]
    assert bodies("sort=rating") == ["old", "new"]
    assert bodies("filter[rating]=1,2") == ["old"]
    assert bodies("filter[verified]=true") == ["new"]
    assert bodies("filter[verified]=false") == ["old"]


@pytest.mark.parametrize(
    "query", ["sort=helpful", "filter[rating]=6", "filter[verified]=1", "stars=1", "after=x"]
)
def test_a_query_that_means_nothing_is_refused(visitor, product, query) -> None:
    assert visitor.get(f"{API}/products/{product.pk}/reviews?{query}").status_code == 400


@pytest.mark.parametrize("sort", ["-created_at", "-helpful", "-rating", "rating"])
def test_pages_cost_two_statements_and_leave_nothing_out(
    visitor, product, django_assert_num_queries, sort
) -> None:
    for stars in (1, 2, 3, 4, 5):
        ReviewFactory.create(product=product, rating=stars)
    address = f"{API}/products/{product.pk}/reviews?sort={sort}&limit="

    with django_assert_num_queries(2):
        page = visitor.get(f"{address}2").json()
    with django_assert_num_queries(2):
        whole = visitor.get(f"{address}100").json()

    found = page["results"]
    while page["next"]:
        page = visitor.get(page["next"]).json()
        found += page["results"]
    assert found == whole["results"]
    assert len(found) == 5


# Verified


def test_a_review_is_verified_by_a_purchase_before_or_after_it(anna, ben, product) -> None:
    note_purchase(customer_id=anna.id, product_ids=[product.pk])
    early, late = write(anna, product).json(), write(ben, product).json()

    for _ in range(2):
        note_purchase(customer_id=ben.id, product_ids=[product.pk, ProductFactory.create().pk])

    assert (early["verified"], late["verified"]) == (True, False)
    assert ben.get(f"{API}/reviews/{late['id']}").json()["verified"] is True
    assert Purchase.objects.filter(customer_id=ben.id).count() == 3


class Completed(Event):
    """Like the event of orders, also as the release before sent it."""

    name = "orders.order_completed"


def test_the_event_of_the_release_before_and_that_of_a_guest_verify_nothing() -> None:
    for payload in ({}, {"customer_id": None, "product_ids": [str(new_id())]}):
        order_id = new_id()
        publish(Completed(), aggregate_id=order_id)
        event = OutboxEvent.objects.get(aggregate_id=order_id)
        OutboxEvent.objects.filter(pk=event.pk).update(
            payload={"order_id": str(order_id), **payload}
        )

        on_order_completed.delay(event_id=str(event.pk))

    assert not Purchase.objects.exists()


# Erasing


def test_an_erased_author_leaves_what_was_shown_without_a_name(anna, ben, staff, product) -> None:
    shown = ReviewFactory.create(product=product, customer_id=anna.id, rating=5)
    ReviewFactory.create(customer_id=anna.id, status="pending")
    other = ReviewFactory.create(product=product, customer_id=ben.id)
    anna.post(f"{API}/reviews/{other.pk}/votes")
    note_purchase(customer_id=anna.id, product_ids=[product.pk])

    for _ in range(2):
        with transaction.atomic():
            erase(person=Person(anna.id))

    kept = Review.objects.get(author_name="")
    assert (kept.pk, kept.customer_id, kept.body) == (shown.pk, None, "Stands well.")
    assert Review.objects.count() == 2
    other.refresh_from_db()
    assert other.helpful_count == 1
    assert not Purchase.objects.exists()
    assert rating_of(product)[:2] == (2, 9)
    assert ben.get(f"{API}/reviews/{shown.pk}").json()["author"] is None


# The back office


def test_many_reviews_are_decided_at_once_in_the_back_office(enter, product) -> None:
    rows = [ReviewFactory.create(product=product, status="pending", rating=5) for _ in range(3)]
    boss = get_user_model().objects.create_superuser("boss@example.com", "long enough password")
    office = enter(Client(), boss)
    form = {"_selected_action": [row.pk for row in rows[:2]], "index": 0}

    office.post("/admin/catalog/review/", {**form, "action": "approve"})
    form["_selected_action"] = [rows[2].pk]
    office.post("/admin/catalog/review/", {**form, "action": "reject"})
    unsaid = Review.objects.get(pk=rows[2].pk).status
    office.post("/admin/catalog/review/", {**form, "action": "reject", "reason": "Spam."})

    assert unsaid == "pending"
    assert Review.objects.get(pk=rows[2].pk).reason == "Spam."
    assert rating_of(product)[:2] == (2, 10)
    assert office.get("/admin/catalog/review/?status=pending&q=well").status_code == 200
    assert office.get(f"/admin/catalog/review/{rows[0].pk}/change/").status_code == 200
