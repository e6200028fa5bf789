"""Photos of returns in the back office: to look at."""

from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from apps.kernel.backoffice import ReadOnly
from apps.orders.models import ReturnPhoto
from apps.orders.selectors.orders import STORE
from apps.orders.selectors.returns import UnknownReturn
from apps.orders.services.return_photos import UnknownReturnPhoto, photo_of

SEES = "orders.view_return"


class ReturnPhotos(ReadOnly, admin.TabularInline):
    model = ReturnPhoto
    fields = ("position", "width", "height", "added_at", "look")
    readonly_fields = ("look",)

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm(SEES)

    @admin.display(description="photo")
    def look(self, photo: ReturnPhoto) -> str:
        address = reverse("admin:orders_return_photo", args=[photo.parent_id, photo.pk])
        return format_html('<a href="{}">look at it</a>', address)


def shown(request: HttpRequest, return_id: UUID, photo_id: UUID) -> HttpResponse:
    """Give a photo to whoever may see returns."""
    if not request.user.has_perm(SEES):
        raise PermissionDenied
    try:
        content = photo_of(holder=STORE, return_id=return_id, photo_id=photo_id)
    except (UnknownReturn, UnknownReturnPhoto) as refusal:
        raise Http404(refusal.detail) from refusal
    return HttpResponse(
        content, content_type="image/webp", headers={"Cache-Control": "private, no-cache"}
    )
