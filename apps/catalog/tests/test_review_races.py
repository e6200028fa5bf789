"""Many who write, vote, report and decide at once: every count is exact."""

import random
from collections.abc import Callable
from functools import partial

import pytest

from apps.catalog.models import PhotoWork, Product, Question, Review, ReviewPhoto, ReviewReport
from apps.catalog.services import questions, reviews
from apps.catalog.services.contributions import Status
from apps.catalog.services.pictures import advance_picture
from apps.catalog.services.purchases import note_purchase
from apps.catalog.services.ratings import repair_rating, wrong_ratings
from apps.catalog.services.review_photos import add_photo
from apps.catalog.tests.factories import ProductFactory, QuestionFactory, ReviewFactory
from apps.kernel.errors import DomainError
from apps.kernel.ids import new_id
from apps.kernel.models import OutboxEvent
from apps.kernel.pictures import Picture
from apps.kernel.tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 32


def outcome(action: Callable[[], object]) -> Callable[[], str]:
    """Return the action as one that returns the code of its refusal."""

    def attempt() -> str:
        try:
            action()
        except DomainError as refusal:
            return refusal.code
        return "done"

    return attempt


def write(product, customer_id):
    reviews.write_review(
        product_id=product.pk,
        customer_id=customer_id,
        author_name="Anna K.",
        fields={"rating": 5},
    )


def test_of_many_reviews_of_one_customer_at_once_one_is_written():
    product, customer_id = ProductFactory.create(), new_id()

    said = at_once(*[outcome(lambda: write(product, customer_id))] * 8)

    assert sorted(said) == ["done"] + ["review_exists"] * 7
    assert Review.objects.count() == 1


def test_32_voters_are_32_votes_and_those_who_take_it_back_are_none():
    review, voters = ReviewFactory.create(), [new_id() for _ in range(THREADS)]

    def vote(customer_id, *, back):
        def act():
            for _ in range(2):
                reviews.vote(review_id=review.pk, customer_id=customer_id)
            if back:
                reviews.take_vote_back(review_id=review.pk, customer_id=customer_id)

        return act

    at_once(*[vote(voter, back=place % 4 == 0) for place, voter in enumerate(voters)])

    review.refresh_from_db()
    assert review.helpful_count == review.votes.count() == 24


def test_the_rating_is_exact_whatever_is_approved_rejected_changed_and_deleted_at_once():
    chance = random.Random(5)
    product = ProductFactory.create()
    rows = [
        ReviewFactory.create(
            product=product,
            rating=chance.randint(1, 5),
            status=chance.choice(["pending", "approved"]),
        )
        for _ in range(8)
    ]

    def step(dice):
        row = dice.choice(rows)
        mine = {"review_id": row.pk, "expected_version": None}
        own = {**mine, "customer_id": row.customer_id}
        steps = [
            lambda: reviews.moderate_review(status=Status.APPROVED, **mine),
            lambda: reviews.moderate_review(status=Status.REJECTED, reason="x", **mine),
            lambda: reviews.change_review(fields={"rating": dice.randint(1, 5)}, **own),
            lambda: reviews.remove_review(**own),
        ]
        return dice.choices(steps, weights=[4, 2, 2, 1])[0]

    def act(seed):
        dice = random.Random(seed)
        return lambda: {outcome(step(dice))() for _ in range(6)}

    said = at_once(
        *[act(seed) for seed in range(16)],
        lambda: {str(repair_rating(product_id=product.pk))},
    )

    assert set().union(*said) <= {"done", "unknown_review", "None"}
    assert list(wrong_ratings()) == []
    events = OutboxEvent.objects.filter(aggregate_id=product.pk).order_by("seq")
    assert list(events.values_list("seq", flat=True)) == list(range(1, events.count() + 1))


def test_a_review_that_is_approved_and_deleted_at_once_leaves_nothing_behind():
    for _ in range(5):
        review = ReviewFactory.create(status="pending", rating=5)
        mine = {"review_id": review.pk, "expected_version": None}

        said = at_once(
            outcome(lambda mine=mine: reviews.moderate_review(status=Status.APPROVED, **mine)),
            outcome(
                lambda mine=mine, author=review.customer_id: reviews.remove_review(
                    customer_id=author, **mine
                )
            ),
        )

        assert said in (["done", "done"], ["unknown_review", "done"])
        product = Product.objects.get(pk=review.product_id)
        assert (product.rating_count, product.rating_stars, product.rating_score) == (0, 0, 3.5)


def test_reports_at_once_are_counted_and_hide_the_review_once():
    review = ReviewFactory.create()

    def complain():
        reviews.report(review_id=review.pk, customer_id=new_id(), cause="spam", detail="")

    said = at_once(*[outcome(complain)] * 8)

    review.refresh_from_db()
    assert (review.status, review.report_count) == ("pending", 3)
    assert sorted(said) == ["done"] * 3 + ["unknown_review"] * 5
    assert ReviewReport.objects.count() == 3
    assert OutboxEvent.objects.filter(aggregate_id=review.product_id).count() == 1


def test_a_purchase_and_a_review_at_the_same_moment_see_each_other():
    for _ in range(5):
        product, customer_id = ProductFactory.create(), new_id()

        at_once(
            lambda product=product, who=customer_id: write(product, who),
            lambda product=product, who=customer_id: note_purchase(
                customer_id=who, product_ids=[product.pk]
            ),
        )

        assert Review.objects.get(customer_id=customer_id).is_verified is True


def test_what_is_written_below_a_text_that_is_deleted_at_once_is_refused_or_goes_with_it():
    for _ in range(5):
        review, question = ReviewFactory.create(), QuestionFactory.create()
        words = {"customer_id": new_id(), "author_name": "", "body": "No.", "for_the_store": False}
        below = [
            *[partial(reviews.vote, review_id=review.pk, customer_id=new_id()) for _ in range(4)],
            partial(
                reviews.report, review_id=review.pk, customer_id=new_id(), cause="spam", detail=""
            ),
            *[partial(reviews.reply, review_id=review.pk, body="x", actor_id=new_id())] * 2,
            *[partial(questions.answer, question_id=question.pk, **words)] * 4,
        ]
        author, asker = (
            {"customer_id": text.customer_id, "expected_version": None}
            for text in (review, question)
        )

        said = at_once(
            outcome(partial(reviews.remove_review, review_id=review.pk, **author)),
            outcome(partial(questions.remove_question, question_id=question.pk, **asker)),
            *map(outcome, below),
        )

        assert said[:2] == ["done", "done"]
        assert set(said) <= {"done", "unknown_review", "unknown_question"}
        assert not Question.objects.exists()
        assert not Review.objects.exists()


def test_of_ten_photos_at_once_five_are_kept_and_the_files_of_the_others_go(media):
    review = ReviewFactory.create()
    drawn = Picture(content=b"drawn", format="WEBP", width=10, height=10)
    add = outcome(
        partial(add_photo, review_id=review.pk, customer_id=review.customer_id, picture=drawn)
    )

    said = at_once(*[add] * 10)

    assert sorted(said) == ["done"] * 5 + ["too_many_photos"] * 5
    photos = ReviewPhoto.objects.order_by("position")
    assert list(photos.values_list("position", flat=True)) == [0, 1, 2, 3, 4]
    PhotoWork.objects.filter(goes=False).delete()
    PhotoWork.objects.update(next_action_at="2026-01-01T00:00:00Z")
    while advance_picture():
        pass
    assert sorted(path.name for path in (media / "reviews").iterdir()) == sorted(
        photo.file.name.removeprefix("reviews/") for photo in photos
    )
