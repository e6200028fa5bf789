"""What customers write, in the back office: read it, show it or reject it, many at a time."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join

from apps.catalog.admin.pictures import thumbnail
from apps.catalog.models import Answer, Question, Review, ReviewPhoto, ReviewReply, ReviewReport
from apps.catalog.selectors.reviews import with_pictures
from apps.catalog.services.contributions import Status
from apps.catalog.services.questions import moderate_answer, moderate_question
from apps.catalog.services.review_photos import remove_photo
from apps.catalog.services.reviews import moderate_review
from apps.kernel.backoffice import ReadOnly
from apps.kernel.errors import DomainError


class DecisionForm(ActionForm):
    """What is chosen for the selected rows, and why they are rejected."""

    reason = forms.CharField(
        required=False, max_length=200, label="Reason, which the author reads:"
    )


class Moderated(ReadOnly, admin.ModelAdmin):
    """A page of texts that are approved or rejected, never written by staff."""

    action_form = DecisionForm
    actions = ("approve", "reject")
    moderate: Callable[..., None]

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("catalog.moderate_review"))

    @admin.action(description="Approve", permissions=["moderate"])
    def approve(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Show them."""
        self._decide(request, rows, Status.APPROVED)

    @admin.action(description="Reject", permissions=["moderate"])
    def reject(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Do not show them."""
        self._decide(request, rows, Status.REJECTED)

    def _decide(self, request: HttpRequest, rows: QuerySet[Any], status: Status) -> None:
        reason, done = request.POST.get("reason", "")[:200], 0
        for row in rows:
            try:
                type(self).moderate(row.pk, status=status, reason=reason)
                done += 1
            except DomainError as refusal:
                messages.error(request, f"{row}: {refusal.detail}")
        if done:
            messages.success(request, f"Done: {done}.")


class Photos(ReadOnly, admin.TabularInline):
    """What the author shows. One is removed on its own page."""

    model = ReviewPhoto
    fields = ("picture",)
    readonly_fields = ("picture",)
    show_change_link = True

    @admin.display
    def picture(self, photo: ReviewPhoto) -> str:
        """What it looks like, small."""
        return thumbnail(str(photo.file), has_renditions=photo.has_renditions)


class Replies(ReadOnly, admin.TabularInline):
    """What the store has answered."""

    model = ReviewReply
    fields = ("body", "actor_id", "created_at")


class Reports(ReadOnly, admin.TabularInline):
    """Why others think that it should not be shown."""

    model = ReviewReport
    fields = ("cause", "detail", "created_at")


@admin.register(Review)
class ReviewAdmin(Moderated):
    """Reviews, those first that wait for longest."""

    list_display = (
        "created_at",
        "status",
        "product",
        "rating",
        "title",
        "excerpt",
        "photos",
        "author_name",
        "is_verified",
        "report_count",
    )
    list_filter = ("status", "is_verified", "rating")
    list_select_related = ("product",)
    search_fields = ("title", "body", "product__name")
    ordering = ("created_at", "id")
    inlines = (Photos, Reports, Replies)

    @staticmethod
    def moderate(review_id: Any, **decision: Any) -> None:
        moderate_review(review_id=review_id, **decision)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        return super().get_queryset(request).annotate(pictures=with_pictures())

    @admin.display
    def photos(self, review: Any) -> str:
        """What is shown with it, small."""
        return format_html_join(
            "",
            "{}",
            (
                (thumbnail(each["file"], has_renditions=each["has_renditions"]),)
                for each in review.pictures
            ),
        )

    @admin.display(description="text")
    def excerpt(self, review: Review) -> str:
        """How it begins."""
        return review.body[:200]


@admin.register(ReviewPhoto)
class ReviewPhotoAdmin(ReadOnly, admin.ModelAdmin):
    """Photos of reviews, the newest first. They are shown and hidden with their review."""

    list_display = ("picture", "review", "width", "height")
    list_filter = ("review__status",)
    list_select_related = ("review",)
    fields = ("picture", "review", "width", "height")
    ordering = ("-id",)
    actions = ("remove",)

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("catalog.moderate_review"))

    @admin.display
    def picture(self, photo: ReviewPhoto) -> str:
        """What it looks like, small."""
        return thumbnail(str(photo.file), has_renditions=photo.has_renditions)

    @admin.action(description="Remove, with its files", permissions=["moderate"])
    def remove(self, request: HttpRequest, rows: QuerySet[ReviewPhoto]) -> None:
        """Delete them; a worker deletes the files."""
        photos = rows.values_list("review_id", "pk")
        for review_id, photo_id in photos:
            with suppress(DomainError):  # its author was faster
                remove_photo(review_id=review_id, photo_id=photo_id, customer_id=None)
        messages.success(request, f"Removed: {len(photos)}.")


@admin.register(Question)
class QuestionAdmin(Moderated):
    """Questions, those first that wait for longest."""

    list_display = ("created_at", "status", "product", "body", "author_name")
    list_filter = ("status",)
    list_select_related = ("product",)
    search_fields = ("body", "product__name")
    ordering = ("created_at", "id")

    @staticmethod
    def moderate(question_id: Any, **decision: Any) -> None:
        moderate_question(question_id=question_id, **decision)


@admin.register(Answer)
class AnswerAdmin(Moderated):
    """Answers, those first that wait for longest."""

    list_display = ("created_at", "status", "question", "body", "is_merchant", "author_name")
    list_filter = ("status", "is_merchant")
    list_select_related = ("question",)
    search_fields = ("body", "question__body")
    ordering = ("created_at", "id")

    @staticmethod
    def moderate(answer_id: Any, **decision: Any) -> None:
        moderate_answer(answer_id=answer_id, **decision)
